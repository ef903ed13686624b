"""`edge-digits`, or `python -m edge_runtime`: the command line as a process of its own."""

from edge_runtime.cli.main import main
from edge_runtime.system import signals


def program() -> None:
    """Run the command line and end the process with its exit code, whatever a thread of it still waits for.

    Apart from `main`, which leaves its caller's process alone: others call that, tests for instance.
    """
    try:
        main()
    finally:
        signals.leave_threads_behind()


if __name__ == "__main__":
    program()
