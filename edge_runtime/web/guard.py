"""Access control: the Host header, the origin of requests that change something, the token, security headers."""

import base64
import hashlib
import hmac
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote, unquote_plus

from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge_runtime.web import problems
from edge_runtime.web.problems import Problem

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; media-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
    "cache-control": "no-store",
}
_HEADERS = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
OPEN = frozenset({"/healthz"})  # paths that need no token
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})  # methods that change nothing
LASTING = 365 * 24 * 3600  # seconds that a browser keeps the cookie

Host = str | ipaddress.IPv4Address | ipaddress.IPv6Address

_AUTHORITY = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::([0-9]{0,5}))?", re.ASCII)
_STYLE = (
    "body{font:1.1rem/1.6 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem;"
    "color:#1a1a1a;background:#fff}a{color:#0645ad}"
    "@media(prefers-color-scheme:dark){body{color:#eee;background:#111}a{color:#9cf}}"
)
_PAGE = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>edge-digits: a token is needed</title>
<style>{_STYLE}</style>
<main>
<h1>A token is needed</h1>
<p>Open the link with the token, which edge-digits printed when it generated the token. The token is in a file on the
machine that runs it; edge-digits prints the path when it starts.</p>
<p>Did you just follow that link? <a href="">Open this page again.</a></p>
<div lang="ja">
<h2>トークンが必要です</h2>
<p>edge-digits がトークンを作成したときに表示した、トークン付きのリンクを開いてください。</p>
<p>トークンは実行中のマシンのファイルにあり、その場所は起動時に表示されます。</p>
<p>そのリンクから来た場合は、<a href="">このページをもう一度開いてください。</a></p>
</div>
</main>
</html>
"""
_PAGE_POLICY = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Who has access.

    Without a `token`, everybody has. The Host header may be localhost, any IP address (with `loopback`, only a loopback
    address), or one of `hosts`: names in lower case and addresses. `secure` means over TLS.
    """

    token: str | None
    hosts: frozenset[Host]
    loopback: bool
    secure: bool


class Authority(NamedTuple):
    """A host, as a name in lower case or an address, and its port where the text has one."""

    host: Host
    port: int | None


def authority(text: str) -> Authority | None:
    """Parse HOST[:PORT]; None where the host is neither a name nor an address."""
    match = _AUTHORITY.fullmatch(text)
    if match is None:
        return None
    six, name, digits = match.groups()
    port = int(digits) if digits else None
    if port is not None and port > 65535:
        return None
    try:
        return Authority(ipaddress.IPv6Address(six) if six else ipaddress.IPv4Address(name), port)
    except ValueError:
        name = None if six else name.lower().removesuffix(".")
        return Authority(name, port) if name else None


class Guard:
    """ASGI middleware that admits the requests that the rules allow, and adds missing HEADERS to every answer.

    It answers a link with ?token= with a cookie and a redirect to the same address without the token.
    """

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self.app = app
        self.rules = rules
        self._cookie_name = "__Host-edge-digits" if rules.secure else "edge-digits"
        self._cookie = hmac.digest((rules.token or "").encode(), b"edge-digits cookie", "sha256").hex()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or pass it to the app."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": with_headers(message.get("headers", ()))}
            await send(message)

        query, tokens = _without_token(scope["query_string"])
        answer = self._refusal(scope, query, tokens)
        if answer is not None:
            await answer(scope, receive, guarded)
        else:
            await self.app({**scope, "query_string": query}, receive, guarded)

    def _refusal(self, scope: Scope, query: bytes, tokens: list[str]) -> Response | None:
        """Return the answer that replaces the app's; None where the app may answer."""
        try:
            self._check_host(scope)
            self._check_origin(scope)
        except Problem as problem:
            return problems.response(problem)
        if self.rules.token is None or scope["path"] in OPEN:
            return None
        if tokens and scope["method"] in ("GET", "HEAD") and all(map(self._is_token, tokens)):
            return self._welcome(scope, query)
        return None if self._is_known(scope) else _unknown(scope)

    def _check_host(self, scope: Scope) -> None:
        if not _raw_path(scope).startswith(b"/"):
            raise Problem(400, "Bad target", "the request's target must be a path")
        values = _values(scope, b"host")
        if len(values) != 1:
            raise Problem(400, "Bad host", "the request must have one Host header")
        asked = authority(values[0])
        if asked is None:
            raise Problem(400, "Bad host", "the Host header is neither a name nor an address")
        if isinstance(asked.host, str):
            usual = asked.host == "localhost"
        else:
            usual = not self.rules.loopback or asked.host.is_loopback
        if not usual and asked.host not in self.rules.hosts:
            raise Problem(
                421, "Not this host",
                "this server does not have that name: use its address, or start it with --allow-host NAME",
            )  # fmt: skip

    def _check_origin(self, scope: Scope) -> None:
        if scope["method"] in SAFE:
            return
        ours = self._origin("https" if self.rules.secure else "http", _values(scope, b"host")[0])
        same = all(site in ("same-origin", "none") for site in _values(scope, b"sec-fetch-site"))
        for origin in _values(scope, b"origin"):
            scheme, _, rest = origin.partition("://")
            same = same and self._origin(scheme, rest) == ours
        if not same:
            raise Problem(403, "Cross-origin", "pages of other sites may not send this request")

    def _origin(self, scheme: str, text: str) -> tuple[str, Authority] | None:
        """Return an origin in comparable form, always with its port."""
        parts = authority(text)
        usual = 443 if self.rules.secure else 80
        return None if parts is None else (scheme, parts._replace(port=parts.port if parts.port is not None else usual))

    def _is_token(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), (self.rules.token or "").encode())

    def _is_known(self, scope: Scope) -> bool:
        """Return whether a request has the token or the cookie."""
        for header in _values(scope, b"authorization"):
            scheme, _, token = header.partition(" ")
            if scheme.lower() == "bearer" and self._is_token(token.strip()):
                return True
        for line in _values(scope, b"cookie"):
            for pair in line.split(";"):
                name, _, value = pair.strip().partition("=")
                if name == self._cookie_name and hmac.compare_digest(value.encode(), self._cookie.encode()):
                    return True
        return False

    def _welcome(self, scope: Scope, query: bytes) -> Response:
        """Return the cookie and a redirect to the same path; for any path, it stays on this server."""
        path = "/" + quote(_raw_path(scope).lstrip(b"/\\"), safe="/%:@!$&'()*+,;=~-._")
        rest = quote(query, safe="/%:@!$&'()*+,;=~-._?")
        cookie = f"{self._cookie_name}={self._cookie}; Path=/; Max-Age={LASTING}; HttpOnly; SameSite=Strict"
        return Response(
            status_code=303,
            headers={
                "location": f"{path}?{rest}" if rest else path,
                "set-cookie": cookie + ("; Secure" if self.rules.secure else ""),
            },
        )


def with_headers(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return an answer's headers, and those of HEADERS that it lacks."""
    existing = list(headers)
    there = {name.lower() for name, _ in existing}
    return existing + [(name, value) for name, value in _HEADERS if name not in there]


def _unknown(scope: Scope) -> Response:
    """Return the answer to a request without a token: a page for browsers, else a problem."""
    ask = {"www-authenticate": "Bearer"}
    if scope["method"] == "GET" and any("text/html" in value for value in _values(scope, b"accept")):
        return HTMLResponse(_PAGE, 401, {**ask, "content-security-policy": _PAGE_POLICY})
    detail = "send the token as Authorization: Bearer TOKEN, or open the link with it in a browser first"
    return problems.response(Problem(401, "No token", detail, ask))


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def _raw_path(scope: Scope) -> bytes:
    raw: bytes | None = scope.get("raw_path")
    return scope["path"].encode() if raw is None else raw


def _without_token(query: bytes) -> tuple[bytes, list[str]]:
    """Return a query without its tokens, otherwise unchanged, and the tokens."""
    kept, tokens = [], []
    for part in query.split(b"&"):
        name, _, value = part.partition(b"=")
        if unquote_plus(name.decode("latin-1")) == "token":
            tokens.append(unquote_plus(value.decode("latin-1")))
        else:
            kept.append(part)
    return b"&".join(kept), tokens
