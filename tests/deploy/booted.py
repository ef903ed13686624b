"""A system of its own with a real systemd, in namespaces over a copy-on-write view of this one; see boot.sh."""

import os
import subprocess
import tarfile
from pathlib import Path

import pytest

DEBIANS = Path("/usr/bin/python3")


def release() -> str:
    """Return the version of Debian's Python. Skips where a system cannot be booted, or has another Python."""
    if os.geteuid() != 0 or not Path("/usr/lib/systemd/systemd").exists():
        pytest.skip("this needs root, and systemd")
    own = ["unshare", "--mount", "--cgroup", "mount", "-t", "cgroup2", "x", "/sys/fs/cgroup"]
    if subprocess.run(own, check=False).returncode:
        pytest.skip("no cgroups of one's own here")
    python = subprocess.run(
        [DEBIANS, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True, text=True, check=True
    ).stdout.strip()
    if python not in ("3.11", "3.12", "3.13", "3.14"):
        pytest.skip(f"Python {python} is not one of ours")
    return python


def boot(folder: Path, path: Path, probe: str, *folders: Path, seconds: float = 240) -> tuple[str, str]:
    """Boot a system with a bundle installed, run a shell script there, and return its exit code and what it printed.

    `folders` are there by the same names. The code is empty where the script did not end.
    """
    with tarfile.open(path) as tar:
        tar.extractall(folder, filter="data")
    (top,) = folder.glob("edge-digits-*")
    (folder / "scratch").mkdir()
    (folder / "probe.sh").write_text(probe)
    command = ["unshare", "--mount", "--pid", "--ipc", "--uts", "--cgroup", "--fork", "--kill-child", "sh"]
    script = Path(__file__).with_name("boot.sh")
    with subprocess.Popen([*command, script, folder / "scratch", top, folder / "probe.sh", *folders]) as booted:
        try:
            booted.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            booted.kill()
    log = (top / "told").read_text() if (top / "told").exists() else "it did not boot"
    return (top / "code").read_text().strip() if (top / "code").exists() else "", log
