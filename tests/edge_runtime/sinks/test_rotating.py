import json
import os
import subprocess
import sys
import threading
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import edge_runtime
from edge_runtime import DigitReader
from edge_runtime.errors import OptionError, OutputError
from edge_runtime.records import Frame
from edge_runtime.sinks.rotating import CHUNK, OBJECTS, JsonFile, RotatingFile
from tests.edge_runtime.system.disks import file_size_limited

ROOT = Path(edge_runtime.__file__).parents[1]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log.jsonl"


def write(path: Path, *lines: str, limit: int = 10, keep: int = 2, starts: tuple[str, ...] = ()) -> None:
    file = RotatingFile(path, limit, keep, starts)
    for line in lines:
        file.write(line)
    file.close()


def held(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_a_full_file_rotates_and_the_oldest_goes(log: Path) -> None:
    write(log, "one", "two", "three", "four", "five", "six", "seven")
    assert held(log.parent) == {
        "log.jsonl": "six\nseven\n",
        "log.jsonl.1": "four\nfive\n",
        "log.jsonl.2": "three\n",
    }


def test_keeping_none_sets_none_aside(log: Path) -> None:
    write(log, "one", "two", "three", keep=0)
    assert held(log.parent) == {"log.jsonl": "three\n"}


def test_an_overlong_line_has_its_own_file(log: Path) -> None:
    write(log, "one", "a longer line", "another long line", "two")
    assert held(log.parent) == {
        "log.jsonl": "two\n",
        "log.jsonl.1": "another long line\n",
        "log.jsonl.2": "a longer line\n",
    }


def test_the_next_start_continues_the_file(log: Path) -> None:
    for line in ("one", "two", "three"):
        write(log, line)
    assert held(log.parent) == {"log.jsonl": "three\n", "log.jsonl.1": "one\ntwo\n"}


def test_each_line_is_there_at_once(log: Path) -> None:
    file = RotatingFile(log, 100, 1)
    file.write("caf\u00e9")
    assert log.read_bytes() == b"caf\xc3\xa9\n"
    file.write("b\udce9")  # of a file's name that is no text
    assert log.read_bytes() == b"caf\xc3\xa9\nb\\udce9\n"
    file.close()
    file.close()


@given(
    lines=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), max_size=12), max_size=30),
    limit=st.integers(1, 40),
    keep=st.integers(0, 3),
)
def test_the_last_of_all_lines_are_kept(lines: list[str], limit: int, keep: int) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "log")
        write(path, *lines, limit=limit, keep=keep)
        names = [f"log.{n}" for n in range(keep, 0, -1)] + ["log"]
        parts = [part for name in names if (part := held(path.parent).get(name))]
    assert "".join(f"{line}\n" for line in lines).endswith("".join(parts))
    for part in parts:
        assert part.endswith("\n")
        assert len(part.encode()) <= limit or part.count("\n") == 1
    assert len(parts) == keep + 1 or "".join(parts).count("\n") == len(lines)


WHOLE = '{"type": "reading"}\n{"type": "event"}\n'
HALVES = ('{"type": "reading", "sou', '{"ty', "{", '{"type": "event"\0\0', f"{OBJECTS[0]}{'x' * 2 * CHUNK}")


@pytest.mark.parametrize(
    ("whole", "half"),
    [*product(["", WHOLE], HALVES), (WHOLE, "\0\0\0")],  # of zeros alone nothing tells whose they are
)
def test_half_a_line_of_a_power_cut_goes(log: Path, whole: str, half: str) -> None:
    log.write_text(whole + half)
    write(log, "{}", limit=1000, starts=OBJECTS)
    assert log.read_text() == whole + "{}\n"


def test_a_line_without_its_end_is_ended(log: Path) -> None:
    log.write_bytes(b'{"type": "event"}\n{"type": "reading"}\0\0')
    write(log, "{}", limit=1000, starts=OBJECTS)
    assert log.read_text() == '{"type": "event"}\n{"type": "reading"}\n{}\n'


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xd8\xff\xe0 a picture",
        b"[1,\n2]",
        b'{"name": 1}',
        b"{}\nnotes",
        b"notes\n",
        b'{"type": "FeatureCollection"}',
        bytes(100),
        b'{"type": "event"}\nnotes',
    ],
)
def test_a_foreign_file_is_refused_and_left_alone(log: Path, content: bytes) -> None:
    log.write_bytes(content)
    with pytest.raises(OutputError) as caught:
        JsonFile(log, 1000, 1)
    assert str(caught.value) == f"cannot write {log}: there is something else in this file; name another one"
    assert log.read_bytes() == content


def test_a_full_disk_leaves_no_half_line(log: Path) -> None:
    file = RotatingFile(log, 1000, 1)
    file.write("one")
    with file_size_limited(12):
        file.write("two")
        with pytest.raises(OutputError) as caught:
            file.write("three, which fits in part")
        assert log.read_text() == "one\ntwo\n"
        file.write("4")
    file.close()
    assert str(caught.value) == f"cannot write {log}: File too large"
    assert log.read_text() == "one\ntwo\n4\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_device_that_is_full() -> None:
    file = RotatingFile(Path("/dev/full"), 10, 1)
    with pytest.raises(OutputError, match=r"^cannot write /dev/full: No space left on device$"):
        file.write("one")
    file.close()


def test_a_moved_or_removed_file_is_begun_anew(log: Path) -> None:
    file = RotatingFile(log, 100, 1)
    file.write("one")
    log.rename(log.with_name("elsewhere"))
    file.write("two")
    log.unlink()
    log.write_text("theirs\n")
    file.write("three")
    assert held(log.parent) == {"elsewhere": "one\n", "log.jsonl": "theirs\nthree\n"}
    log.write_text("")  # emptied
    file.write("four")
    assert log.read_text() == "four\n"
    file.close()


def test_a_missing_folder_is_made_even_later(log: Path) -> None:
    deep = log.parent / "a" / "b" / "log"
    file = RotatingFile(deep, 100, 1)
    file.write("one")
    deep.unlink()
    deep.parent.rmdir()
    file.write("two")
    file.close()
    assert deep.read_text() == "two\n"


def test_a_link_stays_and_its_target_rotates(log: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    log.symlink_to(tmp_path / "disk" / "log")
    write(log, "one", "two", "three")
    assert log.is_symlink()
    assert held(tmp_path / "disk") == {"log": "three\n", "log.1": "one\ntwo\n"}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "Is a directory"),
        ("file/below", "Not a directory"),
        ("x" * 300, "File name too long"),
        ("a\0b", "no file can have this name"),
        ("loop", "Too many levels of symbolic links"),
    ],
)
def test_a_file_that_cannot_open_is_one_line(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OutputError) as caught:
        RotatingFile(tmp_path / name, 10, 1)
    assert str(caught.value) == f"cannot write {tmp_path / name}: {reason}"


def test_a_failed_rotation_is_one_line(log: Path) -> None:
    log.with_name("log.jsonl.1").mkdir()
    with pytest.raises(OutputError, match=r"log\.jsonl: Is a directory$"):
        write(log, "one", "two", "three", keep=1)
    assert log.read_text() == "one\ntwo\n"


@pytest.mark.parametrize(("limit", "keep"), [(0, 1), (10, -1)])
def test_limits_that_make_no_sense(log: Path, limit: int, keep: int) -> None:
    with pytest.raises(OptionError, match="at least 1 byte"):
        RotatingFile(log, limit, keep)
    assert not log.exists()


def test_devices_and_pipes_are_written_without_end(log: Path) -> None:
    write(Path("/dev/null"), "one", "two", "three", limit=1)
    os.mkfifo(log)
    read: list[str] = []
    thread = threading.Thread(target=lambda: read.append(log.read_text()))
    thread.start()
    write(log, "one", "two", "three", limit=1)
    thread.join()
    assert read == ["one\ntwo\nthree\n"]
    assert [path.name for path in log.parent.iterdir()] == ["log.jsonl"]


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"])
@pytest.mark.parametrize("redirected", [False, True])
def test_standard_output_is_never_set_aside(tmp_path: Path, name: str, redirected: bool) -> None:
    if not os.path.exists(os.path.dirname(name) or "/"):
        pytest.skip(f"no {name} here")
    (tmp_path / "link").symlink_to("/dev/stdout")
    code = f"""
from pathlib import Path
from edge_runtime.sinks.rotating import RotatingFile
file = RotatingFile(Path({str(tmp_path / name)!r}), 10, 2, ("{{",))
for line in ("one", "two", "three"):
    file.write(line)
file.close()
"""
    command = [sys.executable, "-c", code]
    if redirected:
        (tmp_path / "out").write_text("before\n")
        with (tmp_path / "out").open("a") as out:
            subprocess.run(command, stdout=out, check=True, cwd=ROOT)
        said = (tmp_path / "out").read_text()
    else:
        said = "before\n" + subprocess.run(command, stdout=subprocess.PIPE, check=True, cwd=ROOT, text=True).stdout
    assert said == "before\none\ntwo\nthree\n"
    assert {path.name for path in tmp_path.iterdir()} <= {"link", "out"}


def test_readings_are_json_objects_that_begin_as_expected(log: Path, reader: DigitReader) -> None:
    file = JsonFile(log, 10_000, 1)
    for index in range(3):
        file.reading(reader.read(Frame(np.full((48, 64), 200, np.uint8), "cam\n\u00e9", index)))
    file.close()
    lines = log.read_text().splitlines()
    assert [json.loads(line)["frame"] for line in lines] == [0, 1, 2]
    assert all(line.startswith(OBJECTS) for line in lines)
