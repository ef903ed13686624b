"""The reader of a service: it reads with the store's current model, and follows its changes.

A thread polls the store. It loads and warms up a new model while the old one reads; the new model takes over between
two frames. For its first minute, a model is on trial: each frame must return in time, and the thread replays its golden
vectors. If the model fails, the previous model reads that frame and all that follow, and the store rolls back. The next
start detects failures that are not visible from inside, such as a crash of the whole program: two starts that did not
last a minute are enough.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from edge_runtime.errors import EdgeError, ModelError
from edge_runtime.inference import golden
from edge_runtime.inference.classifier import Classifier
from edge_runtime.inference.model_file import SHIPPED
from edge_runtime.reader import DigitReader
from edge_runtime.records import Frame, Uint8
from edge_runtime.store import catalog
from edge_runtime.store.history import Entry
from edge_runtime.store.ledger import Ledger
from edge_runtime.system.attempt import Endless, attempt
from edge_runtime.system.closing import Closing
from edge_runtime.trace import Hint, Trace

logger = logging.getLogger(__name__)
MINUTE = 60.0  # seconds that a model is on trial
TIMEOUT = 10.0  # seconds for a frame: the hardest takes two on a Raspberry Pi 3
LOADING = 60.0  # seconds to load and warm up a model
POLL = 0.5  # seconds between two polls of the store
REPLAY = 5.0  # seconds between two replays of the golden vectors
CLOSING = 3.0  # seconds for pending writes
MOST_STARTS = 2  # starts of a model that never lasted a minute

Open = Callable[[Path, bool], DigitReader]  # a model file, and whether to check and warm it up first


@dataclass(eq=False)
class _Turn:
    """A model in use; `until` is the end of its trial, None once it has passed it; `before` is its predecessor."""

    reader: DigitReader
    path: Path
    file: tuple[int, int] | None  # identifies the file: its name may later denote another one
    until: float | None = None
    replayed: float = field(default_factory=monotonic)  # time of the last golden-vector replay
    before: "_Turn | None" = None

    @property
    def id(self) -> str:
        return self.reader.classifier.model.id


class HotSwapReader(Closing):
    """Reads like a DigitReader, with the current model of the store in `folder`, until closed.

    `opened` opens a model. Any thread logs changes of models. If a model cannot be opened, the previous one replaces
    it. Raises what `opened` raises if not even the shipped model can be opened.
    """

    def __init__(
        self,
        folder: Path,
        opened: Open,
        *,
        minute: float = MINUTE,
        timeout: float = TIMEOUT,
        poll: float = POLL,
        replay: float = REPLAY,
    ) -> None:
        self._folder, self._opened = folder, opened
        self._minute, self._timeout, self._poll, self._replay = minute, timeout, poll, replay
        self._ledger = Ledger(folder)
        self._lock = threading.Lock()  # guards changes of the current turn
        self._ended = False
        self._wake = threading.Event()
        self._known = catalog.pointer(folder)
        self._turn = self._first()
        self._thread = threading.Thread(target=self._run, name="models", daemon=True)
        self._thread.start()

    @property
    def classifier(self) -> Classifier:
        """The classifier of the current model."""
        return self._turn.reader.classifier

    @property
    def min_confidence(self) -> float:
        """The minimum confidence of a digit, 0 to 1."""
        return self._turn.reader.min_confidence

    def trace(self, frame: Frame | Uint8, hint: Hint | None = None) -> Trace:
        """Read one frame with one model, as DigitReader.trace does. Several threads may call it at once."""
        turn = self._turn
        if turn.until is None:
            return turn.reader.trace(frame, hint)
        outcome = attempt(lambda: turn.reader.trace(frame, hint), self._timeout)
        if isinstance(outcome, Trace):
            return outcome
        before = self._before(turn)
        if before is None:
            raise ModelError(f"{turn.path}: {_reason(outcome)}") from outcome
        trace = before.reader.trace(frame, hint)  # raises the same error if the frame is at fault
        self._fail(turn, before, outcome)
        return trace

    def close(self) -> None:
        """Stop polling the store, and free the model; safe to call again."""
        if self._ended:
            return
        self._ended = True
        self._wake.set()
        self._thread.join(CLOSING)
        self._ledger.settle()
        if self._turn.until is not None:
            self._ledger.update_entry(self._turn.id, starts=0)  # the model did not cause the end
        else:
            self._turn.reader.close()  # only here: a model on trial may hang

    def _first(self) -> _Turn:
        """Return the first model that can be opened, from the current one backward."""
        path = catalog.current(self._folder)
        for candidate in [path, *catalog.before(self._folder)] if path != SHIPPED else [SHIPPED]:
            entry = self._ledger.entry(candidate)
            if entry is not None and not entry.proved and entry.starts >= MOST_STARTS:
                self._refuse(candidate, f"{entry.starts} runs with it ended within the first minute")
                continue
            try:
                return self._begun(candidate, entry, warm=entry is not None and not entry.proved)
            except EdgeError as error:
                if candidate == SHIPPED:
                    raise
                self._refuse(candidate, str(error))
        raise AssertionError("the model that ships is the last")

    def _begun(self, path: Path, entry: Entry | None, *, warm: bool) -> _Turn:
        """Return a model that is ready to read; if `warm`, check and warm it up first. Raises EdgeError."""
        file, on_trial = _file(path), entry is not None and not entry.proved
        if entry is not None and on_trial:
            self._ledger.update_entry(entry.id, starts=entry.starts + 1)  # before a crash is possible
        outcome = attempt(lambda: self._opened(path, True), LOADING) if warm else self._opened(path, False)
        if isinstance(outcome, EdgeError):
            raise outcome
        if isinstance(outcome, Exception):
            raise ModelError(f"{path}: {_reason(outcome)}") from outcome
        return _Turn(outcome, path, file, monotonic() + self._minute if on_trial else None)

    def _run(self) -> None:
        while not self._ended:
            self._wake.wait(self._poll)
            self._wake.clear()
            self._look()

    def _look(self) -> None:
        """Record failures in the store, examine a model on trial, and look for a new current model."""
        self._ledger.settle()
        if self._turn.until is not None:
            self._examine(self._turn)
        pointer = catalog.pointer(self._folder)
        if pointer != self._known and not self._ended:
            self._known = pointer
            self._take(catalog.current(self._folder))

    def _take(self, path: Path) -> None:
        """Switch to a model, unless it is in use already."""
        now = self._turn
        if path == now.path and _file(path) == now.file:
            return
        try:
            turn = self._begun(path, self._ledger.entry(path), warm=True)
        except EdgeError as error:
            self._refuse(path, str(error))
            return
        with self._lock:
            turn.before, self._turn = self._turn, turn
        logger.info(f"model {turn.id} is in use now, instead of {now.id}")

    def _examine(self, turn: _Turn) -> None:
        """Replay the golden vectors of a model on trial periodically; at the end of the trial, mark it as proved."""
        over = turn.until is not None and monotonic() >= turn.until
        if not over and monotonic() - turn.replayed < self._replay:
            return
        turn.replayed = monotonic()
        outcome = attempt(lambda: golden.check(turn.reader.classifier), self._timeout)
        if isinstance(outcome, Exception):
            before = self._before(turn)
            if before is not None:
                self._fail(turn, before, outcome)
        elif over and self._turn is turn:
            turn.until = turn.before = None
            self._ledger.update_entry(turn.id, proved=True, failed=None, starts=0)
            logger.info(f"model {turn.id} has passed its trial")

    def _before(self, turn: _Turn) -> _Turn | None:
        """Return the replacement of a failing model; None if there is none."""
        for path in catalog.before(self._folder) if turn.before is None else []:
            try:
                turn.before = self._begun(path, None, warm=False)
                break
            except EdgeError as error:
                logger.warning(str(error))
        return turn.before

    def _fail(self, turn: _Turn, before: _Turn, why: Exception) -> None:
        """Switch back to the previous model; the polling thread updates the store."""
        with self._lock:
            if self._turn is not turn:
                return  # another thread has switched already
            self._turn = before
        self._ledger.fails(turn.id, _reason(why))
        logger.warning(f"model {turn.id} failed: {_reason(why)}; {before.id} is in use again")
        self._wake.set()

    def _refuse(self, path: Path, reason: str) -> None:
        self._ledger.fails(path.stem, reason)
        self._ledger.settle()
        logger.warning(f"model {path.stem} is not used: {reason}")


def _file(path: Path) -> tuple[int, int] | None:
    try:
        stats = path.stat()
    except OSError:
        return None
    return stats.st_ino, stats.st_mtime_ns


def _reason(error: Exception) -> str:
    """Return the reason of a failure, in a line."""
    if isinstance(error, EdgeError | Endless):
        return str(error)
    return f"{type(error).__name__}: {' '.join(str(error).split()) or 'no reason given'}"
