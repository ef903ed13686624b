"""Option types beyond numbers and files: sizes, fractions, a camera's focus, regions, broker addresses."""

import math
import re
from typing import Any

import click

from edge_runtime.errors import OptionError


class Size(click.ParamType):  # type: ignore[type-arg]
    """A size in pixels, such as 640x480: (width, height)."""

    name = "size"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Return both sides; fails where one is missing, 0 or above 10,000."""
        match = re.fullmatch(r"(\d{1,5})[xX](\d{1,5})", str(value))
        if match is None or not all(1 <= int(side) <= 10_000 for side in match.groups()):
            self.fail(f"{value!r} is not a size such as 640x480", param, ctx)
        return int(match[1]), int(match[2])


class Fraction(click.ParamType):  # type: ignore[type-arg]
    """A fraction above one half, such as 3/5."""

    name = "fraction"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Return both numbers; fails where they are no fraction above one half."""
        match = re.fullmatch(r"(\d{1,3})/(\d{1,3})", str(value))
        if match is None or not 1 <= int(match[1]) <= int(match[2]) < 2 * int(match[1]):
            self.fail(f"{value!r} is not a fraction such as 3/5, above 1/2 and at most 1", param, ctx)
        return int(match[1]), int(match[2])


class Focus(click.ParamType):  # type: ignore[type-arg]
    """The word auto, or a number in the driver's unit."""

    name = "focus"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the value unchanged; fails where it is neither."""
        if not re.fullmatch(r"auto|\d{1,6}(\.\d+)?", str(value)):
            self.fail(f"{value!r} is neither auto nor a number", param, ctx)
        return str(value)


class Region(click.ParamType):  # type: ignore[type-arg]
    """A rectangle in pixels: left, top, width, height."""

    name = "region"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int, int, int]:
        """Return all four numbers; fails where the rectangle is invalid or empty."""
        match = re.fullmatch(r"(\d{1,5}),(\d{1,5}),(\d{1,5}),(\d{1,5})", str(value))
        if match is None or min(int(match[3]), int(match[4])) < 1:
            self.fail(f"{value!r} is not a region such as 100,50,400,300: left, top, width, height", param, ctx)
        return int(match[1]), int(match[2]), int(match[3]), int(match[4])


class BrokerAddress(click.ParamType):  # type: ignore[type-arg]
    """The address of an MQTT broker, such as mqtt://user@host:1883."""

    name = "address"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the value unchanged; fails where it is no address, or holds a password."""
        from edge_runtime.sinks.mqtt.broker import Broker

        try:
            Broker.parse(str(value), {})
        except OptionError as error:
            self.fail(str(error), param, ctx)
        return str(value)


class Finite(click.FloatRange):
    """A number in a range, never "nan" or "inf"."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number; fails where it is out of range, or no number."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number", param, ctx)
        return number
