"""Head and body of an answer leave together.

uvicorn writes them apart. In between the writing pauses until the head has left, which takes the event loop a
turn, some 25 ms when much is to do. Who is killed then leaves half an answer, which no proxy asks for again.
"""

import asyncio
from typing import Any


class CorkedTransport:
    """A transport that holds what is written until more comes, or until the loop's next turn.

    It never holds more than one piece, so that what is streamed pauses as before.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write what is held with this, or hold this."""
        if not data:
            return
        if self._held:
            held, self._held = self._held, b""
            self._transport.write(held + data)
        else:
            self._held = bytes(data)
            self._loop.call_soon(self._flush)

    def write_eof(self) -> None:
        """Write what is held, and nothing after that."""
        self._flush()
        self._transport.write_eof()

    def close(self) -> None:
        """Write what is held, and close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        held, self._held = self._held, b""
        if held and not self._transport.is_closing():
            self._transport.write(held)
