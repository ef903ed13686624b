"""Commands that come over MQTT: which words are commands, and the thread that executes them, one at a time."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edge_runtime.errors import EdgeError

logger = logging.getLogger(__name__)
INSTALL, SELFTEST, RESTART = "install", "selftest", "restart"
# Seconds between two looks at the installed and the offered model: Home Assistant shows a change as soon as a person
# expects it, and a look is a few calls of stat().
LOOK = 1.0

Record = dict[str, Any]
Publish = Callable[[str, Record], None]  # the last part of a topic, and what to retain there as JSON


@dataclass(frozen=True, kw_only=True)
class Actions:
    """What commands do, each in the thread of `Commands`.

    `install` installs the offered model, `selftest` returns the record of a selftest, `restart` has the program end
    soon; each raises EdgeError where it fails. `update` returns the state for an update entity: `installed_version`,
    `latest_version`, and what describes the latter. `install` and `update` are None where no model may be installed.
    """

    selftest: Callable[[], Record]
    restart: Callable[[], None]
    install: Callable[[], None] | None = None
    update: Callable[[], Record] | None = None


class Commands:
    """Executes commands, one at a time, in a thread of its own, and publishes the state for an update entity.

    A command is a message of exactly one of the words above. It is ignored where it was published as retained, since
    it would come again with each connection, and dropped while another command runs. Each of these is logged, at most
    once until the next command is executed: whoever floods the topic does not flood the log.
    """

    def __init__(self, actions: Actions, publish: Publish, look: float = LOOK) -> None:
        self._actions, self._publish, self._look = actions, publish, look
        self._by_word: dict[bytes, Callable[[], None]] = {
            INSTALL.encode(): self._install,
            SELFTEST.encode(): self._selftest,
            RESTART.encode(): actions.restart,
        }
        self._reported = set[str]()
        self._word = b""  # the command to execute; empty without one
        self._busy = threading.Lock()  # held from the arrival of a command until it is executed
        self._wake = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="commands", daemon=True)
        self._thread.start()

    def take(self, payload: bytes, retained: bool) -> None:
        """Take a message, from any thread, without waiting for what it asks for."""
        if retained:
            self._report("a retained command is ignored: publish it without retain")
        elif payload not in self._by_word:
            known = ", ".join(word.decode() for word in self._by_word)
            self._report(f"a message of {len(payload)} bytes that is no command is ignored; commands are {known}")
        elif self._ended or not self._busy.acquire(blocking=False):
            self._report("commands that come while another one runs are dropped")
        else:
            self._reported.clear()
            logger.info(f"the command {payload.decode()} came over MQTT")
            self._word = payload
            self._wake.set()

    def close(self, seconds: float = 0.5) -> None:
        """Take no more commands. One that still runs after this many seconds ends with the program."""
        self._ended = True
        self._wake.set()
        self._thread.join(seconds)

    def _report(self, line: str) -> None:
        if line not in self._reported:
            self._reported.add(line)
            logger.warning(line)

    def _run(self) -> None:
        while not self._ended:
            self._show_update()
            self._wake.wait(self._look)
            self._wake.clear()
            if self._word and not self._ended:
                self._execute(self._word)

    def _execute(self, word: bytes) -> None:
        try:
            self._by_word[word]()
        except EdgeError as error:
            logger.warning(f"{word.decode()}: {error}")
        finally:
            self._word = b""
            self._show_update()
            self._busy.release()

    def _install(self) -> None:
        if self._actions.install is None:
            logger.warning("install: no model may be installed: name one with --mqtt-model")
            return
        self._show_update(in_progress=True)
        self._actions.install()

    def _selftest(self) -> None:
        self._publish(SELFTEST, self._actions.selftest())

    def _show_update(self, in_progress: bool = False) -> None:
        if self._actions.update is not None:
            self._publish("update", {**self._actions.update(), "in_progress": in_progress})
