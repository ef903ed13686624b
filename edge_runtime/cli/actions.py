"""What commands over MQTT do: install the candidate, test this machine, end so that systemd starts it again."""

import logging
import os
import signal
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from edge_runtime.cli.options import NetworkOptions, ReadingOptions
from edge_runtime.errors import EdgeError, ModelError
from edge_runtime.reader import DigitReader, Reader
from edge_runtime.system.attempt import attempt

if TYPE_CHECKING:
    from edge_runtime.sinks.mqtt.commands import Actions
    from edge_runtime.store.candidate import Candidates

logger = logging.getLogger(__name__)
# Seconds for a selftest, which takes a second or two, and ten on a Raspberry Pi 3.
SELFTEST_TIMEOUT = 120.0
# Seconds for the hot swap to take an installed model: `store.hot_swap` gives up on loading it after 60.
SWAP_TIMEOUT = 90.0
POLL = 0.1  # seconds between two looks for the hot swap


def actions(reading: ReadingOptions, reader: Reader) -> "Actions":
    """Return what commands do beside `reader`. Raises EdgeError if a trusted key or its package cannot be used."""
    from edge_runtime.sinks.mqtt.commands import Actions

    commands, test = reading.commands, partial(selftest, reading.network)
    if commands.mqtt_model is None:
        return Actions(selftest=test, restart=restart)
    from edge_runtime.store import catalog, signature
    from edge_runtime.store.candidate import Candidates

    signature.keys(commands.trusted_key)
    candidates, folder = Candidates(commands.mqtt_model, commands.trusted_key), catalog.home()
    return Actions(
        selftest=test,
        restart=restart,
        install=lambda: install(candidates, folder, reader),
        update=lambda: update(candidates, reader),
    )


def install(candidates: "Candidates", folder: Path, reader: Reader) -> None:
    """Install the candidate into the store in `folder`, and wait until `reader` reads with it. Raises EdgeError."""
    from edge_runtime.store import catalog
    from edge_runtime.store import install as installing

    candidate = candidates.newest()
    if candidate is not None and candidate.id == _in_use(reader):
        logger.info(f"model {candidate.id} is in use already")
        return
    id = installing.install(str(candidates.path()), folder, candidates.trust).stem
    until = monotonic() + SWAP_TIMEOUT
    while _in_use(reader) != id:
        if catalog.current(folder).stem != id or monotonic() >= until:
            raise ModelError(f"model {id} is installed, but not in use: edge-digits model list shows why")
        sleep(POLL)


def update(candidates: "Candidates", reader: Reader) -> dict[str, Any]:
    """Return the state of the update entity: the model in use, and the candidate, or the one in use without any."""
    in_use, candidate = _in_use(reader), candidates.newest()
    return {
        "installed_version": in_use,
        "latest_version": in_use if candidate is None else candidate.id,
        "title": "Model of edge-digits",
        "release_summary": "" if candidate is None else candidate.summary,
    }


def selftest(network: NetworkOptions) -> dict[str, Any]:
    """Test this machine with the named model, else the installed one, and return the record.

    Raises EdgeError, also if the test hangs.
    """
    from edge_runtime.doctor import selftest as testing
    from edge_runtime.store.current import current_model

    def run() -> dict[str, Any]:
        model = network.model or current_model()
        with DigitReader(model, labels=network.labels, threads=network.threads) as reader:
            return testing.run(reader)[0]

    outcome = attempt(run, SELFTEST_TIMEOUT)
    if isinstance(outcome, EdgeError):
        raise outcome
    if isinstance(outcome, Exception):
        raise ModelError(f"the selftest failed: {type(outcome).__name__}: {outcome}") from outcome
    logger.info("the selftest has passed" if outcome["passed"] else "the selftest has failed")
    return outcome


def restart() -> None:
    """End this program as SIGTERM does, with everything closed: its service manager starts it again."""
    logger.info("ending, for the service manager to start it again")
    os.kill(os.getpid(), signal.SIGTERM)


def _in_use(reader: Reader) -> str:
    return reader.classifier.model.id
