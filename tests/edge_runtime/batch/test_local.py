"""Reading in other processes: the real ones, which are killed."""

import os
import select
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import edge_runtime

pytest.importorskip("fsspec")
pa = pytest.importorskip("pyarrow")

from edge_runtime import DigitReader  # noqa: E402
from edge_runtime.batch import local, parts, pool  # noqa: E402
from edge_runtime.batch.contents import Content, Encoded, Page  # noqa: E402
from edge_runtime.batch.worker import Recipe  # noqa: E402
from edge_runtime.errors import EdgeError  # noqa: E402
from edge_runtime.records import Uint8  # noqa: E402
from tests.edge_runtime.batch.images import encoded, picture, zipped  # noqa: E402
from tests.edge_runtime.batch.runs import read, rows  # noqa: E402

ROOT = Path(edge_runtime.__file__).parents[1]
PAGES = 100
KILLER = 21


class Killer:
    """What a process cannot receive without being killed."""

    def __reduce__(self) -> tuple[object, ...]:
        return signal.raise_signal, (signal.SIGKILL,)


@pytest.fixture(scope="module")
def pngs(digits: tuple[Uint8, Uint8]) -> list[bytes]:
    return [encoded(picture(digits[0], number)) for number in range(PAGES)]


def test_processes_give_rows_in_order(pngs: list[bytes], reader: DigitReader, tmp_path: Path) -> None:
    """With a page that kills each process that reads it: it becomes a row, and no other page is lost."""
    recipe, model = Recipe(None, {}), reader.classifier.model.id
    contents: list[Content] = [*map(Encoded, pngs)]
    contents[KILLER] = Killer()  # type: ignore[call-overload]
    loaded = 0

    def pages(contents: list[Content]) -> Iterator[Page]:
        nonlocal loaded
        for number, content in enumerate(contents):
            loaded = number + 1
            yield Page(str(number), "", content)

    in_flight: list[int] = []
    several: list[Any] = []  # of pyarrow.RecordBatch
    for batch in local.read(pages(contents), recipe, 2, model):
        in_flight.append(loaded - sum(each.num_rows for each in several))
        several.append(batch)
    assert max(in_flight) <= 2 * pool.IN_FLIGHT
    lines = pa.Table.from_batches(several).to_pylist()
    killed = lines.pop(KILLER)
    assert (killed["page"], killed["model"]) == (str(KILLER), model)
    assert killed["error"] == "ended the process that read it (SIGKILL), which may have had too little memory"
    alone = pa.Table.from_batches(local.read(pages([*map(Encoded, pngs)]), recipe, 0, model), parts.SCHEMA).to_pylist()
    del alone[KILLER]
    assert lines == alone
    with pytest.raises(EdgeError, match=r"^a process for reading ended as it started \(exit code 1\)"):
        list(local.read(pages(contents), Recipe(str(tmp_path / "none.tflite"), {}), 1, model))


DRIVER = """
import multiprocessing, sys
from pathlib import Path
from typing import Any
from edge_runtime.batch.run import Request, run
from tests.edge_runtime.batch.runs import Follower

class Telling(Follower):
    def advances(self, pages):
        super().advances(pages)
        print(self.read, *(child.pid for child in multiprocessing.active_children()), flush=True)

if __name__ == "__main__":
    run(Request(inputs=(sys.argv[1],), out=Path(sys.argv[2]), options={}, workers=1, part=16), Telling())
"""


def test_a_killed_run_goes_on(pngs: list[bytes], tmp_path: Path) -> None:
    archive, out = tmp_path / "pages.zip", tmp_path / "out"
    archive.write_bytes(zipped({f"{number:02}.png": png for number, png in enumerate(pngs)}))
    script = tmp_path / "driver.py"
    script.write_text(DRIVER)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, script, archive, out], stdout=subprocess.PIPE, text=True, env=environment
    ) as driver:
        assert driver.stdout is not None
        for line in driver.stdout:
            count, *children = map(int, line.split())
            if count >= 40:
                handles = [os.pidfd_open(child) for child in children]
                driver.kill()
                break
    assert len(handles) == 1
    for handle in handles:  # its worker ends, too
        assert select.select([handle], [], [], 60)[0]
        os.close(handle)
    assert len(rows(out)) in (32, 48)
    again = read(out, archive, part=16)
    assert again.done + again.read == PAGES
    assert again.done in (32, 48)
    read(tmp_path / "whole", archive, part=16)
    assert rows(out) == rows(tmp_path / "whole")


def test_ctrl_c_says_how_to_go_on(samples: Path, pngs: list[bytes], tmp_path: Path) -> None:
    archive, out = tmp_path / "pages.zip", tmp_path / "out"
    page = (samples / "paper.jpg").read_bytes()
    archive.write_bytes(
        zipped({"00.png": b"zero", **{f"{number}.jpg": page for number in range(10, 1000)}}, zipfile.ZIP_STORED)
    )
    command = [sys.executable, "-m", "edge_runtime", "batch", str(archive), "--out", str(out), "--workers", "1"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as run:
        assert run.stderr is not None
        first = run.stderr.readline()
        os.killpg(run.pid, signal.SIGINT)  # as a terminal does: to all processes of the command
        shown, said = run.communicate(timeout=60)
    assert first == f"edge-digits: error: {archive}#00.png: not a picture that Pillow can read\n"
    assert (run.returncode, shown) == (130, "")
    assert said.rstrip("\n") == (
        f"edge-digits: ended early; the rows so far are in {out}: the same command goes on from there"
    )
    done = rows(out)
    assert 1 <= len(done) < 990
    assert [row["page"] for row in done] == [
        f"{archive}#00.png",
        *(f"{archive}#{n}.jpg" for n in range(10, 9 + len(done))),
    ]
