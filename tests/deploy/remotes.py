"""Another computer: an sshd of one's own on this one, which leads into a home folder of its own."""

import getpass
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

# What systemd would do with the service, by what the installed command says: here is no systemd for one person.
SYSTEMCTL = """#!/bin/sh
echo "$*" >>{log}
case $* in
  *is-active*) [ -e {active} ] ;;
  *"try-restart "*) [ ! -e {active} ] || exec {self} --user restart edge-digits ;;
  *"restart "*) rm -f {active}; [ "$({command})" != "$(cat {broken} 2>/dev/null)" ] && {command} >{active} ;;
  *"disable "*) rm -f {active} ;;
esac
"""


class Remote(NamedTuple):
    """Where ssh leads: `config` says how to get to the host "pi", `home` is the home folder there."""

    config: Path
    home: Path
    log: Path  # what systemctl was told, a line each
    active: Path  # what the running service says it is
    broken: Path  # what the version says that does not start

    @property
    def command(self) -> Path:
        return self.home / ".local" / "share" / "edge-digits" / "venv" / "bin" / "edge-digits"

    def says(self) -> str:
        return subprocess.run([self.command], capture_output=True, text=True, check=True).stdout


@contextmanager
def running(folder: Path) -> Iterator[Remote]:
    """Run an sshd with throwaway keys on a free port of this computer alone. Skips where there is none."""
    sshd = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin")
    if sshd is None or shutil.which("ssh") is None:
        pytest.skip("sshd is not installed")
    Path("/run/sshd").mkdir(exist_ok=True)  # where sshd wants an empty folder
    home, bin = folder / "home", folder / "bin"
    home.mkdir()
    bin.mkdir()
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    remote = Remote(folder / "ssh_config", home, folder / "log", folder / "active", folder / "broken")
    paths = {name: shlex.quote(str(getattr(remote, name))) for name in ("log", "active", "broken", "command")}
    (bin / "systemctl").write_text(SYSTEMCTL.format(**paths, self=shlex.quote(str(bin / "systemctl"))))
    (bin / "systemctl").chmod(0o755)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    python = Path(sys.executable).resolve().parent
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder / 'host'}\nAuthorizedKeysFile {folder / 'user.pub'}\n"
        "PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\n"
        f"SetEnv HOME={home} PATH={bin}:{python}:/usr/sbin:/usr/bin:/sbin:/bin\n"
    )
    known = folder / "known_hosts"
    known.write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
    remote.config.write_text(
        f"Host pi\n  HostName 127.0.0.1\n  Port {port}\n  User {getpass.getuser()}\n  IdentityFile {folder / 'user'}\n"
        f"  IdentitiesOnly yes\n  BatchMode yes\n  UserKnownHostsFile {known}\n  LogLevel ERROR\n"
    )
    command = [sshd, "-D", "-e", "-f", str(folder / "sshd_config")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            for line in server.stderr:
                if "listening" in line:
                    break
            else:
                pytest.skip(f"sshd does not run here: {line}")
            yield remote
        finally:
            server.terminate()
            server.communicate()
