"""Who a browser may speak for: requests under a foreign name or from a foreign page are refused.

A page anywhere can send requests to a service on its reader's own machine, and read the answers once its own
name resolves to that machine (DNS rebinding). Host tells under which name the service was asked, Origin and
Sec-Fetch-Site tell which page asked; other programs send neither of the two and pass. Probes are answered
under every name: orchestrators ask by an address that nobody knows before, and there is nothing to be read.
"""

import re
from collections.abc import Collection, Iterable

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mizzle.errors import Forbidden, InvalidInput
from mizzle.service.http.headers import values
from mizzle.service.http.problem_details import problem_for, problem_of

ANY = "*"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_NAME = r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\]"
_FOREIGN = "pages of another {} may not use this service, but for those that MIZZLE_ORIGINS names"
_HOST = re.compile(rf"({_NAME})(:[0-9]{{1,5}})?")
_ORIGIN = re.compile(rf"https?://({_NAME})(:[0-9]{{1,5}})?")


class Guard:
    """Refuses other hosts with 421 and other sites with 403, on every method and route.

    Args:
        hosts: names without port that the service answers to, besides the loopback names; "*" for any.
        origins: as `https://name[:port]`, whose pages may ask, besides those of the host that was asked.
        nameless: exact paths, as the router sees them, that are answered under every name.
        pages: exact paths to which a link on any page may lead.

    Raises:
        InvalidInput: a host or origin that no request could have.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Iterable[str] = (),
        origins: Iterable[str] = (),
        nameless: Collection[str] = (),
        pages: Collection[str] = (),
    ) -> None:
        self._app = app
        self._nameless, self._pages = frozenset(nameless), frozenset(pages)
        self._hosts = _LOOPBACK | set(map(_host, hosts))
        self._origins = frozenset(map(_origin, origins))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection of ASGI."""
        refusal = None if scope["type"] == "lifespan" else self._refusal(scope)
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        host = ",".join(values(scope, "host")).lower()  # two of them match nothing
        if not self._answers_to(host) and scope["path"] not in self._nameless:
            return problem_for(421)
        origins = list(map(str.lower, values(scope, "origin")))
        if any(not self._welcome(origin, host) for origin in origins):
            return problem_of(Forbidden(_FOREIGN.format("origin")))
        followed = scope["path"] in self._pages and values(scope, "sec-fetch-mode") == ["navigate"]
        from_elsewhere = "cross-site" in values(scope, "sec-fetch-site") and not followed
        if from_elsewhere and not self._origins & set(origins):
            return problem_of(Forbidden(_FOREIGN.format("site")))
        return None

    def _answers_to(self, host: str) -> bool:
        match = _HOST.fullmatch(host)
        return match is not None and (ANY in self._hosts or match[1] in self._hosts)

    def _welcome(self, origin: str, host: str) -> bool:
        """The scheme of the host is not known: a proxy in front may have ended TLS."""
        return origin in self._origins or origin in (f"http://{host}", f"https://{host}")


def _host(name: str) -> str:
    host = f"[{name.lower()}]" if name.count(":") > 1 and name[0] != "[" else name.lower()
    if host != ANY and not re.fullmatch(_NAME, host):
        raise InvalidInput('a host must be a name or an address without scheme and port, or "*"')
    return host


def _origin(text: str) -> str:
    if not _ORIGIN.fullmatch(text.lower()):
        raise InvalidInput("an origin must be of the form https://name or https://name:port")
    return text.lower()
