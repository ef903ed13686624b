"""Install the runtime on a computer without internet.

python -m deploy bundle                        one file with all that a Raspberry Pi needs
python -m deploy to user@pi                    make it, copy it, install it, try it, start the service
"""

import sys
from pathlib import Path

import click

CHECKOUT = Path(__file__).resolve().parent.parent
MACHINES = ("aarch64", "x86_64")


def _bundle(out: Path, machine: str, pythons: tuple[str, ...]) -> Path:
    import tempfile

    from deploy import bundle

    if bundle.is_changed(CHECKOUT):
        print("warning: the bundle contains the last commit, without later changes", file=sys.stderr)
    with tempfile.TemporaryDirectory() as scratch:
        made_at = bundle.export(CHECKOUT, Path(scratch))
        return bundle.build(Path(scratch), out, made_at, machine=machine, pythons=pythons or bundle.PYTHONS)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def deploy() -> None:
    """Install the runtime on a computer without internet."""


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
@click.option("--bundle", "path", metavar="FILE", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="Use this bundle. [default: a new one]")  # fmt: skip
@click.option("--user", is_flag=True, help="Install for that user only, without root.")
@click.option("--prefix", metavar="DIR", help="Install into DIR there instead of /opt/edge-digits.")
@click.option("--with-camera", is_flag=True, help="Prepare for a camera on the ribbon cable.")
@click.option("--ssh-config", metavar="FILE", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="Configuration file of ssh. [default: ~/.ssh/config]")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only print the steps; make no connection.")
def to(
    host: str, path: Path | None, user: bool, prefix: str | None, with_camera: bool, ssh_config: Path | None,
    dry_run: bool,
) -> None:  # fmt: skip
    """Install on another computer by ssh, and start the service.

    If it does not work there, the previous installation stays in use: exit code 5.
    """
    from deploy import remote

    settings = remote.Settings(host=host, user=user, prefix=prefix, with_camera=with_camera, ssh_config=ssh_config)
    if dry_run:
        for line in remote.plan(path or Path("dist", f"edge-digits-VERSION-{MACHINES[0]}.tar.gz"), settings):
            print(line)
        return
    remote.deploy(path or _bundle(Path("dist"), MACHINES[0], ()), settings, print)


def main() -> None:
    """Run a command and exit; only this function turns an error into a line and an exit code."""
    from deploy.remote import DeployError

    try:
        deploy(sys.argv[1:] or ["--help"], standalone_mode=False)
    except DeployError as error:
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
