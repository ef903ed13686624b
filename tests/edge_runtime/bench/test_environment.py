import os
import platform
import subprocess
from pathlib import Path

import pytest

from edge_runtime import __version__
from edge_runtime.bench import environment
from edge_runtime.errors import ModelError

PI_4 = """processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0xd08
CPU revision\t: 3
"""
XEON = """processor\t: 0
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 85
model name\t: Intel(R) Xeon(R) Processor
stepping\t: 7
cpu MHz\t\t: 2499.998
"""


def machine_of(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_a_raspberry_pi(tmp_path: Path) -> None:
    (tmp_path / "proc/device-tree").mkdir(parents=True)
    (tmp_path / "proc/device-tree/model").write_bytes(b"Raspberry Pi 4 Model B Rev 1.4\0")
    machine_of(tmp_path, proc__cpuinfo=PI_4 * 4, proc__meminfo="MemTotal:        3885396 kB\nMemFree: 1 kB\n")
    cpu = tmp_path / environment.CPU
    cpu.mkdir(parents=True)
    (cpu / "scaling_governor").write_text("ondemand\n")
    (cpu / "scaling_cur_freq").write_text("1500000\n")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text('NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n')
    firmware = tmp_path / "sys/devices/platform/soc/soc:firmware"
    firmware.mkdir(parents=True)
    (firmware / "get_throttled").write_text("50000\n")
    record = environment.describe(root=tmp_path)
    assert record["machine"] == {
        "board": "Raspberry Pi 4 Model B Rev 1.4", "processor": "Cortex-A72", "architecture": platform.machine(),
        "cores": os.cpu_count(), "memory_bytes": 15 << 28,
    }  # fmt: skip
    assert record["system"]["os"] == "Debian GNU/Linux 12 (bookworm)"
    assert record["state"]["governor"] == "ondemand"
    assert record["state"]["frequency_hz"] == 1_500_000_000
    assert record["state"]["throttled"] == ["under-voltage since boot", "throttled since boot"]


def test_a_virtual_machine_that_tells_little(tmp_path: Path) -> None:
    machine_of(tmp_path, proc__cpuinfo=XEON * 2)
    record = environment.machine(tmp_path)
    assert record["processor"] == "Intel(R) Xeon(R) Processor (cpu family 6, model 85, stepping 7)"
    assert record["board"] is None
    assert record["memory_bytes"] is None
    state = environment.state(tmp_path)
    assert state["frequency_hz"] == 2_499_998_000
    assert (state["governor"], state["temperature_celsius"], state["throttled"]) == (None, None, None)


@pytest.mark.parametrize(
    ("cores", "name"),
    [
        ([("0x41", "0xd03")] * 4, "Cortex-A53"),
        ([("0x41", "0xd03")] * 4 + [("0x41", "0xd08")] * 2, "Cortex-A53 and Cortex-A72"),
        ([("0x61", "0x022")], "ARM core 0x61:0x022"),
    ],
)
def test_arm_cores_have_names(cores: list[tuple[str, str]], name: str, tmp_path: Path) -> None:
    text = "".join(f"CPU implementer\t: {maker}\nCPU part\t: {part}\n\n" for maker, part in cores)
    machine_of(tmp_path, proc__cpuinfo=text)
    assert environment.machine(tmp_path)["processor"] == name


def test_where_nothing_tells_there_still_is_a_machine(tmp_path: Path) -> None:
    record = environment.describe(root=tmp_path)
    assert record["machine"]["processor"]
    assert record["system"]["os"]


def test_this_machine_is_the_same_at_each_look() -> None:
    assert environment.machine() == environment.machine()
    assert environment.describe()["versions"]["edge-digits"] == __version__
    assert environment.versions()["opencv"] is not None


def test_the_commit_is_that_of_the_checkout() -> None:
    known = environment.commit()
    if not (environment.SOURCE_TREE / ".git").exists():
        assert known is None
    else:
        head = ["git", "-C", str(environment.SOURCE_TREE), "rev-parse", "HEAD"]
        asked = subprocess.run(head, capture_output=True, text=True, check=True)
        assert known is not None
        assert known.removesuffix("-dirty") == asked.stdout.strip()


def test_outside_a_checkout_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "SOURCE_TREE", tmp_path)
    assert environment.commit() is None
    (tmp_path / ".git").mkdir()  # as git leaves it where it was cut off
    assert environment.commit() is None


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot read the model"):
        environment.describe(tmp_path / "none.tflite")
