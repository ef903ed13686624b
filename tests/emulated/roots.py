"""Debian for another kind of computer in a folder, and its commands run by emulation.

debootstrap fetches the packages, which are unpacked over the folder and not set up: that would take five minutes under
emulation. QEMU runs what is in there, through binfmt_misc, on the very processor core that a Raspberry Pi has.
"""

import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from tests.commands import Done

BINFMT = Path("/proc/sys/fs/binfmt_misc")
TOOLS = ("debootstrap", "dpkg-deb", "tar", "unshare", "chroot", "mount")
MADE = "made-of"  # a file in a root that says which system it is
INSTALL = "apt install debootstrap qemu-user-static"
# In a name space of its own: what is mounted goes with it. There is no /sys: its devices are not the other's.
ENTER = """
mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && mount -t tmpfs tmpfs "$1/run" || exit 125
exec chroot "$@"
"""


class System(NamedTuple):
    """What somebody's computer runs, and on which core."""

    name: str
    suite: str  # of Debian
    architecture: str  # as Debian names it
    emulator: str  # as QEMU names it
    python: str
    core: str  # as QEMU names it
    packages: tuple[str, ...] = ("python3", "openssl")  # the latter for tests


# Cortex-A53: Pi 3 and Zero 2 W; A72: Pi 4; A76: Pi 5; A7: the first Pi 2, and what 32-bit programs may count on.
DEBIAN_13 = System("debian-13-arm64", "trixie", "arm64", "aarch64", "3.13", "cortex-a72")
DEBIAN_12 = System("debian-12-arm64", "bookworm", "arm64", "aarch64", "3.11", "cortex-a53")
DEBIAN_12_32 = System(
    "debian-12-armhf", "bookworm", "armhf", "arm", "3.11", "cortex-a7",
    ("python3", "python3-venv", "python3-pip", "python3-click", "python3-numpy", "python3-opencv", "python3-pil"),
)  # fmt: skip


def refusal(system: System) -> str | None:
    """Return why it cannot run on this computer, and what to do about it; None where it can."""
    if platform.system() != "Linux":
        return f"{platform.system()} cannot run Linux programs of another computer"
    if os.geteuid() != 0:
        return "only root can enter another system: run it with sudo"
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        return f"{', '.join(missing)} missing: {INSTALL}"
    return None if platform.machine() == system.emulator else _unregistered(system.emulator)


def _unregistered(emulator: str) -> str | None:
    """Have the kernel start the emulator for its programs; return why it does not."""
    handler, entry = Path(f"/usr/lib/binfmt.d/qemu-{emulator}.conf"), BINFMT / f"qemu-{emulator}"
    if entry.exists():
        return None
    if not handler.exists():
        return f"QEMU for {emulator} missing: {INSTALL}"
    register = BINFMT / "register"
    if not register.exists():
        subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", BINFMT], capture_output=True, check=False)
    try:
        register.write_text(handler.read_text())
    except OSError as error:
        return f"this kernel does not start programs of {emulator}: {register}: {error.strerror}"
    return None


class Root:
    """A system in a folder. It is made where it is not there as wanted, which takes a minute and a package index."""

    def __init__(self, system: System, folder: Path) -> None:
        self.system, self.path = system, folder / system.name
        made = f"{system}\n"
        if not (self.path / MADE).exists() or (self.path / MADE).read_text() != made:
            draft = folder / f"{system.name}.part"
            for former in (draft, self.path):
                shutil.rmtree(former, ignore_errors=True)
            draft.mkdir(parents=True)
            _make(system, draft)
            (draft / MADE).write_text(made)
            draft.rename(self.path)

    def run(
        self, *command: object, core: str = "", network: bool = True, tell: Callable[[str], object] | None = None
    ) -> Done:
        """Run a command in there as root, on another core and without a network if need be.

        `tell` hears each line that it writes, also to standard error, as it comes.
        """
        there = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root",
            "LC_ALL": "C.UTF-8", "QEMU_CPU": core or self.system.core,
        }  # fmt: skip
        apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child", *([] if network else ["--net"])]
        entered = [*apart, "sh", "-c", ENTER, "sh", self.path, "/usr/bin/env", "-i", *map("=".join, there.items())]
        with subprocess.Popen(
            [*map(str, [*entered, *command])], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
            stderr=subprocess.STDOUT if tell else subprocess.PIPE,
        ) as process:  # fmt: skip
            if tell is None:
                out, err = process.communicate()
                return Done(process.returncode, out, err)
            assert process.stdout is not None
            lines = []
            for line in process.stdout:
                tell(line)
                lines.append(line)
        return Done(process.returncode, "".join(lines), "")

    def fresh(self, name: str) -> Path:
        """Return an empty folder at /srv/NAME in there, as it is named out here."""
        folder = self.path / "srv" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder


def _make(system: System, folder: Path) -> None:
    included = f"--include={','.join(system.packages)}"
    _do(
        "debootstrap", "--foreign", "--variant=minbase", f"--arch={system.architecture}", included, system.suite, folder
    )
    for package in sorted((folder / "var/cache/apt/archives").glob("*.deb")):
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as unpacked:
            # In a merged /usr, a package's folders may be links.
            subprocess.run(["tar", "-x", "--keep-directory-symlink", "-C", folder], stdin=unpacked.stdout, check=True)
        if unpacked.returncode:
            raise OSError(f"{package.name} cannot be unpacked")
    (folder / "etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost ip6-localhost\n")
    # What packages would do when they are set up, as far as it is needed here.
    for name in ("passwd", "group"):
        shutil.copy(folder / "usr/share/base-passwd" / f"{name}.master", folder / "etc" / name)
    for name in ("blas", "lapack"):
        for library in folder.glob(f"usr/lib/*/{name}/lib{name}.so.3"):
            (library.parents[1] / library.name).symlink_to(f"{name}/{library.name}")


def _do(*command: object) -> None:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{command[0]} fails: {_last(done.stdout.splitlines() + done.stderr.splitlines())}")


def _last(lines: Iterable[str]) -> str:
    return [line for line in ["it says nothing", *lines] if line.strip()][-1]
