"""The web server beside a pipeline: access rules, addresses, and the server thread."""

import ipaddress
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from edge_runtime.errors import OptionError
from edge_runtime.reader import Reader
from edge_runtime.system.closing import Closing
from edge_runtime.system.state_folder import state_folder
from edge_runtime.web import names, server, tokens
from edge_runtime.web.app import application
from edge_runtime.web.guard import Host, Rules, authority
from edge_runtime.web.live import Live
from edge_runtime.web.metrics import Metrics

TIMEOUT = 4.5  # seconds; the server drains answers for 3 of these
# Seconds. Python runs a signal's handler between two instructions: one that comes just before a wait runs after it.
POLL = 0.5


class ListenConfig(NamedTuple):
    """The requested address and port, token file, other names of the machine, and TLS.

    `tls` is a certificate file, "auto" to make one, or None; `tls_key` is the file of its key.
    """

    host: str
    port: int
    token_file: Path | None
    allow_host: Sequence[str]
    tls: str | None
    tls_key: Path | None


class Endpoint(NamedTuple):
    """The listening socket, the access rules, and messages about them, a line each."""

    listener: socket.socket
    rules: Rules
    certificate: tuple[Path, Path] | None
    lines: list[str]


def endpoint(asked: ListenConfig) -> Endpoint:
    """Open the requested socket. Raises OptionError where that fails, OutputError where no file can be written."""
    certificate, lines = _certificate(asked.tls, asked.tls_key, asked.allow_host)
    loopback = _is_loopback(asked.host)
    # Not for loopback: anybody on the network could answer for this machine's name with a loopback address.
    own = [] if loopback else [names.host(), names.local(names.host())]
    hosts = frozenset([*own, *map(_allowed, asked.allow_host)])
    token, fresh = None, False
    with ExitStack() as undo:
        listener = undo.enter_context(server.listen(asked.host, asked.port))
        if asked.token_file is not None:
            token = tokens.load(asked.token_file)
        elif not loopback:  # after listen(): a new token is shown only once
            kept = state_folder() / "serve.token"
            token, fresh = tokens.made(kept)
            if not fresh:
                lines.append(f"the token is in {kept}: add ?token=... to the address once")
        undo.pop_all()
    scheme, port = "https" if certificate else "http", listener.getsockname()[1]
    for name in _addresses(asked.host):
        lines.append(f"{scheme}://{name}:{port}/" + (f"?token={token}" if fresh else ""))
    rules = Rules(token=token, hosts=hosts, loopback=loopback, secure=certificate is not None)
    return Endpoint(listener, rules, certificate, lines)


class Service(Closing):
    """A server in its own thread, beside the pipeline in the main thread; it serves once constructed.

    The thread calls `heartbeat` ten times a second while it serves.
    """

    def __init__(
        self,
        listening: Endpoint,
        reader: Reader,
        live: Live,
        metrics: Metrics,
        heartbeat: Callable[[], None] = lambda: None,
    ) -> None:
        self._live = live
        self._started = threading.Event()
        self._ended = threading.Event()

        def run() -> None:
            try:
                self._server.run(listening.listener)
            finally:
                live.end()
                self._started.set()
                self._ended.set()

        def beat() -> None:
            if self._server.started:
                self._started.set()
            heartbeat()

        app = application(reader, live, metrics, listening.rules, beat)
        self._server = server.Server(app, certificate=listening.certificate)
        self._thread = threading.Thread(target=run, name="web", daemon=True)
        self._thread.start()
        self._started.wait(TIMEOUT)

    def wait(self) -> None:
        """Wait until the server ends, which it only does on request."""
        while not self._ended.wait(POLL):
            pass

    def close(self) -> None:
        """End the live readings, and so all endless answers, and the server, within TIMEOUT seconds."""
        self._live.end()
        self._server.stop()
        self._thread.join(TIMEOUT)


def _certificate(
    named: str | None, key: Path | None, hosts: Sequence[str]
) -> tuple[tuple[Path, Path] | None, list[str]]:
    """Return the certificate and key files, None without TLS, and messages about them."""
    if named is None:
        if key is not None:
            raise OptionError("--tls-key requires --tls CERT")
        return None, []
    from edge_runtime.web import tls  # not at the top: only TLS needs its package

    if named != "auto":
        if key is None:
            raise OptionError("--tls expects two files, the certificate and its key, or the word auto")
        tls.check(Path(named), key)
        return (Path(named), key), []
    certificate, made_key = tls.made(state_folder() / "tls", [*names.names(), *hosts])
    return (certificate, made_key), [
        f"the certificate is {certificate}: browsers warn about it until you check its SHA-256 and trust it there",
        tls.fingerprint(certificate),
    ]


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _allowed(name: str) -> Host:
    parsed = authority(f"[{name}]" if ":" in name else name)
    if parsed is None:
        raise OptionError(f"--allow-host expects a name or an address without a port, not {name!r}")
    return parsed.host


def _addresses(host: str) -> list[str]:
    """Return the hosts under which a browser reaches a server that listens at `host`."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return [host]
    if address.is_unspecified:
        return [name for name in names.addresses() if not name.startswith("127.")] or ["localhost"]
    return [f"[{host}]" if address.version == 6 else host]
