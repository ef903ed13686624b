"""`python -m benchmarks all`: one part after the other, whatever becomes of each."""

import functools
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import every
from benchmarks.__main__ import benchmarks, main
from benchmarks.every import Part, chosen
from tests.builds import ROOT
from tests.commands import Call, Done

# Stands in for the benchmarks: does what its name says.
STAND_IN = """
import os, signal, sys
name, *options = sys.argv[1:]
print("begins with", *options)
print("an odd byte", flush=True)
sys.stdout.buffer.write(b"\\xff\\n\\n")
if name == "waits":
    with open("started", "w") as started:
        started.write(str(os.getpid()))
    signal.pause()
print(f"{name} is through", flush=True)
sys.exit({"misses": 5, "breaks": 1}.get(name, 0))
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "__init__.py").touch()
    (tmp_path / "benchmarks" / "__main__.py").write_text(STAND_IN)
    return tmp_path


def parts(*names: str) -> list[Part]:
    return [Part(name, ("--some", "option"), 1) for name in names]


@pytest.fixture
def run_all(root: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """Return a function that runs `all` with parts of these names, in the folder of the stand-in."""
    monkeypatch.chdir(root)
    monkeypatch.setattr(every, "run", functools.partial(every.run, root=root))

    def run(*names: str) -> Done:
        monkeypatch.setattr(every, "WHOLE", parts(*names))
        return call(main, "all")

    return run


def test_parts_run_in_their_order(root: Path) -> None:
    outcomes = every.run(parts("one", "two"), root / "logs", root=root)
    assert [(each.name, each.code, each.line) for each in outcomes] == [
        ("one", 0, "one is through"), ("two", 0, "two is through")
    ]  # fmt: skip
    assert (root / "logs" / "one.txt").read_bytes().splitlines() == [
        b"begins with --some option", b"an odd byte", b"\xff", b"", b"one is through"
    ]  # fmt: skip


def test_the_command_ends_with_a_summary(run_all: Callable[..., Done]) -> None:
    done = run_all("one", "two")
    assert done.code == 0
    assert [re.sub(r" +\d+ s", " N s", line) for line in done.out.splitlines()] == [
        "one        done N s  one is through", "two        done N s  two is through"
    ]  # fmt: skip
    assert done.err == "1/2 one: about 1 s\n2/2 two: about 1 s\n"


def test_one_that_breaks_stops_none_of_the_others(run_all: Callable[..., Done]) -> None:
    done = run_all("breaks", "misses", "one")
    assert done.code == 1
    assert done.err.endswith("\nerror: 1 of 3 parts failed: breaks; all others are done\n")
    lines = done.out.splitlines()
    assert [line.split()[0] for line in lines] == ["breaks", "misses", "one"]
    assert "failed (1)" in lines[0]
    assert lines[0].endswith(f"breaks is through (all of it: {Path('build', 'all', 'breaks.txt')})")
    assert "limit missed" in lines[1]


def test_a_missed_limit_is_exit_code_5(run_all: Callable[..., Done]) -> None:
    done = run_all("misses", "one")
    assert done.code == 5
    assert done.err.endswith("\nerror: a limit is missed: misses; all parts are done\n")


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_what_is_interrupted_leaves_nothing_running(root: Path, sent: signal.Signals) -> None:
    os.mkfifo(root / "started")
    fifo = os.open(root / "started", os.O_RDWR | os.O_NONBLOCK)
    script = (
        "import functools, os, sys\nfrom pathlib import Path\n"
        "from benchmarks import every\nfrom benchmarks.__main__ import main\n"
        "here = Path(sys.argv.pop())\nos.chdir(here)\n"
        "every.WHOLE = [every.Part(name, (), 1) for name in ('one', 'waits', 'two')]\n"
        "every.run = functools.partial(every.run, root=here)\n"
        "main()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, "all", str(root)], cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        ready, _, _ = select.select([fifo], [], [], 60)
        assert ready
        part = int(os.read(fifo, 20))
        process.send_signal(sent)
        out, err = process.communicate(timeout=60)
    os.close(fifo)
    assert process.returncode == 130
    assert out.startswith("one ")
    assert out.count("\n") == 1
    assert err.endswith("interrupted\n")
    with pytest.raises(ProcessLookupError):
        os.kill(part, 0)
    assert not (root / "build" / "all" / "two.txt").exists()


@pytest.mark.parametrize("whole", [every.QUICK, every.WHOLE])
def test_every_part_is_a_command_with_its_options(
    whole: tuple[Part, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in (every.PARITY, every.SAMPLES, "build"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(tmp_path)
    for part in whole:
        command = benchmarks.commands[part.name]
        assert command.make_context(part.name, list(part.options)).params
    assert {*benchmarks.commands} - {part.name for part in whole} == {
        "compare", "lines", "sensitivity", "strings", "all",
    }  # fmt: skip
    assert whole[-1].name == "report"  # of all the others
    assert (ROOT / every.SAMPLES / "truth.jsonl").exists()


def test_all_parts_are_planned_under_ten_minutes() -> None:
    assert sum(part.seconds for part in every.QUICK) < 600


def test_parts_are_chosen_by_name_in_their_order() -> None:
    some = parts("a", "b", "c")
    assert chosen(some, []) == some
    assert chosen(some, ["c", "a", "c"]) == [some[0], some[2]]


def test_an_unknown_part_is_exit_code_2(call: Call) -> None:
    done = call(main, "all", "--only", "speed")
    assert done.code == 2
    assert done.err == f"error: unknown part speed, known: {', '.join(part.name for part in every.WHOLE)}\n"


@pytest.mark.parametrize(
    ("target", "command"),
    [("bench", "all --fast"), *((f"bench-{name}", name) for name in sorted(benchmarks.commands))],
)
def test_make_has_a_target_for_each(target: str, command: str) -> None:
    done = subprocess.run(
        ["make", "--dry-run", "--silent", target], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert f"-m benchmarks {command}" in done.stdout.splitlines()[-1]
    assert target in subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
