"""The pieces of an OpenAPI document: what a request may carry, what it may be answered, and the schemas of both."""

import json
from pathlib import Path
from typing import Any

from edge_runtime.web.query import MOST

SCHEMAS = Path(__file__).parent.parent / "schemas"
HTML, PROBLEM = "text/html", "application/problem+json"
BINARY = {"type": "string", "format": "binary"}
TEXT = {"type": "string"}
FIELDS = ("id", "event", "data")
MESSAGE = {"type": "object", "properties": dict.fromkeys(FIELDS, TEXT), "required": [*FIELDS]}
# What may happen to a request, by status: what it is called, and what it means.
PROBLEMS = {
    "400": ("BadRequest", "A parameter, the body or the Host header makes no sense."),
    "401": ("Unauthorized", "The token is missing or wrong."),
    "403": ("Forbidden", "The request comes from another site's page."),
    "404": ("NotFound", "There is none, or none yet."),
    "408": ("TooSlow", "The request did not arrive in time: 10 s for its head, 30 s for its body."),
    "410": ("Gone", "That frame is not kept any more: only the last few are."),
    "413": ("TooLarge", "More than 20 MB or 50 megapixels."),
    "421": ("Misdirected", "The server does not know that host name as its own; `--allow-host` adds names."),
    "429": ("TooMany", "Too many connections, pictures or viewers at once: try again later."),
    "431": ("TooLong", "The request's head, its address and headers, has more than 16 KiB."),
}
ALWAYS = {"400", "401", "408", "421", "429", "431"}  # whatever is asked for

Json = dict[str, Any]


def operation(
    tag: str,
    name: str,
    summary: str,
    answers: Json,
    *problems: str,
    description: str = "",
    parameters: tuple[Json, ...] = (),
    open_to_all: bool = False,
) -> Json:
    """Return an operation, answered by `answers` or, by their status, by one of `problems` or of those of any request.

    With `open_to_all` it needs no token.
    """
    known = sorted({*ALWAYS, *problems} - ({"401"} if open_to_all else set()))
    refused = {status: {"$ref": f"#/components/responses/{PROBLEMS[status][0]}"} for status in known}
    spec: Json = {"operationId": name, "tags": [tag], "summary": summary}
    spec |= {"description": description} if description else {}
    spec |= {"parameters": list(parameters)} if parameters else {}
    spec |= {"security": []} if open_to_all else {}
    return {**spec, "responses": dict(sorted({**refused, **answers}.items()))}


def page(name: str, summary: str, *kinds: str, problems: tuple[str, ...] = (), **more: Any) -> Json:
    """Return an operation that answers with a file, which browsers keep and ask whether it has changed."""
    refused = {HTML: {"schema": TEXT}, PROBLEM: {"schema": ref("Problem")}}
    answers = {
        "200": {"description": "The file.", "content": {kind: {"schema": TEXT} for kind in kinds}},
        "304": {"description": "It is the one that the browser has (`If-None-Match`)."},
        "401": {"description": f"{PROBLEMS['401'][1]} The page says where to find it.", "content": refused},
    }
    return operation("pages", name, summary, answers, *problems, **more)


def ok(description: str, kind: str, schema: Json, example: Any = None) -> Json:
    """Return the answer when all is well."""
    shown = {} if example is None else {"example": example}
    return {"200": {"description": description, "content": {kind: {"schema": schema, **shown}}}}


def in_json(schema: str, description: str) -> Json:
    """Return the answer when all is well, in JSON by a schema."""
    return ok(description, "application/json", ref(schema))


def number(name: str, description: str, least: int, most: int = MOST, default: int | None = None) -> Json:
    """Return a parameter that is a whole number from `least` to `most`."""
    limits = {"minimum": least, "maximum": most, "default": default}
    schema = {"type": "integer", **{key: limit for key, limit in limits.items() if limit is not None}}
    return {"name": name, "in": "query", "description": description, "schema": schema}


def switch(name: str, description: str, default: int) -> Json:
    """Return a parameter that is 0 or 1."""
    return {
        "name": name, "in": "query", "description": description,
        "schema": {"type": "integer", "enum": [0, 1], "default": default},
    }  # fmt: skip


def ref(schema: str) -> Json:
    """Return what stands for a schema."""
    return {"$ref": f"#/components/schemas/{schema}"}


def refusals() -> Json:
    """Return the answers that operations name by their status."""
    content = {PROBLEM: {"schema": ref("Problem")}}
    responses: Json = {name: {"description": meaning, "content": content} for name, meaning in PROBLEMS.values()}
    wait = {"description": "After how many seconds.", "required": True, "schema": {"type": "integer", "minimum": 1}}
    responses["TooMany"]["headers"] = {"Retry-After": wait}
    return responses


def schemas() -> Json:
    """Return the schemas of edge_runtime/schemas by the names that they have in this document."""
    definitions: Json = {}
    for name in ("reading", "event", "answers"):
        schema = _renamed(json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8")))
        parts = schema.pop("$defs", {})
        definitions |= {part.capitalize(): body for part, body in parts.items()}
        if name != "answers":
            definitions[name.capitalize()] = {key: value for key, value in schema.items() if key != "$schema"}
    asked, reading = definitions.pop("Asked"), definitions["Reading"]
    definitions["Read"] = {
        **reading, "title": "Read", "description": f"A Reading. {asked['description']}",
        "properties": {**reading["properties"], **asked["properties"]},
    }  # fmt: skip
    return definitions


def _renamed(value: Any) -> Any:
    """Return a schema in which what stands for another schema is called as in this document."""
    if isinstance(value, dict):
        if isinstance(target := value.get("$ref"), str):
            value = {**value, **ref(target.rpartition("/")[2].removesuffix(".schema.json").capitalize())}
            return value
        return {key: _renamed(inner) for key, inner in value.items()}
    return [_renamed(inner) for inner in value] if isinstance(value, list) else value
