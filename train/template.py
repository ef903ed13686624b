"""HTML from Jinja2 templates, which lie beside the modules that fill them in."""

import base64
from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup


def load(path: Path, prepare: Callable[[str], str] = str) -> Template:
    """Return a template. It escapes all texts except Markup, each after `prepare`; the filter base64 takes bytes.

    Raises jinja2's TemplateError for a wrong template, and for names that it uses but does not get.
    """
    environment = Environment(
        loader=FileSystemLoader(path.parent), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
        finalize=lambda value: value if isinstance(value, Markup) else prepare(str(value)),
    )  # fmt: skip
    environment.filters["base64"] = lambda data: Markup(base64.b64encode(data).decode())
    return environment.get_template(path.name)
