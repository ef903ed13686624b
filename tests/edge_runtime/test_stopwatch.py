import pytest

from edge_runtime import stopwatch
from edge_runtime.records import Timings


def test_skipped_time_is_in_the_total_only(monkeypatch: pytest.MonkeyPatch) -> None:
    milliseconds = iter([0, 1, 3, 7, 12, 20, 33])
    monkeypatch.setattr(stopwatch, "perf_counter_ns", lambda: next(milliseconds) * 1_000_000)
    watch = stopwatch.Stopwatch()
    watch.stop("ink")
    watch.stop("classify")
    watch.stop("locate")
    watch.skip()
    watch.stop("classify")
    assert watch.timings() == Timings(ink=1.0, locate=4.0, normalize=0.0, classify=10.0, total=33.0)
