"""The engine c on a Cortex-M4: compiled with Debian's compiler, run by QEMU."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from convert.micro.export import SOURCES
from tests.micro_sources import HERE, STRICT, compiled

pytestmark = pytest.mark.micro

BOARD = HERE / "cortex_m4"
PROCESSOR = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16")
COMPILER = ("arm-none-eabi-gcc", "-std=c99", *STRICT, *PROCESSOR, "-ffunction-sections", "-fdata-sections")
# With -icount shift=0 an instruction takes a nanosecond of the board's time.
EMULATOR = ("qemu-system-arm", "-M", "mps2-an386", "-nographic", "-monitor", "none", "-serial", "none",
            "-semihosting-config", "enable=on,target=native", "-icount", "shift=0", "-kernel")  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def tools() -> None:
    for program in ("arm-none-eabi-gcc", "qemu-system-arm"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program}: apt install gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm")


def test_golden_vectors_pass_on_a_cortex_m4(folder_c: Path, tmp_path: Path) -> None:
    program = tmp_path / "board.elf"
    compiled((*COMPILER, "-Wl,--gc-sections", "-I.", "-o", program, BOARD / "board.c", "digits.c", *SOURCES,
              "-T", BOARD / "link.ld", "--specs=rdimon.specs"), folder_c)  # fmt: skip
    done = subprocess.run([*EMULATOR, program], capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    passed, counted = done.stdout.splitlines()
    assert passed == "30 of 30 golden vectors pass"
    figures = re.fullmatch(r"instructions: normalize (\d+), classify (\d+)", counted)
    assert figures is not None
    print(counted)
    assert 100_000 < int(figures[1]) < 10_000_000
    assert 100_000 < int(figures[2]) < 10_000_000


def test_sizes_are_those_of_the_document(folder_c: Path, tmp_path: Path) -> None:
    for name in ("digits.c", *SOURCES):
        compiled((*COMPILER, "-c", "-o", tmp_path / f"{name}.o", name), folder_c)
    (tmp_path / "selftest.c.o").unlink()
    sizes = subprocess.run(
        ["arm-none-eabi-size", "--totals", *tmp_path.glob("*.o")], capture_output=True, text=True, check=True
    ).stdout
    print(sizes)
    flash, data, ram = map(int, sizes.splitlines()[-1].split()[:3])
    assert data == 0
    assert 842_059 < flash < 842_059 + 20_000  # bytes: the weights, and code and tables
    assert ram < 12_000  # bytes
