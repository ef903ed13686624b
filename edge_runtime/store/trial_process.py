"""Model trial in a separate process: does the model load here, answer correctly, and read a page?

python -m edge_runtime.store.trial_process MODEL SECONDS

Prints the reason of a refusal; the exit code is then that of the error. Ends after this many seconds, even if the
parent process is gone.
"""

import signal
import sys
from contextlib import suppress
from pathlib import Path

from edge_runtime.errors import EdgeError

GRACE = 5  # seconds beyond the timeout of the parent process


def main() -> None:
    """Try a model."""
    path, seconds = Path(sys.argv[1]), float(sys.argv[2])
    if hasattr(signal, "alarm"):
        signal.alarm(int(seconds) + GRACE)  # also ends a hang in C++
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")  # if memory runs short, the kernel ends this process, not a service
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
