"""One request and its answer: h11 checks the incoming bytes before uvicorn gets them, and formats refusals."""

from email.utils import formatdate
from http import HTTPStatus

import h11

from edge_runtime.web import problems
from edge_runtime.web.guard import with_headers
from edge_runtime.web.problems import Problem

SLICE = 4096  # bytes of a head that are parsed at a time


class Exchange:
    """The state of one request and its answer."""

    def __init__(self, head_bytes: int) -> None:
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=head_bytes)
        self._ahead = 0  # bytes that h11 holds and take() has not counted yet
        self.request: h11.Request | None = None  # the head, once it is complete
        self.arriving = False  # True from the first byte of the request to its last
        self.arrived = False
        self.begun = False  # the answer has begun
        self.answered = False  # the answer is complete

    def take(self, data: bytes) -> int:
        """Return how many of these bytes are a valid part of the request; the caller passes the others again.

        It takes the head separately from the body, in slices of SLICE bytes, so the app still gets a request whose body
        is damaged. Raises Problem where the bytes are no request.
        """
        part = data if self.request else data[:SLICE]
        self.arriving = True
        if fresh := memoryview(part)[self._ahead :]:
            self._h11.receive_data(fresh)  # type: ignore[arg-type]  # it takes any bytes-like object
        self._ahead = 0
        try:
            while not self._ahead and not self.arrived and (event := self._h11.next_event()) is not h11.NEED_DATA:
                if isinstance(event, h11.Request):
                    self.request = event
                self.arrived = isinstance(event, h11.EndOfMessage)
                if not isinstance(event, h11.Data):
                    self._ahead = len(self._h11.trailing_data[0])
        except h11.RemoteProtocolError as error:
            if error.error_status_hint == 431:
                raise Problem(431, "Too long", "the request has too long a head") from error
            raise Problem(400, "Bad request", "this is not HTTP/1.1") from error
        self.arriving = not self.arrived
        return len(part) - self._ahead

    def refusal(self, problem: Problem) -> bytes:
        """Return the bytes of an answer with this problem; empty if the answer has already begun."""
        if self.begun:
            return b""
        self.begun = True
        answer = problems.response(problem)
        date = formatdate(usegmt=True).encode()
        headers = [(b"date", date), *with_headers(answer.raw_headers), (b"connection", b"close")]
        reason = HTTPStatus(problem.status).phrase.encode()
        events: list[h11.Event] = [h11.Response(status_code=problem.status, headers=headers, reason=reason)]
        if self.request is None or self.request.method != b"HEAD":
            events.append(h11.Data(data=bytes(answer.body)))
        return b"".join(self._h11.send(event) or b"" for event in (*events, h11.EndOfMessage()))
