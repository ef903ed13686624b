"""The gallery: one file that needs nothing else, says what was wrong, and runs nothing that a truth file holds."""

import base64
import dataclasses
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from benchmarks.accuracy.gallery import Entry, preview, render
from benchmarks.accuracy.score import score, summarize
from edge_runtime import DigitReader
from edge_runtime.pages.draw import draw_page
from edge_runtime.records import Frame, Uint8

VOID = {"meta", "img", "!doctype"}
HOSTILE = """</td></style><script>alert("1")</script> & ' \x1b[31m\u202e\nnext"""


class Outline(HTMLParser):
    """The elements of a page with their attributes, and the text in it; what is not closed in order fails."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def picture(reader: DigitReader, digits: tuple[Uint8, Uint8]) -> bytes:
    page = draw_page(digits[0][:3], digits[1][:3], np.random.default_rng(1))
    frame = Frame(page.pixels)
    return preview(frame, reader.read(frame))


@pytest.fixture
def entry(picture: bytes) -> Entry:
    return Entry(
        name="page.jpg", verdict="1 error in 3 digits", exact=False, expected=("123",), read=("12 8",),
        facts={"Rejected": "2 clutter", "Tags": ""}, preview=picture,
    )  # fmt: skip


def rendered(*entries: Entry) -> str:
    summary = summarize([score(e.expected, e.read) for e in entries], [1.0 for _ in entries])
    return render("Pages of photos", "Model 0123", {"everything": summary}, entries, [])


def cells(page: str) -> list[tuple[str, str]]:
    """Return what stands in the tables of true lines and of those read, a line a pair."""
    return re.findall("^<tr><td>(.*)</td><td>(.*)</td></tr>$", page, re.MULTILINE)


def test_a_page_with_its_picture(entry: Entry, picture: bytes) -> None:
    page = rendered(entry)
    outline = Outline(page)
    (image,) = outline.all("img")
    assert (image["loading"], image["alt"]) == ("lazy", "page.jpg, annotated")
    source = image["src"]
    assert source is not None
    assert base64.b64decode(source.removeprefix("data:image/jpeg;base64,"), validate=True) == picture
    with Image.open(io.BytesIO(picture)) as opened:
        assert (image["width"], image["height"]) == tuple(map(str, opened.size))
    assert "<h3>page.jpg <small>1 error in 3 digits</small></h3>" in page
    assert cells(page) == [("12<del>3</del>", "12 <ins>8</ins>")]
    assert "<dt>Rejected</dt><dd>2 clutter</dd>" in page
    assert "Tags" not in page  # there is nothing to say
    assert "<h2>Not exact: 1, worst first</h2>" in page
    assert "<h2>Exact" not in page


def test_nothing_is_fetched(entry: Entry) -> None:
    page = rendered(entry)
    assert re.findall(r"https?:|//|@import|url\(", re.sub('base64,[^"]*', "", page)) == []
    assert {tag for tag, _ in Outline(page).tags}.isdisjoint({"script", "link", "iframe", "object"})
    assert "prefers-color-scheme: dark" in page


def test_summary_is_a_table(entry: Entry) -> None:
    page = rendered(entry)
    assert '<tr><td></td><th scope="col">pages</th><th scope="col">digits</th><th scope="col">error rate</th>' in page
    assert '<tr><th scope="row">everything</th><td>1</td><td>3</td><td>33.3 %</td><td>0 of 1</td>' in page


@pytest.mark.parametrize(
    ("expected", "read", "pairs"),
    [
        (("12",), ("12",), [("12", "12")]),
        (("1234",), ("14",), [("1<del>23</del>4", "14")]),
        (("14",), ("1 23 4",), [("14", "1 <ins>23</ins> 4")]),
        (("12",), (), [("<del>12</del>", "")]),
        ((), ("12", "3"), [("", "<ins>12</ins>"), ("", "<ins>3</ins>")]),
        ((), (), [("<em>no digit</em>", "<em>no digit</em>")]),
        (("123", "456"), ("9", "123"), [("", "<ins>9</ins>"), ("123", "123"), ("<del>456</del>", "")]),
        (("1",), ("<b>",), [("<del>1</del>", "<ins>&lt;b&gt;</ins>")]),  # labels of one's own
    ],
)
def test_differences_are_marked(
    entry: Entry, expected: tuple[str, ...], read: tuple[str, ...], pairs: list[tuple[str, str]]
) -> None:
    page = rendered(dataclasses.replace(entry, expected=expected, read=read))
    Outline(page)
    assert cells(page) == pairs


def test_exact_pages_come_last(entry: Entry) -> None:
    exact = dataclasses.replace(entry, name="exact.jpg", exact=True)
    page = rendered(exact, dataclasses.replace(entry, name="worst.jpg"), dataclasses.replace(entry, name="bad.jpg"))
    assert re.findall("<h[23]>([^<]+)", page) == [
        "Not exact: 2, worst first", "worst.jpg ", "bad.jpg ", "Exact: 1", "exact.jpg ",
    ]  # fmt: skip


def test_hostile_texts_are_only_shown(entry: Entry) -> None:
    summary = summarize([score((), ())], [1.0])
    hostile = dataclasses.replace(
        entry, name=HOSTILE, verdict=HOSTILE, expected=(HOSTILE,), read=(HOSTILE,), facts={HOSTILE: HOSTILE}
    )
    page = render(HOSTILE, HOSTILE, {HOSTILE: summary}, [hostile], [HOSTILE])
    outline = Outline(page)
    assert outline.all("script") == []
    assert [attributes.keys() - {"loading", "width", "height", "alt", "src"} for attributes in outline.all("img")] == [
        set()
    ]
    assert "\x1b" not in page
    assert "\u202e" not in page
    shown = r"""</td></style><script>alert("1")</script> & ' \x1b[31m\u202e\nnext"""
    assert outline.text.count(shown) == 11
    page.encode("utf-8")


def test_unreadable_pictures_are_listed() -> None:
    page = render("t", "f", {}, [], ["a.png: no such file", "b.png: the file is empty"])
    assert "<h2>Could not be read: 2</h2>" in page
    assert re.findall("<li>(.*)</li>", page) == ["a.png: no such file", "b.png: the file is empty"]
    Outline(page)


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((40, 30), (30, 40)),
        ((900, 900, 3), (900, 900)),
        ((901, 450), (450, 900)),
        ((600, 1800, 3), (900, 300)),
        ((1, 5000), (900, 1)),
    ],
)
def test_previews_are_reduced(reader: DigitReader, shape: tuple[int, ...], size: tuple[int, int]) -> None:
    frame = Frame(np.full(shape, 200, np.uint8))
    with Image.open(io.BytesIO(preview(frame, reader.read(frame)))) as opened:
        assert (opened.format, opened.size) == ("JPEG", size)
