"""What the doctor says of a system, its board and its service: on trees as boards have them, and on this machine."""

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from edge_runtime.doctor import checks_system
from edge_runtime.doctor.findings import Finding
from edge_runtime.system.subprocesses import Answer, ask
from tests.edge_runtime.system import boards
from tests.edge_runtime.system.boards import program, put, runs_in_a_shell

NOON = 1_795_694_400.0  # 2026-11-26


@pytest.mark.parametrize(
    ("board", "machine", "bits", "status", "words"),
    [
        (
            boards.pi3,
            "aarch64",
            64,
            "ok",
            "Raspberry Pi 3 Model B Plus Rev 1.3: Debian GNU/Linux 12 (bookworm)",
        ),
        (boards.pi4, "aarch64", 32, "warning", "a 64-bit kernel with 32-bit programs"),
        (boards.pi4, "armv7l", 32, "warning", "armv7l, 32-bit: LiteRT has packages for 64-bit systems only"),
        (boards.pi5, "aarch64", 64, "ok", "Debian GNU/Linux 13 (trixie), aarch64, 64-bit"),
        (boards.pi3, "armv6l", 32, "failed", "too old"),
    ],
)
def test_the_system_and_its_architecture(
    tmp_path: Path, board: Callable[[Path], Path], machine: str, bits: int, status: str, words: str
) -> None:
    finding = checks_system.system(board(tmp_path), machine=machine, bits=bits)
    assert (finding.name, finding.status, finding.remedy) == ("system", status, None)
    assert words in finding.message


def test_a_system_that_says_nothing_of_itself(tmp_path: Path) -> None:
    assert checks_system.system(tmp_path, machine="x86_64", bits=64).status == "ok"


@pytest.mark.parametrize(("version", "status"), [((3, 10, 9), "failed"), ((3, 11, 2), "ok"), ((3, 13, 5), "ok"),
                                                 ((3, 14, 0), "ok"), ((3, 15, 0), "failed")])  # fmt: skip
def test_pythons_that_there_are_packages_for(version: tuple[int, int, int], status: str) -> None:
    finding = checks_system.python(version)
    assert finding.status == status
    assert ".".join(map(str, version)) in finding.message
    assert (finding.remedy is None) == (status == "ok")


@pytest.mark.parametrize(
    ("available", "status"), [(1_000_000, "ok"), (190_000, "warning"), (60_000, "failed"), (0, "failed")]
)
def test_memory(tmp_path: Path, available: int, status: str) -> None:
    put(tmp_path, "proc/meminfo", f"MemTotal:  931000 kB\nMemAvailable:  {available} kB\n")
    finding = checks_system.memory(tmp_path)
    assert finding.status == status
    assert "of 953 MB free for programs" in finding.message
    assert finding.remedy is None or runs_in_a_shell(finding.remedy)


def test_memory_that_is_not_told(tmp_path: Path) -> None:
    assert checks_system.memory(tmp_path) == Finding("memory", "ok", "not available on this system")


@pytest.mark.parametrize(
    ("facts", "status", "words"),
    [
        ({}, "ok", "1.0 GB of 32.0 GB free"),
        ({"f_bavail": 100_000}, "warning", "almost full: 410 MB of 32.0 GB free"),
        ({"f_bavail": 100}, "failed", "full: 0 MB"),
        ({"f_favail": 500}, "warning", "almost full"),
        ({"f_favail": 5}, "failed", "full"),
        ({"f_favail": 0, "f_files": 0}, "ok", "free"),  # as of file systems that do not count them
        ({"f_flag": 1}, "warning", "read-only"),
    ],
)
def test_disks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, facts: dict[str, int], status: str, words: str) -> None:
    usual = {
        "f_frsize": 4096,
        "f_blocks": 7_812_500,
        "f_bavail": 250_000,
        "f_files": 10**6,
        "f_favail": 10**5,
        "f_flag": 0,
    }
    monkeypatch.setattr("os.statvfs", lambda path: SimpleNamespace(**usual | facts))
    finding = checks_system.disk(tmp_path / "not" / "yet")
    assert finding.status == status
    assert words in finding.message
    assert str(tmp_path) in finding.message
    assert finding.remedy is None or runs_in_a_shell(finding.remedy)


def test_the_disk_of_this_machine(tmp_path: Path) -> None:
    assert checks_system.disk(tmp_path).name == "disk"
    assert "free at" in checks_system.disk(tmp_path / "none").message


def test_only_a_foreign_folder_changes_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)
    finding = checks_system.disk(tmp_path / "edge digits")
    assert (finding.status, finding.remedy) == (
        "warning", f"sudo install -d -o $(id -u) -g $(id -g) '{tmp_path}/edge digits'",
    )  # fmt: skip


@pytest.mark.parametrize("now", [0.0, -1e9, 1e18, checks_system.EARLIEST - 1, checks_system.LATEST + 1])
def test_a_clock_that_cannot_be_right(tmp_path: Path, now: float) -> None:
    put(tmp_path, "run/systemd/timesync/synchronized", "")
    finding = checks_system.clock(tmp_path, now=now)
    assert finding.status == "failed"
    assert "is wrong" in finding.message
    assert runs_in_a_shell(finding.remedy)


@pytest.mark.parametrize(
    ("script", "status", "words"),
    [
        ("echo yes", "ok", "2026-11-26 12:00 UTC, synchronized"),
        ('[ "$*" = "show --property=NTPSynchronized --value" ] && echo no', "warning", "not synchronized"),
        ("echo Failed to connect to bus >&2; exit 1", "ok", "synchronization unknown"),
        (None, "ok", "synchronization unknown"),
    ],
)
def test_a_clock_that_may_be_right(tmp_path: Path, script: str | None, status: str, words: str) -> None:
    if script is not None:
        program(tmp_path, "timedatectl", script)
    finding = checks_system.clock(tmp_path, now=NOON)
    assert finding.status == status
    assert words in finding.message


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"DISPLAY": ":0"}, "DISPLAY=:0"),
        ({"WAYLAND_DISPLAY": "wayland-1", "DISPLAY": ":0"}, "WAYLAND_DISPLAY=wayland-1, DISPLAY=:0"),
        ({"DISPLAY": ""}, "none: use `edge-digits serve`"),
        ({"SSH_CONNECTION": "10.0.0.2 5022 10.0.0.1 22"}, "none, over ssh: use `edge-digits serve`"),
    ],
)
def test_a_display(environment: dict[str, str], words: str) -> None:
    finding = checks_system.display(environment)
    assert finding.status == "ok"
    assert words in finding.message


def test_programs_and_their_children_end_in_time() -> None:
    done = threading.Event()
    answers: list[Answer | None] = []

    def asking() -> None:
        answers.append(ask(["sh", "-c", "sleep 600 & echo hallo; sleep 600"], 0.1))
        done.set()

    threading.Thread(target=asking, daemon=True).start()
    assert done.wait(60)
    assert answers == [Answer(None, "", "")]
    assert ask(["/none/such"], 1) is None
    assert ask([sys.executable, "-c", "print('1'); raise SystemExit(3)"], 60) == Answer(3, "1\n", "")
