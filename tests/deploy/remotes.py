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
  *"show --property=InvocationID"*)
    process=$$
    while [ -e {cut} ] && [ $process -gt 1 ]; do
      process=$(sed -n 's/^PPid:[^0-9]*//p' /proc/$process/status)
      case $(cat /proc/$process/comm) in sshd*) kill -9 $process ;; esac
    done ;;
esac
case $* in
  *"show --property=InvocationID"*) echo "InvocationID=$(grep -c 'start edge-digits' {log})" ;;
  *show*) echo LoadState=loaded; [ -e {active} ] && echo ActiveState=active || echo ActiveState=inactive ;;
  *is-active*) [ -e {active} ] && [ "$(readlink {models}/current)" != "$(cat {bad} 2>/dev/null || echo none)" ] ;;
  *"try-restart "*) [ ! -e {active} ] || exec {self} --user restart edge-digits ;;
  *"start "*) rm -f {active}; [ "$({says})" != "$(cat {broken} 2>/dev/null)" ] && {says} >{active} ;;
  *"stop "* | *"disable "*) rm -f {active} ;;
esac
"""


# As in deploy/ansible/ansible.cfg, but connections end soon after the test.
SSH_ARGS = "-o ControlMaster=auto -o ControlPersist=5s"


class Remote(NamedTuple):
    """Where ssh leads: `config` says how to get to the host "pi", `home` is the home folder there."""

    config: Path
    home: Path
    log: Path  # what systemctl was told, a line each
    active: Path  # what the running service says it is
    broken: Path  # what the version says that does not start
    bad: Path  # the model, by its link in the store, with which the service ends
    cut: Path  # where this exists, the connection and sshd end when the service is watched

    @property
    def command(self) -> Path:
        return self.home / ".local" / "share" / "edge-digits" / "venv" / "bin" / "edge-digits"

    @property
    def models(self) -> Path:
        return self.home / ".local" / "state" / "edge-digits" / "models"

    def says(self) -> str:
        return subprocess.run([self.command], capture_output=True, text=True, check=True).stdout


@contextmanager
def running(folder: Path, name: str = "pi", *says: str) -> Iterator[Remote]:
    """Run an sshd with throwaway keys on a free port of this computer alone. Skips where there is none.

    `says` are arguments with which the installed command says what it is.
    """
    sshd = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin")
    if sshd is None or shutil.which("ssh") is None:
        pytest.skip("sshd is not installed")
    Path("/run/sshd").mkdir(exist_ok=True)  # where sshd wants an empty folder
    home, bin = folder / "home", folder / "bin"
    home.mkdir()
    bin.mkdir()
    for key in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True)
    fields = ("log", "active", "broken", "bad", "cut")
    remote = Remote(folder / "ssh_config", home, *(folder / field for field in fields))
    paths = {field: shlex.quote(str(getattr(remote, field))) for field in (*fields, "models")}
    paths |= {"self": shlex.quote(str(bin / "systemctl")), "says": shlex.join([str(remote.command), *says])}
    (bin / "systemctl").write_text(SYSTEMCTL.format(**paths))
    (bin / "systemctl").chmod(0o755)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    python = Path(sys.executable).resolve().parent
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder / 'host'}\nAuthorizedKeysFile {folder / 'user.pub'}\n"
        "PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
        "PermitRootLogin yes\n"
        "Subsystem sftp internal-sftp\n"
        f"SetEnv HOME={home} PATH={bin}:{python}:/usr/sbin:/usr/bin:/sbin:/bin\n"
    )
    known = folder / "known_hosts"
    known.write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
    remote.config.write_text(
        f"Host {name}\n  HostName 127.0.0.1\n  Port {port}\n  User {getpass.getuser()}\n"
        f"  IdentityFile {folder / 'user'}\n"
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
            server.stderr.close()  # connections that are kept for the next command have it, too
            server.wait()
