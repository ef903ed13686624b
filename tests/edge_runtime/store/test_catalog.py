"""The model store: what is kept, what reads, and what becomes of it where a disk is full or nobody may write."""

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from edge_runtime.errors import OptionError, OutputError
from edge_runtime.inference import model_file
from edge_runtime.inference.model_file import SHIPPED
from edge_runtime.store import catalog, changes, history
from edge_runtime.store.history import Entry
from tests.edge_runtime.system.disks import read_only, small_disk

A, B, C, D = (letter * 12 for letter in "abcd")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "models"


def put(folder: Path, *ids: str) -> None:
    for id in ids:
        changes.install(folder, f"model {id}".encode(), Entry(id=id, source=f"{id}.tflite"))


def ids(folder: Path) -> list[str]:
    return [one.entry.id for one in catalog.models(folder)]


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_without_a_store_the_shipped_model_reads(folder: Path) -> None:
    assert catalog.current(folder) == SHIPPED
    assert catalog.models(folder) == []
    assert catalog.pointer(folder) is None
    assert catalog.before(folder) == [SHIPPED]
    [ships] = catalog.every(folder)
    assert (ships.path, ships.current, ships.ships) == (SHIPPED, True, True)
    assert ships.entry.id == model_file.read(SHIPPED).id
    with pytest.raises(OptionError):
        changes.rollback(folder)
    with pytest.raises(OptionError):
        changes.remove(folder, A)
    assert not folder.exists()


def test_the_last_installed_reads_and_three_stay(folder: Path) -> None:
    put(folder, A, B, C)
    assert ids(folder) == [C, B, A]
    put(folder, D)
    assert ids(folder) == [D, C, B]
    assert [one.current for one in catalog.models(folder)] == [True, False, False]
    assert catalog.current(folder) == folder / f"{D}.tflite"
    assert catalog.current(folder).read_bytes() == f"model {D}".encode()
    assert files(folder) == [f"{B}.tflite", f"{C}.tflite", "current", f"{D}.tflite", "history.json"]
    assert os.readlink(folder / "current") == f"{D}.tflite"  # relative: the folder may be moved


def test_rollbacks_end_at_the_shipped_model(folder: Path) -> None:
    put(folder, A, B, C)
    assert catalog.before(folder) == [folder / f"{B}.tflite", folder / f"{A}.tflite", SHIPPED]
    assert [changes.rollback(folder).entry.id for _ in range(2)] == [B, A]
    assert changes.rollback(folder).ships
    assert catalog.current(folder) == SHIPPED
    assert ids(folder) == [C, B, A]
    with pytest.raises(OptionError, match="the current model is the one that ships; there is no earlier one"):
        changes.rollback(folder)
    assert changes.rollback(folder, "b").entry.id == B
    assert catalog.current(folder).stem == B


def test_a_rolled_back_model_is_not_returned_to(folder: Path) -> None:
    put(folder, A, B)
    changes.rollback(folder)
    put(folder, C)
    assert catalog.before(folder) == [folder / f"{A}.tflite", SHIPPED]
    assert ids(folder) == [C, A]


def test_a_reinstalled_model_is_the_newest_and_clean(folder: Path) -> None:
    put(folder, A, B)
    changes.update_entry(folder, A, starts=2, failed="it fails")
    first = catalog.pointer(folder)
    put(folder, A)
    assert catalog.pointer(folder) != first
    newest = catalog.models(folder)[0].entry
    assert (newest.id, newest.starts, newest.failed, newest.proved) == (A, 0, None, False)
    again = catalog.pointer(folder)
    put(folder, A)
    assert catalog.pointer(folder) != again  # the same name, another file


def test_a_failed_model_is_rolled_back(folder: Path) -> None:
    put(folder, A, B)
    changes.update_entry(folder, B, proved=True)
    changes.give_up(folder, B, "it hangs")
    assert catalog.current(folder).stem == A
    entry = catalog.models(folder)[0].entry
    assert (entry.failed, entry.proved) == ("it hangs", False)
    changes.give_up(folder, B, "again")  # is not the current one any more
    assert catalog.current(folder).stem == A
    before = (folder / "history.json").read_bytes()
    changes.update_entry(folder, D, starts=1)
    changes.update_entry(folder, A, starts=0)
    assert (folder / "history.json").read_bytes() == before


def test_models_are_named_by_how_their_ids_begin(folder: Path) -> None:
    put(folder, "abc000000000", "abd000000000")
    assert catalog.find(folder, "ABC").entry.id == "abc000000000"
    assert catalog.find(folder).entry.id == "abd000000000"
    assert catalog.find(folder, "shipped").ships
    ships = catalog.every(folder)[-1].entry.id
    there = f"there is abd000000000, abc000000000, {ships}"
    for name, what in (("ab", "several models have"), ("x", "no model has"), ("", "no model has")):
        with pytest.raises(OptionError) as error:
            catalog.find(folder, name)
        assert str(error.value) == f"{what} an id that begins with {name!r}; {there}"
    put(folder, ships)
    assert catalog.find(folder, ships[:6]).path == folder / f"{ships}.tflite"


def test_the_current_and_shipped_models_stay(folder: Path) -> None:
    put(folder, A, B)
    with pytest.raises(OptionError, match=f"{B} is the current model: run edge-digits model rollback"):
        changes.remove(folder, B)
    with pytest.raises(OptionError, match="is the model that ships, which cannot be removed"):
        changes.remove(folder, "shipped")
    assert changes.remove(folder, "aa").entry.id == A
    assert ids(folder) == [B]
    assert files(folder) == [f"{B}.tflite", "current", "history.json"]
    assert [entry.id for entry in catalog.entries(folder)] == [B]


@pytest.mark.parametrize("damaged", [
    b"", b"{", b"[]", b"null", b'{"models": 1}', b'{"models": [1, null, {}, {"id": "../x"}, {"id": 1}]}', b"\xff",
    b"[" * 100_000, b'{"models": [{"id": "aaaaaaaaaaaa", "starts": "x"}, {"id": "aaaaaaaaaaaa", "what": 1}]}',
])  # fmt: skip
def test_a_senseless_history_loses_no_model(folder: Path, damaged: bytes) -> None:
    put(folder, A, B)
    os.utime(folder / f"{A}.tflite", (1, 1))
    (folder / "history.json").write_bytes(damaged)
    assert ids(folder) == [B, A]
    assert catalog.models(folder)[0].entry == Entry(id=B)
    assert catalog.before(folder) == [folder / f"{A}.tflite", SHIPPED]
    put(folder, C)
    assert ids(folder) == [C, B, A]


def test_a_history_is_read_as_it_was_written() -> None:
    entries = [Entry(id=A, installed_at="2026-01-01T00:00:00Z", source="x", signed=True), Entry(id=B, starts=1)]
    assert history.loaded(history.dumped(entries)) == entries
    assert json.loads(history.dumped(entries))["format"] == 1


def test_a_missing_current_model_falls_to_the_shipped(folder: Path) -> None:
    put(folder, A)
    (folder / f"{A}.tflite").unlink()
    assert catalog.current(folder) == SHIPPED
    (folder / "current").unlink()
    (folder / "current").write_text("no link")
    assert catalog.current(folder) == SHIPPED
    put(folder, B)
    assert catalog.current(folder).stem == B


def test_any_umask_leaves_models_readable(folder: Path) -> None:
    before = os.umask(0o077)
    try:
        put(folder, A)
    finally:
        os.umask(before)
    assert [(folder / name).stat().st_mode & 0o777 for name in (f"{A}.tflite", "history.json")] == [0o644, 0o644]


def test_two_that_install_at_once_take_turns(folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from edge_runtime.store import changes; "
        "from edge_runtime.store.history import Entry\n"
        "for _ in range(5): changes.install(Path(sys.argv[1]), b'x', Entry(id=sys.argv[2]))"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, folder, id]) for id in (A, B, C)]
    assert [process.wait(timeout=60) for process in running] == [0, 0, 0]
    assert sorted(ids(folder)) == [A, B, C]
    assert all(one.entry.installed_at for one in catalog.models(folder))
    assert catalog.models(folder)[0].current
    assert not list(folder.glob(".draft-*"))


def test_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 256) as disk:
        folder = disk / "models"
        put(folder, A)
        before = files(folder), catalog.pointer(folder)
        with pytest.raises(OutputError, match=r"cannot write the model store .*: No space left on device"):
            changes.install(folder, bytes(400_000), Entry(id=B))
        assert (files(folder), catalog.pointer(folder)) == before
        changes.install(folder, bytes(1000), Entry(id=B))
        # With no room at all, it still goes back, though it cannot be noted.
        with suppress(OSError), open(disk / "rest", "wb", buffering=0) as rest:
            while True:
                rest.write(bytes(4096))
        with suppress(OutputError):
            changes.give_up(folder, B, "it fails")
        assert catalog.current(folder).stem == A


def test_an_unwritable_store_says_so_and_stays(folder: Path) -> None:
    put(folder, A, B)
    before = files(folder), catalog.pointer(folder)
    with read_only(folder):
        for refused in (
            lambda: put(folder, C),
            lambda: changes.rollback(folder),
            lambda: changes.remove(folder, A),
            lambda: changes.give_up(folder, B, "it fails"),
        ):
            with pytest.raises(OutputError, match=r"cannot write the model store .*: (Read-only|Permission)"):
                refused()
        assert (files(folder), catalog.pointer(folder)) == before
        assert catalog.current(folder).stem == B
