"""Which sinks the options ask for."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import cv2
import pytest

from edge_runtime import DigitReader
from edge_runtime.cli import outputs
from edge_runtime.cli.options import (
    CameraOptions,
    CommandOptions,
    DecisionOptions,
    LookOptions,
    MqttOptions,
    NetworkOptions,
    ReadingOptions,
    ReportOptions,
    ResultOptions,
)
from edge_runtime.cli.read import read
from edge_runtime.cli.sections import taken
from edge_runtime.errors import OptionError, OutputError
from edge_runtime.sinks.lines import JsonLines, Text
from edge_runtime.sinks.pictures import Pictures
from edge_runtime.sinks.rotating import JsonFile
from edge_runtime.sinks.sink import Sink
from edge_runtime.sinks.stats import Stats
from edge_runtime.sinks.videos import Video

ROOT = Path(__file__).parents[3]


def parameters(*arguments: object) -> dict[str, Any]:
    """Return what click makes of these options."""
    context = read.make_context("read", ["source", *map(str, arguments)])
    return dict(context.params)


def reading(values: dict[str, Any]) -> ReadingOptions:
    return ReadingOptions(
        report=taken(ReportOptions, values), look=taken(LookOptions, values), camera=taken(CameraOptions, values),
        mqtt=taken(MqttOptions, values), commands=taken(CommandOptions, values), network=taken(NetworkOptions, values),
        decision=taken(DecisionOptions, values),
    )  # fmt: skip


def made(*arguments: object) -> list[Sink]:
    values = parameters(*arguments)
    with DigitReader() as reader:
        return outputs.sinks(taken(ResultOptions, values), reading(values), ["source"], reader, print)


def check(values: dict[str, Any], sources: list[str]) -> None:
    outputs.check(sources, reading(values), taken(ResultOptions, values))


def close(sinks: list[Sink]) -> None:
    for sink in sinks:
        sink.close()


def test_results_are_printed_whatever_other_outputs_exist(tmp_path: Path) -> None:
    assert [type(sink) for sink in made()] == [Text]
    sinks = made("--json", "--annotate", tmp_path / "a", "--explain", tmp_path / "b", "--log", tmp_path / "c.jsonl",
                 "--video", tmp_path / "d.avi", "--stats")  # fmt: skip
    assert [type(sink) for sink in sinks] == [JsonLines, Pictures, Pictures, JsonFile, Stats, Video]
    assert [sink.output for sink in sinks] == [True] * 4 + [False, True]
    close(sinks)


def test_a_failed_output_closes_the_open_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []
    close_file = JsonFile.close

    def close_and_note(sink: JsonFile) -> None:
        closed.append("log")
        close_file(sink)

    monkeypatch.setattr(JsonFile, "close", close_and_note)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Not a directory"):
        made("--log", tmp_path / "a.jsonl", "--video", tmp_path / "file" / "a.avi")
    assert closed == ["log"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--video", "clip.mkv"], "clip.mkv: the name of a video must end in .mp4, .avi, .webm"),
        (["--mqtt", "broker"], "the address of an MQTT broker looks like mqtt://user@host:1883"),
        (["--mqtt", "mqtt://me:secret@broker"], "no password in the address of an MQTT broker"),
        (["--mqtt", "mqtt://broker", "--mqtt-device", "a/b"], "'a/b' is not a device name"),
    ],
)
def test_what_makes_no_sense_is_named(arguments: list[str], message: str) -> None:
    with pytest.raises((OptionError, click.BadParameter)) as caught:
        made(*arguments)
    said = caught.value.message if isinstance(caught.value, click.BadParameter) else str(caught.value)
    assert said.startswith(message)
    assert "secret" not in said


@pytest.mark.parametrize("option", ["--log", "--video"])
def test_what_is_read_is_not_written_over(option: str, tmp_path: Path) -> None:
    (tmp_path / "clip.avi").write_bytes(b"a video")
    with pytest.raises(OptionError, match=f"{option} .*clip.avi would overwrite what is read: choose another file"):
        check(parameters(option, tmp_path / "clip.avi"), [str(tmp_path / "clip.avi")])


def test_outputs_do_not_write_over_each_other(tmp_path: Path) -> None:
    same = tmp_path / "same.avi"
    for first, second in (("--log", "--video"), ("--log", "--mqtt-spool"), ("--video", "--mqtt-spool")):
        with pytest.raises(OptionError, match=f"{second} .*same.avi would overwrite {first}: choose another file"):
            check(parameters(first, same, second, same, "--mqtt", "mqtt://broker"), ["page.png"])
    with pytest.raises(OptionError, match=r"--log .*same.avi would overwrite --model: choose another file"):
        check(parameters("--log", same, "--model", same), ["page.png"])


def test_options_that_would_do_nothing_are_named() -> None:
    for option in (["--mqtt-device", "pi"], ["--mqtt-discovery"], ["--mqtt-spool", "q"]):
        with pytest.raises(OptionError, match=f"{option[0]} requires --mqtt"):
            check(parameters(*option), ["page.png"])


def test_only_folders_are_watched(tmp_path: Path) -> None:
    check(parameters("--watch"), [str(tmp_path)])
    for source, what in (
        ("camera", "not a folder"),
        (str(tmp_path / "none"), "no such folder"),
        ("-", "no such folder"),
    ):
        with pytest.raises(OptionError, match=f"^{source}: {what}, but --watch requires a folder"):
            check(parameters("--watch"), [source])
    with pytest.raises(OptionError, match="never ends: name it last"):
        check(parameters("--watch"), [str(tmp_path), str(tmp_path)])


def test_a_missing_package_is_named_with_its_extra() -> None:
    code = """
import sys
sys.modules["paho"] = None
sys.argv[1:] = ["read", "synthetic", "--mqtt", "mqtt://127.0.0.1"]
from edge_runtime.cli.main import main
main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.endswith(": pip install 'edge-digits[mqtt]'\n")


def test_the_command_line_writes_all_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "edge_runtime", "read", "synthetic:1", "--frames", "12", "--raw"]
    files = ["--log", tmp_path / "log.jsonl", "--video", tmp_path / "clip.avi", "--annotate", tmp_path / "pictures"]
    done = subprocess.run([*command, *map(str, files)], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    records = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    readings = [record for record in records if record["type"] == "reading"]
    assert len(readings) == len(list((tmp_path / "pictures").iterdir())) == 12
    # Which those are depends on how many frames were dropped; the first is that a line appeared.
    events = [f"{record['event']} {record['text']}" for record in records if record.get("event") == "appeared"]
    assert events
    assert set(events) <= set(done.stdout.splitlines())
    video = cv2.VideoCapture(str(tmp_path / "clip.avi"))
    there, frame = video.read()
    video.release()
    assert there
    assert frame.shape == (480, 640, 3)
