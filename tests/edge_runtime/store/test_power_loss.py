"""The model store when the power fails: killed before and after every step, and what waits for the disk."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_runtime.inference.model_file import SHIPPED
from edge_runtime.store import catalog, changes
from edge_runtime.store.history import Entry

A, B, C, D = (letter * 12 for letter in "abcd")
ACTIONS = {
    "install": f"changes.install(folder, b'model {D}', Entry(id='{D}'))",
    "install again": f"changes.install(folder, b'model {C}', Entry(id='{C}'))",
    "roll back": "changes.rollback(folder)",
    "roll back to what ships": "changes.rollback(folder, 'shipped')",
    "give up": f"changes.give_up(folder, '{C}', 'it fails')",
    "remove": f"changes.remove(folder, '{A}')",
}
# Does it in one copy of the store after the other, each time killed at the next step: before each call that a disk
# notices, and halfway through what is written.
KILLED = """
import itertools, os, shutil, signal, sys
from pathlib import Path
from edge_runtime.store import changes
from edge_runtime.store.history import Entry

start, copies = map(Path, sys.argv[1:])
left = 0

def step():
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

def stepped(name):
    real = getattr(os, name)
    def call(*arguments, **settings):
        if name == "fsync" and os.path.isfile(f"/proc/self/fd/{arguments[0]}"):
            size = os.fstat(arguments[0]).st_size
            data = os.pread(os.open(f"/proc/self/fd/{arguments[0]}", os.O_RDONLY), size, 0)
            os.ftruncate(arguments[0], size // 2)  # only half of it has come to the disk
            step()
            os.pwrite(arguments[0], data, 0)
        step()
        return real(*arguments, **settings)
    setattr(os, name, call)

for number in itertools.count(1):
    folder = copies / f"{number:03}"
    if start.exists():
        shutil.copytree(start, folder, symlinks=True)
    left = number
    child = os.fork()
    if child == 0:
        for name in ("fchmod", "fsync", "mkdir", "replace", "symlink", "unlink"):
            stepped(name)
        ACTION
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status == 0:
        break
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, status
"""


@pytest.fixture
def start(tmp_path: Path) -> Path:
    folder = tmp_path / "start"
    for id in (A, B, C):
        changes.install(folder, f"model {id}".encode(), Entry(id=id))
    return folder


def killed(action: str, start: Path, copies: Path) -> list[Path]:
    """Return the stores that it left, one for each step at which it was killed; the last one was not killed."""
    copies.mkdir()
    code = KILLED.replace("ACTION", action)
    subprocess.run([sys.executable, "-c", code, start, copies], check=True, timeout=300)
    return sorted(copies.iterdir())


def is_whole(folder: Path) -> bool:
    """Tell whether every model of a store holds what its name says, and its history makes sense."""
    models = {one.entry.id: one.path.read_bytes() for one in catalog.models(folder)}
    return all(data == f"model {id}".encode() for id, data in models.items()) and (
        not (folder / "history.json").exists() or catalog.entries(folder) != []
    )


@pytest.mark.parametrize("action", ACTIONS)
def test_a_kill_at_any_step_keeps_it_whole(action: str, start: Path, tmp_path: Path) -> None:
    old = catalog.current(start)
    folders = killed(ACTIONS[action], start, tmp_path / "copies")
    assert len(folders) > 2  # it was killed twice, at least
    new = catalog.current(folders[-1])
    reading = []
    for folder in folders:
        assert is_whole(folder), folder
        now = catalog.current(folder)
        assert now == SHIPPED or now.read_bytes() == f"model {now.stem}".encode()
        reading.append(now.name)
        drafts, models = list(folder.glob(".draft-*")), catalog.models(folder)
        assert len(drafts) <= 1
        assert len(models) <= changes.KEPT + 1
        # And the next one finds nothing in its way.
        changes.install(folder, b"model " + D.encode(), Entry(id=D))
        assert is_whole(folder)
        assert catalog.current(folder).stem == D
        assert not list(folder.glob(".draft-*"))
        assert len(list(folder.glob("*.tflite"))) <= changes.KEPT
    # First the old one reads, from some step on the new one, and never anything else.
    assert reading == sorted(reading, key=[old.name, new.name].index)
    if old.name != new.name:
        assert {old.name, new.name} == set(reading)


def test_a_killed_first_install_keeps_the_shipped(tmp_path: Path) -> None:
    folders = killed(ACTIONS["install"], tmp_path / "none", tmp_path / "copies")
    assert len(folders) > 5
    for folder in folders[:-1]:
        assert catalog.current(folder) in (SHIPPED, folder / f"{D}.tflite")
        assert is_whole(folder)
    assert catalog.current(folders[-1]).stem == D


Event = tuple[str, ...]


@pytest.fixture
def traced(tmp_path: Path) -> Callable[[str, Path], list[Event]]:
    """Return what a run asks the system for: fsync, rename, symlink and unlink, by the names of files in the store."""
    if shutil.which("strace") is None:
        pytest.skip("needs strace")

    def trace(action: str, folder: Path) -> list[Event]:
        code = (
            "import sys; from pathlib import Path; from edge_runtime.store import changes; "
            f"from edge_runtime.store.history import Entry; folder = Path(sys.argv[1]); {action}"
        )
        calls = "trace=fsync,fdatasync,/^rename,/^symlink,/^unlink,/^mkdir"
        strace = ["strace", "-f", "-y", "-s", "4096", "-e", calls, "-o", str(tmp_path / "trace")]
        done = subprocess.run(
            [*strace, sys.executable, "-c", code, folder], capture_output=True, text=True, check=False
        )
        if "ptrace" in done.stderr:
            pytest.skip(f"strace may not trace here: {done.stderr}")
        assert done.returncode == 0, done.stderr
        return events((tmp_path / "trace").read_text(), folder)

    return trace


def events(trace: str, folder: Path) -> list[Event]:
    operations = []
    for line in trace.splitlines():
        call = re.match(r"\d+ +(\w+)\((.*)\) += 0$", line)
        if call is None or str(folder.parent) not in line:
            continue
        kind = re.sub(r"at2?$", "", call[1])
        paths = [path for pair in re.findall(r'"([^"]+)"|\d+<([^>]+)>', call[2]) for path in pair if path]
        operations.append((kind, *(shown(path, folder) for path in paths if path == "current" or path.startswith("/"))))
    return operations


def shown(path: str, folder: Path) -> str:
    name = re.sub(r"^\.draft-[0-9a-f]{8}-", "draft of ", Path(path).name)
    return {folder.name: "folder", folder.parent.name: "parent"}.get(name, name)


def renamed(name: str, *, file: bool = True) -> list[Event]:
    """Return what a rename must be: content on the disk, then the folder with its draft; the rename; the folder."""
    draft = f"draft of {name}"
    first: list[Event] = [("fsync", draft)] if file else [("symlink", draft)]
    return [*first, ("fsync", "folder"), ("rename", draft, name), ("fsync", "folder")]


def test_each_rename_is_between_two_syncs(
    traced: Callable[[str, Path], list[Event]], start: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "new" / "models"
    folder.parent.mkdir()
    everything = [*renamed(f"{D}.tflite"), *renamed("history.json"), *renamed("current", file=False)]
    assert traced(ACTIONS["install"], folder) == [("mkdir", "folder"), ("fsync", "parent"), *everything]
    gone = [("unlink", f"{A}.tflite"), ("fsync", "folder")]
    assert traced(ACTIONS["install"], start) == [*everything, *gone]
    assert traced("changes.rollback(folder)", start) == renamed("current", file=False)
    assert traced(f"changes.remove(folder, '{D}')", start) == [
        *renamed("history.json"), ("unlink", f"{D}.tflite"), ("fsync", "folder"),
    ]  # fmt: skip
    assert traced("changes.rollback(folder, 'shipped')", start) == [("unlink", "current"), ("fsync", "folder")]
