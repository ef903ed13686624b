"""Convert a Keras network to TensorFlow Lite, once per recipe.

python -m convert build/standard                      all four, beside build/standard/digits.keras
python -m convert my.keras --output out --recipe int8
python -m convert build/micro --micro                 C sources for microcontrollers: build/micro/edge_digits_micro
"""

import json
import os
from pathlib import Path
from typing import Any

import click

from convert.micro.export import Engine, export
from convert.recipes import CONVERSIONS
from edge_runtime.errors import EdgeError, ModelError, OptionError, OutputError
from edge_runtime.inference import model_file
from edge_runtime.system.native_logs import stderr_silenced
from train import command


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("source", metavar="KERAS", type=click.Path(path_type=Path, exists=True))
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), help="[default: beside the network]")
@click.option("--recipe", "names", type=click.Choice(list(CONVERSIONS)), multiple=True, help="[default: all four]")
@click.option("--force", is_flag=True, help="Overwrite a different model, or a folder, that is already there.")
@click.option("--micro", is_flag=True, help="Write the int8 file in KERAS's folder as C sources: edge_digits_micro/.")
@click.option(
    "--engine", type=click.Choice(["tflm", "c"]), help="Of --micro: TFLite Micro, or plain C. [default: tflm]"
)
def convert(
    source: Path, output: Path | None, names: tuple[str, ...], force: bool, micro: bool, engine: Engine | None
) -> None:
    """Convert KERAS, a .keras file or the folder that holds digits.keras, to TensorFlow Lite model files."""
    if micro:
        if output or names:
            raise OptionError("--micro takes neither --output nor --recipe")
        folder = export(source, engine or "tflm", force)
        print(f"{folder}: {sum(path.stat().st_size for path in folder.rglob('*') if path.is_file()):,} bytes")
    elif engine:
        raise OptionError("--engine is an option of --micro")
    else:
        _convert(source, output, names, force)


def _convert(source: Path, output: Path | None, names: tuple[str, ...], force: bool) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    network = source / "digits.keras" if source.is_dir() else source
    folder = output or network.parent
    folder.mkdir(parents=True, exist_ok=True)
    with stderr_silenced():  # TensorFlow logs on import
        from convert import calibration, equalize, fold, package, quantize, rounding, verify
        from train import model

    layers = equalize.equalize(fold.fold(model.load(network)))
    labels = model_file.LABELS[: len(layers[-1].bias)]
    if not len(model_file.DIGITS) <= len(layers[-1].bias) <= len(model_file.LABELS):
        raise fold.UnusableModel(
            f"{network} has {len(layers[-1].bias)} classes, expected 10, or 11 with one for non-digits"
        )
    run = _run_record(network.with_name("run.json"))
    mix = (run.get("recipe") or {}).get("mix")
    digits = calibration.choose(mix["pages"] if mix else None)
    rounded = rounding.round_weights(layers, digits.images)
    for name in names or CONVERSIONS:
        conversion = CONVERSIONS[name]
        own = rounded if conversion.weights == "int8" else layers
        with stderr_silenced():
            flatbuffer = quantize.quantize(own, conversion, digits.images)
        verify.verify(flatbuffer, conversion)
        path = folder / conversion.file_name
        _refuse_to_replace(path, flatbuffer, force)
        package.package(path, flatbuffer, package.card(conversion, digits, run, labels))
        print(f"{path}: {path.stat().st_size:,} bytes")


def _run_record(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {"recipe": None}
    except (ValueError, TypeError) as error:
        raise ModelError(f"{path} is damaged: {error}; train again") from error


def _refuse_to_replace(path: Path, flatbuffer: bytes, force: bool) -> None:
    if force or not path.exists():
        return
    try:
        same = model_file.read(path).flatbuffer == flatbuffer
    except EdgeError:
        same = False
    if not same:
        raise OutputError(f"{path} is a different model: overwrite it with --force, or choose another --output")


def main() -> None:
    """Run the command."""
    command.run(convert)


if __name__ == "__main__":
    main()
