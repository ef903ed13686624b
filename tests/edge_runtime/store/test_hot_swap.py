"""A service's model becomes another one while it reads, and the one before it again where that fails."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_runtime import DigitReader
from edge_runtime.cli.terminal import logged
from edge_runtime.inference import model_file
from edge_runtime.inference.interpreter import Float64
from edge_runtime.inference.model_file import SHIPPED
from edge_runtime.records import Frame, Uint8
from edge_runtime.store import catalog, changes, warm_up
from edge_runtime.store.history import Entry
from edge_runtime.store.hot_swap import HotSwapReader
from edge_runtime.trace import Trace
from tests.edge_runtime.inference.model_variants import variant
from tests.edge_runtime.system.disks import read_only

SHIPS = model_file.read(SHIPPED).id
LONG = 30  # seconds, in which a line has surely come


class Service:
    """A store, a reader of it, and the lines that it has logged."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "models"
        self._drafts, self._undo = folder, ExitStack()
        self.lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._undo.enter_context(logged("edge_runtime.store", self.lines.put))
        self.faults: dict[str, Callable[[DigitReader], DigitReader]] = {}  # of models, by their ids

    def put(self, name: str, **card: Any) -> str:
        """Install a model without a trial, and return its id."""
        path = self._drafts / f"{name}.tflite"
        id = variant(path, name, **card).id
        changes.install(self.folder, path.read_bytes(), Entry(id=id))
        return id

    def start(self, **settings: float) -> HotSwapReader:
        settings = {"poll": 0.01, **settings}
        return self._undo.enter_context(HotSwapReader(self.folder, self._opened, **settings))

    def next_line(self) -> str:
        """Wait for the next line."""
        return self.lines.get(timeout=LONG)

    def entry(self, id: str) -> Entry:
        return catalog.find(self.folder, id).entry

    def close(self) -> None:
        self._undo.close()

    def _opened(self, path: Path, warmed: bool) -> DigitReader:
        reader = DigitReader(path)
        if warmed:
            warm_up.up(reader)
        return self.faults[path.stem](reader) if path.stem in self.faults else reader


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path)
    yield service
    service.close()


@pytest.fixture(scope="module")
def two(samples: Path) -> Uint8:
    """Return a picture of a 2."""
    return np.asarray(cv2.imread(str(samples / "digit.png")), np.uint8)


@pytest.fixture(scope="module")
def calls(two: Uint8) -> int:
    """Return how many calls of the network one reading of that picture takes."""
    made: list[None] = []
    with failing(lambda: made.append(None))(DigitReader()) as reader:
        reader.read(two)
    return len(made)


def failing(fault: Callable[[], object], after: int = 0) -> Callable[[DigitReader], DigitReader]:
    """Return what makes a reader's network do that, instead of answering, after so many calls."""

    def changed(reader: DigitReader) -> DigitReader:
        real, calls = reader.classifier.scores, iter(range(after))

        def scores(images: Uint8) -> Any:
            if next(calls, None) is None:
                fault()
            return real(images)

        reader.classifier.scores = scores  # type: ignore[method-assign]
        return reader

    return changed


def raising() -> None:
    raise RuntimeError("node 3 failed to invoke")


def model_of(reader: HotSwapReader, frame: Uint8) -> str:
    reading = reader.trace(frame).reading
    assert reading.text == ("2",)
    return reading.model


def test_installed_and_rolled_back_models_take_over(service: Service, two: Uint8) -> None:
    reader = service.start()
    assert model_of(reader, two) == SHIPS
    first = service.put("first")
    assert service.next_line() == f"model {first} is in use now, instead of {SHIPS}"
    assert model_of(reader, two) == first
    assert reader.classifier.model.sha256.startswith(first)
    second = service.put("second")
    assert service.next_line() == f"model {second} is in use now, instead of {first}"
    changes.rollback(service.folder)
    assert service.next_line() == f"model {first} is in use now, instead of {second}"
    changes.rollback(service.folder, "shipped")
    assert service.next_line() == f"model {SHIPS} is in use now, instead of {first}"
    assert model_of(reader, two) == SHIPS


def test_reading_continues_while_a_model_loads(service: Service, two: Uint8) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def slow(reader: DigitReader) -> DigitReader:
        begun.set()
        assert may_end.wait(LONG)
        return reader

    service.faults[variant(service.folder.parent / "x", "slow").id] = slow
    reader = service.start()
    id = service.put("slow")
    assert begun.wait(LONG)
    assert {model_of(reader, two) for _ in range(20)} == {SHIPS}
    may_end.set()
    assert service.next_line().startswith(f"model {id} is in use now")
    assert {model_of(reader, two) for _ in range(20)} == {id}


def test_every_frame_is_read_wholly_by_one_model(service: Service, samples: Path) -> None:
    def one_more(reader: DigitReader) -> DigitReader:
        real = reader.classifier.confidences

        def confidences(images: Uint8) -> Float64:
            answer = real(images)
            return np.concatenate([np.roll(answer[:, :10], 1, axis=1), answer[:, 10:]], axis=1)

        reader.classifier.confidences = confidences  # type: ignore[method-assign]
        return reader

    page = np.asarray(cv2.imread(str(samples / "paper.jpg")), np.uint8)
    plain, other = service.put("plain"), service.put("other")
    service.faults[other] = one_more
    with DigitReader() as reading:
        text = reading.read(page).text
    raised = tuple("".join(str((int(c) + 1) % 10) if c.isdigit() else c for c in line) for line in text)
    reader = service.start()
    readings: list[tuple[str, tuple[str, ...]]] = []
    enough = threading.Event()

    def read() -> None:
        while not enough.is_set():
            reading = reader.trace(page).reading
            readings.append((reading.model, reading.text))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for thread in readers:
        thread.start()
    for turn in range(8):
        changes.rollback(service.folder, (plain, other)[turn % 2])
        assert "is in use now" in service.next_line()
    enough.set()
    for thread in readers:
        thread.join()
    assert set(readings) == {(plain, text), (other, raised)}


def test_a_raising_model_yields_to_its_predecessor(service: Service, two: Uint8, calls: int) -> None:
    first = service.put("first")
    reader = service.start()
    service.faults[variant(service.folder.parent / "x", "bad").id] = failing(raising, after=2 * calls)
    bad = service.put("bad")
    assert service.next_line().startswith(f"model {bad} is in use now")
    assert [model_of(reader, two) for _ in range(4)] == [bad, bad, first, first]
    assert service.next_line() == f"model {bad} failed: RuntimeError: node 3 failed to invoke; {first} is in use again"
    reader.close()
    assert catalog.current(service.folder).stem == first
    assert service.entry(bad).failed == "RuntimeError: node 3 failed to invoke"
    assert service.start().classifier.model.sha256.startswith(first)


def test_a_model_that_hangs_is_given_up(service: Service, two: Uint8, calls: int) -> None:
    over = threading.Event()
    service.faults[variant(service.folder.parent / "x", "bad").id] = failing(lambda: over.wait(LONG), after=calls)
    reader = service.start(timeout=0.5, replay=3600)
    bad = service.put("bad")
    assert service.next_line().startswith(f"model {bad} is in use now")
    assert [model_of(reader, two) for _ in range(3)] == [bad, SHIPS, SHIPS]
    assert service.next_line() == f"model {bad} failed: no answer within 0.5 s; {SHIPS} is in use again"
    over.set()
    service.put("again")
    assert "is in use now" in service.next_line()


def test_a_faulty_frame_is_not_the_models_fault(service: Service, two: Uint8) -> None:
    first = service.put("first")
    reader = service.start()
    for _ in range(3):
        with pytest.raises(ValueError, match="a frame must be uint8"):
            reader.trace(np.zeros((4, 4, 7), np.uint8))
    assert model_of(reader, two) == first
    assert service.entry(first).failed is None


def test_a_model_with_wrong_answers_is_given_up(service: Service, two: Uint8) -> None:
    wrong = threading.Event()

    def turned(reader: DigitReader) -> DigitReader:
        real = reader.classifier.scores
        reader.classifier.scores = lambda images: -real(images) if wrong.is_set() else real(images)  # type: ignore[method-assign]
        return reader

    service.faults[variant(service.folder.parent / "x", "bad").id] = turned
    reader = service.start(replay=0.01)
    bad = service.put("bad")
    assert service.next_line().startswith(f"model {bad} is in use now")
    wrong.set()
    assert "gives wrong results on this machine" in service.next_line()
    assert model_of(reader, two) == SHIPS


def test_after_its_minute_a_model_has_proved_itself(service: Service, two: Uint8) -> None:
    first = service.put("first")
    service.faults[first] = failing(raising, after=10_000)
    reader = service.start(minute=0.0)
    assert service.next_line() == f"model {first} has passed its trial"
    entry = service.entry(first)
    assert (entry.proved, entry.starts, entry.failed) == (True, 0, None)
    service.faults[first] = failing(raising)
    reader.close()
    with pytest.raises(RuntimeError):  # who has passed its trial is not given up
        service.start().trace(two)
    assert catalog.current(service.folder).stem == first


@pytest.mark.parametrize("damage", ["wrong answers", "cut short"])
def test_a_model_that_cannot_be_used_never_reads(damage: str, service: Service, two: Uint8) -> None:
    first = service.put("first")
    running = service.start()
    draft = service.folder.parent / "bad.tflite"
    bad = variant(draft, "bad", wrong=damage == "wrong answers").id
    data = draft.read_bytes()[: -1000 if damage == "cut short" else None]
    changes.install(service.folder, data, Entry(id=bad))
    assert service.next_line().startswith(f"model {bad} is not used: ")
    assert model_of(running, two) == first
    assert catalog.current(service.folder).stem == first
    # Nor does it where it is the first that is opened.
    running.close()
    changes.install(service.folder, data, Entry(id=bad))
    assert model_of(service.start(), two) == first
    assert service.next_line().startswith(f"model {bad} is not used: ")
    assert service.entry(bad).failed is not None


def test_two_short_starts_are_enough(service: Service, two: Uint8) -> None:
    first, bad = service.put("first"), service.put("bad")
    changes.update_entry(service.folder, bad, starts=1)
    reader = service.start()
    assert service.entry(bad).starts == 2
    assert model_of(reader, two) == bad
    reader.close()  # in order: it is not the model that ends it
    assert service.entry(bad).starts == 0
    changes.update_entry(service.folder, bad, starts=2)
    assert model_of(service.start(), two) == first
    assert service.next_line() == f"model {bad} is not used: 2 runs with it ended within the first minute"
    assert catalog.current(service.folder).stem == first


def test_an_unwritable_store_still_rolls_back(service: Service, two: Uint8) -> None:
    first, bad = service.put("first"), service.put("bad")
    service.faults[bad] = failing(raising)
    changes.update_entry(service.folder, first, proved=True)
    with read_only(service.folder):
        reader = service.start(replay=3600)
        assert service.next_line().startswith("cannot write the model store ")
        assert model_of(reader, two) == first
        lines = [service.next_line(), service.next_line()]
        assert any(line.startswith(f"model {bad} failed: ") for line in lines), lines
        assert model_of(reader, two) == first
        assert catalog.current(service.folder).stem == bad
        reader.close()


def test_it_reads_like_any_and_closes_twice(service: Service, two: Uint8) -> None:
    reader = service.start()
    with DigitReader() as plain:
        assert reader.min_confidence == plain.min_confidence
        assert reader.trace(Frame(two)).reading.digits == plain.read(two).digits
    assert isinstance(reader.trace(two), Trace)
    reader.close()
    reader.close()
    with pytest.raises(ValueError, match="closed"):
        reader.trace(two)
