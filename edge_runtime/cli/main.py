"""The command line: the group of all commands; `main` turns errors into a line and an exit code."""

import io
import sys

import click

import edge_runtime
from edge_runtime.cli.batch import batch
from edge_runtime.cli.bench import bench
from edge_runtime.cli.config import config
from edge_runtime.cli.doctor import doctor
from edge_runtime.cli.exit_codes import EXIT_CODES
from edge_runtime.cli.model import model
from edge_runtime.cli.read import read
from edge_runtime.cli.selftest import selftest
from edge_runtime.cli.serve import serve
from edge_runtime.cli.terminal import logged, print_err, unwritten
from edge_runtime.errors import EdgeError
from edge_runtime.system import dependencies


@click.group(
    epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "EDGE_DIGITS"}
)
@click.version_option(edge_runtime.__version__, prog_name="edge-digits")
def cli() -> None:
    """Read handwritten digits, with a small int8 network, on anything from a laptop to a Raspberry Pi."""


for command in (read, serve, batch, bench, config, model, selftest, doctor):
    cli.add_command(command)


def main() -> None:
    """Run the command line and raise SystemExit."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # file names may hold characters that cannot be encoded
    state: dict[str, bool] = {}
    try:
        try:
            with logged("edge_runtime", print_err):
                code = cli.main(sys.argv[1:] or ["--help"], standalone_mode=False, obj=state)
        except ImportError as error:
            raise dependencies.explain(error) from error
        except OSError as error:
            if isinstance(error, EdgeError):
                raise
            raise unwritten(error) from error
        sys.exit(code)
    except EdgeError as error:
        if state.get("debug"):
            raise
        print_err(f"error: {error}")
        sys.exit(error.exit_code)
    except click.ClickException as error:
        print_err(f"error: {error.format_message()} (see --help)")
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
