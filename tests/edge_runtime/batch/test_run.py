"""Whole runs in this process: parts, the manifest, going on where a run ended."""

import json
from pathlib import Path
from typing import Any

import pytest

import edge_runtime

pytest.importorskip("fsspec")
pa = pytest.importorskip("pyarrow")

import pyarrow.parquet as pq  # noqa: E402

from edge_runtime import DigitReader  # noqa: E402
from edge_runtime.batch import manifest, parts, run  # noqa: E402
from edge_runtime.errors import OptionError, OutputError  # noqa: E402
from edge_runtime.records import Uint8  # noqa: E402
from edge_runtime.sources import pictures  # noqa: E402
from tests.edge_runtime.batch.images import encoded, picture, zipped  # noqa: E402
from tests.edge_runtime.batch.runs import Follower, read, rows  # noqa: E402
from tests.edge_runtime.system.disks import file_size_limited  # noqa: E402

PAGES = 40


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, digits: tuple[Uint8, Uint8]) -> Path:
    """Return a zip file of small pages, one of which is damaged."""
    path = tmp_path_factory.mktemp("pages") / "pages.zip"
    members = {f"{number:02}.png": encoded(picture(digits[0], number)) for number in range(PAGES)}
    path.write_bytes(zipped({**members, "13.png": b"thirteen"}))
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, archive: Path) -> Path:
    """Return the folder of a run that read all, in parts of 16 pages; only to be read."""
    out = tmp_path_factory.mktemp("whole") / "out"
    read(out, archive, part=16, json_lines=True)
    return out


def test_rows_come_in_parts_and_order(archive: Path, whole: Path) -> None:
    assert sorted(path.name for path in whole.iterdir()) == [
        "manifest.jsonl", "part-00000.jsonl", "part-00000.parquet", "part-00001.jsonl", "part-00001.parquet",
        "part-00002.jsonl", "part-00002.parquet", "summary.json",
    ]  # fmt: skip
    assert [row["page"] for row in rows(whole)] == [f"{archive}#{number:02}.png" for number in range(PAGES)]
    assert pq.read_schema(whole / "part-00000.parquet").equals(parts.SCHEMA)
    assert pq.ParquetFile(whole / "part-00000.parquet").metadata.row_group(0).column(0).compression == "ZSTD"


def test_a_row_is_the_reading(archive: Path, whole: Path, reader: DigitReader, digits: tuple[Uint8, Uint8]) -> None:
    row = rows(whole)[3]
    reading = reader.read(pictures.decode(encoded(picture(digits[0], 3)), "3"))
    digit = reading.digits[0]
    assert row["digits"] == [
        {
            "label": digit.label, "confidence": round(digit.confidence, 4), "box": list(digit.box), "line": 0,
            "top": [{"label": label, "confidence": round(confidence, 4)} for label, confidence in digit.top],
        }
    ]  # fmt: skip
    line = reading.lines[0]
    assert row["lines"][0]["alternatives"] == [
        {"text": text, "confidence": round(confidence, 4)} for text, confidence in line.alternatives
    ]
    assert (row["text"], row["lines"][0]["text"]) == ([line.text], line.text)
    assert (row["width"], row["height"], row["turned"], row["error"]) == (64, 64, 0, None)
    assert (row["source"], row["model"], row["version"]) == (str(archive), reading.model, edge_runtime.__version__)


def test_an_unreadable_page_is_a_row(archive: Path, whole: Path) -> None:
    row = rows(whole)[13]
    assert row["error"] == "not a picture that Pillow can read"
    assert (row["width"], row["text"], row["digits"], row["turned"]) == (None, [], [], None)
    assert row["model"] == rows(whole)[12]["model"]


def test_json_lines_are_the_same_rows(whole: Path) -> None:
    lines = [line for path in sorted(whole.glob("part-*.jsonl")) for line in path.read_text().splitlines()]
    assert [json.loads(line) for line in lines] == rows(whole)


def test_the_summary_counts_everything(whole: Path) -> None:
    summary = json.loads((whole / "summary.json").read_text())
    digits = sum(len(row["digits"]) for row in rows(whole))
    reasons: dict[str, int] = {}
    for row in rows(whole):
        for rejection in row["rejected"]:
            reasons[rejection["reason"]] = reasons.get(rejection["reason"], 0) + 1
    assert digits >= 30
    expected = {"pages": PAGES, "read_now": PAGES, "digits": digits, "errors": 1, "parts": 3, "rejected": reasons}
    assert {name: summary[name] for name in expected} == expected
    assert summary["pages_a_second"] == pytest.approx(PAGES / summary["seconds"], rel=0.01)


def test_a_finished_run_reads_nothing_again(archive: Path, tmp_path: Path) -> None:
    first = read(tmp_path, archive, part=16)
    before = {path.name: path.read_bytes() for path in tmp_path.glob("part-*")}
    again = read(tmp_path, archive, part=16)
    assert (first.read, again.done, again.read) == (PAGES, PAGES, 0)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("part-*")} == before
    assert json.loads((tmp_path / "summary.json").read_text())["pages_a_second"] is None


def test_a_sample_is_read_first(archive: Path, tmp_path: Path, whole: Path) -> None:
    assert read(tmp_path, archive, sample=10).read == 10
    assert read(tmp_path, archive, sample=5).read == 0
    rest = read(tmp_path, archive)
    assert (rest.done, rest.read) == (10, PAGES - 10)
    assert rows(tmp_path) == rows(whole)


class Stopping(Follower):
    """Presses Ctrl-C after so many pages."""

    def advances(self, pages: int) -> None:
        super().advances(pages)
        if self.read >= 24:
            raise KeyboardInterrupt


def test_ctrl_c_keeps_what_was_read(archive: Path, tmp_path: Path, whole: Path) -> None:
    request = run.Request(inputs=(str(archive),), out=tmp_path, options={}, workers=0, part=16)
    with pytest.raises(KeyboardInterrupt):
        run.run(request, Stopping())
    assert len(rows(tmp_path)) == 24
    assert not (tmp_path / "summary.json").exists()
    rest = read(tmp_path, archive, part=16)
    assert (rest.done, rest.read) == (24, PAGES - 24)
    assert rows(tmp_path) == rows(whole)


@pytest.mark.parametrize("left", [0, 1, 40])
def test_a_torn_line_does_not_count(archive: Path, tmp_path: Path, whole: Path, left: int) -> None:
    read(tmp_path, archive, part=16)
    *lines, last = (tmp_path / "manifest.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "manifest.jsonl").write_bytes(b"".join(lines) + last[:left])
    (tmp_path / ".draft-00000000-part-00002.parquet").write_bytes(b"half")
    again = read(tmp_path, archive, part=16)
    assert (again.done, again.read) == (32, PAGES - 32)
    assert rows(tmp_path) == rows(whole)
    assert not list(tmp_path.glob(".draft-*"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"options": {"turn": 90}}, 'another turn: null, not "90"'),
        ({"column": "scan"}, 'another column: "image", not "scan"'),
        ({"json_lines": True}, "another jsonl: false, not true"),
    ],
)
def test_other_options_are_refused(archive: Path, tmp_path: Path, change: dict[str, Any], message: str) -> None:
    read(tmp_path, archive, sample=1)
    with pytest.raises(OptionError) as caught:
        read(tmp_path, archive, **change)
    assert str(caught.value) == f"{tmp_path} holds rows of {message}; choose another --out"


def test_other_pages_are_refused(archive: Path, tmp_path: Path, digits: tuple[Uint8, Uint8]) -> None:
    scans, out = tmp_path / "scans", tmp_path / "out"
    scans.mkdir()
    for number in range(3):
        (scans / f"{number}.png").write_bytes(encoded(picture(digits[0], number)))
    read(out, scans, sample=2)
    (scans / "0.png").unlink()
    with pytest.raises(OptionError, match="the pages of part 0 are no longer the same in the input"):
        read(out, scans)


def test_a_missing_part_is_one_line(archive: Path, tmp_path: Path) -> None:
    read(tmp_path, archive, part=16)
    (tmp_path / "part-00001.parquet").unlink()
    with pytest.raises(OptionError, match=r"part-00001\.parquet is missing: put it back, or choose another --out$"):
        read(tmp_path, archive, part=16)


def test_parts_without_a_manifest_are_kept(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "part-00000.parquet").write_bytes(b"somebody's")
    with pytest.raises(OptionError, match="holds parts, but no manifest: choose another --out"):
        read(tmp_path, archive)
    assert (tmp_path / "part-00000.parquet").read_bytes() == b"somebody's"


@pytest.mark.parametrize("text", ["seven\n", "{}\n{}\n", "[]\n7\n"])
def test_a_damaged_manifest_is_one_line(archive: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.jsonl").write_text(text)
    with pytest.raises(OptionError, match=r"choose another --out$"):
        read(tmp_path, archive)


def test_two_runs_do_not_share_a_folder(archive: Path, tmp_path: Path) -> None:
    with manifest.Manifest(tmp_path, {}), pytest.raises(OptionError, match=r": another run writes there$"):
        read(tmp_path, archive)


def test_rows_do_not_go_among_the_pages(tmp_path: Path) -> None:
    for out in (tmp_path, tmp_path / "a" / "b"):
        with pytest.raises(OptionError, match=r"which is read: choose another folder$"):
            read(out, tmp_path)


def test_a_file_in_place_of_the_folder(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        read(tmp_path / "out", archive)


def test_an_input_twice_is_read_once(archive: Path, tmp_path: Path) -> None:
    assert read(tmp_path, archive, archive).read == PAGES


def test_a_full_disk_is_one_line(archive: Path, tmp_path: Path, whole: Path) -> None:
    read(tmp_path, archive, sample=16, part=16)
    with file_size_limited(1000), pytest.raises(OutputError, match=r": cannot be written: File too large$"):
        read(tmp_path, archive, part=16)
    read(tmp_path, archive, part=16)
    assert rows(tmp_path) == rows(whole)
