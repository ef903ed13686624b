"""The address of an MQTT broker, and the credentials for it."""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from edge_runtime.errors import OptionError
from edge_runtime.system.native_logs import is_text

PASSWORD, PASSWORD_FILE = "EDGE_DIGITS_MQTT_PASSWORD", "EDGE_DIGITS_MQTT_PASSWORD_FILE"
MOST_BYTES = 65_535  # of a user or a password


@dataclass(frozen=True, kw_only=True)
class Broker:
    """The address of a broker, and the credentials for it; with `tls`, the connection is encrypted."""

    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The address for logs, without credentials."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mqtt{'s' if self.tls else ''}://{host}:{self.port}"

    @classmethod
    def parse(cls, url: str, environ: Mapping[str, str], ca: Path | None = None) -> "Broker":
        """Return the broker at mqtt://user@host:port, or at mqtts:// for an encrypted connection.

        EDGE_DIGITS_MQTT_PASSWORD holds the password, or EDGE_DIGITS_MQTT_PASSWORD_FILE names the file that does. The
        broker's certificate must come from an authority that the system trusts, or one in the file `ca`. Raises
        OptionError, whose message never shows a possible password.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
            whole = parts.scheme in ("mqtt", "mqtts") and parts.hostname and port != 0
        except ValueError:
            whole = False
        if (
            not whole
            or not is_text(url)
            or re.search(r"\s", url)
            or parts.path.strip("/")
            or parts.query + parts.fragment
        ):
            raise OptionError("the address of an MQTT broker looks like mqtt://user@host:1883, or mqtts:// with TLS")
        if parts.password is not None:
            raise OptionError(
                f"no password in the address of an MQTT broker, where others can see it: put it into {PASSWORD}, or "
                f"into a file that {PASSWORD_FILE} names"
            )
        tls = parts.scheme == "mqtts"
        if ca is not None and not tls:
            raise OptionError(f"{ca}: a certificate authority requires mqtts://; mqtt:// is not encrypted")
        user = unquote(parts.username) if parts.username else None
        password = _password(environ)
        if password is not None and user is None:
            raise OptionError("there is an MQTT password but no user: write mqtt://user@host")
        return cls(
            host=str(parts.hostname),
            port=port or (8883 if tls else 1883),
            user=user,
            password=password,
            tls=_context(ca) if tls else None,
        )


def _password(environ: Mapping[str, str]) -> str | None:
    password, path = environ.get(PASSWORD), environ.get(PASSWORD_FILE)
    if password and path:
        raise OptionError(f"{PASSWORD} and {PASSWORD_FILE} are both set: keep one")
    where = PASSWORD
    if path:
        where = path
        try:
            with open(path, "rb") as file:
                password = file.read(MOST_BYTES + 1).decode(errors="surrogateescape").rstrip("\r\n")
        except OSError as error:
            raise OptionError(f"{path}: the MQTT password cannot be read: {error.strerror or error}") from error
        if not password:
            raise OptionError(f"{path}: the file of the MQTT password is empty")
    if password and (not is_text(password) or len(password.encode()) > MOST_BYTES):
        raise OptionError(f"{where}: not a password: binary data, or too long")
    return password or None


def _context(ca: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca)
    except OSError as error:  # an SSLError is one
        reason = "it contains no certificate" if isinstance(error, ssl.SSLError) else error.strerror or error
        raise OptionError(f"{ca}: cannot be used as a certificate authority: {reason}") from error
