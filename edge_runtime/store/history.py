"""history.json of the model store: which models were installed, oldest first, and how they did."""

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

NAME = re.compile("[0-9a-f]{12}")
KINDS: dict[str, Any] = {
    "id": str, "installed_at": str | None, "source": str | None, "signed": bool, "proved": bool, "starts": int,
    "failed": str | None,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A model that was installed.

    `id` are the first 12 digits of the SHA-256 of its flatbuffer, which readings name; `source` is where it came from,
    `signed` whether a trusted key has signed it. `proved` says that a service has read with it for a minute; until
    then, `starts` counts those that began to. `failed` says why it was given up, None where it was not.
    """

    id: str
    installed_at: str | None = None  # RFC 3339, UTC; None where nobody wrote it down
    source: str | None = None
    signed: bool = False
    proved: bool = False
    starts: int = 0
    failed: str | None = None


def dumped(entries: list[Entry]) -> bytes:
    """Return them as JSON."""
    return (json.dumps({"format": 1, "models": [asdict(entry) for entry in entries]}, indent=1) + "\n").encode()


def loaded(data: bytes) -> list[Entry]:
    """Return what JSON holds; what makes no sense is left out: the models themselves say all that is needed."""
    try:
        models = json.loads(data)["models"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return []
    values = models if isinstance(models, list) else []
    return [Entry(**value) for value in values if isinstance(value, dict) and _sensible(value)]


def _sensible(value: dict[str, Any]) -> bool:
    return all(name in KINDS and isinstance(held, KINDS[name]) for name, held in value.items()) and bool(
        NAME.fullmatch(value.get("id", ""))
    )
