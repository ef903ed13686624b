import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fsspec")
pq = pytest.importorskip("pyarrow.parquet")

from edge_runtime.cli.main import main  # noqa: E402
from edge_runtime.cli.page_progress import PageProgress  # noqa: E402
from tests.commands import Call  # noqa: E402


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "rows"


def rows(out: Path) -> list[dict[str, Any]]:
    return [row for path in sorted(out.glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def test_a_folder_becomes_rows(call: Call, samples: Path, out: Path) -> None:
    done = call(main, "batch", samples, "--out", out, "--workers", 0)
    assert (done.code, done.err) == (0, "")
    name, digits = done.out.splitlines()[1].split()
    summary = json.loads((out / "summary.json").read_text())
    assert (name, int(digits)) == ("digits", summary["digits"])
    assert done.out.splitlines()[0] == "pages           3"
    assert done.out.splitlines()[-1].startswith("pages a second  ")
    assert [row["text"] for row in rows(out)] == [["7374424", "05537"], ["2"], ["48793968101", "0430355509", "043"]]


def test_errors_are_lines_and_an_exit_code(call: Call, samples: Path, tmp_path: Path, out: Path) -> None:
    (tmp_path / "bad.png").write_text("Seven.")
    done = call(main, "batch", tmp_path / "bad.png", samples / "digit.png", "--out", out, "--workers", 0)
    assert (done.code, done.err) == (1, f"edge-digits: error: {tmp_path}/bad.png: not a picture that Pillow can read\n")
    assert [row["text"] for row in rows(out)] == [[], ["2"]]


def test_options_reach_the_reader(call: Call, samples: Path, out: Path) -> None:
    options = ("--min-confidence", 1, "--turn", 180, "--check", "never", "--jsonl", "--sample", 1, "--workers", 0)
    assert call(main, "batch", samples / "digit.png", samples / "paper.jpg", "--out", out, *options).code == 0
    row = json.loads((out / "part-00000.jsonl").read_text())
    assert (row["turned"], row["digits"]) == (180, [])
    assert rows(out) == [row]


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["nothing.png", "--out", "OUT"], 2, "nothing.png: no such file or folder"),
        (["s3://scans/", "--out", "OUT"], 2, "s3://scans/: to read s3://, pip install s3fs"),
        (["gs://scans/*.png", "--out", "OUT"], 2, "gs://scans/*.png: to read gs://, pip install gcsfs"),
        (["SAMPLES", "--out", "SAMPLES/rows"], 2,
         "--out SAMPLES/rows is in SAMPLES, which is read: choose another folder"),
        (["SAMPLES", "--out", "OUT", "--model", "none.tflite"], 4,
         "cannot read the model none.tflite: No such file or directory"),
        (["SAMPLES"], 2, "Missing option '--out'. (see --help)"),
    ],
)  # fmt: skip
def test_each_mistake_is_one_line(
    call: Call, samples: Path, out: Path, arguments: list[str], code: int, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("s3fs", "gcsfs"):
        monkeypatch.setitem(sys.modules, package, None)
    places = {"SAMPLES": str(samples), "OUT": str(out)}

    def placed(text: str) -> str:
        for name, path in places.items():
            text = text.replace(name, path)
        return text

    assert call(main, "batch", *map(placed, arguments)).one_line(code) == f"edge-digits: error: {placed(line)}\n"
    assert not out.exists()


@pytest.mark.parametrize("package", ["fsspec", "pyarrow"])
def test_without_the_extra_it_is_named(samples: Path, out: Path, package: str) -> None:
    code = f"import sys; sys.modules['{package}'] = None; from edge_runtime.__main__ import program; program()"
    command = [sys.executable, "-c", code, "batch", str(samples), "--out", str(out), "--workers", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.endswith(": pip install 'edge-digits[batch]'\n")


def test_without_ray_its_extra_is_named(call: Call, samples: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    line = call(main, "batch", samples, "--out", out, "--ray", "local").one_line(2)
    assert line.endswith(": pip install 'edge-digits[batch,ray]'\n")
    assert not out.exists()


def test_sigterm_ends_it_in_order(call: Call, samples: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PageProgress, "advances", lambda *_: signal.raise_signal(signal.SIGTERM))
    done = call(main, "batch", samples, "--out", out, "--workers", 0)
    line = f"ended early; the rows so far are in {out}: the same command goes on from there"
    assert (done.code, done.out, done.err) == (143, "", f"edge-digits: {line}\n")
    assert len(rows(out)) == 3
    monkeypatch.undo()
    done = call(main, "batch", samples, "--out", out, "--workers", 0)
    assert done.code == 0
    assert "3 pages are read already" in done.err
    assert done.out.splitlines()[0] == "pages           3  (0 in this run)"
