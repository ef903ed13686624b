"""Check a flatbuffer against its recipe after conversion, tensor by tensor."""

import math
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from convert.fold import UnusableModel
from convert.recipes import Conversion
from edge_runtime.inference.contract import SIDE
from edge_runtime.system.native_logs import stderr_silenced

# int32 holds the biases and the shape arithmetic, whatever the recipe.
INTEGERS = (np.int8, np.uint8, np.int32)
WEIGHT_TYPES = {"float32": np.float32, "float16": np.float16, "int8": np.int8}


def verify(flatbuffer: bytes, conversion: Conversion) -> None:
    """Raise UnusableModel where a tensor's type or the input's scale differs from the recipe's."""
    with stderr_silenced():
        interpreter = Interpreter(model_content=flatbuffer)
        interpreter.allocate_tensors()
    details, tensors = interpreter.get_input_details()[0], interpreter.get_tensor_details()
    if tuple(details["shape_signature"]) != (-1, SIDE, SIDE):
        raise UnusableModel(f"the {conversion.name} model has input shape {details['shape_signature'].tolist()}")
    kernels = [tensor for tensor in tensors if _is_kernel(tensor)]
    # The largest kernel: without integer activations the converter leaves kernels of fewer than 1,024 weights as they
    # are. A float16 kernel appears twice: as stored, and as float32 for the product.
    largest = max((math.prod(tensor["shape"]) for tensor in kernels), default=0)
    stored = {np.dtype(tensor["dtype"]) for tensor in kernels if math.prod(tensor["shape"]) == largest}
    if not stored or min(stored, key=lambda kind: kind.itemsize) != WEIGHT_TYPES[conversion.weights]:
        raise UnusableModel(f"the {conversion.name} model contains weights that are not {conversion.weights}")
    # The interpreter repeats the only scale of a dense kernel for each output: the check is whether they differ.
    scales = [tensor["quantization_parameters"]["scales"] for tensor in kernels if len(tensor["shape"]) == 2]
    if any(len(np.unique(each)) > 1 for each in scales):
        raise UnusableModel(f"the {conversion.name} model contains kernels with a scale for each output")
    if conversion.activations == "float32" and details["dtype"] != np.float32:
        raise UnusableModel(f"the {conversion.name} model has input type {details['dtype'].__name__}, expected float32")
    if conversion.activations == "int8":
        floats = [tensor["name"] for tensor in tensors if tensor["dtype"] not in INTEGERS]
        if floats:
            raise UnusableModel(
                f"the {conversion.name} model contains tensors that are not integers: {', '.join(floats)}"
            )
        if details["dtype"] != np.uint8 or details["quantization"] != (1.0, 0):
            raise UnusableModel(
                f"the {conversion.name} model has input type {details['dtype'].__name__} with (scale, zero point) "
                f"{details['quantization']}, expected raw uint8 pixels"
            )


def _is_kernel(tensor: dict[str, Any]) -> bool:
    """Return whether a tensor is (outputs, inputs), or (outputs, rows, columns, inputs); values have one picture."""
    return len(tensor["shape"]) in (2, 4) and tensor["shape"][0] > 1
