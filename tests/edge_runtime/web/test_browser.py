"""The page in a real browser: Chromium, driven by playwright, at a server of its own."""

import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_runtime.sources.pictures import load
from tests.edge_runtime.web.process import Served, served

playwright = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here: apt install chromium")
SHOTS = Path(__file__).parents[3] / "build" / "web"
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--no-first-run"]  # fmt: skip
VIEWS = ("live", "draw", "pictures", "camera", "model")
WAIT = 60_000  # milliseconds: these machines are busy
# A digit as strokes, in the unit square.
DIGITS: dict[str, list[list[tuple[float, float]]]] = {
    "0": [[(0.5, 0), (0.15, 0.25), (0.1, 0.6), (0.35, 1), (0.65, 1), (0.9, 0.6), (0.85, 0.25), (0.5, 0)]],
    "1": [[(0.5, 0), (0.5, 1)]],
    "2": [[(0.1, 0.25), (0.3, 0), (0.7, 0), (0.9, 0.3), (0.1, 1), (0.95, 1)]],
    "3": [[(0.15, 0.1), (0.5, 0), (0.85, 0.2), (0.45, 0.45), (0.9, 0.72), (0.5, 1), (0.1, 0.88)]],
    "4": [[(0.35, 0), (0.1, 0.6), (0.95, 0.6)], [(0.75, 0.2), (0.7, 1)]],
    "5": [[(0.9, 0), (0.25, 0), (0.18, 0.42), (0.6, 0.4), (0.9, 0.68), (0.6, 1), (0.1, 0.92)]],
    "6": [[(0.75, 0), (0.3, 0.35), (0.12, 0.75), (0.45, 1), (0.85, 0.8), (0.55, 0.52), (0.18, 0.72)]],
    "7": [[(0.08, 0), (0.92, 0), (0.45, 1)]],
    "8": [[(0.5, 0.46), (0.28, 0.38), (0.2, 0.22), (0.28, 0.06), (0.5, 0), (0.72, 0.06), (0.8, 0.22), (0.72, 0.38),
           (0.5, 0.46)],
          [(0.5, 0.46), (0.25, 0.56), (0.15, 0.74), (0.25, 0.92), (0.5, 1), (0.75, 0.92), (0.85, 0.74), (0.75, 0.56),
           (0.5, 0.46)]],
    "9": [[(0.85, 0.25), (0.5, 0), (0.15, 0.25), (0.45, 0.5), (0.85, 0.25), (0.72, 1)]],
}  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    SHOTS.mkdir(parents=True, exist_ok=True)
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[Served]:
    with served("synthetic:1", home=home) as running:
        yield running


@pytest.fixture(scope="module")
def engine() -> Iterator[Any]:
    with playwright.sync_playwright() as engine:
        yield engine


@pytest.fixture(scope="module")
def browser(engine: Any) -> Iterator[Any]:
    with engine.chromium.launch(executable_path=CHROMIUM, args=QUIET) as browser:
        yield browser


@contextmanager
def visit(browser: Any, address: str, view: str = "", **context: Any) -> Iterator[Any]:
    """Open a view of the page meanwhile; whatever the browser complains of fails."""
    complaints: list[str] = []
    with ExitStack() as opened:
        window = browser.new_context(**context)
        opened.callback(window.close)
        page = window.new_page()
        page.set_default_timeout(WAIT)
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        if view:
            page.click(f"#tab-{view}")
        yield page
        assert complaints == []


def text(page: Any, selector: str) -> str:
    return " ".join(page.inner_text(selector).split())


def wait_for_text(page: Any, selector: str, expected: str) -> None:
    pattern = re.compile(r"\s*".join(map(re.escape, expected)))
    playwright.expect(page.locator(selector)).to_have_text(pattern, timeout=WAIT)


def draw(page: Any, digit: str, left: float, top: float, size: float) -> None:
    """Draw a digit with the mouse, in a box that is so many pixels high and two thirds as wide."""
    for stroke in DIGITS[digit]:
        points = [(left + 0.66 * size * x, top + size * y) for x, y in stroke]
        page.mouse.move(*points[0])
        page.mouse.down()
        for x, y in points[1:]:
            page.mouse.move(x, y, steps=4)
        page.mouse.up()


def test_each_digit_drawn_by_mouse_is_read(browser: Any, server: Served) -> None:
    with visit(browser, server.address, "draw") as page:
        box = page.locator("#draw-pad").bounding_box()
        for digit in DIGITS:
            draw(page, digit, box["x"] + 0.4 * box["width"], box["y"] + 0.25 * box["height"], 0.4 * box["height"])
            wait_for_text(page, "#draw-lines", digit)
            if digit == "8":
                page.click("#draw-undo")
                playwright.expect(page.locator("#draw-lines")).not_to_have_text("8", timeout=WAIT)
            page.click("#draw-clear")


def test_several_digits_are_read_at_once(browser: Any, server: Served) -> None:
    with visit(browser, server.address, "draw") as page:
        box = page.locator("#draw-pad").bounding_box()
        for i, digit in enumerate("4071"):
            left, top = box["x"] + (0.06 + 0.24 * i) * box["width"], box["y"] + 0.3 * box["height"]
            draw(page, digit, left, top, 0.3 * box["height"])
        wait_for_text(page, "#draw-lines", "4071")
        assert page.locator("#draw-lines").inner_text().split()[0] == "4071"  # and a mark, where it is unsure
        page.screenshot(path=SHOTS / "draw.png", full_page=True)


def test_a_picture_is_read_and_explained(browser: Any, server: Served, samples: Path, tmp_path: Path) -> None:
    garbage = tmp_path / "<img src=x onerror=alert(1)>.png"
    garbage.write_bytes(b"not a picture")
    with visit(browser, server.address, "pictures") as page:
        page.set_input_files("#pictures-input", samples / "paper.jpg")
        playwright.expect(page.locator("#pictures-results")).to_contain_text("48793968101", timeout=WAIT)
        assert (
            page.locator("#pictures-results img").first.evaluate("image => image.decode().then(() => image.width)") > 0
        )
        page.screenshot(path=SHOTS / "pictures.png", full_page=True)
    with visit_with_errors(browser, server.address, "pictures") as page:
        page.set_input_files("#pictures-input", garbage)
        playwright.expect(page.locator("#pictures-results")).to_contain_text("onerror=alert(1)", timeout=WAIT)
        assert page.locator("#pictures-results img[src=x]").count() == 0


def test_what_was_read_of_a_picture_fits(browser: Any, server: Served, samples: Path) -> None:
    for width in (320, 700, 800):
        with visit(browser, server.address, "pictures", viewport={"width": width, "height": 640}) as page:
            page.set_input_files("#pictures-input", samples / "paper.jpg")
            page.click("#pictures-results summary", timeout=WAIT)
            playwright.expect(page.locator("#pictures-results .wide img")).to_be_visible(timeout=WAIT)
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_a_source_the_page_says_so(browser: Any, home: Path) -> None:
    with served(home=home) as running, ExitStack() as opened:
        window = browser.new_context()
        opened.callback(window.close)
        page = window.new_page()
        with page.expect_request(re.compile("/api/live")) as asked:
            page.goto(running.address)
        assert asked.value.url.endswith("&wait=0")
        playwright.expect(page.locator("#live-how")).to_be_visible(timeout=WAIT)


def test_every_view_begins_at_its_top(browser: Any, server: Served) -> None:
    with visit(browser, server.address, viewport={"width": 320, "height": 500}) as page:
        page.evaluate("window.scrollTo(0, 150)")
        assert page.evaluate("window.scrollY") == 150
        page.click("#tab-draw")
        playwright.expect(page.locator("#panel-draw")).to_be_visible(timeout=WAIT)
        assert page.evaluate("window.scrollY") == 0


@contextmanager
def visit_with_errors(browser: Any, address: str, view: str) -> Iterator[Any]:
    """Open a view whose requests may fail: the browser notes that in its console."""
    with ExitStack() as opened:
        window = browser.new_context()
        opened.callback(window.close)
        page = window.new_page()
        page.set_default_timeout(WAIT)
        page.goto(address)
        page.click(f"#tab-{view}")
        yield page


def test_the_live_view_changes(browser: Any, server: Served) -> None:
    with visit(browser, server.address) as page:
        lines = page.locator("#live-lines")
        playwright.expect(lines).to_have_text(re.compile(r"\d"), timeout=WAIT)
        first = lines.inner_text()
        playwright.expect(lines).not_to_have_text(first, timeout=WAIT)
        playwright.expect(page.locator("#live-events li").first).to_be_visible(timeout=WAIT)
        shades = "canvas => new Set(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data).size"
        assert page.locator("#live-canvas").evaluate(shades) > 20
        page.screenshot(path=SHOTS / "live.png", full_page=True)
        page.click("#live-pause")
        page.wait_for_function("() => document.querySelector('#live-canvas').toDataURL()")
        still = page.locator("#live-canvas").evaluate("canvas => canvas.toDataURL()")
        with page.expect_download() as download:
            page.click("#live-save")
        saved = cv2.imread(str(download.value.path()))
        assert saved is not None
        assert min(saved.shape[:2]) >= 240
        assert page.locator("#live-canvas").evaluate("canvas => canvas.toDataURL()") == still


def test_the_visitors_own_camera_is_read(engine: Any, server: Served, samples: Path, tmp_path: Path) -> None:
    page_shown = cv2.resize(load(samples / "paper.jpg").pixels, (640, 480), interpolation=cv2.INTER_AREA)
    film = tmp_path / "page.mjpeg"
    film.write_bytes(cv2.imencode(".jpg", np.asarray(page_shown), [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes() * 10)
    fake = [*QUIET, "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={film}"]  # fmt: skip
    with (
        engine.chromium.launch(executable_path=CHROMIUM, args=fake) as browser,
        visit(browser, server.address, "camera", permissions=["camera"]) as page,
    ):
        page.click("#camera-start")
        playwright.expect(page.locator("#camera-lines")).to_contain_text("48793968101", timeout=WAIT)
        page.screenshot(path=SHOTS / "camera.png", full_page=True)
        page.click("#camera-stop")
        playwright.expect(page.locator("#camera-start")).to_be_enabled(timeout=WAIT)


def test_the_model_shows_its_card_and_its_reliability(browser: Any, server: Served) -> None:
    with visit(browser, server.address, "model") as page:
        playwright.expect(page.locator("#model-table")).to_contain_text("99.53", timeout=WAIT)
        playwright.expect(page.locator("#reliability svg, svg#reliability")).to_be_visible(timeout=WAIT)
        page.screenshot(path=SHOTS / "model.png", full_page=True)


def test_who_has_no_token_stays_outside(browser: Any, home: Path) -> None:
    token = home / "token"
    token.write_text("abcdefghijklmnopqrstuvwxyz")
    token.chmod(0o600)
    with served("--token-file", token, home=home) as running:
        with visit_with_status(browser, running.address) as (page, status):
            assert status == 401
            assert "token" in text(page, "main").lower()
        with visit(browser, f"{running.address}?token={token.read_text()}") as page:
            assert page.url.rstrip("/#live") == running.address.rstrip("/")
            playwright.expect(page.locator("#live-state")).to_be_visible(timeout=WAIT)


@contextmanager
def visit_with_status(browser: Any, address: str) -> Iterator[tuple[Any, int]]:
    with ExitStack() as opened:
        window = browser.new_context()
        opened.callback(window.close)
        page = window.new_page()
        yield page, page.goto(address).status


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(("width", "locale"), [(1280, "en-US"), (375, "ja-JP"), (320, "en-US")])
def test_every_view_is_accessible_and_fits(browser: Any, server: Served, dark: bool, width: int, locale: str) -> None:
    look: dict[str, Any] = {
        "locale": locale, "viewport": {"width": width, "height": 800}, "color_scheme": "dark" if dark else "light",
        "reduced_motion": "reduce",
    }  # fmt: skip
    with visit(browser, server.address, **look) as page:
        playwright.expect(page.locator("#live-lines")).to_have_text(re.compile(r"\d"), timeout=WAIT)
        assert page.evaluate("document.documentElement.lang") == locale[:2]
        for view in VIEWS:
            page.click(f"#tab-{view}")
            playwright.expect(page.locator(f"#panel-{view}")).to_be_visible(timeout=WAIT)
            if view == "model":
                playwright.expect(page.locator("#model-table")).to_be_visible(timeout=WAIT)
            has_japanese = re.search(r"[ぁ-んァ-ン]", page.inner_text("body")) is not None
            assert has_japanese == (locale == "ja-JP")
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            violations = axe.Axe().run(page).response["violations"]
            assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in violations] == []
            page.screenshot(path=SHOTS / f"{view}-{width}-{locale[:2]}-{'dark' if dark else 'light'}.png")
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        bright = sum(map(int, re.findall(r"\d+", background)[:3])) / 3
        assert (bright < 80) == dark


@pytest.mark.parametrize("width", [320, 1280])
def test_a_number_stays_in_one_line(browser: Any, server: Served, width: int) -> None:
    with visit(browser, server.address, "draw", viewport={"width": width, "height": 800}) as page:
        for number in ("8" * 4, "8" * 12):
            tops = page.evaluate(
                """async (number) => {
                const { showLines } = await import("/static/lines.js");
                const range = document.createRange();
                showLines(document.querySelector("#draw-lines"), [{ text: number, confidence: 1 }]);
                range.selectNodeContents(document.querySelector("#draw-lines"));
                return [...new Set([...range.getClientRects()].map((box) => Math.round(box.top)))];
                }""",
                number,
            )
            assert len(tops) == 1, number


def test_the_keyboard_goes_everywhere(browser: Any, server: Served) -> None:
    with visit(browser, server.address) as page:
        page.focus("#tab-live")
        for view in (*VIEWS[1:], VIEWS[0]):
            page.keyboard.press("ArrowRight")
            assert page.evaluate("document.activeElement.id") == f"tab-{view}"
            playwright.expect(page.locator(f"#panel-{view}")).to_be_visible(timeout=WAIT)


def test_the_interface_is_described(browser: Any, server: Served) -> None:
    with visit(browser, server.address + "api") as page:
        playwright.expect(page.locator("main")).to_contain_text("/api/read", timeout=WAIT)
        violations = axe.Axe().run(page).response["violations"]
        assert [rule["id"] for rule in violations] == []
        page.screenshot(path=SHOTS / "api.png", full_page=True)


def test_a_server_that_goes_away_is_missed(browser: Any, home: Path) -> None:
    with served("synthetic:2", home=home) as running, ExitStack() as opened:
        window = browser.new_context()
        opened.callback(window.close)
        page = window.new_page()
        page.goto(running.address)
        playwright.expect(page.locator("#live-lines")).to_have_text(re.compile(r"\d"), timeout=WAIT)
        running.end()
        playwright.expect(page.locator("#live-notice")).not_to_be_empty(timeout=WAIT)
