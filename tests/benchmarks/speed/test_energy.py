"""Joules a frame, of a counter as sysfs shows one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.speed import energy

READING = 2_000_000  # microjoules


@pytest.fixture
def counter(tmp_path: Path) -> Path:
    folder = tmp_path / "sys/class/powercap/intel-rapl:0"
    folder.mkdir(parents=True)
    for name, value in (("name", "package-0"), ("energy_uj", 1000), ("max_energy_range_uj", 10**12)):
        (folder / name).write_text(f"{value}\n")
    return folder / "energy_uj"


def reading(counter: Path, microjoules: int, digits: int) -> Callable[[], int]:
    """Return what reads a frame of so many digits, for so many microjoules."""

    def read() -> int:
        counter.write_text(f"{int(counter.read_text()) + microjoules}\n")
        return digits

    return read


def test_every_block_has_joules_a_frame_and_digit(counter: Path, tmp_path: Path) -> None:
    ticks: list[None] = []
    usage = energy.measure(reading(counter, READING, 4), 0.001, 3, lambda: ticks.append(None), root=tmp_path)
    assert usage is not None
    assert (usage.source, len(ticks)) == ("RAPL, processor packages", 3)
    assert (usage.frame, usage.digit, usage.idle_watts) == ([2.0] * 3, [0.5] * 3, [0.0] * 3)
    assert min(usage.busy_watts) > 0
    assert [(each.name, each.unit, each.value, each.samples) for each in energy.measures(usage, "frame 640x480")] == [
        ("energy/frame 640x480", "J", 2.0, [[2.0] * 3]),
        ("energy/digit", "J", 0.5, [[0.5] * 3]),
    ]


@pytest.mark.parametrize(("microjoules", "digits"), [(0, 4), (READING, 0)], ids=["counter stands", "nothing read"])
def test_what_does_not_show_is_left_out(counter: Path, tmp_path: Path, microjoules: int, digits: int) -> None:
    assert energy.measure(reading(counter, microjoules, digits), 0.001, 2, lambda: None, root=tmp_path) is None


def test_a_machine_without_a_meter_is_left_out(tmp_path: Path) -> None:
    assert energy.measure(lambda: 1, 0.001, 1, lambda: None, root=tmp_path) is None


def test_a_counter_that_goes_away_is_left_out(counter: Path, tmp_path: Path) -> None:
    def read() -> int:
        counter.unlink(missing_ok=True)
        return 1

    assert energy.measure(read, 0.001, 1, lambda: None, root=tmp_path) is None
