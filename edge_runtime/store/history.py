"""history.json of the model store: the installed models, oldest first, and their status."""

import json
import re
from dataclasses import asdict, dataclass
from typing import Any, get_type_hints

NAME = re.compile("[0-9a-f]{12}")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A model that was installed.

    `id` is the first 12 digits of the SHA-256 of its flatbuffer, which readings report; `source` is its origin,
    `signed` is whether a trusted key has signed it. `proved` is true once a service has read with it for a minute;
    until then, `starts` counts the services that began to. `failed` is the reason of a failure, or None.
    """

    id: str
    installed_at: str | None = None  # RFC 3339, UTC; None if unknown
    source: str | None = None
    signed: bool = False
    proved: bool = False
    starts: int = 0
    failed: str | None = None


KINDS = get_type_hints(Entry)


def dumped(entries: list[Entry]) -> bytes:
    """Return entries as JSON."""
    return (json.dumps({"format": 1, "models": [asdict(entry) for entry in entries]}, indent=1) + "\n").encode()


def loaded(data: bytes) -> list[Entry]:
    """Return the entries in JSON; leave out invalid ones: the model files themselves hold all that is needed."""
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
