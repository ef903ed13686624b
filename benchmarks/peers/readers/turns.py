"""Pictures through several readers, each in its own process, in turns: other load on the machine slows all alike."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Any, NamedTuple, NoReturn, Self

import cv2

from benchmarks.common.turns import ONE_THREAD, ROOT, ProcessFailed
from edge_runtime.records import Uint8


class Answer(NamedTuple):
    """What was read of a picture, and the nanoseconds it took: by the clock, and of processor time."""

    lines: list[str]
    ns: int
    processor_ns: int


class ReaderProcess:
    """A reader in its own process. Raises ProcessFailed if it ends early."""

    def __init__(self, name: str, kind: str, messages: IO[str]) -> None:
        self.name, self._messages = name, messages
        command = [sys.executable, "-m", "benchmarks.peers.readers.process", name, kind]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | ONE_THREAD, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=messages,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._process.kill()
        with suppress(BrokenPipeError):  # a request that it did not take
            self._process.__exit__(None, None, None)

    def ready(self) -> None:
        """Return once it can read."""
        self._answer()

    def read(self, path: Path) -> Answer:
        """Return what it reads of a picture file, and how long that takes."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{path}\n")
            self._process.stdin.flush()
        except OSError:
            self._fail()
        said = self._answer()
        return Answer(said["lines"], said["ns"], said["processor_ns"])

    def end(self) -> int | None:
        """End it, and return its peak memory in bytes; None if the system does not say."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        memory: int | None = self._answer()["memory"]
        return memory

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._fail()
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _fail(self) -> NoReturn:
        code = self._process.wait()
        self._messages.seek(0)
        said = self._messages.read().strip().splitlines() or ["no message"]
        raise ProcessFailed(f"{self.name} ended with exit code {code}: {said[-1]}")


def take(
    names: Sequence[str], kind: str, pictures: Iterable[Uint8]
) -> tuple[dict[str, list[Answer]], dict[str, int | None]]:
    """Return each reader's answers, one a picture, and its peak memory in bytes.

    Pictures are uint8 (H, W) or (H, W, 3) blue-green-red. Every reader reads the first one twice, and its second answer
    counts: the first includes what is loaded late. Raises ProcessFailed if a reader fails.
    """
    answers: dict[str, list[Answer]] = {name: [] for name in names}
    with ExitStack() as stack:
        path = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "picture.pnm"
        messages = {name: stack.enter_context(tempfile.TemporaryFile("w+", errors="replace")) for name in names}
        readers = [stack.enter_context(ReaderProcess(name, kind, messages[name])) for name in names]
        for reader in readers:
            reader.ready()
        for number, pixels in enumerate(pictures):
            path.write_bytes(cv2.imencode(".pnm", pixels)[1].tobytes())
            for reader in readers:
                if number == 0:
                    reader.read(path)
                answers[reader.name].append(reader.read(path))
        return answers, {reader.name: reader.end() for reader in readers}
