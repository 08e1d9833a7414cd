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

_OWN = 64  # descriptors for what is no connection: the model's process, files, and those about to be refused
_turns = count()
_log = logging.getLogger(__name__)


class Limit(NamedTuple):
    """Connections open at once, and who is told of every one that is turned away."""

    most: int
    refused: Callable[[str], None]


def capped(protocol: type[H11Protocol], most: int, refused: Callable[[str], None]) -> type[H11Protocol]:
    """The protocol, with a limit to its connections.

    Args:
        protocol: of `protocol.protocol_class`.
        refused: told of every connection that is turned away.
    """
    return type("Capped", (CappedProtocol, protocol), {"limit": Limit(most, refused)})


class CappedProtocol(BoundedProtocol):
    """Refuses with a problem, and at once, the connection that is one too many.

    Attributes:
        limit: of all connections together.
    """

    limit: ClassVar[Limit] = Limit(1000, lambda _: None)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection is open, and may be closed again."""
        full = len(self.connections) >= self.limit.most and not self._made_room()
        super().connection_made(transport)
        if full:
            self.limit.refused(CONNECTIONS)
            self._turn_away()

    def _await(self, awaited: object) -> None:
        super()._await(awaited)
        self._turn = next(_turns)  # the loop's clock stands still within one round

    def _made_room(self) -> bool:
        """Whether a connection had no request under way; the one whose last request is oldest is closed."""
        idle = [one for one in self.connections if isinstance(one, CappedProtocol) and one._idle]
        if idle:
            min(idle, key=lambda one: one._turn).transport.close()
        return bool(idle)

    @property
    def _idle(self) -> bool:
        answered = self.cycle is None or self.cycle.response_complete
        return answered and not self._refused and not self.transport.is_closing()

    def _turn_away(self) -> None:
        """Without lingering, which would keep the descriptor: the caller has sent nothing that matters."""
        self._refused = True
        self._await(None)
        self._answer(503, running=False)
        self.transport.close()


def room(wanted: int) -> int:
    """How many of so many connections the limit of open files allows; it is raised as far as it may be."""
    _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    found = wanted if limit == resource.RLIM_INFINITY else max(1, min(wanted, limit - _OWN))
    if found < wanted:
        _log.warning("the limit of open files leaves room for %d connections, not for %d", found, wanted)
    return found
