"""How many connections may be open: one that waits for a request makes room, or the new one is refused.

Each costs a descriptor, and a process without descriptors can neither accept, nor read a file, nor start a
worker. Whoever opens connections and asks nothing cannot keep others out: the longest silence ends first.
"""

import asyncio
import logging
import resource
from collections.abc import Callable
from itertools import count
from typing import ClassVar, NamedTuple

from uvicorn.protocols.http.h11_impl import H11Protocol

from mizzle.service.inference.observer import CONNECTIONS
from mizzle.service.transport.protocol import BoundedProtocol

_RESERVED = 64  # descriptors for the model's process, for files, and for connections about to be refused
_turns = count()
_log = logging.getLogger(__name__)


class ConnectionLimit(NamedTuple):
    """Connections open at once, and what is called with a reason for every one that is refused."""

    max_open: int
    refused: Callable[[str], None]


def capped(protocol: type[H11Protocol], max_open: int, refused: Callable[[str], None]) -> type[H11Protocol]:
    """The protocol, with a limit to its connections.

    Args:
        protocol: of `protocol.protocol_class`.
        max_open: connections at once.
        refused: called with a reason for every connection that is refused.
    """
    return type("Capped", (CappedProtocol, protocol), {"limit": ConnectionLimit(max_open, refused)})


class CappedProtocol(BoundedProtocol):
    """Refuses with a problem, and at once, the connection that is one too many.

    Attributes:
        limit: of all connections together.
    """

    limit: ClassVar[ConnectionLimit] = ConnectionLimit(1000, lambda _: None)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection is open, and may be closed again."""
        full = len(self.connections) >= self.limit.max_open and not self._close_an_idle_one()
        super().connection_made(transport)
        if full:
            self.limit.refused(CONNECTIONS)
            self._refuse_connection()

    def _await(self, awaited: object) -> None:
        super()._await(awaited)
        self._turn = next(_turns)  # the loop's clock stands still within one round

    def _close_an_idle_one(self) -> bool:
        """Whether a connection had no request under way; the one whose last request is oldest is closed."""
        idle = [c for c in self.connections if isinstance(c, CappedProtocol) and c._idle]
        if idle:
            min(idle, key=lambda connection: connection._turn).transport.close()
        return bool(idle)

    @property
    def _idle(self) -> bool:
        answered = self.cycle is None or self.cycle.response_complete
        return answered and not self._refused and not self.transport.is_closing()

    def _refuse_connection(self) -> None:
        """Without lingering, which would keep the descriptor: the caller has sent nothing that matters."""
        self._refused = True
        self._await(None)
        self._answer(503, running=False)
        self.transport.close()


def allowed_connections(wanted: int) -> int:
    """How many of so many connections the limit of open files allows; it is raised as far as it may be."""
    _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    allowed = wanted if limit == resource.RLIM_INFINITY else max(1, min(wanted, limit - _RESERVED))
    if allowed < wanted:
        _log.warning("the limit of open files leaves room for %d connections, not for %d", allowed, wanted)
    return allowed
