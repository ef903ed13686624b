"""The commands `edge-digits model`: the functions of the model store on the command line."""

import json

import click

from edge_runtime.cli.config_option import config_option
from edge_runtime.cli.options import TrustOptions, debug, trust
from edge_runtime.cli.terminal import show

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def model() -> None:
    """Install, show and roll back models; without --model, commands use the one that was installed last.

    A running service switches to a new model by itself, and goes back by itself if that model fails.
    """


@model.command()
@click.argument("source", metavar="FILE|URL")
@click.option("--sha256", metavar="HASH", help="Accept only a file with this SHA-256, in hexadecimal.")
@trust
@config_option
@debug
def install(source: str, sha256: str | None, trust: TrustOptions) -> None:
    """Verify the model in FILE or at URL, test it, and make it the current one.

    If there is a trusted key, the signature is read from FILE.sig or URL.sig. A refused model changes nothing.

    \b
    Examples:
      edge-digits model install digits-int8.tflite
      edge-digits model install https://models.example/digits-int8.tflite --trusted-key maker.pem --require-signed
    """
    from edge_runtime.store import catalog
    from edge_runtime.store import install as installing

    demanded = installing.Trust(keys=trust.trusted_key, required=trust.require_signed, sha256=sha256)
    path = installing.install(source, catalog.home(), demanded)
    show(f"{path.stem} is the current model now")


@model.command()
@click.argument("name", metavar="[ID]", required=False)
@debug
def rollback(name: str | None) -> None:
    """Go back to the previous model, to the one whose id begins with ID, or to "shipped"."""
    from edge_runtime.store import catalog, changes

    show(f"{changes.rollback(catalog.home(), name).entry.id} is the current model now")


@model.command("list")
@JSON
@debug
def list_models(as_json: bool) -> None:
    """List the stored models, the newest first; a star marks the current one."""
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
    """Show the details of the model whose id begins with ID, by default of the current one."""
    from edge_runtime.store import catalog, table

    stored = catalog.find(catalog.home(), name)
    for line in [json.dumps(table.whole_record(stored))] if as_json else table.details(stored):
        show(line)


@model.command()
@click.argument("name", metavar="ID")
@debug
def remove(name: str) -> None:
    """Remove the model whose id begins with ID; the current one cannot be removed."""
    from edge_runtime.store import catalog, changes

    show(f"{changes.remove(catalog.home(), name).entry.id} was removed")
