"""The page's static files: a fixed table, read once; the server never serves a folder."""

from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

FOLDER = Path(__file__).with_name("static")
TYPES = {
    ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml", ".json": "application/json", ".png": "image/png",
}  # fmt: skip
PAGES = {"/": "index.html", "/api": "api.html", "/favicon.ico": "icon.svg"}


def routes() -> list[Route]:
    """Return a route for each page and each file."""
    files = sorted(path for path in FOLDER.iterdir() if path.suffix in TYPES)
    answers = {path.name: _answer(path.read_bytes(), TYPES[path.suffix]) for path in files}
    pages = [Route(address, answers[name]) for address, name in PAGES.items()]
    return pages + [Route(f"/static/{name}", answer) for name, answer in answers.items() if not name.endswith(".html")]


def _answer(data: bytes, kind: str) -> Callable[[Request], Awaitable[Response]]:
    tag = f'"{sha256(data).hexdigest()[:20]}"'
    headers = {"content-type": kind, "etag": tag, "cache-control": "no-cache"}

    async def answer(request: Request) -> Response:
        known = tag in request.headers.get("if-none-match", "")
        return Response(b"" if known else data, 304 if known else 200, headers)

    return answer
