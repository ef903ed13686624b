"""`python -m benchmarks report`: one page from result files, whatever they hold, and a table for a README."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import main
from benchmarks.report import build as report
from benchmarks.report.results import FILES, collect
from tests.benchmarks import sample_results
from tests.commands import Call
from train import dataset

VOID = {"meta", "img", "br", "hr", "link", "input"}


class Document(HTMLParser):
    """What a page is made of; that elements are closed in their order is checked while it is read."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: dict[str, str] = {}
        self._section = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag == "section":
            self._section = dict(attrs)["id"] or ""
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts[self._section] = self.texts.get(self._section, "") + data

    def values(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Return the page and the table made from one result of each benchmark."""
    build = tmp_path_factory.mktemp("build")
    sample_results.write_all(build)
    report.run(build, build / "report")
    return (build / "report" / "index.html").read_text(), (build / "report" / "README.md").read_text()


@pytest.fixture(scope="module")
def document(made: tuple[str, str]) -> Document:
    return Document(made[0])


def test_every_section_is_there_and_linked(document: Document) -> None:
    names = ["environment", *(kind.name for kind in report.SECTIONS)]
    assert [value for tag, name, value in document.attributes if (tag, name) == ("section", "id")] == names
    assert [value for tag, name, value in document.attributes if (tag, name) == ("a", "href")] == [
        f"#{name}" for name in names
    ]
    assert not any("Not measured" in text for text in document.texts.values())


def test_the_page_asks_for_nothing_outside(made: tuple[str, str], document: Document) -> None:
    assert {tag for tag, _, _ in document.attributes} & {"script", "link", "iframe", "object"} == set()
    assert "//" not in made[0].replace("</", "")
    assert "url(" not in re.sub(r"url\(#[\w-]+\)", "", made[0])
    references = document.values("src") + document.values("href")
    assert all(value.startswith(("#", "data:image/png;base64,")) for value in references)


def test_ids_are_unique_and_references_resolve(made: tuple[str, str], document: Document) -> None:
    ids = document.values("id")
    assert len(ids) == len(set(ids))
    asked = [value[1:] for value in document.values("href") if value[0] == "#"]
    assert {*asked, *re.findall(r"url\(#([\w-]+)\)", made[0])} <= set(ids)


def test_every_chart_fits_page_and_phone_with_words(document: Document) -> None:
    kinds = [value for tag, name, value in document.attributes if (tag, name) == ("div", "class")]
    assert kinds.count("chart wide") == kinds.count("chart narrow") >= 15
    drawn = [(name, value) for tag, name, value in document.attributes if tag == "svg"]
    assert [name for name, _ in drawn].count("aria-label") == 2 * kinds.count("chart wide")
    assert all(value.strip() for name, value in drawn if name == "aria-label")
    assert not {"width", "height"} & {name for name, _ in drawn}


def test_black_and_white_are_those_of_the_page(made: tuple[str, str]) -> None:
    drawings = "".join(re.findall(r"<svg.*?</svg>", made[0], re.DOTALL))
    assert "#000000" not in drawings
    assert "#ffffff" not in drawings
    assert "currentColor" in drawings
    assert "prefers-color-scheme: dark" in made[0]


def test_parity_shows_who_is_wrong_and_what_flipped(document: Document) -> None:
    text = document.texts["parity"]
    for figure in ("99.51 %", "99.49 %", "+0.02", "3 / 0", "0.625", "+0.00021", "99.73 %"):
        assert figure in text
    try:
        labels = dataset.load("test").labels
    except dataset.DataError:
        pytest.skip("MNIST is not here")
    assert [value for tag, name, value in document.attributes if (tag, name) == ("img", "alt")] == [
        f"test digit {index}, a {labels[index]}" for index in (115, 582, 2597)
    ]


def test_sections_hold_the_figures_of_their_results(document: Document) -> None:
    expected = {
        "environment": ("Test Processor 3000, x86_64, 2 cores, 8.0 GiB", "0123456789ab", "51.5", "litert 2.3.0"),
        "latency": ("9.00 (9.00-9.00)", "One digit, one thread", "256 digits, 1 thread", "Keras predict unstable"),
        "robustness": ("8 pages", "1 limit is missed", "touching 3: located 85.0 %"),
        "stages": ("12 megapixels", "thirty lines", "frames a second"),
        "reliability": ("MNIST test", "0.0171", "0.12 %"),
        "footprint": ("140 MB (1.47)", "2.1 GB (22.1)", "60 MB"),
        "readers": ("62.0 %", "3 of 5", "80 MB", "apt install tesseract-ocr"),
        "pages": ("samples", "4 of 5"),
        "videos": ("85.00 % (17 of 20)", "0.01 a second"),
        "soak": ("core_percent", "0.5 minutes"),
        "updates": ("1 in all. Each swap", "gap_ms"),
        "serve": ("640x480 JPEG, 64 connections", "memory_growth_mb"),
    }
    for name, figures in expected.items():
        for figure in figures:
            assert figure in document.texts[name], (name, figure)
    assert document.texts["stages"].index("thirty lines") < document.texts["stages"].index("salt, inverted")
    assert "peers.json" in document.texts["models"]
    assert "parity.json" not in document.texts["models"]


def test_the_table_for_a_readme_is_markdown(made: tuple[str, str]) -> None:
    lines = made[1].splitlines()
    assert lines[:3] == [
        "|  | test digits read right | as the full network | file | one digit, median | times as long |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        "| int8 Classifier.scores | 99.49 % | 100.00 % | 133 kB | 15.3 µs | 1 |",
    ]
    assert len([line for line in lines if line.startswith("| ")]) == 2 + len(sample_results.PEERS)
    assert lines[-1] == ("Measured 2026-11-25 on Test Processor 3000, x86\\_64, 2 cores, 8.0 GiB; commit 0123456789ab.")


def test_without_results_the_page_says_the_commands(tmp_path: Path, call: Call) -> None:
    done = call(main, "report", tmp_path)
    assert done.code == 0, done.err
    page = (tmp_path / "report" / "index.html").read_text()
    for kind in report.SECTIONS:
        assert f"<code>python -m benchmarks {kind.command}</code>" in page
    assert (tmp_path / "report" / "README.md").read_text() == (
        "Nothing has been measured yet: `python -m benchmarks all --fast`\n"
    )


def test_without_peers_the_models_are_those_of_parity(tmp_path: Path) -> None:
    sample_results.parity(tmp_path / "standard" / "parity.json")
    report.run(tmp_path, tmp_path / "report")
    assert (tmp_path / "report" / "README.md").read_text().splitlines()[:4] == [
        "|  | test digits read right | as the full network | file |",
        "| --- | ---: | ---: | ---: |",
        "| int8 | 99.49 % | 99.97 % | 133 kB |",
        "| dynamic | 99.50 % | 99.97 % | 131 kB |",
    ]
    assert "Not measured yet." in Document((tmp_path / "report" / "index.html").read_text()).texts["peers"]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.write_text("{"), "is not a benchmark result"),
        (lambda path: path.write_bytes(b"\xff\xfe\x00"), "is not a benchmark result"),
        (lambda path: path.write_text("[]"), "required fields are missing"),
        (lambda path: sample_results.videos(path, change=lambda record: record.update(format=7)), "has format 7"),
        (lambda path: sample_results.videos(path, change=lambda record: record.pop("warnings")), "the schema"),
        (lambda path: sample_results.soak(path), 'is a result of "soak", not of videos'),
    ],
)
def test_a_damaged_result_is_named_the_rest_shown(spoil: Any, said: str, tmp_path: Path, call: Call) -> None:
    sample_results.pages(tmp_path / "pages" / "samples" / "pages.json")
    path = tmp_path / "videos" / "videos.json"
    path.parent.mkdir()
    spoil(path)
    done = call(main, "report", tmp_path, "--out", tmp_path / "out")
    assert done.code == 1
    (line,) = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert str(path) in line
    assert said in line
    document = Document((tmp_path / "out" / "index.html").read_text())
    assert said in document.texts["videos"]
    assert "4 of 5" in document.texts["pages"]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("soak", lambda record: record["details"].pop("seconds")),
        ("soak", lambda record: record["details"]["seconds"][3].update(memory="much")),
        ("updates", lambda record: record["details"].update(lines=[])),
        ("digits", lambda record: record["details"].update(models=[])),
        ("pages", lambda record: record["details"]["summary"].update(all={"pages": 1})),
        ("parity", lambda record: record["details"]["models"]["int8"].pop("mcnemar_p")),
        ("readers", lambda record: record["details"]["sets"][0].pop("readers")),
        ("peers", lambda record: record["measures"][7].update(samples=[[1.0], [2.0]])),
    ],
)
def test_a_result_of_another_version_is_one_line(name: str, change: Any, tmp_path: Path, call: Call) -> None:
    folder = {"pages": "pages/samples", "parity": "standard"}.get(name, name)
    sample_results.MAKERS[name](tmp_path / folder / f"{name}.json", change=change)
    done = call(main, "report", tmp_path)
    assert done.code == 1
    (line,) = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert f"{name}.json does not have the form that this version writes" in line
    assert "does not have the form that this version writes" in (tmp_path / "report" / "index.html").read_text()


def other_machine(record: dict[str, Any]) -> None:
    record["environment"]["machine"]["board"] = "Raspberry Pi 5"


def test_results_of_two_machines_mix_only_when_asked(tmp_path: Path, call: Call) -> None:
    sample_results.pages(tmp_path / "pages" / "samples" / "pages.json")
    sample_results.videos(tmp_path / "videos" / "videos.json", change=other_machine)
    done = call(main, "report", tmp_path)
    assert done.code == 1
    assert "are of 2 machines" in done.err
    assert "--mixed" in done.err
    assert not (tmp_path / "report").exists()

    done = call(main, "report", tmp_path, "--mixed")
    assert done.code == 0, done.err
    assert "whose times cannot be compared" in (tmp_path / "report" / "index.html").read_text()


def test_parity_is_the_newest_or_a_recipes(tmp_path: Path, call: Call) -> None:
    for recipe, day in (("article", 26), ("standard", 25)):
        when = f"2026-11-{day}T10:00:00.000Z"
        sample_results.parity(
            tmp_path / recipe / "parity.json", change=lambda record, when=when: record.update(measured_at=when)
        )
    assert collect(tmp_path).by_benchmark["parity"].path == tmp_path / "article" / "parity.json"
    assert collect(tmp_path, "standard").by_benchmark["parity"].path == tmp_path / "standard" / "parity.json"
    done = call(main, "report", tmp_path, "--recipe", "release")
    assert done.code == 2
    assert "python -m benchmarks parity" in done.err


def test_text_of_a_file_is_never_html(tmp_path: Path) -> None:
    def spoil(record: dict[str, Any]) -> None:
        record["environment"]["machine"]["processor"] = "<script>alert(1)</script> | `x`\n"
        record["warnings"] = ["<img src=x onerror=alert(1)>"]
        record["settings"]["</p><h1>"] = "\x1b[31m"

    sample_results.videos(tmp_path / "videos" / "videos.json", change=spoil)
    sample_results.parity(tmp_path / "standard" / "parity.json", change=spoil)
    report.run(tmp_path, tmp_path / "report")
    page = (tmp_path / "report" / "index.html").read_text()
    document = Document(page)
    assert not {"script"} & {tag for tag, _, _ in document.attributes}
    assert "<script" not in page
    assert "onerror" not in {name for _, name, _ in document.attributes}
    assert "\x1b" not in page
    last = (tmp_path / "report" / "README.md").read_text().splitlines()[-1]
    assert "\\<script\\>alert(1)\\</script\\> \\| \\`x\\`" in last


def test_samples_are_as_the_schema_has_it(tmp_path: Path) -> None:
    sample_results.write_all(tmp_path)
    results = collect(tmp_path)
    assert results.damaged == {}
    assert {each.record["benchmark"] for each in results} == set(FILES)
    assert json.loads((tmp_path / "peers" / "peers.json").read_text())["benchmark"] == "peers"
