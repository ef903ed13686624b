"""Numbers and switches from a request's query; an invalid value is a 400 that names the valid ones.

So is a name that occurs more than once.
"""

from starlette.requests import Request

from edge_runtime.web.problems import Problem

MOST = 2**53  # JavaScript represents integers exactly up to here


def number(request: Request, name: str, default: int, least: int = 0, most: int = MOST) -> int:
    """Return a whole number between `least` and `most`."""
    text = _value(request, name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= 16 and least <= int(text) <= most):
        raise Problem(400, "Bad query", f"{name} must be a whole number from {least} to {most}")
    return int(text)


def switch(request: Request, name: str, default: bool = False) -> bool:
    """Return whether a switch is on."""
    text = _value(request, name)
    if text not in (None, "0", "1"):
        raise Problem(400, "Bad query", f"{name} must be 0 or 1")
    return default if text is None else text == "1"


def _value(request: Request, name: str) -> str | None:
    values = request.query_params.getlist(name)
    if len(values) > 1:
        raise Problem(400, "Bad query", f"{name} must be given only once")
    return values[0] if values else None
