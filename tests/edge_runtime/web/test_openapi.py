import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from edge_runtime import DigitReader
from edge_runtime.sinks.json_record import to_record
from edge_runtime.sources.pictures import load
from edge_runtime.system import board
from edge_runtime.web import problems
from edge_runtime.web.crops import crops
from edge_runtime.web.openapi import PATHS, document
from edge_runtime.web.query import MOST

SAMPLES = Path(__file__).parents[3] / "edge_runtime" / "samples"
SCHEMAS = Path(__file__).parents[3] / "edge_runtime" / "schemas"
DOCUMENT = document("1.2.3")
OPERATIONS = {
    (method, path): operation for path, item in DOCUMENT["paths"].items() for method, operation in item.items()
}
REFUSED = {"400", "401", "408", "421", "429", "431"}
STREAM = {"frames": (1, MOST, None), "boxes": ([0, 1], 1)}
# Each operation's parameters, with least, most and default or choices and default, and the statuses of its own.
CONTRACT: dict[tuple[str, str], tuple[dict[str, Any], set[str]]] = {
    ("get", "/"): ({}, {"200", "304"}),
    ("get", "/api"): ({}, {"200", "304"}),
    ("get", "/favicon.ico"): ({}, {"200", "304"}),
    ("get", "/static/{name}"): ({"name": None}, {"200", "304", "404"}),
    ("get", "/openapi.json"): ({}, {"200"}),
    ("get", "/healthz"): ({}, {"200"}),
    ("get", "/readyz"): ({}, {"200", "503"}),
    ("get", "/metrics"): ({}, {"200"}),
    ("get", "/api/model"): ({}, {"200"}),
    ("get", "/api/reading"): ({}, {"200", "404"}),
    ("get", "/api/live"): ({"after": (0, MOST, 0), "wait": (0, 30, 10)}, {"200"}),
    ("get", "/snapshot.jpg"): ({"number": (0, MOST, 0), "boxes": ([0, 1], 1)}, {"200", "404", "410"}),
    ("get", "/stream.mjpg"): (STREAM, {"200", "404"}),
    ("get", "/api/events"): (
        {"limit": (1, MOST, None), "history": (0, 100, 0), "Last-Event-ID": None}, {"200"},
    ),
    ("post", "/api/read"): ({"explain": ([0, 1], 0), "crops": ([0, 1], 0)}, {"200", "403", "413"}),
}  # fmt: skip


def within(value: Any) -> Iterator[Any]:
    """Yield a value and all that it holds."""
    yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in inner:
        yield from within(part)


def fits(schema: str, value: object) -> None:
    """Raise ValidationError where a value is not as a schema of the document says."""
    root = {"components": DOCUMENT["components"], "$ref": f"#/components/schemas/{schema}"}
    Draft202012Validator(root, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(value)


def test_every_path_has_its_inputs_and_answers() -> None:
    assert OPERATIONS.keys() == CONTRACT.keys()
    assert {path for _, path in CONTRACT} == PATHS
    for key, (parameters, statuses) in CONTRACT.items():
        operation = OPERATIONS[key]
        actual = {}
        for parameter in operation.get("parameters", []):
            schema = parameter["schema"]
            limits = (schema.get("minimum"), schema.get("maximum"), schema.get("default"))
            ranged = (schema["enum"], schema["default"]) if "enum" in schema else limits
            actual[parameter["name"]] = None if schema["type"] == "string" else ranged
            assert parameter.get("required", False) == (parameter["in"] == "path")
        assert actual == parameters, key
        open_to_all = key == ("get", "/healthz")
        assert operation["responses"].keys() == statuses | (REFUSED - {"401"} if open_to_all else REFUSED), key
        assert operation.get("security") == ([] if open_to_all else None)
        assert operation["summary"]
    assert len({operation["operationId"] for operation in OPERATIONS.values()}) == len(OPERATIONS)
    assert {tag for operation in OPERATIONS.values() for tag in operation["tags"]} == {
        tag["name"] for tag in DOCUMENT["tags"]
    }


def test_every_reference_resolves() -> None:
    names = {part["$ref"] for part in within(DOCUMENT) if isinstance(part, dict) and "$ref" in part}
    for name in names:
        root, *steps = name.split("/")
        assert root == "#"
        target = DOCUMENT
        for step in steps:
            target = target[step]
    unused = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]} - names
    assert unused == {"#/components/schemas/Event"}  # that is inside a stream, of which OpenAPI 3.1 cannot tell


def test_schemas_are_schemas_and_their_examples_fit() -> None:
    shown = 0
    for name, schema in DOCUMENT["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        for example in schema.get("examples", []):
            fits(name, example)
            shown += 1
    assert shown >= 8
    with pytest.raises(ValidationError):
        fits("Reading", {"type": "reading"})


def test_the_event_stream_example_holds_an_event() -> None:
    example = OPERATIONS["get", "/api/events"]["responses"]["200"]["content"]["text/event-stream"]["example"]
    lines = dict(line.split(": ", 1) for line in example.split("\n") if line)
    event = json.loads(lines["data"])
    fits("Event", event)
    assert lines["event"] == event["event"]
    assert example.endswith("\n\n")


def test_what_is_answered_fits(reader: DigitReader) -> None:
    trace = reader.trace(load(SAMPLES / "paper.jpg"))
    record, labels = to_record(trace.reading), reader.classifier.labels
    fits("Reading", record)
    fits("Read", record)
    seen = crops(trace, labels)
    assert seen
    drawn = {"annotated": "data:image/jpeg;base64,", "stages": "data:image/png;base64,"}
    fits("Read", {**record, "crops": seen, **drawn})
    with pytest.raises(ValidationError):
        fits("Reading", {**record, "crops": seen})
    live = {"number": 1, "state": "reading", "source": "a", "note": None, "fps": 9.5, "dropped": 0, "age_ms": 1.5}
    states = {"temperature": 48.3, "throttled": list(board.STATES)}
    fits("Live", {**live, "reading": record, "crops": seen, "board": states})
    card = reader.classifier.model.card or {}
    fits("Measured", card["measured"])
    refused = problems.response(problems.Problem(429, "Too many", "try again"))
    fits("Problem", json.loads(bytes(refused.body)))
    assert refused.media_type in DOCUMENT["components"]["responses"]["TooMany"]["content"]


def schemas() -> dict[str, Any]:
    """Return the schemas of edge_runtime/schemas by the names that they have in this document."""
    definitions: dict[str, Any] = {}
    for name in ("reading", "event", "answers"):
        schema = renamed(json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8")))
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


def renamed(value: Any) -> Any:
    """Return a schema in which what stands for another schema is called as in this document."""
    if isinstance(value, dict):
        if isinstance(target := value.get("$ref"), str):
            value = {
                **value,
                "$ref": "#/components/schemas/" + target.rpartition("/")[2].removesuffix(".schema.json").capitalize(),
            }
            return value
        return {key: renamed(inner) for key, inner in value.items()}
    return [renamed(inner) for inner in value] if isinstance(value, list) else value


def test_its_schemas_are_those_of_the_files() -> None:
    assert DOCUMENT["components"]["schemas"] == schemas()


def test_boards_states_are_those_of_the_schema() -> None:
    enum = DOCUMENT["components"]["schemas"]["Board"]["properties"]["throttled"]["items"]["enum"]
    assert tuple(enum) == board.STATES


def test_refusals_are_problems_with_a_retry_time() -> None:
    responses = DOCUMENT["components"]["responses"]
    for response in responses.values():
        assert response["content"] == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    assert [name for name, response in responses.items() if "Retry-After" in response.get("headers", {})] == ["TooMany"]


def test_the_version_is_right_and_json_valid() -> None:
    assert DOCUMENT["info"]["version"] == "1.2.3"
    assert json.loads(json.dumps(DOCUMENT)) == DOCUMENT


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.json")), ids=lambda path: path.name)
def test_files_of_schemas_stand_alone(path: Path) -> None:
    schema = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    assert path.name.removesuffix(".schema.json") in ("reading", "event", "answers", "result", "selftest", "doctor")
    for part in within(schema):
        if isinstance(part, dict) and "$ref" in part:
            file, _, pointer = part["$ref"].partition("#")
            target = json.loads((SCHEMAS / file).read_text(encoding="utf-8")) if file else schema
            for step in pointer.split("/")[1:]:
                target = target[step]


def test_it_is_openapi_3_1() -> None:
    schemathesis = pytest.importorskip("schemathesis")
    schemathesis.openapi.from_dict(DOCUMENT).validate()
    broken = {**DOCUMENT, "paths": {"/": {"get": {"parameters": [{"name": "a"}]}}}}
    with pytest.raises(ValueError, match='"in" is a required property'):
        schemathesis.openapi.from_dict(broken).validate()
