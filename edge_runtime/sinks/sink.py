"""The base class of sinks, which take frames with their traces, readings, events, or some of these."""

from edge_runtime.records import Event, Frame, Reading
from edge_runtime.trace import Trace


class Closed(Exception):
    """The user ended the program at a sink, such as a window: the program closes everything; this is no error."""


class Sink:
    """Ignores all results; sinks override the methods they use. Each method may raise OutputError or Closed.

    `output` says whether the sink holds results: the program ends where no such sink is left.
    """

    output = True

    def frame(self, frame: Frame, trace: Trace) -> None:
        """Take a frame that was read, and its trace."""

    def still(self, frame: Frame) -> None:
        """Take a frame that was not read, since it shows the same as the one before."""

    def reading(self, reading: Reading) -> None:
        """Take a reading to report."""

    def event(self, event: Event) -> None:
        """Take an event."""

    def close(self) -> None:
        """Write the remaining results; called once at the end, unless this sink failed before."""
