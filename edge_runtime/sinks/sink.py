"""What every sink is: it takes frames with what was made of them, readings, and events, or whichever it cares for."""

from edge_runtime.records import Event, Frame, Reading
from edge_runtime.trace import Trace


class Closed(Exception):
    """A person has ended it all at a sink, such as a window: what is open is to be closed, and all is well."""


class Sink:
    """Takes results and ignores them; sinks override what they use. Each method may raise OutputError, or Closed.

    `output` says whether it holds results: where none is left that does, there is nothing to go on for.
    """

    output = True

    def frame(self, frame: Frame, trace: Trace) -> None:
        """Take a frame and what every stage made of it: every frame that is read."""

    def still(self, frame: Frame) -> None:
        """Take a frame that was not read, since it shows what the one before it showed."""

    def reading(self, reading: Reading) -> None:
        """Take a reading that is to be reported."""

    def event(self, event: Event) -> None:
        """Take an event."""

    def close(self) -> None:
        """Write what is left; called once at the end, unless this sink has failed before."""
