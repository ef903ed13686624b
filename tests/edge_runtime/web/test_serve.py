"""`edge-digits serve` as people start and stop it."""

import json
import re
import signal
import socket
import ssl
import stat
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from edge_runtime import DigitReader
from edge_runtime.cli.main import main
from edge_runtime.system.device_name import device_name
from edge_runtime.web import server
from edge_runtime.web.live import Live
from edge_runtime.web.metrics import Metrics
from edge_runtime.web.serve import Endpoint, Service
from tests.commands import Call
from tests.edge_runtime.sources.servers import Request, part
from tests.edge_runtime.sources.servers import serving as camera
from tests.edge_runtime.web import process
from tests.edge_runtime.web.process import served
from tests.edge_runtime.web.site import OPEN
from tests.log import Log

# The server, with pictures that take for ever.
ENDLESS = """
import sys, threading
from edge_runtime.__main__ import program
from edge_runtime.sources import pictures

def decode(data, name):
    print("reading", file=sys.stderr, flush=True)
    threading.Event().wait()

pictures.decode = decode
program()
"""


def ask(address: str, **headers: str) -> tuple[int, bytes]:
    request = urllib.request.Request(address, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_live_source_is_served_until_a_signal(tmp_path: Path, number: int, code: int) -> None:
    log = tmp_path / "log.jsonl"
    with served("synthetic:1", "--log", log, home=tmp_path) as running:
        assert running.address.startswith("http://127.0.0.1:")
        live = json.loads(ask(running.address + "api/live?after=3&wait=30")[1])
        assert live["number"] > 3
        assert live["reading"]["text"]
        # A viewer of an endless answer, which is open meanwhile, keeps nobody waiting.
        with urllib.request.urlopen(running.address + "stream.mjpg", timeout=30) as stream:
            assert stream.readline() == b"--frame\r\n"
            assert running.end(number) == (code, "")
    assert all(json.loads(line)["type"] == "event" for line in log.read_text().splitlines())


def test_a_slow_picture_does_not_delay_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "COMMAND", [sys.executable, "-c", ENDLESS, "serve"])
    with served(home=tmp_path) as running:
        port = int(running.address.rpartition(":")[2].rstrip("/"))
        with socket.create_connection(("127.0.0.1", port), timeout=30) as visitor:
            visitor.sendall(b"POST /api/read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx")
            assert running.process.stderr is not None
            assert running.process.stderr.readline() == "reading\n"
            code, rest = running.end()
    assert code == 0
    assert "timeout graceful shutdown exceeded" in rest
    assert len(rest.splitlines()) == 1


def metrics(address: str) -> dict[str, float]:
    """Return the values that a server exports, by name and labels."""
    lines = ask(address + "metrics")[1].decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


def test_an_interruption_of_the_source_counts_once(tmp_path: Path, samples: Path) -> None:
    ended, over, connections = threading.Event(), threading.Event(), list[Request]()
    picture = (samples / "paper.jpg").read_bytes()

    def answer(request: Request) -> None:
        """Send some frames and end; at the second and third connection, nothing; then frames for ever."""
        connections.append(request)
        body = request.begin_stream()
        while len(connections) not in (2, 3) and not over.wait(0.05) and not (len(connections) == 1 and ended.is_set()):
            body.write(part(picture))

    with camera(answer) as source, served(source, "--stall", "5", home=tmp_path) as running:
        try:
            assert running.process.stderr is not None
            assert json.loads(ask(running.address + "api/live?after=1&wait=30")[1])["number"] > 1
            ended.set()
            assert running.process.stderr.readline().endswith("trying again\n")
            assert running.process.stderr.readline().endswith("it sends frames again\n")
            last = json.loads(ask(running.address + "api/live")[1])["number"]
            assert json.loads(ask(running.address + f"api/live?after={last}&wait=30")[1])["number"] > last
            values = metrics(running.address)
        finally:
            over.set()
            running.end()
    assert len(connections) == 4
    assert values['edge_digits_errors_total{kind="source"}'] == 1
    assert values["edge_digits_reconnects_total"] == 1
    assert abs(time.time() - values["edge_digits_last_frame_timestamp_seconds"]) < 120
    (build,) = [name for name in values if name.startswith("edge_digits_build_info")]
    assert f'device="{device_name()}"' in build


def test_an_unreadable_picture_counts(tmp_path: Path) -> None:
    (tmp_path / "page.png").write_bytes(b"no picture")
    with served(tmp_path / "page.png", home=tmp_path) as running:
        assert running.process.stderr is not None
        assert "error: " in running.process.stderr.readline()
        assert metrics(running.address)['edge_digits_errors_total{kind="picture"}'] == 1
        assert running.end()[0] == 0


def test_an_output_that_fails_counts(tmp_path: Path, samples: Path) -> None:
    with served(samples / "paper.jpg", "--log", "/dev/full", home=tmp_path) as running:
        assert running.process.stderr is not None
        assert "error: " in running.process.stderr.readline()
        assert metrics(running.address)['edge_digits_errors_total{kind="output"}'] == 1
        assert running.end()[0] == 0


def test_without_a_source_only_the_page_exists(tmp_path: Path) -> None:
    with served(home=tmp_path) as running:
        assert ask(running.address)[0] == 200
        assert running.end() == (0, "")


def test_readings_stay_after_the_sources_end(tmp_path: Path, samples: Path) -> None:
    with served(samples / "paper.jpg", home=tmp_path) as running:
        assert running.process.stderr is not None
        assert "paper.jpg: ended" in running.process.stderr.readline()
        reading = json.loads(ask(running.address + "api/reading")[1])
        assert reading["text"][0] == "48793968101"
        assert running.end() == (0, "")


def test_other_machines_need_the_token_printed_once(tmp_path: Path) -> None:
    with served("--host", "0.0.0.0", home=tmp_path) as running:
        link = running.address
        plain, _, token = link.partition("?token=")
        assert len(token) > 40
        kept = tmp_path / "edge-digits" / "serve.token"
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert kept.read_text().strip() == token
        local = re.sub(r"//[^:/]+:", "//127.0.0.1:", plain)
        assert ask(local + "api/model")[0] == 401
        assert ask(local + "healthz")[0] == 200
        assert ask(local + "api/model", Authorization=f"Bearer {token}")[0] == 200
        assert ask(local + "api/model", Authorization="Bearer " + token[:-1])[0] == 401
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with opener.open(f"{local}?token={token}", timeout=30) as page:
            assert (page.status, page.url) == (200, local)
        with opener.open(local + "api/model", timeout=30) as model:
            assert model.status == 200
        assert running.end() == (0, "")
    with served("--host", "0.0.0.0", home=tmp_path) as running:
        assert token not in "".join(running.lines)
        assert str(kept) in "".join(running.lines)


def test_no_token_is_made_that_nobody_is_told(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with camera(lambda request: None) as taken:
        done = call(main, "serve", "--host", "0.0.0.0", "--port", taken.rpartition(":")[2])
    assert (done.code, list(tmp_path.iterdir())) == (2, [])


def test_allowed_names_and_addresses_are_added(tmp_path: Path) -> None:
    allowed = ("--allow-host", "Digits.Example.", "--allow-host", "192.0.2.7", "--allow-host", "2001:db8::7")
    with served(*allowed, home=tmp_path) as running:
        for host in ("digits.example", "DIGITS.example:80", "192.0.2.7", "[2001:db8::7]:443", "localhost"):
            assert ask(running.address, Host=host)[0] == 200, host
        for host in ("example", "192.0.2.8", "[2001:db8::8]"):
            assert ask(running.address, Host=host)[0] == 421, host


def test_a_chosen_token_holds_locally_too(tmp_path: Path) -> None:
    own = tmp_path / "token"
    own.write_text("abcdefghijklmnopqrstuvwxyz\n")
    own.chmod(0o600)
    with served("--token-file", own, home=tmp_path) as running:
        assert ask(running.address + "api/model")[0] == 401
        assert ask(running.address + "api/model", Authorization="Bearer abcdefghijklmnopqrstuvwxyz")[0] == 200


def test_a_certificate_is_made_and_can_be_trusted(tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    with served("--tls", "auto", home=tmp_path) as running:
        assert running.address.startswith("https://127.0.0.1:")
        certificate = tmp_path / "edge-digits" / "tls" / "certificate.pem"
        assert str(certificate) in "".join(running.lines)
        context = ssl.create_default_context(cafile=certificate)
        with urllib.request.urlopen(running.address + "healthz", context=context, timeout=30) as answer:
            assert answer.status == 200
    key = certificate.with_name("key.pem")
    with (
        served("--tls", certificate, key, home=tmp_path) as running,
        urllib.request.urlopen(running.address + "healthz", context=context, timeout=30) as answer,
    ):
        assert answer.status == 200


def test_what_cannot_be_served_is_one_line(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    loose = tmp_path / "loose"
    loose.write_text("abcdefghijklmnopqrstuvwxyz")
    loose.chmod(0o644)
    with camera(lambda request: None) as taken:
        port = taken.rpartition(":")[2]
        for arguments, code, words in (
            (["camera:999", "--port", 0], 3, "/dev/video999"),
            (["--port", port], 2, f"port {port} of 127.0.0.1 is in use"),
            (["--host", "nowhere.invalid", "--port", 0], 2, "--host"),
            (["--token-file", loose, "--port", 0], 2, "chmod 600"),
            (["--token-file", tmp_path / "none", "--port", 0], 2, "none"),
            (["--allow-host", "http://pi", "--port", 0], 2, "port, not 'http://pi'"),
            (["--allow-host", "pi:8000", "--port", 0], 2, "without a port"),
            (["--tls", tmp_path / "none.pem", "--port", 0], 2, "--tls expects two files"),
            (["--tls", tmp_path / "none.pem", tmp_path / "none.key", "--port", 0], 2, "none.pem"),
            (["--tls-key", tmp_path / "none.key", "--port", 0], 2, "--tls-key requires --tls"),
            (["a", "b"], 2, "unexpected extra argument"),
            (["--model", tmp_path / "none.tflite"], 4, "none.tflite"),
        ):
            done = call(main, "serve", *arguments)
            assert done.code == code, (arguments, done)
            lines = [line for line in done.err.splitlines() if "error" in line]
            assert len(lines) == 1, done.err
            assert words in lines[0]
            assert "Traceback" not in done.err


def test_an_end_right_after_the_start_is_silent(reader: DigitReader, messages: Log) -> None:
    ending = threading.Event()

    def heartbeat() -> None:  # the first one comes before the server answers, and holds it up
        ending.wait(0.2)

    endpoint = Endpoint(server.listen("127.0.0.1", 0), OPEN, None, [])
    with Service(endpoint, reader, Live(None), Metrics(reader, lambda: None), heartbeat):
        ending.set()
    assert messages == []


def test_options_come_from_a_file_and_the_environment(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[serve]\nsource = "synthetic:1"\nport = 8123\nallow-host = ["pi", "digits"]\ntls = "auto"\n')
    assert call(main, "config", "check", file) == (0, f"{file}: valid, 4 settings\n", "")
    monkeypatch.setenv("EDGE_DIGITS_SERVE_HOST", "0.0.0.0")
    shown = call(main, "config", "show", "--config", file).out
    serve = shown[shown.index("[serve]") :]
    for line in ('source = "synthetic:1"  # file', 'port = "8123"  # file', 'host = "0.0.0.0"  # environment',
                 'allow-host = ["pi", "digits"]  # file'):  # fmt: skip
        assert line in serve
    file.write_text("[serve]\nprot = 1\n")
    assert "did you mean port?" in call(main, "config", "check", file).err
