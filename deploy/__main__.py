"""Install the runtime on computers without internet.

python -m deploy bundle                        one file with all that a Raspberry Pi needs
python -m deploy to user@pi                    make it, copy it, install it, try it, start the service
python -m deploy fleet install -i FILE         the same on all computers of an inventory, in stages
"""

import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from deploy import playbook as playbooks

CHECKOUT = playbooks.CHECKOUT
MACHINES = ("aarch64", "x86_64")
FILE = click.Path(path_type=Path, exists=True, dir_okay=False, resolve_path=True)
Command = TypeVar("Command", bound=Callable[..., None])


def _bundle(out: Path, machine: str, pythons: tuple[str, ...]) -> Path:
    from deploy import bundle

    if bundle.is_changed(CHECKOUT):
        print("warning: the bundle contains the last commit, without later changes", file=sys.stderr)
    with tempfile.TemporaryDirectory() as scratch:
        made_at = bundle.export(CHECKOUT, Path(scratch))
        return bundle.build(Path(scratch), out, made_at, machine=machine, pythons=pythons or bundle.PYTHONS)


def _connection(command: Command) -> Command:
    """Add the options about how to get to the computers."""
    for option in (
        click.option("--dry-run", is_flag=True, help="Only print the steps; make no connection."),
        click.option("--ask-become-pass", is_flag=True, help="Ask for the password of sudo."),
        click.option("--ask-pass", is_flag=True, help="Ask for the password of ssh."),
        click.option("--ssh-config", metavar="FILE", type=FILE,
                     help="Configuration file of ssh. [default: ~/.ssh/config]"),
        click.option("--watch", metavar="SECONDS", type=click.IntRange(0, 86400),
                     help="How long a changed service must run. [default: 60]"),
    ):  # fmt: skip
        command = option(command)
    return command


def _options(ssh_config: Path | None, ask_pass: bool, ask_become_pass: bool) -> tuple[str, ...]:
    return (
        *([f"--ssh-common-args=-F '{ssh_config}'"] if ssh_config else []),
        *(["--ask-pass"] if ask_pass else []),
        *(["--ask-become-pass"] if ask_become_pass else []),
    )


def _stages(text: str) -> list[str | int]:
    """Return the sizes of the batches. Raises BadParameter where one is neither a number nor a percentage."""
    sizes = [size.strip() for size in text.split(",")]
    if not all(re.fullmatch(r"[1-9]\d*|(100|[1-9]?\d)%", size) for size in sizes):
        raise click.BadParameter(f"{text!r} is not like 1,10%,100%", param_hint="--stages")
    return [size if size.endswith("%") else int(size) for size in sizes]


def _set(**variables: object) -> dict[str, object]:
    """Return the role's variables that are set, by their whole names."""
    return {f"edge_digits_{name}": value for name, value in variables.items() if not (value is None or value is False)}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def deploy() -> None:
    """Install the runtime on computers without internet."""


@deploy.command()
@click.option("--machine", type=click.Choice(MACHINES), default=MACHINES[0], show_default=True,
              help="Output of `uname -m` on the target.")  # fmt: skip
@click.option(
    "--python", "pythons", metavar="3.N", multiple=True, help="Python version of the target. [default: 3.11 and 3.13]"
)
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), default="dist",
              show_default=True, help="Output folder.")  # fmt: skip
def bundle(machine: str, pythons: tuple[str, ...], out: Path) -> None:
    """Write edge-digits-VERSION-MACHINE.tar.gz from the last commit; the same commit gives the same bytes."""
    print(_bundle(out, machine, pythons))


@deploy.command()
@click.argument("host", metavar="[USER@]HOST")
@click.option("--bundle", "path", metavar="FILE", type=FILE, help="Use this bundle. [default: a new one]")
@click.option("--user", is_flag=True, help="Install for that user only, without root.")
@click.option("--prefix", metavar="DIR", help="Install into DIR there instead of /opt/edge-digits.")
@click.option("--with-camera", is_flag=True, help="Prepare for a camera on the ribbon cable.")
@_connection
def to(
    host: str, path: Path | None, user: bool, prefix: str | None, with_camera: bool, watch: int | None,
    ssh_config: Path | None, ask_pass: bool, ask_become_pass: bool, dry_run: bool,
) -> None:  # fmt: skip
    """Install on another computer by ssh, and start the service.

    If it does not work there, the previous installation stays in use: exit code 5.
    """
    with tempfile.TemporaryDirectory() as scratch:
        inventory = playbooks.one_host(host, Path(scratch))
        variables = _set(user=user, prefix=prefix, with_camera=with_camera, watch_seconds=watch)
        options = _options(ssh_config, ask_pass, ask_become_pass)
        wanted = playbooks.Run(playbook="install", inventory=inventory, variables=variables, options=options)
        if dry_run:
            for step in playbooks.steps(wanted):
                print(f"{host}: {step}")
            print(f"{host}: Where one of these fails, go back to what was there")
            return
        variables["edge_digits_bundle"] = str((path or _bundle(Path("dist"), MACHINES[0], ())).resolve())
        playbooks.run(wanted)


@deploy.command()
@click.argument("playbook", metavar="|".join(playbooks.PLAYBOOKS), type=click.Choice(playbooks.PLAYBOOKS))
@click.option("-i", "--inventory", metavar="FILE", type=click.Path(path_type=Path, exists=True, resolve_path=True),
              required=True, help="The computers, as Ansible lists them.")  # fmt: skip
@click.option("--bundle", "path", metavar="FILE", type=FILE, help="Install this bundle. [default: the inventory's]")
@click.option("--model", metavar="FILE", type=FILE, help="Install this model. [default: the inventory's]")
@click.option("--from", "leave", metavar="ID", help="With rollback: the version or model to leave, by its start.")
@click.option("--limit", metavar="HOSTS", help="Only these computers or groups.")
@click.option("--stages", metavar="N,N%,...", help="How many computers at a time. [default: 1,10%,100%]")
@_connection
def fleet(
    playbook: str, inventory: Path, path: Path | None, model: Path | None, leave: str | None, limit: str | None,
    stages: str | None, watch: int | None, ssh_config: Path | None, ask_pass: bool, ask_become_pass: bool,
    dry_run: bool,
) -> None:  # fmt: skip
    """Install, change the model, go back, or show what runs, on all computers of an inventory.

    Where it does not work on a computer, that one goes back by itself, the rest is not touched: exit code 5.
    """
    variables = _set(
        bundle=path and str(path), model=model and str(model), rollback_from=leave, watch_seconds=watch,
        stages=stages and _stages(stages),
    )  # fmt: skip
    options = (*([f"--limit={limit}"] if limit else []), *_options(ssh_config, ask_pass, ask_become_pass))
    wanted = playbooks.Run(playbook=playbook, inventory=inventory, variables=variables, options=options)
    if dry_run:
        for step in playbooks.steps(wanted):
            print(step)
        return
    playbooks.run(wanted)


def main() -> None:
    """Run a command and exit; only this function turns an error into a line and an exit code."""
    try:
        deploy(sys.argv[1:] or ["--help"], standalone_mode=False)
    except playbooks.DeployError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except click.ClickException as error:
        print(f"error: {error.format_message()} (see --help)", file=sys.stderr)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)


if __name__ == "__main__":
    main()
