import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from PIL import Image

import edge_runtime
from edge_runtime import DigitReader
from edge_runtime.cli.exit_codes import EXIT_CODES
from edge_runtime.cli.main import main
from edge_runtime.inference import model_file
from edge_runtime.sinks.explain import explain
from edge_runtime.sources import pictures

ROOT = Path(edge_runtime.__file__).parents[1]
SCHEMA = json.loads((Path(__file__).parents[3] / "edge_runtime" / "schemas" / "reading.schema.json").read_text())
COMMAND = [sys.executable, "-m", "edge_runtime"]


def run(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "check": False, **options}
    return subprocess.run([*COMMAND, *map(str, arguments)], cwd=ROOT, **options)


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    """Run the command line in this process and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["edge-digits", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        main()
    code = caught.value.code
    assert code is None or isinstance(code, int)
    return code or 0


@pytest.fixture
def digit(samples: Path) -> Path:
    return samples / "digit.png"


def test_a_picture_gives_its_text_alone(samples: Path) -> None:
    done = run("read", samples / "paper.jpg")
    assert (done.returncode, done.stdout, done.stderr) == (0, "48793968101\n0430355509\n043\n", "")


def test_several_pictures_are_told_apart_by_name(samples: Path) -> None:
    done = run("read", samples)
    assert (done.returncode, done.stderr) == (0, "")
    names = [samples / name for name in ("blackboard.jpg",) * 2 + ("digit.png",) + ("paper.jpg",) * 3]
    texts = ["7374424", "05537", "2", "48793968101", "0430355509", "043"]
    assert done.stdout.splitlines() == [f"{name}: {text}" for name, text in zip(names, texts, strict=True)]


def test_no_digit_is_a_result(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    Image.new("L", (64, 48), 230).save(tmp_path / "blank.png")
    assert call(monkeypatch, "read", tmp_path / "blank.png") == 0
    assert capsys.readouterr() == ("(no digit)\n", "")


def test_json_is_records_that_fit_the_schema(samples: Path) -> None:
    done = run("read", "--json", samples / "paper.jpg", samples / "digit.png")
    records = [json.loads(line) for line in done.stdout.splitlines()]
    for record in records:
        Draft202012Validator(SCHEMA).validate(record)
    assert [record["text"] for record in records] == [["48793968101", "0430355509", "043"], ["2"]]
    assert [record["source"] for record in records] == [str(samples / "paper.jpg"), str(samples / "digit.png")]
    assert (done.returncode, done.stderr) == (0, "")


def test_bad_files_are_lines_the_rest_is_read(tmp_path: Path, digit: Path) -> None:
    (tmp_path / "notes.png").write_text("Seven eleven.")
    (tmp_path / "empty.png").touch()
    (tmp_path / "two\nlines.png").write_bytes(digit.read_bytes()[:1000])
    bad = [tmp_path / name for name in ("notes.png", "empty.png", "none.png", "two\nlines.png")]
    done = run("read", bad[0], bad[1], digit, bad[2], bad[3])
    assert done.returncode == 1
    assert done.stdout == f"{digit}: 2\n"
    lines = done.stderr.splitlines()
    assert lines[:3] == [
        f"edge-digits: error: {bad[0]}: not a picture that Pillow can read",
        f"edge-digits: error: {bad[1]}: the file is empty",
        f"edge-digits: error: {bad[2]}: no such file",
    ]
    assert len(lines) == 4
    assert lines[3].startswith(f"edge-digits: error: {tmp_path}/two lines.png: damaged or truncated: ")


def test_an_impossible_name_is_one_bad_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], digit: Path
) -> None:
    assert call(monkeypatch, "read", "x" * 300, digit) == 1
    out, err = capsys.readouterr()
    assert out == f"{digit}: 2\n"
    assert err == f"edge-digits: error: {'x' * 300}: cannot be read: File name too long\n"


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no such names")
def test_a_name_that_is_not_text_works(tmp_path: Path, digit: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png"))
    path.write_bytes(digit.read_bytes())
    strict = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}
    done = run("read", tmp_path, env=strict)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(".png: 2\n")
    done = run("read", "--json", path, env=strict)
    assert json.loads(done.stdout)["source"] == str(path)


def test_a_picture_on_standard_input(digit: Path) -> None:
    with digit.open("rb") as file:
        done = run("read", "-", stdin=file)
    assert (done.returncode, done.stdout, done.stderr) == (0, "2\n", "")


@pytest.mark.parametrize("stdin", [subprocess.DEVNULL, None], ids=["empty", "closed"])
def test_nothing_on_standard_input(stdin: int | None) -> None:
    if stdin is None:
        command = ["sh", "-c", 'exec "$@" <&-', "sh", *COMMAND, "read", "-"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    else:
        done = run("read", "-", stdin=stdin)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "edge-digits: error: -: the file is empty\n"


# A shell may have told what it starts to ignore Ctrl-C: the command is started with Python's own handler.
HEEDING_CTRL_C = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from edge_runtime.cli.main import main
main()
"""


def test_ctrl_c_while_waiting_for_standard_input(digit: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HEEDING_CTRL_C, "read", str(digit), "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == f"{digit}: 2\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert err.strip() == ""


def test_annotated_pictures_of_equal_names_stay_apart(tmp_path: Path, digit: Path) -> None:
    sources = [tmp_path / "a" / "page.png", tmp_path / "b" / "page.png"]
    for source in sources:
        source.parent.mkdir()
        source.write_bytes(digit.read_bytes())
    out = tmp_path / "new" / "out"
    done = run("read", *sources, "--annotate", out)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.name for path in out.iterdir()) == ["page-2.png", "page.png"]
    with Image.open(out / "page.png") as annotated, Image.open(digit) as original:
        assert annotated.size == original.size
        assert np.any(np.asarray(annotated) != np.asarray(original))


def test_every_stage_is_explained_beside_the_annotated_picture(tmp_path: Path, digit: Path) -> None:
    done = run("read", digit, "--annotate", tmp_path / "out", "--explain", tmp_path / "why")
    assert (done.returncode, done.stdout, done.stderr) == (0, "2\n", "")
    assert [path.name for path in (tmp_path / "why").iterdir()] == ["digit.png"]
    with Image.open(tmp_path / "why" / "digit.png") as explained, Image.open(tmp_path / "out" / "digit.png") as drawn:
        assert explained.width == 1600
        with DigitReader() as reader:
            expected = explain(reader.trace(pictures.load(digit)))
        page = np.asarray(explained.convert("RGB"))[..., ::-1][expected.shape[0] - 300 :]
        assert np.array_equal(page, expected[-300:])
        assert drawn.size == (160, 160)


def test_an_explanation_uses_the_labels_of_the_model(tmp_path: Path, digit: Path) -> None:
    path, labels = tmp_path / "own.tflite", tmp_path / "labels.txt"
    path.write_bytes(model_file.read(model_file.SHIPPED).flatbuffer)
    labels.write_text("\n".join("abcdefghij"))
    done = run("read", digit, "--model", path, "--labels", labels, "--explain", tmp_path / "why")
    assert (done.returncode, done.stdout) == (0, "c\n")
    with DigitReader(path, labels=labels) as reader:
        trace = reader.trace(pictures.load(digit))
    with Image.open(tmp_path / "why" / "digit.png") as explained:
        page = np.asarray(explained.convert("RGB"))[..., ::-1]
    assert np.array_equal(page[-300:], explain(trace, "abcdefghij")[-300:])
    assert not np.array_equal(page[-300:], explain(trace)[-300:])


def test_annotated_and_explained_pictures_go_to_two_folders(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, digit: Path
) -> None:
    out = tmp_path / "out"
    assert call(monkeypatch, "read", digit, "--annotate", out, "--explain", tmp_path / "x" / ".." / "out") == 2
    message = f"--annotate and --explain would overwrite each other in {tmp_path}/x/../out: choose two folders"
    assert capsys.readouterr() == ("", f"edge-digits: error: {message}\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["--annotate", "--explain"])
@pytest.mark.parametrize("as_folder", [False, True])
def test_drawn_pictures_never_replace_the_originals(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    digit: Path,
    as_folder: bool,
    option: str,
) -> None:
    source = tmp_path / "page.png"
    source.write_bytes(digit.read_bytes())
    assert call(monkeypatch, "read", tmp_path if as_folder else source, option, tmp_path / "." / "") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"edge-digits: error: {option} {tmp_path} would overwrite the pictures there: choose another folder\n"
    assert source.read_bytes() == digit.read_bytes()


@pytest.mark.parametrize("option", ["--annotate", "--explain"])
def test_a_folder_that_cannot_be_written_to(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, digit: Path, option: str
) -> None:
    (tmp_path / "file").touch()
    assert call(monkeypatch, "read", digit, option, tmp_path / "file" / "out") == 6
    assert capsys.readouterr() == (
        "",
        f"edge-digits: error: cannot make the folder {tmp_path}/file/out: Not a directory\n",
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
@pytest.mark.parametrize("arguments", [["read", "digit.png"], ["read", "--json", "digit.png"], ["--help"]])
def test_a_full_disk_is_said_in_one_line(arguments: list[str], digit: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = run(*[str(digit) if argument == "digit.png" else argument for argument in arguments], stdout=full)
    assert done.returncode == 6
    assert done.stderr == "edge-digits: error: cannot write the result: No space left on device\n"


def test_whoever_reads_our_output_may_leave_early(samples: Path) -> None:
    # As `| head -1` does, but surely before the first line.
    reading_end, writing_end = os.pipe()
    os.close(reading_end)
    done = run("read", samples, "--json", stdout=writing_end)
    os.close(writing_end)
    assert (done.returncode, done.stderr) == (0, "")


def test_standard_output_and_error_may_be_closed(digit: Path) -> None:
    for stream, source, code in ((1, str(digit), 0), (2, "none.png", 1)):
        command = ["sh", "-c", f'exec "$@" {stream}>&-', "sh", *COMMAND, "read", source]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(None, "cannot read the model {path}: No such file or directory", id="missing"),
        pytest.param(b"GIF89a", "{path} is not a TensorFlow Lite file", id="something else"),
        pytest.param(b"\x1c\0\0\0TFL3", "{path} cannot be loaded: ", id="not whole"),
    ],
)
def test_a_model_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    digit: Path,
    data: bytes | None,
    message: str,
) -> None:
    path = tmp_path / "own.tflite"
    if data is not None:
        path.write_bytes(data)
    assert call(monkeypatch, "read", digit, "--model", path) == 4
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("edge-digits: error: " + message.format(path=path))


def test_a_model_without_a_card_gets_a_note(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, digit: Path
) -> None:
    path, labels = tmp_path / "own.tflite", tmp_path / "labels.txt"
    path.write_bytes(model_file.read(model_file.SHIPPED).flatbuffer)
    labels.write_text("\n".join("abcdefghij"))
    assert call(monkeypatch, "read", digit, "--model", path, "--labels", labels, "--threads", "2") == 0
    assert capsys.readouterr() == ("c\n", f"edge-digits: {path} has no card: it is used unverified\n")


def test_the_least_confidence_decides_what_is_a_digit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], digit: Path
) -> None:
    assert call(monkeypatch, "read", digit, "--json", "--min-confidence", "1") == 0
    record = json.loads(capsys.readouterr().out)
    assert record["text"] == []
    assert [rejection["reason"] for rejection in record["rejected"]] == ["low confidence"]


def test_the_line_threshold_decides_what_is_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], digit: Path
) -> None:
    assert call(monkeypatch, "read", digit, "--json", "--min-line-confidence", "1") == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["text"], record["lines"]) == ([], [])
    assert [rejection["reason"] for rejection in record["rejected"]] == ["unsure line"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["read"], "Missing argument 'SOURCE...'"),
        (["read", "x.png", "--min-confidence", "1.5"], "1.5 is not in the range 0<=x<=1"),
        (["read", "x.png", "--min-line-confidence", "-0.1"], "-0.1 is not in the range 0<=x<=1"),
        (["read", "x.png", "--threads", "0"], "0 is not in the range 1<=x<=64"),
        (["read", "x.png", "--no-such-option"], "No such option"),
        (["read", "x.png", "--labels", "none.txt"], "cannot read the labels none.txt"),
        (["write", "x.png"], "No such command 'write'"),
    ],
)
def test_a_wrong_option_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert call(monkeypatch, *arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["none.png"], ["x.png", "--model", "none.tflite"]])
def test_debug_shows_the_traceback(arguments: list[str]) -> None:
    quiet, loud = run("read", *arguments), run("read", *arguments, "--debug")
    assert len(quiet.stderr.splitlines()) == 1
    assert loud.stderr.startswith("Traceback (most recent call last):\n")
    assert loud.stderr.splitlines()[-1].startswith("edge_runtime.errors.")
    assert loud.returncode != 0


def test_the_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(monkeypatch, "--version") == 0
    assert capsys.readouterr().out == f"edge-digits, version {edge_runtime.__version__}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["read", "-h"], ["read", "--help"]])
def test_help_lists_the_exit_codes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert call(monkeypatch, *arguments) == 0
    shown = [line.strip() for line in capsys.readouterr().out.splitlines()]
    listed = [line.strip() for line in EXIT_CODES.splitlines()[1:]]
    assert [line.partition(" ")[0] for line in listed] == ["Exit", "0", "1", "2", "3", "4", "5", "6", "130", "143"]
    assert shown[-len(listed) :] == listed


def test_the_output_may_be_any_text_stream(monkeypatch: pytest.MonkeyPatch, digit: Path) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert call(monkeypatch, "read", digit) == 0
    assert isinstance(sys.stdout, io.StringIO)
    assert sys.stdout.getvalue() == "2\n"
