"""Refusals under /v2, for two kinds of clients.

The errors of the Open Inference Protocol are `{"error": sentence}`, ours are problems (RFC 9457). Under /v2 a
refusal is both: a problem with one more member, `error`, which says what `detail` says.
"""

import json

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mizzle.service.http.problem_details import MEDIA_TYPE

ROOT = "/v2"


class Errors:
    """Adds the member to every problem under /v2; stands around all that refuses."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection of ASGI."""
        if scope["type"] == "http" and f"{scope['path']}/".startswith(f"{ROOT}/"):
            send = _changing(send)
        await self._app(scope, receive, send)


def _changing(send: Send) -> Send:
    """`send`, which keeps a problem back until it is complete and then sends it changed."""
    start: Message | None = None
    content = bytearray()

    async def changing(message: Message) -> None:
        nonlocal start
        if _begins_problem(message):
            start = message
        elif start is None:
            await send(message)
        else:
            content.extend(message.get("body", b""))
            if not message.get("more_body", False):
                body = _with_error(bytes(content))
                MutableHeaders(scope=start)["content-length"] = str(len(body))
                await send(start)
                await send({"type": "http.response.body", "body": body})

    return changing


def _begins_problem(message: Message) -> bool:
    is_start = message["type"] == "http.response.start"
    return is_start and Headers(raw=list(message["headers"])).get("content-type") == MEDIA_TYPE


def _with_error(problem: bytes) -> bytes:
    members = json.loads(problem)
    return json.dumps(members | {"error": members["detail"]}).encode()
