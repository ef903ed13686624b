"""What went wrong with a request, as RFC 9457 problems."""

import json
from collections.abc import Mapping

from starlette.responses import Response


class Problem(Exception):
    """A request that is refused: the HTTP status, a short title of its kind, and one sentence on this one.

    Nothing of what a visitor sent belongs into `detail` as it is; `headers` go out with the answer.
    """

    def __init__(self, status: int, title: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {title}: {detail}")
        self.status = status
        self.title = title
        self.detail = detail
        self.headers = dict(headers or {})


def response(problem: Problem) -> Response:
    """Return the answer that says so, as application/problem+json."""
    body = {"type": "about:blank", "title": problem.title, "status": problem.status, "detail": problem.detail}
    return Response(
        json.dumps(body).encode(), problem.status, dict(problem.headers), media_type="application/problem+json"
    )
