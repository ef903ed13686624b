"""The minimum cost of a web server's answer: edge_runtime's own server, without any work behind it.

python -m benchmarks.service.empty_answer    takes each request's body and answers an empty 200, until it is ended
"""

import logging

from starlette.types import Receive, Scope, Send

from edge_runtime.web import server


async def empty(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the request body, and send an empty answer."""
    if scope["type"] == "lifespan":
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    while (await receive()).get("more_body", False):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})


if __name__ == "__main__":
    listener = server.listen("127.0.0.1", 0)
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    logging.info(f"http://127.0.0.1:{listener.getsockname()[1]}/")
    server.Server(empty).run(listener)
