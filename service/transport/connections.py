"""How many connections may be open: one that waits for a request makes room, or the new one is refused.

Each costs a descriptor, and a process without descriptors can neither accept, nor read a file, nor start a
worker. Whoever opens connections and asks nothing cannot keep others out: the longest silence ends first.
Whoever asks on all of them cannot either: no address has them all. None is exempt, as this machine's own is
where others come from, too; a proxy in front of all callers still has three quarters.
"""

import asyncio
import logging
import resource
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import ClassVar, NamedTuple

from uvicorn.protocols.http.h11_impl import H11Protocol

from mizzle.service.http.auth import address_name
from mizzle.service.inference.observer import CONNECTIONS
from mizzle.service.inference.shares import Shares
from mizzle.service.transport.protocol import BoundedProtocol

_PEER_FACTOR = 3.0  # times what is left that one address may have
_RESERVED = 64  # descriptors for the model's process, for files, and for connections about to be refused
_turns = count()
_log = logging.getLogger(__name__)


class ConnectionLimit(NamedTuple):
    """Connections open at once, by address, and what is called with a reason for each that is refused."""

    shares: Shares
    refused: Callable[[str], None]


def capped(
    protocol: type[H11Protocol],
    max_open: int,
    refused: Callable[[str], None],
    max_peer: int | None = None,
) -> type[H11Protocol]:
    """The protocol, with a limit to its connections.

    Args:
        protocol: of `protocol.protocol_class`.
        max_open: connections at once.
        refused: called with a reason for every connection that is refused.
        max_peer: of them, from one address; a multiple of those that are left, when left out.
    """
    limit = ConnectionLimit(Shares(max_open, _PEER_FACTOR, max_peer), refused)
    return type("Capped", (CappedProtocol, protocol), {"limit": limit})


class CappedProtocol(BoundedProtocol):
    """Refuses with a problem, and at once, the connection that is one too many.

    Attributes:
        limit: of all connections together.
    """

    limit: ClassVar[ConnectionLimit] = ConnectionLimit(Shares(1000, _PEER_FACTOR), lambda _: None)
    _counted = False
    _peer = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection is open, and may be closed again."""
        super().connection_made(transport)
        self._peer = address_name(self.client[0] if self.client else "")
        if self.limit.shares.fits(self._peer) or self._close_an_idle_one():
            self._counted = True
            self.limit.shares.add(self._peer)
        else:
            self.limit.refused(CONNECTIONS)
            self._refuse_connection()

    def connection_lost(self, exc: Exception | None) -> None:
        """A connection has ended."""
        self._uncount()
        super().connection_lost(exc)

    def _uncount(self) -> None:
        if self._counted:
            self._counted = False
            self.limit.shares.add(self._peer, -1)

    def _await(self, awaited: object) -> None:
        super()._await(awaited)
        self._turn = next(_turns)  # the loop's clock stands still within one round

    def _close_an_idle_one(self) -> bool:
        """Whether one had no request under way whose end makes room; of these, the longest silence ends."""
        shares = self.limit.shares
        # Of any address where there is no room at all; else of this one, which has enough.
        any_peer = shares.is_full and shares.fits(self._peer, returned=1)
        idle = [c for c in self.connections if isinstance(c, CappedProtocol) and c._counted and c._idle]
        idle = [c for c in idle if any_peer or c._peer == self._peer]
        if idle:
            oldest = min(idle, key=lambda connection: connection._turn)
            oldest._uncount()
            oldest.transport.close()
        return bool(idle)

    @property
    def _idle(self) -> bool:
        answered = (self.cycle is None or self.cycle.response_complete) and self._held is None
        unread = self.flow.write_paused  # to close it would wait for its reader, uncounted
        return answered and not unread and not self._refused and not self.transport.is_closing()

    def _refuse_connection(self) -> None:
        """Without lingering, which would keep the descriptor: the caller has sent nothing that matters."""
        self._refused = True
        self._await(None)
        self._answer(503, running=False)
        self.transport.close()


def allowed_connections(wanted: int) -> int:
    """How many of so many connections the limit of open files allows; it is raised as far as it may be."""
    _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # macOS takes no infinite one
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    allowed = wanted if limit == resource.RLIM_INFINITY else max(1, min(wanted, limit - _RESERVED))
    if allowed < wanted:
        _log.warning("the limit of open files leaves room for %d connections, not for %d", allowed, wanted)
    return allowed
