"""Convert the line network to TensorFlow Lite in integers.

python -m convert.line build/line                 beside build/line/line.keras
python -m convert.line build/line --into FILE     and into a model file, which then has both networks
"""

import io
import json
import os
from collections.abc import Iterator
from contextlib import closing, redirect_stdout
from pathlib import Path
from typing import Any

import click
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from convert.fold import UnusableModel
from convert.verify import INTEGERS
from edge_runtime.errors import ModelError
from edge_runtime.inference import model_file
from edge_runtime.inference.contract import COLUMNS, ROWS
from edge_runtime.inference.line_network import LineNetwork
from edge_runtime.system.atomic_files import write_bytes
from edge_runtime.system.native_logs import stderr_silenced
from train import command, line, provenance

GOLDEN, GOLDEN_SEED = 8, 8
# Drawn lines that set the output range of each layer. With 1,024, a few odd ones widen the ranges: int8 reads 0.8
# percentage points fewer of the held-out lines than the full network; with 16, 64 and 200, 0.3, 0.4 and 0.0 fewer.
CALIBRATION, CALIBRATION_SEED = 200, 7


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--into", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Write it into this model file."
)
def convert(folder: Path, into: Path | None) -> None:
    """Convert FOLDER/line.keras to FOLDER/line-int8.tflite."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with stderr_silenced():
        from train import model
    source = folder / "line.keras"
    network = model.load(source)
    strips = line.chunk("train", CALIBRATION_SEED, 0).strips[:CALIBRATION]
    with stderr_silenced(), redirect_stdout(io.StringIO()):  # the converter prints there what it saved
        flatbuffer = quantize(network, strips)
    verify(flatbuffer)
    path = folder / "line-int8.tflite"
    write_bytes(path, flatbuffer)
    print(f"{path}: {len(flatbuffer):,} bytes")
    if into is not None:
        attach(into, flatbuffer, json.loads((folder / "line.json").read_text(encoding="utf-8")))
        print(f"{into}: {into.stat().st_size:,} bytes")


def attach(path: Path, flatbuffer: bytes, training: dict[str, Any]) -> None:
    """Put a line network into a model file, with its golden vectors and its training record."""
    model = model_file.read(path)
    if model.card is None:
        raise ModelError(f"{path} has no card to write into")
    card = {**model.card, "line_network": {"training": training, "versions": provenance.versions()}}
    inputs = line.chunk("train", GOLDEN_SEED, 0).strips[:GOLDEN]
    golden = {name: values for name, values in model.golden().items() if not name.startswith("line_")}
    model_file.write(path, model.flatbuffer, card, golden, flatbuffer)
    with closing(LineNetwork(path, flatbuffer, 1)) as network:
        outputs = np.array([network.scores(strip) for strip in inputs])
    golden |= {"line_inputs": inputs, "line_outputs": outputs}
    model_file.write(path, model.flatbuffer, card, golden, flatbuffer)


def quantize(network: "keras.Model", strips: NDArray[np.uint8]) -> bytes:  # type: ignore[name-defined] # noqa: F821
    """Return the flatbuffer of a line network: uint8 (1, ROWS, COLUMNS, 1) to int8 logits (1, steps, 11).

    Kernels have one scale per output, the converter's default. `strips` is uint8 (N, ROWS, COLUMNS).
    """
    import tensorflow as tf

    from train import line_network

    def samples() -> Iterator[list[NDArray[np.float32]]]:
        for strip in strips:
            yield [strip[None, ..., None].astype(np.float32)]

    fixed = line_network.build(COLUMNS)
    fixed.set_weights(network.get_weights())
    converter = tf.lite.TFLiteConverter.from_keras_model(fixed)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = samples
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.uint8
    converter.inference_output_type = tf.int8
    return bytes(converter.convert())


def verify(flatbuffer: bytes) -> None:
    """Raise UnusableModel where a tensor is not an integer type, or the input is not a strip of uint8 pixels."""
    with stderr_silenced():
        interpreter = Interpreter(model_content=flatbuffer)
        interpreter.allocate_tensors()
    floats = [each["name"] for each in interpreter.get_tensor_details() if each["dtype"] not in (*INTEGERS, np.int64)]
    if floats:
        raise UnusableModel(f"the line network contains tensors that are not integers: {', '.join(floats)}")
    details = interpreter.get_input_details()[0]
    if details["dtype"] != np.uint8 or tuple(details["shape"]) != (1, ROWS, COLUMNS, 1):
        raise UnusableModel(
            f"the line network has unsupported input {details['dtype'].__name__} {details['shape'].tolist()}"
        )


def main() -> None:
    """Run the command."""
    command.run(convert)


if __name__ == "__main__":
    main()
