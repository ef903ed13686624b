"""The units, by systemd's own tools."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy import small

pytestmark = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")


def analyze(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *map(str, arguments)], capture_output=True, text=True, check=False)


@pytest.fixture(params=["edge-digits.service", "edge-digits-user.service"])
def unit(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a unit as install.sh writes it, with a command that is there; udevadm need not be."""
    command = tmp_path / "venv" / "bin" / "edge-digits"
    command.parent.mkdir(parents=True)
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    text = (small.DEPLOY / request.param).read_text()
    path = tmp_path / str(request.param)
    path.write_text(text.replace("@PREFIX@", str(tmp_path)).replace("@CONFIG@", str(tmp_path)))
    return path


def test_systemd_understands_every_line(unit: Path) -> None:
    if shutil.which("udevadm") is None:
        unit.write_text(unit.read_text().replace("/usr/bin/udevadm", shutil.which("true") or ""))
    done = analyze("verify", "--man=no", unit)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_line_that_makes_no_sense_is_found(unit: Path) -> None:
    unit.write_text(unit.read_text().replace("WatchdogSec=60", "WatchdogSec=soon"))
    assert "WatchdogSec" in analyze("verify", "--man=no", unit).stderr


@pytest.mark.parametrize("unit", ["edge-digits.service"], indirect=True)
def test_little_is_exposed(unit: Path) -> None:
    done = analyze("security", "--offline=true", "--threshold=30", unit)
    assert done.returncode == 0, done.stdout
    exposure = re.search(r"Overall exposure level for edge-digits.service: (\d+\.\d)", done.stdout)
    assert exposure is not None
    assert float(exposure[1]) <= 3.0


def test_cameras_and_networks_are_let_in() -> None:
    text = (small.DEPLOY / "edge-digits.service").read_text()
    assert "PrivateDevices=" not in text  # it would hide cameras
    assert "PrivateNetwork=" not in text
    for allowed in ("char-video4linux rw", "char-media rw", "char-dma_heap rw"):
        assert f"DeviceAllow={allowed}\n" in text
    assert re.search(r"^RestrictAddressFamilies=.*AF_INET AF_INET6", text, re.MULTILINE)


def test_both_are_watched_and_quiet() -> None:
    for name in ("edge-digits.service", "edge-digits-user.service"):
        text = (small.DEPLOY / name).read_text()
        lines = ("Type=notify", "WatchdogSec=60", "Restart=always", "LogRateLimitBurst=100")
        for line in (*lines, "StateDirectory=edge-digits"):
            assert f"{line}\n" in text
