"""Report each line of digits that a camera sees: python examples/webcam.py [SOURCE]"""

import sys

from edge_runtime import DigitReader, Event, Sink, run


class Report(Sink):
    """Prints what became of a line."""

    def event(self, event: Event) -> None:
        """Print one event."""
        print(event.event, event.text or event.previous, flush=True)


with DigitReader() as reader:
    run(sys.argv[1:] or ["camera"], reader, [Report()])
