"""The HTTP API as an OpenAPI 3.1 document: openapi.json, which the server serves and shows at /api."""

import json
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).with_name("openapi.json")


def document(version: str) -> dict[str, Any]:
    """Return the document, ready for JSON; `version` is the program's."""
    description: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    return {**description, "info": {**description["info"], "version": version}}


PATHS = frozenset(document("")["paths"])
