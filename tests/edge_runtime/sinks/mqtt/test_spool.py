import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import edge_runtime
from edge_runtime.errors import OutputError
from edge_runtime.sinks.mqtt import spool
from edge_runtime.sinks.mqtt.spool import Spool
from tests.edge_runtime.system.disks import file_size_limited
from tests.log import Log

ROOT = Path(edge_runtime.__file__).parents[1]


Open = Callable[..., Spool]


@pytest.fixture
def queue(tmp_path: Path, messages: Log) -> Iterator[Open]:
    """Return what opens the queue; all are closed at last."""
    opened: list[Spool] = []

    def open_queue(limit: int = 100) -> Spool:
        opened.append(Spool(tmp_path / "state" / "queue", limit))
        return opened[-1]

    yield open_queue
    for each in opened:
        each.close()


def held(queue: Spool) -> list[str]:
    return [message.payload.decode() for message in queue.first(10**6)]


def test_messages_leave_it_in_order_and_outlive_it(queue: Open, messages: Log) -> None:
    before = queue()
    for word in ("eins", "zwei and more", '{"text": "drü"}', "", "five"):
        before.put("a/b", word)
    first, second = before.first(2)
    assert (first.number, first.topic, first.payload) == (1, b"a/b", b"eins")
    before.done(second.number)
    before.done(second.number)  # again: nothing is left to be done
    before.done(99)
    assert len(before) == 4
    assert held(before) == ["eins", '{"text": "drü"}', "", "five"]
    before.close()
    before.close()
    before.put("a/b", "too late")
    before.done(first.number)
    after = queue()
    assert held(after) == ["eins", '{"text": "drü"}', "", "five"]
    after.put("c", "six")
    assert [(message.number, message.topic) for message in after.first(9)][-2:] == [(5, b"a/b"), (6, b"c")]
    assert messages == []


def test_the_oldest_are_dropped_and_counted_when_full(queue: Open, messages: Log, tmp_path: Path) -> None:
    path = tmp_path / "state" / "queue"
    full = [f"{path}: full, with 3 messages: the oldest are dropped", f"{path}: 2 messages were dropped"]
    small = queue(3)
    for number in range(5):
        small.put("a", str(number))
    assert (held(small), small.dropped, messages) == (["2", "3", "4"], 2, full[:1])
    for number in range(1, 6):
        small.done(number)
    assert messages == full
    for number in range(5):
        small.put("a", str(number))
    small.close()
    assert (small.dropped, messages) == (4, full * 2)
    # A smaller one, the next time, drops some as well.
    smaller = queue(1)
    assert (held(smaller), smaller.dropped) == (["4"], 2)
    smaller.close()
    assert held(queue(3)) == ["4"]


def test_its_file_stays_small(queue: Open, tmp_path: Path) -> None:
    small = queue(3)
    for number in range(500):
        small.put("a", "x" * 1000 + str(number))
        if number % 2:
            small.done(small.first(1)[0].number)
    kept = held(small)
    small.close()
    path = tmp_path / "state" / "queue"
    assert path.stat().st_size < 50_000
    assert sorted(file.name for file in path.parent.iterdir()) == ["queue", "queue.lock"]
    assert held(queue(3)) == kept


def test_two_processes_cannot_share_it(queue: Open, tmp_path: Path) -> None:
    path = tmp_path / "state" / "queue"
    first = queue()
    first.put("a", "mine")
    program = (
        "import sys; from pathlib import Path; from edge_runtime.sinks.mqtt.spool import Spool; "
        "Spool(Path(sys.argv[1]), 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    message = f"another process uses the queue {path}: each process needs its own"
    assert done.stderr.splitlines()[-1] == f"edge_runtime.errors.OutputError: {message}"
    with pytest.raises(OutputError, match="another process"):
        queue()
    first.close()
    assert held(queue()) == ["mine"]


WRITES_AND_DIES = """
import os, sys
from pathlib import Path
from edge_runtime.sinks.mqtt.spool import Spool
queue = Spool(Path(sys.argv[1]), 100)
for number in range(50):
    queue.put("a", str(number))
for number in range(1, 11):
    queue.done(number)
os.kill(os.getpid(), 9)
"""


def test_a_process_that_is_killed_leaves_everything(queue: Open, tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITES_AND_DIES, str(tmp_path / "state" / "queue")]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -9
    assert held(queue()) == [str(number) for number in range(10, 50)]


@given(st.lists(st.one_of(st.text(st.characters(codec="utf-8")), st.integers(1, 12)), max_size=12), st.floats(0, 1))
def test_a_truncated_log_leaves_an_earlier_state(
    tmp_path_factory: pytest.TempPathFactory, actions: list[str | int], part: float
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    queue = Spool(folder / "queue", 5)
    states = [held(queue)]
    for action in actions:
        if isinstance(action, int):
            queue.done(action)
        else:
            queue.put("a/b", action)
        states.append(held(queue))
    log = (folder / "queue-wal").read_bytes()
    (folder / "after").write_bytes((folder / "queue").read_bytes())
    (folder / "after-wal").write_bytes(log[: round(part * len(log))])
    queue.close()
    after = Spool(folder / "after", 5)
    assert held(after) in states if part < 1 else held(after) == states[-1]
    after.close()


def test_a_foreign_file_is_refused_and_left_alone(queue: Open, tmp_path: Path) -> None:
    path = tmp_path / "state" / "queue"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n and more")
    with pytest.raises(OutputError, match=r"cannot keep a queue in .*queue: there is something else in this file"):
        queue()
    assert path.read_bytes() == b"\x89PNG\r\n and more"


def test_another_programs_database_is_refused_and_kept(queue: Open, tmp_path: Path) -> None:
    path = tmp_path / "state" / "queue"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE messages (id INTEGER PRIMARY KEY, sender TEXT, body TEXT)")
        other.execute("INSERT INTO messages VALUES (1, 'me', 'keep it')")
    with pytest.raises(OutputError, match="there is something else in this file"):
        queue()
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT * FROM messages").fetchall() == [(1, "me", "keep it")]


def test_messages_survive_damage_to_the_open_file(queue: Open, tmp_path: Path) -> None:
    path = tmp_path / "state" / "queue"
    mine = queue(2000)
    for number in range(1000):
        mine.put("a", "x" * 1000 + str(number))
    os.truncate(path, 8192)
    os.truncate(f"{path}-wal", 0)
    mine.put("a", "last")
    assert len(mine) == len(mine.first(2000)) == 1001
    assert held(mine)[-1] == "last"


def test_a_queue_is_read_from_a_full_disk(queue: Open) -> None:
    first = queue()
    first.put("a", "kept")
    first.close()
    with file_size_limited(0):
        again = queue()
        assert held(again) == ["kept"]


@pytest.mark.parametrize("place", ["middle", "start"])
def test_a_damaged_file_is_set_aside(place: str, queue: Open, messages: Log, tmp_path: Path) -> None:
    path = tmp_path / "state" / "queue"
    before = queue()
    for number in range(40):
        before.put("a", f"{number} " + "x" * 1000)  # three on each page of 4,096 bytes
    before.close()
    data = bytearray(path.read_bytes())
    if place == "middle":
        at = data.index(b"20 xxx") // 4096 * 4096
        data[at : at + 4096] = bytes([7]) * 4096
    else:
        data[:30] = bytes(30)
    path.write_bytes(data)
    after = queue()
    numbers = [int(text.split()[0]) for text in held(after)]
    assert numbers == list(range(len(numbers)))
    assert 10 < len(numbers) <= 20 if place == "middle" else numbers == []
    assert messages == [f"{path}: damaged; it is now queue.damaged, and {len(numbers)} messages of it are kept"]
    assert path.with_name("queue.damaged").read_bytes() == data
    after.close()
    path.write_bytes(data)
    after = queue()
    assert "it is now queue.damaged-2, and " in messages[-1]
    after.put("a", "new")
    after.close()
    assert held(queue())[-1] == "new"


def test_a_full_disk_moves_it_to_memory(
    queue: Open, messages: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state" / "queue"
    monkeypatch.setattr(spool, "RETRY", 0.0)
    words = ["x" * 4000 + str(number) for number in range(20)]
    before = queue()
    with file_size_limited(60_000):
        for word in words:
            before.put("a", word)
        assert held(before) == words
        # A queue that is written anew takes less room than its log, so that it comes and goes before it is too large.
        failed = f"{path}: cannot be written (disk I/O error); what is queued is kept in memory"
        assert (messages[0], messages[-1]) == (failed, failed)
        before.done(1)
    before.put("a", "last")
    assert messages[-1] == f"{path}: can be written again"
    before.close()
    assert held(queue()) == [*words[1:], "last"]


def test_without_disk_and_memory_it_is_an_error(queue: Open, messages: Log, tmp_path: Path) -> None:
    path = tmp_path / "state" / "queue"
    before = queue()
    with file_size_limited(60_000):
        for _ in range(20):
            before.put("a", "x" * 4000)
        with pytest.raises(OutputError, match=f"^20 messages are lost: {path} cannot be written$"):
            before.close()
    assert len(messages) == 1
    assert 0 < len(queue()) < 20  # what was written before is there still


def test_a_disk_full_from_the_start_uses_memory(queue: Open, messages: Log) -> None:
    with file_size_limited(0):
        mine = queue()
        mine.put("a", "b")
        assert held(mine) == ["b"]
        assert len(messages) == 1
        mine.done(1)
        mine.close()  # nothing is lost


def test_an_impossible_queue_is_reported_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    for path, reason in (("file/queue", "(Not a directory|File exists)"), ("folder", "Is a directory")):
        with pytest.raises(OutputError, match=f"^cannot keep a queue in {tmp_path / path}: {reason}$"):
            Spool(tmp_path / path, 9)
    assert os.listdir(tmp_path / "folder") == []
