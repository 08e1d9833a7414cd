"""Which pages of other origins may ask, in the words of browsers (CORS).

The guard refuses pages that nobody named. For those that were named, a browser wants to be told so: in every
answer, and before most requests in an answer to a question of its own, a preflight, which carries no key.
"""

from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from mizzle.errors import Forbidden
from mizzle.service.http.problem_details import problem_of

_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")
_REQUEST_HEADERS = (
    "Authorization",
    "Inference-Header-Content-Length",
    "Last-Event-ID",
    "X-API-Key",
    "X-Request-Id",
    "X-Request-Timeout",
)
_EXPOSED_HEADERS = (
    "Inference-Header-Content-Length",
    "Location",
    "Retry-After",
    "Retry-After-Ms",
    "X-Request-Id",
)


class Cors(CORSMiddleware):
    """Answers preflights, and marks every other answer, for exactly the named origins.

    What browsers call credentials, cookies above all, is never allowed: a page that has a key sends it.

    Args:
        origins: as the guard takes them.
    """

    def __init__(self, app: ASGIApp, origins: Iterable[str]) -> None:
        super().__init__(
            app,
            allow_origins=[origin.lower() for origin in origins],
            allow_methods=_METHODS,
            allow_headers=_REQUEST_HEADERS,
            allow_private_network=True,  # whoever named a page of the internet wants it to reach this machine
            expose_headers=_EXPOSED_HEADERS,
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """Whether the request that a browser is about to send may come; refusals are problems."""
        answer = super().preflight_response(request_headers)
        if answer.status_code == 200:
            return answer
        sent = ", ".join((*_REQUEST_HEADERS, "Content-Type"))
        text = f"pages of the named origins may use {', '.join(_METHODS)} and, of the unusual headers, {sent}"
        return problem_of(Forbidden(text))
