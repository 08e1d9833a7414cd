"""Errors as RFC 9457 problem details: every refusal of every route has this one form.

At most 4 KB, and made of our own sentences: no input, no path, no class name, no traceback.
"""

import json
import logging
import math
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mizzle.errors import MizzleError, UnsupportedMedia
from mizzle.service import logs
from mizzle.service.inference.observer import REFUSALS, Observer

_log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
_MAX_DETAIL_LENGTH = 600  # six bytes each at worst: 4 KB in all
_RETRY_SECONDS = 1.0  # where nothing better is known
_BY_STATUS = {
    400: ("bad_request", "the request is no valid HTTP"),
    404: ("not_found", "there is nothing at this address; /openapi.json lists what there is"),
    405: ("method_not_allowed", "this address does not take this method"),
    408: ("request_timeout", "the request took too long to arrive"),
    413: ("too_large", "the body is larger than this service takes; send fewer rows or columns"),
    421: (
        "wrong_host",
        "this service does not answer for the host that was named; see MIZZLE_HOSTS",
    ),
    503: ("not_ready", "this service has as many connections as it takes; ask again in a moment"),
    431: ("headers_too_large", "the request has more or longer headers than this service takes"),
}
_INTERNAL = ("internal_error", "the service failed on this request; the fault is ours, see its log")


def problem(
    status: int,
    code: str,
    detail: str,
    headers: dict[str, str] | None = None,
    retry_after: float | None = None,
) -> Response:
    """One problem as a response.

    Args:
        retry_after: seconds, for a refusal that speaks of the moment.
    """
    body: dict[str, Any] = {
        "type": f"urn:problem-type:mizzle:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail[:_MAX_DETAIL_LENGTH],
        "code": code,
        "request_id": logs.request_id.get(),
    }
    sent = dict(headers or {})
    if status in (429, 503):
        seconds = retry_after or _RETRY_SECONDS
        body["retry_after_s"] = round(seconds, 3)
        sent["retry-after"] = str(whole_seconds(seconds))
        sent["retry-after-ms"] = str(round(1000 * seconds))
    return Response(json.dumps(body).encode(), status, sent, MEDIA_TYPE)


def whole_seconds(seconds: float) -> int:
    """Seconds as the header Retry-After holds them: whole, and at least one."""
    return max(1, math.ceil(seconds))


class UnsupportedEncoding(UnsupportedMedia):
    """A content encoding of a body; none but identity is taken."""


def problem_of(error: MizzleError, headers: dict[str, str] | None = None) -> Response:
    """An error of ours as a response."""
    sent = dict(headers or {})
    if isinstance(error, UnsupportedEncoding):  # and of no other 415 (RFC 9110, 12.5.3)
        sent["accept-encoding"] = "identity"
    if error.status == 401:
        sent["www-authenticate"] = "Bearer"
    return problem(error.status, error.code, str(error), sent, error.retry_after)


def problem_for(status: int, headers: dict[str, str] | None = None) -> Response:
    """A refusal that only its status tells; what nobody foresaw is an internal error."""
    code, detail = _BY_STATUS.get(status, _INTERNAL)
    return problem(status, code, detail, headers)


def install(app: FastAPI, observer: Observer) -> None:
    """Registers the handlers of everything that can go wrong; `observer` is told of work that is refused."""

    async def typed(request: Request, error: Exception) -> Response:
        assert isinstance(error, MizzleError)
        if request.method in ("POST", "PUT") and error.code in REFUSALS:  # a probe is no work
            observer.refused(REFUSALS[error.code])
        return problem_of(error)

    app.add_exception_handler(MizzleError, typed)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(ClientDisconnect, _gone)


async def _http(request: Request, error: Exception) -> Response:
    """Refusals of the framework; their own texts may echo the request, so ours replace them."""
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers = _allowed(request) or headers
    return problem_for(error.status_code, headers)


def _allowed(request: Request) -> dict[str, str]:
    """Every method of an address; the router lists those of its first route alone."""
    path = getattr(request.scope.get("route"), "path", None)
    methods = {method.upper() for method in request.app.openapi()["paths"].get(path, {})}
    methods |= {"HEAD"} if "GET" in methods else set()
    return {"allow": ", ".join(sorted(methods))} if methods else {}


async def _invalid(_: Request, __: Exception) -> Response:
    return problem(422, "invalid_request", "a parameter is not of the documented form")


async def _gone(_: Request, __: Exception) -> Response:
    """Nobody reads this."""
    return problem_for(400)


class Faults:
    """Answers for bugs of ours; the log has what the caller does not get.

    Starlette's own handler of exceptions stands outside of all middleware, so that its answers would have
    neither the request's id nor the security headers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection of ASGI."""
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:
            if scope["type"] != "http" or begun:
                raise
            _log.exception("a request failed")
            await problem(500, *_INTERNAL)(scope, receive, send)
