import json
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

import edge_runtime
from edge_runtime import Classifier
from edge_runtime.cli.main import main
from edge_runtime.doctor import selftest
from edge_runtime.inference import model_file
from edge_runtime.inference.model_file import SHIPPED
from tests.commands import Call, Done
from tests.edge_runtime.sources.servers import Request, jpeg, part, serving

SCHEMA = json.loads((Path(edge_runtime.__file__).parent / "schemas" / "selftest.schema.json").read_text())
TEXTS = [["2"], ["48793968101", "0430355509", "043"], ["7374424", "05537"]]


@pytest.fixture(autouse=True)
def no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder for what is kept, in which nothing is yet."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    return tmp_path / "state" / "edge-digits"


def record(done: Done) -> dict[str, Any]:
    """Return what was printed with --json, which fits the schema."""
    report: dict[str, Any] = json.loads(done.out)
    Draft202012Validator(SCHEMA).validate(report)
    assert report["passed"] == (done.code == 0)
    return report


def run(*arguments: str, timeout: float = selftest.TIMEOUT) -> Done:
    """Run it in a process of its own: one that ends leaves what hangs behind, and so would end the tests."""
    code = (
        "import sys\nfrom edge_runtime.__main__ import program\nfrom edge_runtime.doctor import selftest\n"
        f"selftest.TIMEOUT = {timeout}\nsys.argv[1:1] = ['selftest']\nprogram()"
    )
    command, root = [sys.executable, "-c", code, *arguments], Path(edge_runtime.__file__).parents[1]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return Done(done.returncode, done.stdout, done.stderr)


def other(path: Path, classifier: Classifier, roll: int = 0) -> Path:
    """Write another model than the one that ships, which answers alike, with golden answers that may be others'."""
    model = classifier.model
    golden = model.golden()
    golden["outputs"] = np.roll(golden["outputs"], roll, axis=1)
    assert model.card is not None
    model_file.write(path, model.flatbuffer + b"another", dict(model.card), golden)
    return path


def test_this_machine_reads_as_it_must(call: Call) -> None:
    done = call(main, "selftest", "--json")
    assert (done.code, done.err) == (0, "")
    report = record(done)
    assert report["model"] == {"id": model_file.read(SHIPPED).id, "path": str(SHIPPED), "verified": True}
    vectors = report["golden_vectors"]
    assert (vectors["vectors"], vectors["same"], vectors["allowed"], vectors["passed"]) == (34, 34, 2, True)
    assert vectors["furthest"] <= 2
    assert [page["read"] for page in report["pages"]] == [page["expected"] for page in report["pages"]] == TEXTS
    assert all(page["passed"] and page["required"] and page["ms"] > 0 for page in report["pages"])
    assert 1e3 < report["digit_ns"] < 1e8
    assert report["source"] is None


def test_people_are_told_in_lines(call: Call, samples: Path) -> None:
    done = call(main, "selftest", samples / "digit.png")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == f"Model           {model_file.read(SHIPPED).id}, {SHIPPED}"
    assert lines[1].startswith("Golden vectors  ok: 34 of 34 have the expected label; scores differ by up to ")
    assert lines[3].startswith("Sample page     ok: paper.jpg reads 48793968101 / 0430355509 / 043, ")
    assert lines[5].startswith("One digit       ")
    assert lines[5].endswith(" us")
    assert lines[6:] == [f"Source          ok: {samples / 'digit.png'}, 1 frame of 160x160, reads 2"]


def test_a_network_that_answers_otherwise_fails(call: Call, tmp_path: Path, classifier: Classifier) -> None:
    path = other(tmp_path / "wrong.tflite", classifier, roll=1)
    done = call(main, "selftest", "--model", path, "--json")
    assert done.code == 5
    assert done.err.startswith(f"edge-digits: error: {path} gives wrong results on this machine: ")
    assert done.err.count("\n") == 1
    report = record(done)
    assert report["golden_vectors"]["passed"] is False
    assert report["golden_vectors"]["same"] < 7
    assert [page["passed"] for page in report["pages"]] == [True] * 3  # everything else is told all the same
    lines = call(main, "selftest", "--model", path).out
    assert "Golden vectors  failed: " in lines


def test_golden_vectors_that_are_damaged_fail(call: Call, tmp_path: Path, classifier: Classifier) -> None:
    path = other(tmp_path / "damaged.tflite", classifier)
    with zipfile.ZipFile(path) as archive:
        at = archive.getinfo("golden.npz").header_offset
    data = bytearray(path.read_bytes())
    data[at + 200] ^= 0xFF
    path.write_bytes(data)
    done = call(main, "selftest", "--model", path, "--json")
    assert done.code == 5
    assert "its golden vectors are damaged" in done.err
    assert record(done)["golden_vectors"] == {
        "vectors": 0, "same": 0, "furthest": None, "allowed": None, "passed": False,
    }  # fmt: skip
    assert "Golden vectors  failed: " in call(main, "selftest", "--model", path).out


def test_scores_that_are_no_numbers_are_json(
    classifier: Classifier, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edge_runtime.inference import golden

    monkeypatch.setattr(golden, "replay", lambda classifier: golden.Replay(26, 26, float("inf"), 2))
    done = call(main, "selftest", "--json")
    assert done.code == 5
    assert record(done)["golden_vectors"]["furthest"] is None
    assert "Infinity" not in done.out


def test_a_custom_model_has_nothing_to_prove(call: Call, tmp_path: Path, classifier: Classifier) -> None:
    path, labels = tmp_path / "mine.tflite", tmp_path / "labels.txt"
    path.write_bytes(classifier.model.flatbuffer + b"mine")
    labels.write_text("\n".join("abcdefghij"))
    done = call(main, "selftest", "--model", path, "--labels", labels, "--json")
    assert (done.code, done.err) == (0, "")
    report = record(done)
    assert report["golden_vectors"] is None
    assert report["model"]["verified"] is False
    assert report["pages"][0]["expected"] == report["pages"][0]["read"] == ["c"]
    assert "this model has none" in call(main, "selftest", "--model", path).out


@pytest.fixture
def other_truth(tmp_path: Path, samples: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of sample pages, of which one says something else."""
    folder = tmp_path / "samples"
    folder.mkdir()
    (folder / "digit.png").write_bytes((samples / "digit.png").read_bytes())
    (folder / "truth.jsonl").write_text('{"file": "digit.png", "lines": ["7"]}\n')
    monkeypatch.setattr(selftest, "SAMPLES", folder)
    monkeypatch.setattr(selftest, "TRUTH", folder / "truth.jsonl")
    return folder


@pytest.mark.usefixtures("other_truth")
def test_a_page_that_the_shipped_model_misreads_fails(call: Call) -> None:
    done = call(main, "selftest", "--json")
    assert done.code == 5
    assert done.err == (
        "edge-digits: error: the sample page digit.png shows 7, but was read as 2: "
        "install another version of OpenCV, or the package again\n"
    )
    assert [page["passed"] for page in record(done)["pages"]] == [False]
    assert "Sample page     failed: digit.png reads 2, " in call(main, "selftest").out


@pytest.mark.usefixtures("other_truth")
def test_a_page_that_another_model_misreads_is_told(call: Call, tmp_path: Path, classifier: Classifier) -> None:
    path = other(tmp_path / "other.tflite", classifier)
    done = call(main, "selftest", "--model", path, "--json")
    assert (done.code, done.err) == (0, "")
    page = record(done)["pages"][0]
    assert (page["required"], page["passed"]) == (False, False)
    assert "Sample page     not as written: digit.png reads 2, " in call(main, "selftest", "--model", path).out


def test_pages_that_are_damaged_or_gone_fail(call: Call, other_truth: Path) -> None:
    (other_truth / "digit.png").write_bytes((other_truth / "digit.png").read_bytes()[:500])
    done = call(main, "selftest", "--json")
    assert done.code == 5
    assert "install the package again" in done.err
    assert record(done)["pages"][0]["read"] == []
    (other_truth / "truth.jsonl").write_text("not json")
    done = call(main, "selftest", "--json")
    assert done.code == 5
    assert "truth.jsonl cannot be read" in done.err
    assert record(done)["pages"] == []


def test_the_installed_model_is_the_tested_one(call: Call, no_store: Path, classifier: Classifier) -> None:
    folder = no_store / "models"
    folder.mkdir(parents=True)
    path = other(folder / "0123456789ab.tflite", classifier)
    (folder / "current").symlink_to(path.name)
    assert record(call(main, "selftest", "--json"))["model"]["path"] == str(path)


def test_a_stream_is_looked_at(samples: Path) -> None:
    page = (samples / "paper.jpg").read_bytes()

    def stream(request: Request) -> None:
        body = request.begin_stream()
        while True:
            body.write(part(page))

    with serving(stream) as address:
        done = run(address.replace("//", "//user:secret@"), "--json")
    assert (done.code, done.err) == (0, "")
    source = record(done)["source"]
    assert (source["frames"], source["width"], source["height"]) == (selftest.FRAMES, 800, 600)
    assert (source["read"], source["problem"]) == (TEXTS[1], None)
    assert "secret" not in done.out


def test_a_lens_that_is_covered_is_told() -> None:
    def dark(request: Request) -> None:
        body = request.begin_stream()
        while True:
            body.write(part(jpeg(3)))

    with serving(dark) as address:
        done = run(address, "--json")
    assert done.code == 3
    assert "all pixels are equal: is the lens covered" in done.err
    assert record(done)["source"]["problem"].startswith(address)


def test_a_silent_stream_is_not_waited_for() -> None:
    over = threading.Event()

    def silent(request: Request) -> None:
        request.begin_stream().flush()
        over.wait()

    with serving(silent) as address:
        try:
            done = run(address, "--json", timeout=0.3)
        finally:
            over.set()
    assert done.code == 3
    assert record(done)["source"]["frames"] == 0
    assert "no frame within the time limit" in done.err


@pytest.mark.parametrize(
    ("source", "code", "message"),
    [
        ("none.jpg", 1, "none.jpg: no such file"),
        ("/dev/video99", 3, "/dev/video99: there is no such camera"),
        ("http://127.0.0.1:9/stream", 3, "http://127.0.0.1:9/stream"),
    ],
)
def test_a_source_that_is_not_there(source: str, code: int, message: str) -> None:
    done = run(source, "--json")
    assert done.code == code
    assert done.err.startswith(f"edge-digits: error: {message}")
    report = record(done)
    assert report["source"]["problem"].startswith(message)
    assert report["golden_vectors"]["passed"]
    assert [*selftest.lines(report)][-1].startswith(f"Source          failed: {message}")


def test_an_empty_folder_gives_nothing(call: Call, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = call(main, "selftest", tmp_path / "empty", "--json")
    assert done.code == 1
    assert str(record(done)["source"]["problem"]).startswith(f"{tmp_path}/empty")


def test_the_gravest_failure_is_the_exit_code(tmp_path: Path, classifier: Classifier) -> None:
    path = other(tmp_path / "wrong.tflite", classifier, roll=1)
    done = run("/dev/video99", "--model", str(path))
    assert done.code == 5
    assert done.err.count("\n") == 2


def test_settings_may_come_from_a_file(call: Call, tmp_path: Path, classifier: Classifier, samples: Path) -> None:
    path = other(tmp_path / "other.tflite", classifier)
    settings = tmp_path / "edge-digits.toml"
    settings.write_text(
        f"[selftest]\nmodel = {json.dumps(str(path))}\nsource = {json.dumps(str(samples))}\njson = true\n"
    )
    report = record(call(main, "selftest", "--config", settings))
    assert report["model"]["path"] == str(path)
    assert report["source"]["frames"] == 3


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--model", "none.tflite"], 4, "cannot read the model none.tflite"),
        (["--threads", "0"], 2, "--threads"),
        (["--labels", "none.txt"], 2, "cannot read the labels none.txt"),
        (["a", "b"], 2, "unexpected extra argument"),
    ],
)
def test_nonsense_is_one_line(arguments: list[str], code: int, message: str, call: Call) -> None:
    assert message in call(main, "selftest", *arguments).one_line(code)
