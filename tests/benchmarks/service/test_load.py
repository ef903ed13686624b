"""Load by wrk: what its script counts and times, and what becomes of servers that fail."""

import shutil
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from benchmarks.__main__ import main
from benchmarks.service import load as measure
from benchmarks.service.load import Answers, load, parse, together
from edge_runtime.errors import EdgeError
from tests.commands import Call
from tests.edge_runtime.web.hosting import hosting, lifespan

NO_ERRORS = {"connect": 0, "read": 0, "write": 0, "timeout": 0}
TOLD = """Running 2s test @ http://127.0.0.1:8000/api/read
  2 threads and 2 connections
{"seconds": 2.5, "statuses": [["200", 3], ["429", 4], ["200", 2]], "times": [1.5,2.5], "silent": 0.25,"errors": %s}
"""


@pytest.fixture
def wrk() -> None:
    if shutil.which("wrk") is None:
        pytest.skip("wrk is not installed: apt install wrk")


def answering(*statuses: int, seen: list[bytes] | None = None) -> ASGIApp:
    """Return an application that answers with these, in turn, each 429 with Retry-After: 1."""
    asked = 0

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal asked
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        if seen is not None:
            seen.append(body)
        status, asked = statuses[asked % len(statuses)], asked + 1
        headers = [(b"content-length", b"0"), *[(b"retry-after", b"1")] * (status == 429)]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body"})

    return answer


def test_what_wrk_prints_is_taken_apart() -> None:
    answers = parse(TOLD % '{"connect": 1, "read": 0, "write": 0, "timeout": 2}')
    assert answers.statuses == {200: 5, 429: 4}
    assert (answers.rate(), answers.rate(429), answers.rate(500)) == (2.0, 1.6, 0)
    assert (answers.quantile(0.5), answers.silent) == (2.0, 0.25)
    assert answers.failures == 3


@pytest.mark.parametrize(("output", "why"), [("", "no message"), ("unable\nto connect", "unable to connect")])
def test_what_wrk_cannot_do_is_told(output: str, why: str) -> None:
    with pytest.raises(EdgeError, match=f"^wrk failed: {why}$"):
        parse(output)


def test_other_answers_and_silence_are_failures() -> None:
    well = Answers(1.0, {200: 9, 429: 5}, [1.0], NO_ERRORS, 1.0)
    assert well.failures == 0
    assert well._replace(statuses={200: 9, 500: 2, 408: 1}).failures == 3
    assert well._replace(silent=measure.TIMEOUT + 1.0).failures == 1
    assert Answers(1.0, {}, [], NO_ERRORS, 0.0).quantile(0.5) != well.quantile(0.5)  # there is none: NaN


def test_runs_are_put_together() -> None:
    runs = [Answers(1.0, {200: 9}, [1.0], NO_ERRORS, 3.0), Answers(2.0, {200: 1, 429: 5}, [2.0], NO_ERRORS, 1.0)]
    assert together(runs) == Answers(3.0, {200: 10, 429: 5}, [1.0, 2.0], NO_ERRORS, 3.0)


@pytest.mark.usefixtures("wrk")
def test_statuses_are_counted_and_pictures_take_turns() -> None:
    seen: list[bytes] = []
    sent, ticks = [b"a digit", bytes(200_000)], []
    with hosting(answering(200, 200, 500, 429, seen=seen)) as host:
        answers = load(f"http://127.0.0.1:{host.port}/", sent, 3, 2, tick=lambda: ticks.append(1))
    assert set(answers.statuses) == {200, 429, 500}
    assert answers.statuses[200] == len(answers.times)
    total = sum(answers.statuses.values())
    assert answers.statuses[200] == pytest.approx(total / 2, abs=3)  # up to one a connection was under way at the end
    assert answers.errors == NO_ERRORS
    assert answers.failures == answers.statuses[500]
    assert 1.9 < answers.seconds < 5
    assert all(0 < time < 2000 for time in answers.times)
    assert set(seen) == set(sent)
    assert seen.count(sent[0]) == pytest.approx(seen.count(sent[1]), abs=3)
    assert len(ticks) >= 1


@pytest.mark.usefixtures("wrk")
def test_retrying_clients_wait_as_long_as_told() -> None:
    with hosting(answering(429)) as host:
        patient, others = (
            load(f"http://127.0.0.1:{host.port}/", [b"?"], 2, 2, patient=patient) for patient in (True, False)
        )
    assert 2 <= patient.statuses[429] <= 6
    assert others.statuses[429] > 20
    assert patient.times == []


@pytest.mark.usefixtures("wrk")
def test_an_unanswered_connection_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        while (await receive())["type"] != "http.disconnect":
            pass

    monkeypatch.setattr(measure, "TIMEOUT", 1)
    with hosting(silent) as host:
        answers = load(f"http://127.0.0.1:{host.port}/", [b"?"], 2, 2)
    assert answers.statuses == {}
    assert answers.silent > 1.5
    assert answers.failures > 0


@pytest.mark.usefixtures("wrk")
def test_where_nobody_listens_wrk_fails() -> None:
    with hosting(answering(200)) as host:
        pass
    with pytest.raises(EdgeError, match="wrk failed: unable to connect"):
        load(f"http://127.0.0.1:{host.port}/", [b"?"], 1, 1)


def test_without_wrk_the_error_says_the_remedy(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = call(main, "serve", "--out", tmp_path)
    assert (done.code, done.out) == (2, "")
    assert done.err == "error: wrk, which makes the load, is not installed: apt install wrk\n"
