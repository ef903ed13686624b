"""Energy counters, as sysfs and vcgencmd of real machines show them."""

import time
from pathlib import Path

import pytest

from edge_runtime.system import energy

# What `vcgencmd pmic_read_adc` prints on a Raspberry Pi 5; EXT5V and BATT have volts alone.
PRINTED = """\
 3V7_WL_SW_A current(0)=0.00292791A
   3V3_SYS_A current(1)=0.12199130A
  DDR_VDDQ_A current(4)=0.00000000A
  VDD_CORE_A current(7)=0.75012000A
 3V7_WL_SW_V volt(8)=3.71904700V
   3V3_SYS_V volt(9)=3.31745700V
  DDR_VDDQ_V volt(12)=0.60146460V
  VDD_CORE_V volt(15)=0.72178200V
     EXT5V_V volt(24)=5.09066000V
      BATT_V volt(25)=0.00000000V
"""
WATTS = 0.00292791 * 3.719047 + 0.1219913 * 3.317457 + 0.75012 * 0.721782


def domain(root: Path, folder: str, name: str, count: int, most: int = 262_143_328_850) -> Path:
    place = root / "sys/class/powercap" / folder
    place.mkdir(parents=True)
    for file, value in (("name", name), ("energy_uj", count), ("max_energy_range_uj", most)):
        (place / file).write_text(f"{value}\n")
    return place / "energy_uj"


def vcgencmd(root: Path, script: str) -> Path:
    program = root / "usr/bin/vcgencmd"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.with_suffix(".new").write_text(f"#!/bin/sh\n{script}\n")
    program.with_suffix(".new").chmod(0o755)
    return program.with_suffix(".new").replace(program)


def printing(root: Path, text: str) -> Path:
    (root / "answer").write_text(text)
    return vcgencmd(root, f'[ "$1" = pmic_read_adc ] && cat {root / "answer"}')


def test_only_whole_packages_are_added(tmp_path: Path) -> None:
    first = domain(tmp_path, "intel-rapl:0", "package-0", 1_000_000)
    second = domain(tmp_path, "intel-rapl:1", "package-1", 5)
    others = [
        domain(tmp_path, folder, name, 7)
        for folder, name in (
            ("intel-rapl:0:0", "core"), ("intel-rapl:0:1", "dram"), ("intel-rapl:2", "psys"),
            ("intel-rapl-mmio:0", "package-0"),
        )
    ]  # fmt: skip
    with energy.open_meter(tmp_path) or pytest.fail("no meter") as meter:
        assert meter.source == "RAPL, processor packages"
        assert meter.joules() == 0
        first.write_text("3500000\n")
        second.write_text("1000005\n")
        for other in others:
            other.write_text("999999999\n")
        assert meter.joules() == 3.5
        first.write_text("3500001\n")
        assert meter.joules() == 3.500001


def test_a_counter_that_begins_again_goes_on(tmp_path: Path) -> None:
    count = domain(tmp_path, "intel-rapl:0", "package-0", 65_000_000, most=65_532_610)
    with energy.open_meter(tmp_path) or pytest.fail("no meter") as meter:
        count.write_text("100000\n")
        assert meter.joules() == pytest.approx(0.63261)
        count.write_text("65500000\n")
        assert meter.joules() == pytest.approx(66.03261)
        count.write_text("0\n")
        assert meter.joules() == pytest.approx(66.06522)


@pytest.mark.parametrize("text", ["", "-5", "1e9", "watts", "9" * 30])
def test_a_counter_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    count = domain(tmp_path, "intel-rapl:0", "package-0", 1)
    with energy.open_meter(tmp_path) or pytest.fail("no meter") as meter:
        count.write_text(text)
        assert meter.joules() is None
    assert energy.open_meter(tmp_path) is None


def test_a_counter_without_its_range_cannot_begin_again(tmp_path: Path) -> None:
    count = domain(tmp_path, "intel-rapl:0", "package-0", 10)
    count.with_name("max_energy_range_uj").unlink()
    with energy.open_meter(tmp_path) or pytest.fail("no meter") as meter:
        count.write_text("1000010")
        assert meter.joules() == 1.0
        count.write_text("5")
        assert meter.joules() is None


def test_only_root_may_read_counters(tmp_path: Path) -> None:
    count = domain(tmp_path, "intel-rapl:0", "package-0", 10)
    count.unlink()
    count.mkdir()  # cannot be read, not even by root
    assert energy.open_meter(tmp_path) is None


def test_rails_are_volts_times_amperes_by_name(tmp_path: Path) -> None:
    assert energy.watts(printing(tmp_path, PRINTED)) == pytest.approx(WATTS, rel=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "", "error=1 error_msg=\"Command not registered\"\n", "VDD_CORE_A current(7)=0.75A\n",
        "VDD_CORE_A current(7)=0.75V\nVDD_CORE_V volt(15)=0.72V\n", "VDD_CORE_A current(7)=nanA\nVDD_CORE_V volt(1)=1V",
        "VDD_CORE_A current(7)=1.2.3A\nVDD_CORE_V volt(15)=0.7V\n", "A_A current(1)=1A\nB_V volt(1)=1V\n",
    ],
)  # fmt: skip
def test_what_tells_no_rail_is_no_meter(tmp_path: Path, text: str) -> None:
    program = printing(tmp_path, text)
    assert energy.watts(program) is None
    assert energy.open_meter(tmp_path) is None


@pytest.mark.parametrize("script", ["exit 255", "printf '\\377'"])
def test_a_program_that_fails_is_no_meter(tmp_path: Path, script: str) -> None:
    vcgencmd(tmp_path, script)
    assert energy.open_meter(tmp_path) is None
    assert energy.open_meter(tmp_path / "nothing there") is None


def test_power_of_the_rails_adds_up_over_time(tmp_path: Path) -> None:
    printing(tmp_path, "CORE_A current(1)=2.0A\nCORE_V volt(2)=1.5V\n")
    before = time.monotonic()
    with energy.open_meter(tmp_path) or pytest.fail("no meter") as meter:
        opened = time.monotonic()
        assert meter.source.startswith("vcgencmd")
        first = meter.joules() or pytest.fail("no joules")
        asked = time.monotonic()
        second = meter.joules() or pytest.fail("no joules")
        answered = time.monotonic()
    assert 0 < first < second
    assert 3.0 * (asked - opened) <= second <= 3.0 * (answered - before)
    meter.close()


def test_rails_are_looked_at_between_questions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(energy, "EVERY", 0.001)
    program = printing(tmp_path, "CORE_A current(1)=2.0A\nCORE_V volt(2)=1.5V\n")
    log = tmp_path / "log"
    vcgencmd(tmp_path, f"cat {tmp_path / 'answer'}; echo >> {log}")
    with energy.Rails(program):
        deadline = time.monotonic() + 30
        while not (log.exists() and len(log.read_text()) > 4):
            assert time.monotonic() < deadline


def test_a_look_that_failed_leaves_the_sum_unknown(tmp_path: Path) -> None:
    text = "CORE_A current(1)=2.0A\nCORE_V volt(2)=1.5V\n"
    printing(tmp_path, text)
    with energy.open_meter(tmp_path) or pytest.fail("no meter") as meter:
        assert meter.joules() is not None
        vcgencmd(tmp_path, "exit 1")
        assert meter.joules() is None
        printing(tmp_path, text)
        assert meter.joules() is None


def test_what_this_computer_tells() -> None:
    meter = energy.open_meter()
    if meter is not None:
        with meter:
            first, second = meter.joules(), meter.joules()
        assert first is None or (second is not None and 0 <= first <= second)
