"""edge-digits: reads handwritten digits with a small int8 network, from files or a camera.

from edge_runtime import DigitReader

with DigitReader() as reader:                        # no arguments: the model that ships with the package
    print(reader.read(pixels).text)

The names in `__all__` are the public interface, and stay from version to version; everything else may change.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge_runtime.batch.read_pages import ReadPages
    from edge_runtime.errors import (
        CheckFailed,
        ContractMismatch,
        DependencyMissing,
        EdgeError,
        ModelCorrupt,
        ModelError,
        OptionError,
        OutputError,
        PictureError,
        PictureTooLarge,
        SourceError,
    )
    from edge_runtime.inference.classifier import Classifier
    from edge_runtime.lines.constraint import Constraint, of_length, of_patterns
    from edge_runtime.pipeline import run
    from edge_runtime.reader import DigitReader
    from edge_runtime.records import Box, Digit, Event, Frame, Line, Reading, Rejection
    from edge_runtime.sinks.lines import JsonLines
    from edge_runtime.sinks.memory import Memory
    from edge_runtime.sinks.mqtt.broker import Broker
    from edge_runtime.sinks.mqtt.sink import Mqtt
    from edge_runtime.sinks.sink import Sink
    from edge_runtime.sources.kinds import open_source

__version__ = "0.1.0"
__all__ = [
    "Box",
    "Broker",
    "CheckFailed",
    "Classifier",
    "Constraint",
    "ContractMismatch",
    "DependencyMissing",
    "Digit",
    "DigitReader",
    "EdgeError",
    "Event",
    "Frame",
    "JsonLines",
    "Line",
    "Memory",
    "ModelCorrupt",
    "ModelError",
    "Mqtt",
    "OptionError",
    "OutputError",
    "PictureError",
    "PictureTooLarge",
    "ReadPages",
    "Reading",
    "Rejection",
    "Sink",
    "SourceError",
    "of_length",
    "of_patterns",
    "open_source",
    "run",
]
# Where the names are from; those of no other module are errors.
_MODULES = {
    "batch.read_pages": ("ReadPages",),
    "inference.classifier": ("Classifier",),
    "lines.constraint": ("Constraint", "of_length", "of_patterns"),
    "pipeline": ("run",),
    "reader": ("DigitReader",),
    "records": ("Box", "Digit", "Event", "Frame", "Line", "Reading", "Rejection"),
    "sinks.lines": ("JsonLines",),
    "sinks.memory": ("Memory",),
    "sinks.mqtt.broker": ("Broker",),
    "sinks.mqtt.sink": ("Mqtt",),
    "sinks.sink": ("Sink",),
    "sources.kinds": ("open_source",),
}


def __getattr__(name: str) -> Any:
    # Imported on first use: `edge-digits --help` needs neither LiteRT nor OpenCV, and explains if they are missing.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module = next((module for module, names in _MODULES.items() if name in names), "errors")
    try:
        return getattr(import_module(f"edge_runtime.{module}"), name)
    except ImportError as error:
        from edge_runtime.system.dependencies import explain

        raise explain(error) from error


def __dir__() -> list[str]:
    return [*globals(), *__all__]
