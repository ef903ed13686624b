"""A model on trial, in a process of its own: does it load here, answer as it should, and read a page?

python -m edge_runtime.store.trial_process MODEL SECONDS

Prints why it is refused; the exit code is then that of the error. It ends itself after so many seconds, also where
whoever started it has gone.
"""

import signal
import sys
from contextlib import suppress
from pathlib import Path

from edge_runtime.errors import EdgeError

GRACE = 5  # seconds beyond those that whoever started it waits


def main() -> None:
    """Try a model."""
    path, seconds = Path(sys.argv[1]), float(sys.argv[2])
    if hasattr(signal, "alarm"):
        signal.alarm(int(seconds) + GRACE)  # also ends what hangs in C++
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")  # where memory runs short, this is what has to go, and not a service
    from edge_runtime.reader import DigitReader
    from edge_runtime.store import warm_up

    try:
        with DigitReader(path) as reader:
            warm_up.up(reader)
    except EdgeError as error:
        print(error)
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()
