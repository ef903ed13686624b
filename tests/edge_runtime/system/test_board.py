import time
from pathlib import Path

import pytest

from edge_runtime.system import board


def sensor(root: Path, folder: str, **files: str) -> None:
    place = root / "sys/class" / folder
    place.mkdir(parents=True)
    for name, text in files.items():
        (place / name).write_text(f"{text}\n")


def vcgencmd(root: Path, script: str) -> None:
    program = root / "usr/bin/vcgencmd"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def firmware(root: Path, text: str, soc: str = "soc") -> None:
    place = root / f"sys/devices/platform/{soc}/{soc}:firmware"
    place.mkdir(parents=True)
    (place / "get_throttled").write_text(f"{text}\n")


@pytest.mark.parametrize(
    "name", ["cpu-thermal", "cpu_thermal", "soc_thermal", "soc-thermal", "x86_pkg_temp", "bcm2835_thermal", "CPU-therm"]
)
def test_temperature_of_the_processor(tmp_path: Path, name: str) -> None:
    sensor(tmp_path, "thermal/thermal_zone0", type=name, temp="48312")
    assert board.temperature(tmp_path) == 48.312


def test_the_processors_sensor_is_taken_of_several(tmp_path: Path) -> None:
    sensor(tmp_path, "thermal/thermal_zone0", type="gpu-thermal", temp="61000")
    sensor(tmp_path, "thermal/thermal_zone1", type="soc-thermal", temp="52000")
    sensor(tmp_path, "thermal/thermal_zone10", type="cpu-thermal", temp="-5500")
    sensor(tmp_path, "hwmon/hwmon0", name="coretemp", temp1_input="40000")
    assert board.temperature(tmp_path) == -5.5


@pytest.mark.parametrize("name", ["coretemp", "k10temp", "cpu_thermal"])
def test_temperature_of_a_computer_without_thermal_zones(tmp_path: Path, name: str) -> None:
    sensor(tmp_path, "hwmon/hwmon0", name="nvme", temp1_input="30000")
    sensor(tmp_path, "hwmon/hwmon1", name=name, temp1_input="45000")
    assert board.temperature(tmp_path) == 45.0


@pytest.mark.parametrize("text", ["", "warm", "-274000", "1000000", "4 2", "9" * 5000])
def test_a_sensor_that_measures_nothing_is_left_out(tmp_path: Path, text: str) -> None:
    sensor(tmp_path, "thermal/thermal_zone0", type="cpu-thermal", temp=text)
    assert board.temperature(tmp_path) is None
    sensor(tmp_path, "thermal/thermal_zone1", type="soc-thermal", temp="39000")
    assert board.temperature(tmp_path) == 39.0


def test_no_temperature_where_nothing_tells_the_processors(tmp_path: Path) -> None:
    assert board.temperature(tmp_path) is None
    sensor(tmp_path, "thermal/thermal_zone0", type="acpitz", temp="27800")
    sensor(tmp_path, "thermal/thermal_zone1", type="cpu-thermal")  # cannot be read
    assert board.temperature(tmp_path) is None


@pytest.mark.parametrize(
    ("value", "states"),
    [
        ("0x0", ()),
        ("0x1", ("under-voltage now",)),
        ("0x2", ("frequency capped now",)),
        ("0x4", ("throttled now",)),
        ("0x8", ("soft temperature limit now",)),
        ("0x10000", ("under-voltage since boot",)),
        ("0x20000", ("frequency capped since boot",)),
        ("0x40000", ("throttled since boot",)),
        ("0x80000", ("soft temperature limit since boot",)),
        ("0x50005", ("under-voltage now", "throttled now", "under-voltage since boot", "throttled since boot")),
        ("0xf000f0", ()),  # bits that mean nothing
    ],
)
def test_bits_of_get_throttled(tmp_path: Path, value: str, states: tuple[str, ...]) -> None:
    vcgencmd(tmp_path, f'[ "$1" = get_throttled ] && echo throttled={value}')
    assert board.throttled(tmp_path) == states


@pytest.mark.parametrize("soc", ["soc", "soc@107c000000"])
@pytest.mark.parametrize("script", ["exit 1", "echo VCHI initialization failed; exit 255", "echo error=2", None])
def test_sysfs_tells_where_vcgencmd_does_not(tmp_path: Path, script: str | None, soc: str) -> None:
    if script:
        vcgencmd(tmp_path, script)
    assert board.throttled(tmp_path) is None
    firmware(tmp_path, "50000", soc)
    assert board.throttled(tmp_path) == ("under-voltage since boot", "throttled since boot")


def test_vcgencmd_is_believed_first_since_the_kernel_forgets(tmp_path: Path) -> None:
    vcgencmd(tmp_path, "echo throttled=0x10000")
    firmware(tmp_path, "0")
    assert board.throttled(tmp_path) == ("under-voltage since boot",)


def test_a_program_that_hangs_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "TIMEOUT", 0.05)
    vcgencmd(tmp_path, "exec sleep 60")
    begun = time.monotonic()
    assert board.throttled(tmp_path) is None
    assert time.monotonic() - begun < 30


def test_what_this_computer_tells() -> None:
    degrees, states = board.temperature(), board.throttled()
    assert degrees is None or board.COLDEST < degrees < board.WARMEST
    assert states is None or set(states) <= set(board.STATES)
