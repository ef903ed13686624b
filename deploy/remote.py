"""Installation on another computer over ssh: copy, install, test, start, and roll back after a failure."""

import secrets
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from deploy.wheels import sha256

REFUSED = 5  # of install.sh: the bundle does not work on that computer


class DeployError(Exception):
    """The installation or the service failed; the message gives the current state. `exit_code` is the command's."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where and how to install; `prefix` None means the default folder, `ssh_config` None the ssh defaults.

    Raises DeployError if ssh would take the host for an option.
    """

    host: str
    user: bool = False
    prefix: str | None = None
    with_camera: bool = False
    ssh_config: Path | None = None

    def __post_init__(self) -> None:
        if self.host.startswith("-") or not self.host:
            raise DeployError(f"{self.host!r} is not a host such as user@pi", 2)

    @property
    def options(self) -> list[str]:
        """The options of every call of install.sh."""
        flags = ["--user"] if self.user else []
        return flags + ([f"--prefix={self.prefix}"] if self.prefix else [])

    @property
    def installed(self) -> str:
        """The installation folder, quoted for the remote shell."""
        if self.prefix:
            return shlex.quote(self.prefix)
        return '"${XDG_DATA_HOME:-$HOME/.local/share}"/edge-digits' if self.user else "/opt/edge-digits"

    def as_root(self, command: str) -> str:
        """Return a shell command that runs this one as root, except for a user installation."""
        if self.user:
            return command
        return f'if [ "$(id -u)" = 0 ]; then {command}; else sudo {command}; fi'

    def script(self, *options: str) -> str:
        """Return a shell command that runs the installed install.sh."""
        return self.as_root(f"sh {self.installed}/install.sh {shlex.join([*options, *self.options])}")

    def control(self, *words: str) -> str:
        """Return a shell command that controls the service through systemd."""
        return self.as_root(shlex.join(["systemctl", *(["--user"] if self.user else []), *words, "edge-digits"]))


def plan(bundle: Path, settings: Settings) -> list[str]:
    """Return the remote commands of `deploy`, one on a line."""
    folder = _scratch()
    steps = [
        f"uname -m; readlink {settings.installed}/venv",
        f"mkdir -m 700 {folder}",
        f"tar -xz -C {folder} < {bundle}",
        _install(folder, settings),
        settings.script("--selftest"),
        settings.control("restart"),
    ]
    undo = f"where the last two fail: {settings.script('--rollback')}"
    return [f"ssh {settings.host}: {step}" for step in [*steps, undo]]


def deploy(bundle: Path, settings: Settings, print_line: Callable[[str], object]) -> None:
    """Install a bundle on another computer, test it, and start its service; `print_line` receives each step.

    Raises DeployError if it does not work there; the previous installation runs again then.
    """
    with ExitStack() as undo:
        ssh = _Ssh(settings, Path(undo.enter_context(tempfile.TemporaryDirectory())))
        undo.callback(ssh.close)
        machine, former, was_active = _inspect(ssh, settings)
        wanted = bundle.name.removesuffix(".tar.gz").rpartition("-")[2]
        if machine != wanted:
            raise DeployError(f"{bundle.name} is for {wanted}, and {settings.host} is {machine}")
        folder = _scratch()
        ssh.answer(f"mkdir -m 700 {folder}")
        undo.callback(ssh.run, f"rm -rf {folder}")

        print_line(f"Copying {bundle.name} ({bundle.stat().st_size / 1e6:.0f} MB) to {settings.host}.")
        with bundle.open("rb") as file:
            digest = ssh.answer(f"cd {folder} && tee bundle.tar.gz | sha256sum", file)
        if digest.split()[0] != sha256(bundle):
            raise DeployError(f"{bundle.name} was damaged on its way to {settings.host}: try again")
        if ssh.run(f"cd {folder} && tar -xzf bundle.tar.gz && rm bundle.tar.gz"):
            raise DeployError(f"{bundle.name} cannot be unpacked on {settings.host}: is its disk full?")

        print_line("Installing.")
        code = ssh.run(_install(folder, settings))
        if code:
            reason = "does not work there" if code == REFUSED else "cannot be installed"
            raise DeployError(f"{bundle.name} {reason}; {_stays(former)}", code if code == REFUSED else 1)
        print_line("Testing the installation.")
        if ssh.run(settings.script("--selftest")):
            _back(ssh, settings, former, was_active)
            raise DeployError(f"the selftest fails on {settings.host}; {_stays(former)}", REFUSED)
        _start(ssh, settings, former, was_active, print_line)


def _scratch() -> str:
    """Return an unused folder name for the installation files."""
    return f"/var/tmp/edge-digits.{secrets.token_hex(8)}"


def _start(ssh: "_Ssh", settings: Settings, former: str, was_active: bool, print_line: Callable[[str], object]) -> None:
    if ssh.run("command -v systemctl >/dev/null"):
        print_line("There is no systemd there: the service is not started.")
        return
    print_line("Starting the service.")
    if not ssh.run(settings.control("restart")):
        print_line(f"It runs on {settings.host}.")
        return
    if was_active:
        _back(ssh, settings, former, was_active)
        raise DeployError(f"the service no longer starts; {_stays(former)}", REFUSED)
    raise DeployError(f"it is installed, but the service does not start: {settings.control('status')} says why")


def _back(ssh: "_Ssh", settings: Settings, former: str, was_active: bool) -> None:
    """Restore the state before the last installation, which may be none."""
    now = ssh.answer(f"readlink {settings.installed}/venv || true")
    if now == former:
        return  # the same bundle again: there is no other version to restore
    if ssh.run(settings.script("--rollback" if former else "--uninstall")):
        raise DeployError(f"it does not work on {settings.host}, and going back failed: look at {settings.installed}")
    if was_active:
        ssh.run(settings.control("restart"))


def _inspect(ssh: "_Ssh", settings: Settings) -> tuple[str, str, bool]:
    """Return the remote machine, the installed version, "" for none, and whether the service runs."""
    active = shlex.join(["systemctl", *(["--user"] if settings.user else []), "--quiet", "is-active", "edge-digits"])
    lines = ssh.answer(
        f"uname -m; readlink {settings.installed}/venv || echo; {active} 2>/dev/null && echo runs || echo rests"
    ).split("\n")
    if len(lines) != 3:
        raise DeployError(f"{settings.host} does not answer like a Linux system: {' '.join(lines)[:200]}")
    return lines[0], lines[1], lines[2] == "runs"


def _install(folder: str, settings: Settings) -> str:
    options = [*settings.options, *(["--with-camera"] if settings.with_camera else [])]
    # A glob, because the folder name in the bundle contains the version.
    return settings.as_root(f"sh {folder}/edge-digits-*/install.sh {shlex.join(options)}".rstrip())


def _stays(former: str) -> str:
    return f"{former.removeprefix('venvs/')} stays" if former else "nothing is installed there"


class _Ssh:
    """One connection, shared by all commands."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._host = settings.host
        self._command = ["ssh", *(["-F", str(settings.ssh_config)] if settings.ssh_config else [])]
        self._command += ["-o", "ControlMaster=auto", "-o", f"ControlPath={folder}/%C", "-o", "ControlPersist=60"]

    def run(self, command: str) -> int:
        """Run a remote shell command that prints to this terminal; return its exit code."""
        terminal = ["-t"] if sys.stdin.isatty() else []  # sudo may ask for a password
        return subprocess.run([*self._command, *terminal, "--", self._host, command], check=False).returncode

    def answer(self, command: str, stdin: IO[bytes] | None = None) -> str:
        """Return the output of a remote shell command without the last newline. Raises DeployError if it fails."""
        done = subprocess.run(
            [*self._command, "--", self._host, command],
            stdin=stdin or subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise DeployError(f"{self._host}: ssh or a command there failed; what it said is above")
        return done.stdout.removesuffix("\n")

    def close(self) -> None:
        """End the connection."""
        subprocess.run([*self._command, "-O", "exit", "--", self._host], capture_output=True, check=False)
