"""The reader of a service: it reads with the store's current model, also when that is another one than before.

A thread looks at the store. A model that is new there is loaded and warmed up beside the reading, and takes over
between two frames. For its first minute it is on trial: every frame that it reads has to come back in time, and its
golden vectors are replayed. Where it fails, the model before it reads that very frame and all that follow, and the
store goes back. What cannot be noticed from inside, as a crash of the whole program, is noticed at the next start: two
that did not last a minute are enough.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self

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
from edge_runtime.trace import Hint, Trace

logger = logging.getLogger(__name__)
MINUTE = 60.0  # seconds that a model is on trial
TIMEOUT = 10.0  # seconds for a frame: the hardest takes a Raspberry Pi 3 two
LOADING = 60.0  # seconds for a model to be loaded and warmed up
POLL = 0.5  # seconds between two looks at the store
REPLAY = 5.0  # seconds between two replays of the golden vectors
CLOSING = 3.0  # seconds for what is being noted
MOST_STARTS = 2  # of a model that never lasted a minute

Open = Callable[[Path, bool], DigitReader]  # of a model file; whether it is to be checked and warmed up first


@dataclass(eq=False)
class _Turn:
    """A model that reads; `until` when it is on trial, None where it has proved itself, `before` what read before."""

    reader: DigitReader
    path: Path
    file: tuple[int, int] | None  # which file that was: the same name may hold another one later
    until: float | None = None
    replayed: float = field(default_factory=monotonic)  # when it last answered its golden vectors
    before: "_Turn | None" = None

    @property
    def id(self) -> str:
        return self.reader.classifier.model.sha256[:12]


class Swapping:
    """Reads like a DigitReader, with whichever model is current in the store in `folder`, until it is closed.

    `opened` opens a model; what becomes of models is logged, from any thread. A model that cannot be opened is
    given up for the one before it. Raises what `opened` raises where not even the model that ships can be opened.
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
        self._lock = threading.Lock()  # for who says which turn it is
        self._ended = False
        self._wake = threading.Event()
        self._known = catalog.pointer(folder)
        self._turn = self._first()
        self._thread = threading.Thread(target=self._run, name="models", daemon=True)
        self._thread.start()

    @property
    def classifier(self) -> Classifier:
        """The model that reads now."""
        return self._turn.reader.classifier

    @property
    def min_confidence(self) -> float:
        """The least confidence that a digit needs, 0 to 1."""
        return self._turn.reader.min_confidence

    def trace(self, frame: Frame | Uint8, hint: Hint | None = None) -> Trace:
        """Read one frame with one model, as DigitReader.trace does. Several threads may do so at once."""
        turn = self._turn
        if turn.until is None:
            return turn.reader.trace(frame, hint)
        outcome = attempt(lambda: turn.reader.trace(frame, hint), self._timeout)
        if isinstance(outcome, Trace):
            return outcome
        before = self._before(turn)
        if before is None:
            raise ModelError(f"{turn.path}: {_reason(outcome)}") from outcome
        trace = before.reader.trace(frame, hint)  # raises the same, where it is the frame that is at fault
        self._fail(turn, before, outcome)
        return trace

    def close(self) -> None:
        """Look at the store no more, and free the model; safe to call again."""
        if self._ended:
            return
        self._ended = True
        self._wake.set()
        self._thread.join(CLOSING)
        self._ledger.settle()
        if self._turn.until is not None:
            self._ledger.update_entry(self._turn.id, starts=0)  # it is not the model that ends it
        else:
            self._turn.reader.close()  # one on trial may hang, and then has to be left alone

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _first(self) -> _Turn:
        """Return the first model that can be opened, from the current one back."""
        path = catalog.current(self._folder)
        for candidate in [path, *catalog.before(self._folder)] if path != SHIPPED else [SHIPPED]:
            entry = self._ledger.entry(candidate)
            if entry is not None and not entry.proved and entry.starts >= MOST_STARTS:
                self._refuse(candidate, f"{entry.starts} runs with it ended within its first minute")
                continue
            try:
                return self._begun(candidate, entry, warm=entry is not None and not entry.proved)
            except EdgeError as error:
                if candidate == SHIPPED:
                    raise
                self._refuse(candidate, str(error))
        raise AssertionError("the model that ships is the last")

    def _begun(self, path: Path, entry: Entry | None, *, warm: bool) -> _Turn:
        """Return a model that is ready to read; `warm` where it is to be checked and warmed up. Raises EdgeError."""
        file, on_trial = _file(path), entry is not None and not entry.proved
        if entry is not None and on_trial:
            self._ledger.update_entry(entry.id, starts=entry.starts + 1)  # before it can crash
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
        """Let the store know of failures, and look whether there is another model, or one that has proved itself."""
        self._ledger.settle()
        if self._turn.until is not None:
            self._examine(self._turn)
        pointer = catalog.pointer(self._folder)
        if pointer != self._known and not self._ended:
            self._known = pointer
            self._take(catalog.current(self._folder))

    def _take(self, path: Path) -> None:
        """Let a model take over, unless it reads already."""
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
        logger.info(f"model {turn.id} reads from now on, in place of {now.id}")

    def _examine(self, turn: _Turn) -> None:
        """Replay the golden vectors of a model on trial now and then; at its end, it has proved itself."""
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
            logger.info(f"model {turn.id} has proved itself")

    def _before(self, turn: _Turn) -> _Turn | None:
        """Return what is to read in place of a model that fails; None where there is nothing."""
        for path in catalog.before(self._folder) if turn.before is None else []:
            try:
                turn.before = self._begun(path, None, warm=False)
                break
            except EdgeError as error:
                logger.warning(str(error))
        return turn.before

    def _fail(self, turn: _Turn, before: _Turn, why: Exception) -> None:
        """Let the model before read again; the store follows, in the thread that looks at it."""
        with self._lock:
            if self._turn is not turn:
                return  # another thread has seen it, too
            self._turn = before
        self._ledger.fails(turn.id, _reason(why))
        logger.warning(f"model {turn.id} fails: {_reason(why)}; {before.id} reads again")
        self._wake.set()

    def _refuse(self, path: Path, reason: str) -> None:
        self._ledger.fails(path.stem, reason)
        self._ledger.settle()
        logger.warning(f"model {path.stem} is not taken: {reason}")


def _file(path: Path) -> tuple[int, int] | None:
    try:
        stats = path.stat()
    except OSError:
        return None
    return stats.st_ino, stats.st_mtime_ns


def _reason(error: Exception) -> str:
    """Return why it failed, in a line."""
    if isinstance(error, EdgeError | Endless):
        return str(error)
    return f"{type(error).__name__}: {' '.join(str(error).split()) or 'it does not say why'}"
