"""A listener of its own for probes and metrics: whoever floods the service does not reach it.

Its connections are counted apart from those of callers, and never many.
"""

import asyncio
import socket
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from mizzle.service.transport.connections import capped
from mizzle.service.transport.protocol import protocol_class

_MAX_CONNECTIONS = 32  # among the descriptors that `connections` reserves
_SECONDS = 10.0  # for a head, and for an answer to be taken
_MAX_HEADERS, _MAX_HEADER_BYTES = 100, 16 * 1024


class AdminListener:
    """Answers with an application on one socket, in the event loop of the service.

    Attributes:
        state: uvicorn's, of these connections alone.
    """

    def __init__(self, app: Any, listener: socket.socket) -> None:
        protocol = protocol_class(_SECONDS, _SECONDS, _MAX_HEADERS)
        self._config = uvicorn.Config(
            app,
            http=capped(protocol, _MAX_CONNECTIONS, lambda _: None, _MAX_CONNECTIONS),
            h11_max_incomplete_event_size=_MAX_HEADER_BYTES,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
        )
        self._listener = listener
        self._server: asyncio.Server | None = None
        self.state = ServerState()

    async def start(self) -> None:
        """Begin to answer."""
        self._config.load()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, sock=self._listener)

    def close(self) -> None:
        """Take no further connections, and end those that there are."""
        if self._server is not None:
            self._server.close()
        for connection in list(self.state.connections):
            connection.transport.abort()

    def _protocol(self) -> asyncio.Protocol:
        protocol: asyncio.Protocol = self._config.http_protocol_class(  # type: ignore[call-arg]
            config=self._config, server_state=self.state, app_state={}
        )
        return protocol
