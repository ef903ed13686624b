"""The commands `edge-digits model`: the functions of the model store on the command line."""

import json

import click

from edge_runtime.cli.config_option import config_option
from edge_runtime.cli.options import TrustOptions, debug, trust
from edge_runtime.cli.terminal import show

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def model() -> None:
    """Install models, look at them, go back: without --model, the one that was installed last reads.

    A service that is running takes a new model up by itself, and goes back by itself where that fails.
    """


@model.command()
@click.argument("source", metavar="FILE|URL")
@click.option("--sha256", metavar="HASH", help="Take only a file with this SHA-256, in hexadecimal.")
@trust
@config_option
@debug
def install(source: str, sha256: str | None, trust: TrustOptions) -> None:
    """Check the model in FILE or at URL, try it, and let it read from now on.

    The signature, where a key is trusted, is that in FILE.sig or at URL.sig. A model that is refused changes nothing.

    \b
    Examples:
      edge-digits model install digits-int8.tflite
      edge-digits model install https://models.example/digits-int8.tflite --trusted-key maker.pem --require-signed
    """
    from edge_runtime.store import catalog
    from edge_runtime.store import install as installing

    demanded = installing.Trust(keys=trust.trusted_key, required=trust.require_signed, sha256=sha256)
    done = installing.install(source, catalog.home(), demanded)
    show(f"{done.path.stem} reads from now on")


@model.command()
@click.argument("name", metavar="[ID]", required=False)
@debug
def rollback(name: str | None) -> None:
    """Let the model before the current one read again, or the one whose id begins with ID, or "shipped"."""
    from edge_runtime.store import catalog, changes

    show(f"{changes.rollback(catalog.home(), name).entry.id} reads from now on")


@model.command("list")
@JSON
@debug
def list_models(as_json: bool) -> None:
    """List the models that there are, the newest first; a star is where one reads."""
    from edge_runtime.store import catalog, table

    stored = catalog.every(catalog.home())
    records = [table.record(one) for one in stored]
    for line in [json.dumps(records)] if as_json else table.lines(stored):
        show(line)


@model.command("show")
@click.argument("name", metavar="[ID]", required=False)
@JSON
@debug
def show_model(name: str | None, as_json: bool) -> None:
    """Tell what is known of the model whose id begins with ID, by default of the one that reads."""
    from edge_runtime.store import catalog, table

    stored = catalog.find(catalog.home(), name)
    for line in [json.dumps(table.whole_record(stored))] if as_json else table.details(stored):
        show(line)


@model.command()
@click.argument("name", metavar="ID")
@debug
def remove(name: str) -> None:
    """Remove the model whose id begins with ID; not the one that reads."""
    from edge_runtime.store import catalog, changes

    show(f"{changes.remove(catalog.home(), name).entry.id} is removed")
