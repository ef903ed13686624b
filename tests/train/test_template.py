"""Templates of HTML pages: what is text stays text, and a name that nobody gave is an error."""

from pathlib import Path

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from tests.builds import ROOT
from train import template


def shown(folder: Path, text: str, **values: object) -> str:
    path = folder / "page.html.j2"
    path.write_text(text, encoding="utf-8")
    return template.load(path, lambda value: value.replace("\x1b", "ESC")).render(values)


def test_text_is_prepared_then_escaped(tmp_path: Path) -> None:
    assert shown(tmp_path, "{{ it }}", it="<b>\x1b</b>") == "&lt;b&gt;ESC&lt;/b&gt;"


def test_markup_stays_as_it_is(tmp_path: Path) -> None:
    assert shown(tmp_path, "{{ it }}", it=Markup("<b>\x1b</b>")) == "<b>\x1b</b>"


def test_what_a_macro_made_is_markup(tmp_path: Path) -> None:
    text = "{% macro bold(value) %}<b>{{ value }}</b>{% endmacro %}{{ bold(it) }}"
    assert shown(tmp_path, text, it="<") == "<b>&lt;</b>"


def test_bytes_become_base64(tmp_path: Path) -> None:
    assert shown(tmp_path, "{{ it | base64 }}", it=b"\xfb\xff\xfe") == "+//+"


def test_a_missing_value_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UndefinedError, match="it"):
        shown(tmp_path, "{{ it }}")


def test_every_template_is_well_formed() -> None:
    paths = [path for package in ("train", "benchmarks") for path in (ROOT / package).rglob("*.html.j2")]
    assert len(paths) == 4
    for path in paths:
        template.load(path)
