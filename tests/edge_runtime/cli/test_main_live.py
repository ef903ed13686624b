"""The command line with videos and live sources; test_main.py has pictures."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from jsonschema import Draft202012Validator

from edge_runtime.cli.main import main
from edge_runtime.sources.kinds import KINDS
from tests.commands import Call

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-m", "edge_runtime", "read"]


@pytest.fixture
def clip(tmp_path: Path, samples: Path) -> Path:
    """Return a video that shows the digit 2 in ten frames, then nothing in ten more."""
    picture = cv2.imread(str(samples / "digit.png"))
    assert picture is not None
    writer = cv2.VideoWriter(str(tmp_path / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (160, 160))
    for i in range(20):
        writer.write(picture if i < 10 else np.full_like(picture, picture.max()))
    writer.release()
    return tmp_path / "clip.avi"


def test_what_becomes_of_the_lines_of_a_video(call: Call, clip: Path, samples: Path) -> None:
    def said(*options: object) -> list[str]:
        done = call(main, "read", clip, *options)
        assert (done.code, done.err) == (0, "")
        return [
            line.removesuffix(" ?") for line in done.out.splitlines()
        ]  # how sure it is hangs on the video's decoder

    assert said() == ["appeared 2", "gone 2"]
    assert said(samples / "digit.png") == [f"{clip}: appeared 2", f"{clip}: gone 2", f"{samples}/digit.png: 2"]
    assert said("--steady", "7/7", "--end", "0.65") == ["appeared 2"]
    assert said("--steady", "8/8", "--end", "0.65") == []


def test_events_and_readings_fit_their_schemas(call: Call, clip: Path) -> None:
    done = call(main, "read", clip, "--json", "--raw")
    records = [json.loads(line) for line in done.out.splitlines()]
    for record in records:
        schema = json.loads((ROOT / "edge_runtime" / "schemas" / f"{record['type']}.schema.json").read_text())
        Draft202012Validator.check_schema(schema)
        Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(record)
    kinds = [record["type"] for record in records]
    assert (kinds.count("reading"), kinds.count("event")) == (20, 2)
    # An event follows the reading that settled it.
    assert kinds.index("event") == 3
    assert [(r["frame"], r["event"], r["text"], r["previous"]) for r in records if r["type"] == "event"] == [
        (2, "appeared", "2", None),
        (12, "gone", None, "2"),
    ]


def test_annotated_frames_are_numbered_the_last_kept(call: Call, clip: Path, tmp_path: Path) -> None:
    done = call(main, "read", clip, "--annotate", tmp_path / "out", "--keep", "3")
    assert (done.code, done.err) == (0, "")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [f"clip-{i:06}.png" for i in (17, 18, 19)]


def test_everything_works_without_a_camera(call: Call) -> None:
    done = call(main, "read", "synthetic:3", "--frames", "5")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("appeared ")


def test_it_ends_after_so_many_seconds(call: Call) -> None:
    started = time.monotonic()
    done = call(main, "read", "synthetic", "--duration", "1", "--json", "--raw")
    assert time.monotonic() - started < 15  # of which the second it was given
    assert (done.code, done.err) == (0, "")
    records = [json.loads(line) for line in done.out.splitlines()]
    readings = [record for record in records if record["type"] == "reading"]
    assert len(readings) <= 11
    assert all(record["age_ms"] >= 0 and record["dropped"] >= 0 for record in readings)


def test_a_turned_region_is_read_with_statistics(call: Call, clip: Path) -> None:
    done = call(main, "read", clip, "--rotate", "180", "--flip", "both", "--roi", "0,0,160,150", "--stats")
    assert (done.code, done.out) == (0, "appeared 2\ngone 2\n")
    assert done.err.startswith("edge-digits: ")
    assert done.err.endswith("; 10 digits, 2 events\n")
    done = call(main, "read", clip, "--roi", "0,0,161,160")
    message = f"{clip}: --roi 0,0,161,160 is outside this picture"
    assert (done.code, done.err) == (3, f"edge-digits: error: {message}\n")


def test_missing_cameras_and_streams_have_their_code(call: Call) -> None:
    assert call(main, "read", "/dev/video63") == (
        3,
        "",
        "edge-digits: error: /dev/video63: there is no such camera; is it plugged in?\n",
    )
    done = call(main, "read", "http://me:secret@127.0.0.1:1/", "--retries", "0")
    assert (done.code, done.out) == (3, "")
    assert done.err == "edge-digits: error: http://127.0.0.1:1/: cannot be reached: Connection refused\n"


def test_originals_of_a_pattern_are_not_overwritten(call: Call, samples: Path, tmp_path: Path) -> None:
    original = (samples / "digit.png").read_bytes()
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(original)
    done = call(main, "read", f"{tmp_path}/**/*.png", "--annotate", tmp_path / "photos")
    assert (done.code, done.out) == (2, "")
    assert "would overwrite the pictures there" in done.err
    assert (tmp_path / "photos" / "a.png").read_bytes() == original
    # And the pictures of a pattern are told apart by name, even if it is only one.
    assert call(main, "read", f"{tmp_path}/**/*.png").out == f"{tmp_path}/photos/a.png: 2\n"


def test_no_password_is_shown_whatever_is_wrong(call: Call, samples: Path) -> None:
    for arguments in (["http://me:s3cret@cam/x", samples / "digit.png"], ["http://me:s3c#ret@cam/x"]):
        done = call(main, "read", *arguments)
        assert (done.code, done.out) == (2, "")
        assert "s3c" not in done.err


def test_when_nobody_takes_the_output_it_ends(call: Call) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "synthetic", "--raw", "--stats"], stdout=full, stderr=subprocess.PIPE, text=True,
            cwd=ROOT, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 6
    assert "cannot write the result: No space left on device" in done.stderr


def test_a_source_without_an_end_comes_last(call: Call, clip: Path) -> None:
    done = call(main, "read", "synthetic", clip)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "edge-digits: error: synthetic never ends: name it last, or limit the frames of each source with --frames\n"
    )
    assert call(main, "read", "synthetic", clip, "--frames", "2", "--steady", "1/1").code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--steady", "2/4"], "'2/4' is not a fraction such as 3/5, above 1/2 and at most 1"),
        (["--steady", "0/0"], "'0/0' is not a fraction"),
        (["--steady", "often"], "'often' is not a fraction"),
        (["--size", "640"], "'640' is not a size such as 640x480"),
        (["--size", "0x480"], "'0x480' is not a size such as 640x480"),
        (["--roi", "1,2,0,4"], "'1,2,0,4' is not a region such as 100,50,400,300: left, top, width, height"),
        (["--rotate", "45"], "'45' is not one of '0', '90', '180', '270'"),
        (["--focus", "near"], "'near' is neither auto nor a number"),
        (["--start", "nan"], "'nan' is not a finite number"),
        (["--duration", "inf"], "'inf' is not a finite number"),
        (["--start", "3", "--end", "2"], "the end, 2 s, must come after the start, 3 s"),
        (["--every", "0"], "0 is not in the range x>=1"),
        (["--stall", "0"], "0.0 is not in the range 0.1<=x<=3600"),
    ],
)
def test_a_wrong_option_is_named(call: Call, arguments: list[str], message: str) -> None:
    assert message in call(main, "read", "clip.mp4", *arguments).one_line(2)


def test_the_sources_are_listed(call: Call) -> None:
    done = call(main, "read", "--list-sources")
    assert (done.code, done.err) == (0, "")
    assert [line[:44].strip() for line in done.out.splitlines()] == [kind.form for kind in KINDS]
    assert all(line[44:].strip() for line in done.out.splitlines())


@pytest.mark.parametrize(
    ("raised", "code", "last"),
    [("SystemExit(3)", 3, ""), ("SystemExit", 0, ""), ("RuntimeError('a mistake')", 1, "RuntimeError: a mistake")],
)
def test_a_hanging_driver_hides_no_code_or_traceback(raised: str, code: int, last: str) -> None:
    hanging = f"""
import threading
from edge_runtime import __main__
from edge_runtime.cli import main
def hang(*_, **__):
    threading.Thread(target=threading.Event().wait, name="capture cam", daemon=True).start()
    raise {raised}
main.cli.main = hang
__main__.program()
"""
    done = subprocess.run(
        [sys.executable, "-c", hanging], capture_output=True, text=True, cwd=ROOT, timeout=60, check=False
    )
    assert (done.returncode, (done.stderr.splitlines() or [""])[-1]) == (code, last)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_it_in_good_order(number: signal.Signals, code: int) -> None:
    heeding = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from edge_runtime.__main__ import program; program()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", heeding, "read", "synthetic", "--json", "--raw"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    process.send_signal(number)
    rest, err = process.communicate(timeout=20)
    assert (process.returncode, err.strip()) == (code, "")
    # No line is cut in half.
    assert (first + rest).endswith("\n")
    assert {json.loads(line)["type"] for line in (first + rest).splitlines()} <= {"reading", "event"}


def test_main_leaves_the_process_of_its_caller_alone() -> None:
    hanging = """
import threading
from edge_runtime.cli import main
threading.Thread(target=threading.Event().wait, name="capture cam", daemon=True).start()
main.cli.main = lambda *_, **__: 3
try:
    main.main()
except SystemExit as error:
    print("raised", error.code)
"""
    done = subprocess.run(
        [sys.executable, "-c", hanging], capture_output=True, text=True, cwd=ROOT, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "raised 3\n")
