"""Load on `edge-digits serve`: the whole in short, and servers that are not as they should be."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import main
from benchmarks.charts import serve as serve_chart
from benchmarks.common import limits
from benchmarks.common.process_stats import MB
from benchmarks.service import serve, serve_table, viewers
from benchmarks.service.load import Answers
from benchmarks.service.processes import serving
from benchmarks.service.serve import Cell, Long, Measured, Second
from benchmarks.service.viewers import Stay
from edge_runtime.bench import result
from edge_runtime.errors import EdgeError
from tests.commands import Call
from tests.edge_runtime.web.hosting import hello, hosting

LIMITS = "[serve]\nfailures = 0\nmessages = 0\nmemory_growth_mb = 2\nage_ratio_low = 1.1\nmissed_percent = 5\n"
LOOSE = "[serve]\nfailures = 0\nmessages = 0\nmemory_growth_mb = 500\nage_ratio_low = 100\nmissed_percent = 99\n"
# A server that is as it should be but for what `answer` does, with the number of the request.
BROKEN = """
import logging, sys
from edge_runtime.web import server
from tests.edge_runtime.web.hosting import hello, lifespan

kept, asked = [], 0

def answer(): {answer}

async def app(scope, receive, send):
    global asked
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    while (await receive()).get("more_body"):
        pass
    asked += 1
    answer()
    await hello(scope, receive, send)

listener = server.listen("127.0.0.1", 0)
logging.basicConfig(format="%(message)s", level=logging.INFO)
logging.info(f"http://127.0.0.1:{{listener.getsockname()[1]}}/")
server.Server(app).run(listener)
"""


@pytest.fixture
def wrk() -> None:
    if shutil.which("wrk") is None:
        pytest.skip("wrk is not installed: apt install wrk")


def broken(answer: str) -> tuple[str, ...]:
    return sys.executable, "-c", BROKEN.format(answer=answer)


def limited(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "thresholds.toml").write_text(text)
    monkeypatch.setattr(limits, "THRESHOLDS", folder / "thresholds.toml")


def stays(*of: Sequence[float], got: float = 99.0) -> list[Stay]:
    """Return four rounds of stays, in which each of the numbers of viewers has these ages."""
    return [
        Stay(number, 0.0, 1.0, [age + turn / 10 for age in ages] * 50, list(ages) * 50, 0, got if number else None)
        for turn in range(4)
        for number, ages in zip(viewers.VIEWERS, of, strict=True)
    ]


def answers(**other: Any) -> Answers:
    usual = Answers(2.0, {200: 4, 429: 2}, [1.0, 2.0, 3.0, 4.0], {"connect": 0, "read": 0}, 0.1)
    return usual._replace(**other)


def test_memory_grows_after_the_first_seconds() -> None:
    first = [Second((50 + second) * MB, 4, 70) for second in range(10)]  # these may grow
    flat, up = [Second(60 * MB, 4, 70)] * 50, [Second((60 + second) * MB, 4, 70) for second in range(50)]
    assert Long(64, answers(), [*first, *flat]).growth == 0
    assert Long(64, answers(), [*first, *up]).growth == 45 * MB
    assert Long(64, answers(), [Second(MB, 1, 1), Second(3 * MB, 1, 1)]).growth == 0  # too short to tell


def test_records_differ_by_time_and_content() -> None:
    def record(frame: int, second: int, **other: Any) -> dict[str, Any]:
        when = f"1970-01-01T00:00:{second:02}.030Z"
        usual = {"type": "reading", "frame": frame, "captured_at": when, "age_ms": 4.0, "dropped": 1}
        return {**usual, "ms": {"total": 3.0}, **other}

    asked = [Stay(0, 1.0, 2.0, [], [], 0, None), Stay(4, 3.0, 5.0, [], [], 0, 2.0)]
    records = [record(0, 1), record(1, 2), {"type": "event"}, record(2, 3), record(3, 4, age_ms=5.0), record(9, 4)]
    assigned = viewers.assigned(asked, records, [1.01, 2.0, 3.02, 4.0])
    assert [stay.claimed for stay in assigned] == [[4.0], [4.0, 5.0]]
    assert [stay.true for stay in assigned] == [[23.0], [13.0, 33.0]]
    assert [stay.dropped for stay in assigned] == [1, 2]
    with pytest.raises(EdgeError, match="not one frame was read with 0 viewers"):
        viewers.assigned(asked, records[1:], [1.0] * 9)


def test_noise_is_told_from_a_difference() -> None:
    alike = stays([3.0, 5.0], [5.0, 3.0], [3.0, 5.0])
    assert viewers.ratio(alike, 16, "true", 0.5) == (1, 1, 1)
    claimed = viewers.ratio(alike, 16, "claimed", 0.5)
    assert claimed.low <= 1 <= claimed.high
    slower = viewers.ratio(stays([3.0, 5.0], [3.0, 5.0], [9.0, 15.0]), 16, "true", 0.99)
    assert slower.low > 1
    assert slower.value == pytest.approx(3)


@pytest.mark.parametrize(
    ("results", "missed"),
    [
        (Measured([], stays([3.0, 5.0], [3.0, 5.0], [9.0, 15.0]), None, []), "age_ratio_low"),
        (Measured([], stays([3.0], [3.0], [3.0], got=40.0), None, []), "missed_percent"),
        (Measured([], [], None, ["error: POST /api/read: KeyError"]), "messages"),
        (Measured([Cell("page", 1, False, answers(), answers(statuses={200: 1, 408: 1}))], [], None, []), "failures"),
        (Measured([], [], Long(64, answers(errors={"read": 1}), [Second(MB, 1, 1)] * 3), []), "failures"),
    ],
)
def test_a_missed_limit_is_exit_code_5(
    results: Measured, missed: str, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(LIMITS, tmp_path, monkeypatch)
    monkeypatch.setattr(serve, "measure", lambda *_: results)
    monkeypatch.setattr(serve, "tools", dict)
    done = call(main, "serve", "--out", tmp_path)
    assert (done.code, done.err) == (
        5, f"error: beyond its limit: {missed}; {tmp_path}/serve.json holds the figures\n",
    )  # fmt: skip
    assert result.read(tmp_path / "serve.json")["details"]["figures"][missed] > 0


def test_measures_of_every_part() -> None:
    cells = [
        Cell("page", 8, False, answers(), answers(times=[0.5])),
        Cell("page", 8, True, answers(statuses={}, times=[]), None),
    ]
    seconds = [Second(60 * MB, 4, 70), Second(62 * MB, 4, 70)]
    results = Measured(cells, stays([3.0], [4.0], [6.0]), Long(64, answers(), seconds), ["oh"])
    measures = {each.name: each for each in serve_table.measures(results, serve_table.figures(results))}
    assert len(measures) == 7 + 3 * 5 + 2 + 5 + 2
    assert {name: each.value for name, each in measures.items() if name.startswith("page x 8")} == {
        "page x 8/answers a second": 2, "page x 8/answered in p50": 2_500_000,
        "page x 8/answered in p99": pytest.approx(3_970_000), "page x 8, empty/answers a second": 2,
        "page x 8, empty/answered in p50": 500_000, "page x 8, empty/answered in p99": 500_000,
        "page x 8, patient/answers a second": 0,
    }  # fmt: skip
    assert measures["16 viewers/since sent p50"].value == 6_000_000
    assert [measures[f"page x 8/answered in p{at}"].better for at in (50, 99)] == ["lower", None]
    assert (measures["0 viewers/dropped"].count, measures["0 viewers/dropped"].of) == (0, 200)
    assert "0 viewers/sent on" not in measures
    assert measures["4 viewers/sent on"].value == pytest.approx(100 * 99 / 50)
    assert (measures["long/memory"].value, measures["long/memory"].unit) == (62 * MB, "B")
    assert (measures["all/messages"].value, measures["all/failures"].value) == (1, 0)


def test_every_part_is_drawn() -> None:
    seconds = [Second(60 * MB, 4, 70)] * 3
    cells = [Cell(name, number, False, answers(), answers()) for name in ("digit", "page") for number in (1, 8)]
    results = Measured(cells, stays([3.0], [3.0], [4.0]), Long(64, answers(), seconds), [])
    titles = [axes.get_title() for axes in serve_chart.draw(results).axes]
    assert titles == [
        "POST /api/read of a digit", "POST /api/read of a page", "Age of a live frame when it has been read",
        "Memory (resident) under 64 connections",
    ]  # fmt: skip


@pytest.mark.usefixtures("wrk")
def test_the_real_thing_in_short(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limited(LOOSE, tmp_path, monkeypatch)
    monkeypatch.setattr(serve, "CONNECTIONS", (24,))
    monkeypatch.setattr(serve, "STAY", 2.0)
    done = call(main, "serve", "--seconds", 1, "--rounds", 1, "--minutes", 0.05, "--out", tmp_path)
    assert done.code == 0, done.err
    assert "every limit is met" in done.out
    assert done.err == "measuring: POST /api/read\nmeasuring: viewers\nmeasuring: 24 connections\n"
    written = result.read(tmp_path / "serve.json")
    details = written["details"]
    assert written["benchmark"] == "serve"
    assert written["settings"] == {"parts": ["read", "viewers", "long"], "seconds": 1, "rounds": 1, "minutes": 0.05}
    assert [(cell["picture"], cell["patient"]) for cell in details["read"]] == [
        ("28x28 PNG", False), ("28x28 PNG", True), ("640x480 JPEG", False), ("640x480 JPEG", True),
    ]  # fmt: skip
    for cell in details["read"]:
        assert set(cell["answers"]["statuses"]) <= {"200", "429"}
        if cell["patient"]:
            assert cell["empty"] is None
        else:
            assert set(cell["empty"]["statuses"]) == {"200"}
            if "200" in cell["answers"]["statuses"]:
                assert 0 < cell["empty"]["times"]["p50_ms"] < cell["answers"]["times"]["p50_ms"]
    # How many in a second is the machine's business: a busy one may refuse all of a cell.
    assert sum(cell["answers"]["statuses"].get("200", 0) for cell in details["read"]) > 0
    assert [stay["viewers"] for stay in details["viewers"]] == [0, 4, 16]
    assert all(0 <= age < 5000 for stay in details["viewers"] for age in stay["claimed"] + stay["true"])
    assert details["viewers"][0]["got"] is None
    assert details["viewers"][2]["got"] > 1
    assert details["wrk"].startswith("wrk ")
    assert details["versions"].keys() == {"uvicorn", "starlette", "h11"}
    assert (tmp_path / "serve.png").stat().st_size > 10_000


@pytest.mark.usefixtures("wrk")
@pytest.mark.parametrize(
    ("answer", "missed"),
    [
        ("1 / (asked % 7)", "failures, messages"),
        ("asked % 7 or sys.exit(3)", "failures, messages"),
        ("kept.append(b'x' * 100_000)", "memory_growth_mb"),
    ],
    ids=["answers 500", "leaves", "leaks"],
)
def test_a_broken_server_is_exit_code_5(
    answer: str, missed: str, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited("[serve]\nfailures = 0\nmessages = 0\nmemory_growth_mb = 20\n", tmp_path, monkeypatch)
    monkeypatch.setattr(serve, "SERVE", broken(answer))
    done = call(main, "serve", "--part", "long", "--minutes", 0.06, "--out", tmp_path)
    assert done.code == 5, (done.out, done.err)
    assert f"error: beyond its limit: {missed}; " in done.err


@pytest.mark.parametrize(
    ("program", "why"), [("", "no message"), ("raise SystemExit('no such option')", "no such option")]
)
def test_a_server_that_does_not_start_says_why(program: str, why: str) -> None:
    with pytest.raises(EdgeError, match=f"did not start: {why}$"), serving((sys.executable, "-c", program)):
        pass


def test_a_server_that_ends_badly_is_an_error() -> None:
    def served() -> None:
        program = "print('http://127.0.0.1:1/', file=__import__('sys').stderr)"
        with serving((sys.executable, "-c", f"{program}; exit(3)")) as one:
            while Path(f"/proc/{one.process}/cmdline").read_bytes():  # until it has ended by itself
                pass

    with pytest.raises(EdgeError, match="ended with exit code 3"):
        served()


def test_a_refused_viewer_is_an_error() -> None:
    with hosting(hello) as host, pytest.raises(EdgeError, match="the server disconnected a viewer that was reading"):
        viewers.stay(f"http://127.0.0.1:{host.port}/", 2, 30.0)
