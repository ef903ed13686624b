"""Install a model from a file or an address: fetch, check and try it, then put it into the store."""

import hashlib
import logging
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from edge_runtime.errors import ModelCorrupt, ModelError, OptionError, OutputError
from edge_runtime.inference import model_file
from edge_runtime.inference.model_file import ModelFile
from edge_runtime.store import changes, fetch, trial
from edge_runtime.store.history import Entry

logger = logging.getLogger(__name__)
DRAFT = "model.tflite"
FORMAT = 1  # of the model card
SHA256 = re.compile("[0-9a-fA-F]{64}")


@dataclass(frozen=True, kw_only=True)
class Trust:
    """Which models to accept: those that one of `keys`, PEM files, has signed; with `required`, no others.

    Without `required`, a model without a signature is accepted, too, but none with a wrong one. `sha256` is the hash of
    the whole file, in hexadecimal. Raises OptionError if signatures are required and no key is trusted, and if `sha256`
    is invalid.
    """

    keys: Sequence[Path] = ()
    required: bool = False
    sha256: str | None = None

    def __post_init__(self) -> None:
        if self.required and not self.keys:
            raise OptionError("--require-signed requires a trusted key: --trusted-key FILE, or trusted-key in [model]")
        if self.sha256 is not None and not SHA256.fullmatch(self.sha256):
            raise OptionError(f"{self.sha256!r} is not a SHA-256: 64 hexadecimal digits, as sha256sum prints them")


def install(name: str, folder: Path, trust: Trust, seconds: float = trial.SECONDS) -> Path:
    """Install the model in a file or at an address into the store in `folder`, make it current, and return its path.

    Logs each step; a trial may take this many `seconds`. Raises ModelError if the model is refused, OutputError if the
    store cannot be written, OptionError if `trust` or `name` make no sense; nothing has changed then.
    """
    shown = fetch.public(name)
    data, signed = fetched(name, trust)
    with _written(data) as draft:
        model = checked(draft, shown)
        logger.info(f"{shown}: {'signed by a trusted key, ' * signed}complete; testing it")
        trial.run(draft, shown, seconds)
    entry = Entry(id=model.id, source=shown, signed=signed)
    return changes.install(folder, data, entry)


def fetched(name: str, trust: Trust) -> tuple[bytes, bool]:
    """Return the bytes of the model in a file or at an address, and whether a trusted key has signed them.

    Raises ModelError if there is none or if its hash or signature is wrong or missing, and OptionError.
    """
    shown = fetch.public(name)
    if fetch.is_plain(name) and trust.sha256 is None and not trust.keys:
        raise OptionError(f"{shown} could be changed in transit: use https, --sha256 HASH, or --trusted-key FILE")
    data = fetch.fetch(name)
    if data is None:
        raise ModelError(f"there is no {shown}")
    return data, _vouched(name, data, trust)


def checked(path: Path, shown: str) -> ModelFile:
    """Read a model and check it against its card; messages call it `shown`. Raises ModelError."""
    try:
        model = model_file.read(path)
    except ModelError as error:
        raise type(error)(str(error).replace(str(path), shown)) from error
    if model.card is None:
        raise ModelError(f"{shown} has no card, so it cannot be verified; use it with --model")
    if model.card.get("format") != FORMAT:
        raise ModelError(
            f"{shown} has a card of format {model.card.get('format')}, this runtime supports format {FORMAT}; install "
            "the runtime that it was made for"
        )
    return model


@contextmanager
def _written(data: bytes) -> Iterator[Path]:
    """Hold the bytes during the block in a file that nobody else can write to."""
    with ExitStack() as undo:
        try:
            draft = Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="edge-digits-"))) / DRAFT
            draft.write_bytes(data)
        except OSError as error:
            raise OutputError(f"cannot write a temporary file: {error.strerror or error}") from error
        yield draft


def _vouched(name: str, data: bytes, trust: Trust) -> bool:
    """Return whether a trusted key has signed a model. Raises ModelError if hash or signature is wrong or missing."""
    shown, digest = fetch.public(name), hashlib.sha256(data).hexdigest()
    if trust.sha256 is not None and trust.sha256.lower() != digest:
        raise ModelCorrupt(f"{shown} has SHA-256 {digest}, expected {trust.sha256.lower()}; fetch it again")
    signed = _signed(name, data, trust)
    if not signed and trust.required:
        raise ModelError(f"{shown} is not signed: there is no {fetch.public(fetch.signature_of(name))}")
    if not signed and trust.sha256 is None and fetch.is_plain(name):
        raise ModelError(f"{shown} is not signed, and could be changed in transit: use https, or --sha256 HASH")
    return signed


def _signed(name: str, data: bytes, trust: Trust) -> bool:
    if not trust.keys:
        return False
    from edge_runtime.store import signature  # not at the top: only keys need its package

    keys = signature.keys(trust.keys)
    signature_data = fetch.fetch(fetch.signature_of(name), signature.MOST_BYTES)
    if signature_data is None:
        return False
    signature.verify(data, signature_data, keys, fetch.public(name))
    return True
