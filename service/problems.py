"""Errors as RFC 9457 problem details: every refusal of every route has this one form.

At most 4 KB, and made of our own sentences: no input, no path, no class name, no traceback.
"""

import json
from http import HTTPStatus

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from mizzle.errors import MizzleError

MEDIA_TYPE = "application/problem+json"
_LONGEST_DETAIL = 600  # six bytes each at worst: 4 KB in all
_RETRY_SECONDS = "1"
_BY_STATUS = {
    400: ("bad_request", "the request is no valid HTTP"),
    404: ("not_found", "there is nothing at this address; /openapi.json lists what there is"),
    405: ("method_not_allowed", "this address does not take this method"),
    408: ("request_timeout", "the request body took too long to arrive"),
    415: (
        "unsupported_media_type",
        "set the header content-type: application/json, in UTF-8 without a content encoding",
    ),
}
_INTERNAL = (
    "internal_error",
    "the service failed on this request; the fault is ours, see its log",
)


def problem(status: int, code: str, detail: str, headers: dict[str, str] | None = None) -> Response:
    """One problem as a response."""
    body = {
        "type": f"urn:problem-type:mizzle:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail[:_LONGEST_DETAIL],
        "code": code,
    }
    sent = dict(headers or {})
    if status in (429, 503):
        sent["retry-after"] = _RETRY_SECONDS
    return Response(json.dumps(body).encode(), status, sent, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Registers the handlers of everything that can go wrong."""
    app.add_exception_handler(MizzleError, _typed)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _internal)


async def _typed(_: Request, error: Exception) -> Response:
    assert isinstance(error, MizzleError)
    return problem(error.status, error.code, str(error))


async def _http(_: Request, error: Exception) -> Response:
    """Refusals of the framework; their own texts may echo the request, so ours replace them."""
    assert isinstance(error, HTTPException)
    code, detail = _BY_STATUS.get(error.status_code, _INTERNAL)
    return problem(error.status_code, code, detail, dict(error.headers or {}))


async def _invalid(_: Request, __: Exception) -> Response:
    return problem(422, "invalid_request", "a parameter is not of the documented form")


async def _gone(_: Request, __: Exception) -> Response:
    """Nobody reads this."""
    return problem(400, *_BY_STATUS[400])


async def _internal(_: Request, __: Exception) -> Response:
    """A bug of ours; the server logs it, the caller gets no detail."""
    return problem(500, *_INTERNAL)
