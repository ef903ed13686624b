"""Conversion recipes: one frozen dataclass per recipe. docs/recipes.md compares them."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """Types of weights and activations. Integer activations need integer weights and calibration digits.

    int8 weights have one scale for a dense kernel, and one for each output of a convolution: runtimes from before 2024,
    including the 32-bit ARM one, do not support dense layers with a scale per output.
    """

    name: str
    weights: Literal["float32", "float16", "int8"]
    activations: Literal["float32", "int8"]

    def __post_init__(self) -> None:
        if self.activations == "int8" and self.weights != "int8":
            raise ValueError("integer activations need int8 weights")

    @property
    def file_name(self) -> str:
        """The file that this recipe writes."""
        return f"digits-{self.name}.tflite"


CONVERSIONS = {
    conversion.name: conversion
    for conversion in (
        Conversion(name="float32", weights="float32", activations="float32"),
        Conversion(name="float16", weights="float16", activations="float32"),
        Conversion(name="dynamic", weights="int8", activations="float32"),
        Conversion(name="int8", weights="int8", activations="int8"),
    )
}
