"""Errors of requests as RFC 9457 problems."""

import json
from collections.abc import Mapping

from starlette.responses import Response


class Problem(Exception):
    """A refused request: the HTTP status, a short title of the kind of error, and one sentence on this case.

    `detail` must not contain unescaped input of a visitor. `headers` are sent with the answer.
    """

    def __init__(self, status: int, title: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {title}: {detail}")
        self.status = status
        self.title = title
        self.detail = detail
        self.headers = dict(headers or {})


def response(problem: Problem) -> Response:
    """Return the problem as an application/problem+json response."""
    body = {"type": "about:blank", "title": problem.title, "status": problem.status, "detail": problem.detail}
    return Response(
        json.dumps(body).encode(), problem.status, dict(problem.headers), media_type="application/problem+json"
    )
