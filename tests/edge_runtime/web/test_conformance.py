"""Every answer is as the API's own description says, whatever is asked: requests made up by schemathesis."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from edge_runtime import DigitReader
from edge_runtime.records import Frame
from edge_runtime.sources.pictures import load
from edge_runtime.web.openapi import document
from tests.edge_runtime.web.site import event, site

schemathesis = pytest.importorskip("schemathesis")
from schemathesis.checks import not_a_server_error  # noqa: E402
from schemathesis.specs.openapi.checks import positive_data_acceptance  # noqa: E402

# What an endless answer, or one that waits, is to be asked for where the request would be a good one.
SHORT = {"/stream.mjpg": {"frames": 1}, "/api/events": {"limit": 1, "history": 100}, "/api/live": {"wait": 0}}


API = schemathesis.openapi.from_dict(document("1.2.3"))
OPERATIONS = {operation.label: operation for operation in (result.ok() for result in API.get_all_operations())}


@pytest.fixture(scope="module")
def address(reader: DigitReader, samples: Path) -> Iterator[str]:
    with site(reader) as served:
        frame = Frame(load(samples / "paper.jpg").pixels, "camera", 0, moving=True)
        served.live.frame(frame, reader.trace(frame))
        served.live.event(event("12"))
        yield f"http://127.0.0.1:{served.port}"
        assert served.messages == []


def ask(address: str, label: str, mode: Any, *left_out: Any) -> int:
    """Ask for an address in many ways, and return in how many; what endless answers are asked for is made short.

    Fails where an answer is not as described.
    """
    answers = []

    @given(OPERATIONS[label].as_strategy(generation_mode=mode))
    @settings(max_examples=20, suppress_health_check=list(HealthCheck), deadline=None)
    def one(case: Any) -> None:
        for name, value in SHORT.get(case.operation.path, {}).items():
            if str(case.query.get(name, value)).isdecimal():
                case.query[name] = value
        answers.append(case.call_and_validate(base_url=address, timeout=30, excluded_checks=[*left_out]))

    one()
    return len(answers)


@pytest.mark.parametrize("label", OPERATIONS)
def test_good_requests_are_answered_as_described(address: str, label: str) -> None:
    # Most bytes are no picture.
    left_out = [positive_data_acceptance] if label == "POST /api/read" else []
    # The one frame may be too old by now.
    left_out += [not_a_server_error, positive_data_acceptance] if label == "GET /readyz" else []
    assert ask(address, label, schemathesis.GenerationMode.POSITIVE, *left_out) > 0


@pytest.mark.parametrize("label", [label for label, operation in OPERATIONS.items() if operation.query])
def test_bad_requests_are_refused_as_described(address: str, label: str) -> None:
    assert ask(address, label, schemathesis.GenerationMode.NEGATIVE) > 0


@pytest.mark.parametrize("kind", ["image/png", "application/octet-stream"])
def test_a_good_request_is_taken(address: str, kind: str) -> None:
    picture = cv2.imencode(".png", np.full((28, 28), 200, np.uint8))[1].tobytes()
    case = OPERATIONS["POST /api/read"].Case(body=picture, media_type=kind, query={"crops": 1})
    assert case.call_and_validate(base_url=address).status_code == 200
