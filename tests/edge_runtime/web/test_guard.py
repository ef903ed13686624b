import asyncio
import json
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from edge_runtime.web.guard import HEADERS, Guard, Rules, authority
from tests.edge_runtime.web.hosting import Hosted, hosting

TOKEN = "correct-horse-battery-staple"
LOCAL = Rules(token=None, hosts=frozenset(), loopback=True, secure=False)
NAMED = Rules(token=TOKEN, hosts=frozenset({"pi", "pi.local"}), loopback=False, secure=False)
SECURE = Rules(token=TOKEN, hosts=frozenset({"pi"}), loopback=False, secure=True)


async def echo(request: Request) -> Response:
    """Answer what came through, with a header of its own."""
    return PlainTextResponse(f"{request.method} {request.url.query}", headers={"Cache-Control": "no-cache"})


async def stream(request: Request) -> Response:
    async def parts() -> object:
        yield b"one"
        yield b"two"

    return StreamingResponse(parts())  # type: ignore[arg-type]


APP = Starlette(routes=[
    Route("/stream", stream),
    Route("/{rest:path}", echo, methods=["GET", "POST", "PUT", "DELETE", "OPTIONS"]),
])  # fmt: skip


class Answer:
    """What a guarded application answered to one request."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.body = b""
        self.types: list[str] = []

    def __getitem__(self, name: str) -> str | None:
        return dict(self.headers).get(name)

    async def send(self, message: Message) -> None:
        self.types.append(message["type"])
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = [(name.decode().lower(), value.decode()) for name, value in message["headers"]]
        self.body += message.get("body", b"")


def ask(rules: Rules, method: str = "GET", target: str = "/", host: str | None = "localhost", **headers: str) -> Answer:
    """Ask as an ASGI server would; an underscore in a header's name stands for a dash."""
    path, _, query = target.partition("?")
    pairs = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    if host is not None:
        pairs.append((b"host", host.encode("latin-1")))
    return send(rules, method, path, query.encode("latin-1"), pairs)


def send(rules: Rules, method: str, path: str, query: bytes, headers: list[tuple[bytes, bytes]]) -> Answer:
    answer = Answer()
    scope: Scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "scheme": "http",
        "method": method, "path": path, "raw_path": path.encode("latin-1"), "root_path": "", "query_string": query,
        "headers": headers, "server": ("127.0.0.1", 8000), "client": ("127.0.0.1", 1),
    }  # fmt: skip

    pending: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        return pending.pop() if pending else await asyncio.Future()

    asyncio.run(Guard(APP, rules)(scope, receive, answer.send))
    return answer


@pytest.mark.parametrize(
    "host", ["localhost", "LocalHost:8000", "localhost.", "127.0.0.1", "127.3.2.1:80", "[::1]:8000"]
)
def test_loopback_answers_to_its_own_names(host: str) -> None:
    assert ask(LOCAL, host=host).status == 200


@pytest.mark.parametrize("host", ["evil.example", "pi", "192.168.0.7", "[2001:db8::1]", "127.0.0.1.evil.example",
                                  "localhost.evil.example", "0x7f.1", "127.1", "0.0.0.0", "0177.0.0.1"])  # fmt: skip
def test_other_names_are_refused_there(host: str) -> None:
    answer = ask(LOCAL, host=host)
    assert answer.status == 421
    assert "--allow-host" in json.loads(answer.body)["detail"]
    assert host not in answer.body.decode()


@pytest.mark.parametrize("host", ["pi", "PI.local:8000", "192.168.0.7:8000", "[fe80::1]", "localhost", "127.0.0.1"])
def test_elsewhere_any_address_and_own_names_work(host: str) -> None:
    assert ask(NAMED, host=host, authorization=f"Bearer {TOKEN}").status == 200


@pytest.mark.parametrize("host", ["evil.example", "pi.evil.example", "xpi", "local"])
def test_but_by_no_other_name(host: str) -> None:
    assert ask(NAMED, host=host, authorization=f"Bearer {TOKEN}").status == 421


@pytest.mark.parametrize("host", [None, "", " ", "a b", "me@localhost", "a:80:80",
                                  "a:99999", "http://localhost", "localhost/", "[::1", "::1", "[127.0.0.1]",
                                  "[::1%25eth0]", "l\xf6calhost", "a,b", "a:-1", "a:x", "lo\u00adcalhost"])  # fmt: skip
def test_what_is_no_host_is_a_bad_request(host: str | None) -> None:
    assert ask(LOCAL, host=host).status == 400


def test_two_hosts_are_a_bad_request() -> None:
    assert send(LOCAL, "GET", "/", b"", [(b"host", b"localhost"), (b"host", b"localhost")]).status == 400


@pytest.mark.parametrize("target", ["http://localhost/", "*", "localhost:80", "", "%2F"])
def test_a_non_path_target_is_a_bad_request(target: str) -> None:
    assert ask(LOCAL, target=target).status == 400


@given(st.text(st.characters(max_codepoint=255), max_size=40))
def test_any_host_is_taken_or_refused(host: str) -> None:
    assert ask(LOCAL, host=host).status in (200, 400, 421)


@given(st.from_regex(r"[a-z0-9._-]{1,20}", fullmatch=True), st.none() | st.integers(0, 65535))
def test_names_and_ports_are_told_apart(name: str, port: int | None) -> None:
    parsed = authority(name.upper() if port is None else f"{name}:{port}")
    if parsed is not None:
        assert parsed.port == port
        assert str(parsed.host) == name.removesuffix(".")


@given(st.ip_addresses(), st.integers(0, 65535))
def test_addresses_are_recognized(address: object, port: int) -> None:
    text = f"[{address}]" if ":" in str(address) else str(address)
    assert authority(f"{text}:{port}") == (address, port)


@pytest.mark.parametrize("headers", [
    {},
    {"origin": "http://localhost:8000"},
    {"origin": "http://LOCALHOST:8000", "sec_fetch_site": "same-origin"},
    {"sec_fetch_site": "none"},
])  # fmt: skip
def test_changes_from_here_and_programs_are_allowed(headers: dict[str, str]) -> None:
    assert ask(LOCAL, "POST", host="localhost:8000", **headers).status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("headers", [
    {"origin": "null"},
    {"origin": ""},
    {"origin": "http://evil.example"},
    {"origin": "https://localhost:8000"},
    {"origin": "http://localhost"},
    {"origin": "http://localhost:8001"},
    {"origin": "http://localhost:8000/"},
    {"origin": "http://127.0.0.1:8000"},
    {"origin": "http://me@localhost:8000"},
    {"origin": "localhost:8000"},
    {"sec_fetch_site": "cross-site"},
    {"sec_fetch_site": "same-site"},
    {"sec_fetch_site": "what"},
    {"origin": "http://localhost:8000", "sec_fetch_site": "cross-site"},
    {"origin": "http://evil.example", "sec_fetch_site": "same-origin"},
])  # fmt: skip
def test_it_is_refused_from_elsewhere(method: str, headers: dict[str, str]) -> None:
    answer = ask(LOCAL, method, host="localhost:8000", **headers)
    assert answer.status == 403
    assert "evil" not in answer.body.decode()


def test_one_good_origin_does_not_cover_another() -> None:
    headers = [(b"host", b"localhost"), (b"origin", b"http://localhost"), (b"origin", b"http://evil.example")]
    assert send(LOCAL, "POST", "/", b"", headers).status == 403


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_reads_may_come_from_anywhere(method: str) -> None:
    assert ask(LOCAL, method, origin="http://evil.example", sec_fetch_site="cross-site").status == 200


@pytest.mark.parametrize(("host", "origin"), [
    ("localhost", "http://localhost:80"), ("localhost:80", "http://localhost"), ("[::1]:80", "http://[0:0::1]"),
    ("localhost:", "http://localhost"), ("localhost.", "http://localhost"),
])  # fmt: skip
def test_the_usual_port_need_not_be_told(host: str, origin: str) -> None:
    assert ask(LOCAL, "POST", host=host, origin=origin).status == 200


def test_over_tls_the_origin_is_https() -> None:
    bearer = f"Bearer {TOKEN}"
    assert ask(SECURE, "POST", host="pi:443", origin="https://pi", authorization=bearer).status == 200
    assert ask(SECURE, "POST", host="pi", origin="http://pi", authorization=bearer).status == 403
    assert ask(SECURE, "POST", host="pi:80", origin="https://pi", authorization=bearer).status == 403


@given(st.text(st.characters(max_codepoint=255), max_size=40))
def test_any_other_origin_is_refused(origin: str) -> None:
    assert ask(LOCAL, "POST", origin=origin).status == (200 if origin.lower() == "http://localhost" else 403)


@pytest.mark.parametrize("value", [f"Bearer {TOKEN}", f"bearer {TOKEN}", f"BEARER  {TOKEN} "])
def test_the_token_lets_in(value: str) -> None:
    assert ask(NAMED, authorization=value).status == 200


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x",
                                   f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN.upper()}", "Bearer \xff\xff"])  # fmt: skip
def test_nothing_else_does(value: str) -> None:
    answer = ask(NAMED, target="/api/model", authorization=value)
    assert (answer.status, answer["www-authenticate"]) == (401, "Bearer")
    assert answer["content-type"] == "application/problem+json"
    problem = json.loads(answer.body)
    assert (problem["type"], problem["status"]) == ("about:blank", 401)
    assert TOKEN[:8] not in answer.body.decode()


def test_health_needs_no_token_but_our_host() -> None:
    assert ask(NAMED, target="/healthz").status == 200
    assert ask(NAMED, target="/healthz", host="evil.example").status == 421
    for other in ("/healthz/", "//healthz", "/healthz/../api/model", "/healthzz"):
        assert ask(NAMED, target=other).status == 401


def test_people_get_a_page_about_the_token() -> None:
    answer = ask(NAMED, accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert (answer.status, answer["content-type"]) == (401, "text/html; charset=utf-8")
    page = answer.body.decode()
    assert "A token is needed" in page
    assert "トークン" in page
    assert "script" not in page
    assert "style-src 'sha256-" in str(answer["content-security-policy"])
    assert "'self'" not in str(answer["content-security-policy"])
    assert ask(NAMED, "POST", accept="text/html")["content-type"] == "application/problem+json"


def cookie_of(answer: Answer) -> str:
    return str(answer["set-cookie"]).partition(";")[0]


def test_the_link_gives_a_cookie_unlike_the_token() -> None:
    answer = ask(NAMED, target=f"/stream.mjpg?boxes=1&token={TOKEN}&frames=%32")
    assert (answer.status, answer["location"]) == (303, "/stream.mjpg?boxes=1&frames=%32")
    assert TOKEN not in str(answer.headers)
    attributes = str(answer["set-cookie"]).split("; ")[1:]
    assert set(attributes) == {"Path=/", "Max-Age=31536000", "HttpOnly", "SameSite=Strict"}
    assert ask(NAMED, cookie=cookie_of(answer)).status == 200
    assert ask(NAMED, cookie=f"a=b; {cookie_of(answer)}; c").status == 200


def test_over_tls_the_cookie_stays_there() -> None:
    answer = ask(SECURE, target=f"/?token={TOKEN}")
    assert str(answer["set-cookie"]).startswith("__Host-edge-digits=")
    assert "; Secure" in str(answer["set-cookie"])
    assert ask(SECURE, cookie=cookie_of(answer)).status == 200
    assert ask(NAMED, cookie=cookie_of(answer)).status == 401


def test_a_cookie_for_another_token_is_refused() -> None:
    other = Rules(token=TOKEN + "2", hosts=frozenset(), loopback=False, secure=False)
    cookie = cookie_of(ask(NAMED, target=f"/?token={TOKEN}"))
    assert ask(other, cookie=cookie).status == 401
    assert ask(NAMED, cookie=f"edge-digits={TOKEN}").status == 401
    assert ask(NAMED, cookie="edge-digits=\xe4").status == 401


@pytest.mark.parametrize(
    "query", ["token=", "token", f"token={TOKEN}x", f"token={TOKEN}&token=wrong", f"Token={TOKEN}"]
)
def test_a_wrong_link_is_refused(query: str) -> None:
    answer = ask(NAMED, target=f"/?{query}")
    assert (answer.status, answer["set-cookie"]) == (401, None)


def test_a_link_only_lets_in_those_who_look() -> None:
    assert ask(NAMED, "POST", target=f"/api/read?token={TOKEN}").status == 401
    assert ask(NAMED, "HEAD", target=f"/?token={TOKEN}").status == 303


def test_the_application_never_sees_a_token() -> None:
    answer = ask(NAMED, "POST", target=f"/?token={TOKEN}&a=1&token=b", authorization=f"Bearer {TOKEN}")
    assert answer.body == b"POST a=1"
    assert ask(LOCAL, target=f"/?%74oken={TOKEN}").body == b"GET "


@pytest.mark.parametrize("path", ["//evil.example", "///evil.example/x", "/\\evil.example", "/\\/evil.example",
                                  "//evil.example%2f..", "/%0d%0aSet-Cookie:a=b", "/./", "/\t/evil.it"])  # fmt: skip
def test_the_way_on_stays_on_this_host(path: str) -> None:
    answer = ask(NAMED, target=f"{path}?token={TOKEN}")
    location = str(answer["location"])
    assert answer.status == 303
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))
    assert location.isprintable()
    assert " " not in location


@given(st.text(st.characters(max_codepoint=255), max_size=30))
def test_any_path_stays_on_this_host(path: str) -> None:
    target = "/" + path.replace("?", "")
    location = str(ask(NAMED, target=f"{target}?token={TOKEN}")["location"])
    assert location.startswith("/")
    assert not location[1:].startswith(("/", "\\"))
    assert location.isascii()
    assert location.isprintable()


def test_every_answer_has_the_safe_headers_once() -> None:
    for answer in (ask(LOCAL), ask(LOCAL, target="/stream"), ask(LOCAL, host="evil.example"), ask(LOCAL, "PATCH"),
                   ask(NAMED), ask(NAMED, target=f"/?token={TOKEN}")):  # fmt: skip
        names = [name for name, _ in answer.headers]
        for name, value in HEADERS.items():
            assert names.count(name) == 1, (answer.status, name)
            if name != "cache-control":
                assert answer[name] == value
    assert ask(LOCAL)["cache-control"] == "no-cache"  # the application's own
    assert ask(LOCAL, target="/stream")["cache-control"] == "no-store"


def test_a_websocket_is_refused() -> None:
    answer = Answer()

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    asyncio.run(Guard(APP, LOCAL)({"type": "websocket", "headers": []}, receive, answer.send))
    assert answer.types == ["websocket.close"]


@pytest.fixture
def guarded() -> Iterator[Hosted]:
    with hosting(Guard(APP, NAMED)) as hosted:
        yield hosted


def fetch(hosted: Hosted, method: str, target: str, **headers: str) -> HTTPResponse:
    connection = HTTPConnection("127.0.0.1", hosted.port, timeout=10)
    try:
        connection.request(method, target, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        response.read()
        return response
    finally:
        connection.close()


def test_a_browser_goes_from_link_to_page(guarded: Hosted) -> None:
    assert fetch(guarded, "GET", "/").status == 401
    first = fetch(guarded, "GET", f"//a/b?token={TOKEN}&x=1")
    assert (first.status, first.headers["Location"]) == (303, "/a/b?x=1")
    second = fetch(guarded, "GET", first.headers["Location"], Cookie=first.headers["Set-Cookie"].partition(";")[0])
    assert second.status == 200
    assert guarded.messages == []


def test_a_websocket_upgrade_is_an_ordinary_request(guarded: Hosted) -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
    assert fetch(guarded, "GET", "/", **upgrade).status == 401
    assert guarded.messages == []


@pytest.mark.parametrize("request_", [
    b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: me@localhost\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: local host\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: l\xc3\xb6calhost\r\n\r\n",
])  # fmt: skip
def test_a_bad_host_on_the_wire_is_refused(guarded: Hosted, request_: bytes) -> None:
    assert guarded.ask(request_.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")).startswith(b"HTTP/1.1 400 ")


class Unheard:
    """An application that no request reaches."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError


def test_what_is_refused_never_reaches_the_application() -> None:
    answer = Answer()
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [(b"host", b"pi")]}

    async def receive() -> Message:
        raise AssertionError

    asyncio.run(Guard(Unheard(), NAMED)(scope, receive, answer.send))
    assert answer.status == 401
