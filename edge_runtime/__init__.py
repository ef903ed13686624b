"""edge-digits: reads handwritten digits with a small int8 network, from files or a camera.

from edge_runtime import DigitReader

with DigitReader() as reader:                        # no arguments: the model that ships with the package
    print(reader.read(pixels).text)
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge_runtime.classifier import Classifier
    from edge_runtime.reader import DigitReader
    from edge_runtime.records import Reading

__version__ = "0.1.0"
__all__ = ["Classifier", "DigitReader", "Reading"]

_HOMES = {"Classifier": "classifier", "DigitReader": "reader", "Reading": "records"}


def __getattr__(name: str) -> Any:
    # Imported on first use: `edge-digits --help` needs neither LiteRT nor OpenCV, and explains if they are missing.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    try:
        return getattr(import_module(f"edge_runtime.{_HOMES[name]}"), name)
    except ImportError as error:
        from edge_runtime.dependencies import explain

        raise explain(error) from error
