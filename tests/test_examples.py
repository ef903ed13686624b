"""Every example runs, as its docstring says."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from edge_runtime.sources.pictures import load
from tests.builds import ROOT
from tests.edge_runtime.web.process import served

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


@pytest.fixture(scope="module")
def clip(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video that shows a page for a second."""
    path = tmp_path_factory.mktemp("clip") / "clip.avi"
    page = cv2.resize(load(samples / "paper.jpg").pixels, (640, 480))
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (640, 480))
    for _ in range(10):
        writer.write(page)
    writer.release()
    return path


def run(name: str, *arguments: object, cwd: Path) -> list[str]:
    command = [sys.executable, str(ROOT / "examples" / f"{name}.py"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_a_picture_is_read(samples: Path, tmp_path: Path) -> None:
    assert [line.split()[0] for line in run("picture", samples / "paper.jpg", cwd=tmp_path)] == [
        "48793968101", "0430355509", "043"
    ]  # fmt: skip


def test_a_folder_is_read(samples: Path, tmp_path: Path) -> None:
    readings = [json.loads(line) for line in run("folder", samples, cwd=tmp_path)]
    assert [reading["text"] for reading in readings][1] == ["2"]


def test_moving_pictures_are_followed(clip: Path, tmp_path: Path) -> None:
    assert run("webcam", clip, cwd=tmp_path)[0].startswith("appeared ")


def test_readings_are_sent_to_a_broker(clip: Path, tmp_path: Path) -> None:
    mosquitto = pytest.importorskip("tests.edge_runtime.sinks.mqtt.mosquitto")
    if mosquitto.PROGRAM is None:
        pytest.skip("needs mosquitto")
    broker = mosquitto.Mosquitto(tmp_path / "broker")
    broker.start()
    try:
        with mosquitto.listening(broker) as heard:
            run("mqtt", clip, broker.url, cwd=tmp_path)
            heard.wait(lambda messages: any(message.topic == "edge-digits/kitchen/event" for message in messages))
        events = [json.loads(message.payload) for message in heard if message.topic == "edge-digits/kitchen/event"]
        assert "48793968101" in [event["text"] for event in events]
    finally:
        broker.kill()


def test_a_server_reads_a_picture(samples: Path, tmp_path: Path) -> None:
    with served(home=tmp_path) as running:
        assert run("http_api", samples / "digit.png", running.address.rstrip("/"), cwd=tmp_path) == ["2"]


def test_a_model_of_ones_own_reads(samples: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.tflite"
    shutil.copy(ROOT / "edge_runtime" / "models" / "digits-int8.tflite", model)
    (tmp_path / "labels.txt").write_text("\n".join("ABCDEFGHIJ"))
    assert run("own_model", samples / "digit.png", model, "labels.txt", cwd=tmp_path) == ["C"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_are_short_and_use_public_names_alone(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.search(rf"python examples/{path.name}", text)
    assert len(text.splitlines()) <= 20
    assert "edge_runtime." not in text
