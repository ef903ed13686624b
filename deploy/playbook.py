"""Run a playbook of deploy/ansible with ansible-playbook, and turn what fails into one line."""

import json
import locale
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

CHECKOUT = Path(__file__).resolve().parent.parent
ANSIBLE = CHECKOUT / ".venv-fleet" / "bin" / "ansible-playbook"
FOLDER = Path(__file__).parent / "ansible"
PLAYBOOKS = tuple(sorted(path.stem for path in (FOLDER / "playbooks").glob("*.yml")))
REFUSED = 5  # what install.sh also exits with: it does not work on that computer
REFUSED_TASK = "Stop where it was refused"  # of roles/edge_digits/tasks/stop.yml
LOST_TASK = "Stop the roll-out where a computer of this batch was lost"  # of roles/edge_digits/tasks/main.yml
MOST_SHOWN = 3  # failed computers in the last line; Ansible shows all of them above it
# What ssh or sudo says where a password is needed, as a pattern, and the option by which Ansible asks for it.
PASSWORDS = {
    "Missing sudo password": "--ask-become-pass",
    "a password is required": "--ask-become-pass",
    r"Permission denied \(.*(password|keyboard-interactive).*\)": "--ask-pass",
}


class DeployError(Exception):
    """The installation or the service failed; the message gives the current state. `exit_code` is the command's."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Failure(NamedTuple):
    """What stopped on one computer: the task, and its message; plugins/callback/failures.py writes it."""

    host: str
    task: str
    message: str
    unreachable: bool


@dataclass(frozen=True, kw_only=True)
class Run:
    """A playbook by its name, the inventory for it, variables that override the inventory's, and Ansible's options.

    Raises DeployError if there is no playbook of this name.
    """

    playbook: str
    inventory: Path
    variables: dict[str, object] = field(default_factory=dict)
    options: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.playbook not in PLAYBOOKS:
            raise DeployError(f"there is no playbook {self.playbook!r}, but {', '.join(PLAYBOOKS)}", 2)

    @property
    def command(self) -> list[str]:
        """The call of ansible-playbook."""
        return [
            str(ANSIBLE), str(FOLDER / "playbooks" / f"{self.playbook}.yml"), f"--inventory={self.inventory}",
            f"--extra-vars={json.dumps(self.variables)}", *self.options,
        ]  # fmt: skip


def one_host(host: str, folder: Path) -> Path:
    """Write the inventory of one computer, "user@pi" or "pi", into a folder, and return its path.

    Raises DeployError if ssh would take the host for an option.
    """
    user, _, name = host.rpartition("@")
    if not name or name.startswith("-") or user.startswith("-"):
        raise DeployError(f"{host!r} is not a host such as user@pi", 2)
    path = folder / "inventory.json"
    path.write_text(json.dumps({"all": {"hosts": {name: {"ansible_user": user} if user else {}}}}))
    return path


def run(wanted: Run) -> None:
    """Run a playbook; Ansible prints to this terminal, and asks there for passwords that are needed.

    Raises DeployError if a computer failed; what ran there before runs again then.
    """
    code, failures = _call(wanted)
    while sys.stdin.isatty() and (option := _password(failures)) and option not in wanted.options:
        wanted = Run(
            playbook=wanted.playbook, inventory=wanted.inventory, variables=wanted.variables,
            options=(*wanted.options, option),
        )  # fmt: skip
        code, failures = _call(wanted)
    if failures:
        refused = any(failure.task.endswith(REFUSED_TASK) for failure in failures)
        raise DeployError("; ".join(lines(failures)), REFUSED if refused else 1)
    if code:
        raise DeployError(f"ansible-playbook ended with exit code {code}; what it said is above")


def steps(wanted: Run) -> list[str]:
    """Return the names of a playbook's steps; makes no connection. Raises DeployError without Ansible."""
    done = subprocess.run(
        [*wanted.command, "--list-tasks"], env=_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise DeployError((done.stderr.strip().splitlines() or ["ansible-playbook failed"])[-1])
    names = [line.strip().partition("\tTAGS:")[0] for line in done.stdout.partition("tasks:\n")[2].splitlines()]
    return [name.partition(" : ")[2] for name in names if name]


def _call(wanted: Run) -> tuple[int, list[Failure]]:
    with tempfile.TemporaryDirectory() as scratch:
        written = Path(scratch, "failures")
        # A folder of its own: Ansible would take an open connection to another computer of the same name.
        connections = {"ANSIBLE_SSH_CONTROL_PATH_DIR": scratch}
        environment = {**_environment(), **connections, "EDGE_DIGITS_FAILURES": str(written)}
        code = subprocess.run(wanted.command, env=environment, check=False).returncode
        records = written.read_text().splitlines() if written.exists() else []
    return code, [Failure(**json.loads(record)) for record in records]


def _environment() -> dict[str, str]:
    if not ANSIBLE.exists():
        raise DeployError(f"Ansible is not installed: make {ANSIBLE.relative_to(CHECKOUT).parent.parent}/installed", 2)
    settings = {
        "ANSIBLE_CONFIG": str(FOLDER / "ansible.cfg"),
        "ANSIBLE_CALLBACKS_ENABLED": "failures",
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
        "ANSIBLE_LOCALHOST_WARNING": "false",
    }
    if locale.getencoding().lower() != "utf-8":
        settings["LC_ALL"] = "C.UTF-8"  # Ansible accepts no other encoding
    return {**os.environ, **settings}


def _password(failures: Iterable[Failure]) -> str | None:
    """Return the option by which Ansible asks for the password that was needed, if that is why it failed."""
    needed = (
        option for failure in failures for text, option in PASSWORDS.items() if re.search(text, failure.message)
    )  # fmt: skip
    return next(needed, None)


def lines(failures: list[Failure]) -> list[str]:
    """Return what failed, a computer each, and how many more did."""
    # It fails on those that are not lost.
    failures = [failure for failure in failures if not failure.task.endswith(LOST_TASK)] or failures
    shown = [f"{failure.host}: {_why(failure)}" if failure.host else failure.message for failure in failures]
    more = [f"{len(shown) - MOST_SHOWN} more failed"] if len(shown) > MOST_SHOWN else []
    return shown[:MOST_SHOWN] + more


def _why(failure: Failure) -> str:
    said = [line.strip() for line in failure.message.splitlines() if line.strip()]
    why = (said[-1] if failure.unreachable else " ".join(said)) if said else f"{failure.task!r} failed"
    why = re.sub("^((Task|Action|Module) failed: |(edge-digits: )?error: )+", "", why)
    if option := _password([failure]):
        return f"{why}: the password is missing or wrong; {option} asks for it"
    if "Host key verification failed" in failure.message:
        return f"its host key is unknown, or is not that of before: connect once by ssh {failure.host}"
    return f"cannot be reached: {why}" if failure.unreachable else why
