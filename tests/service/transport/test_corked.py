"""Head and body of an answer leave in one write, and nothing is held for longer than a turn of the loop."""

import asyncio
from typing import Any

import pytest
from live import PATHS, bodies, living, request

from mizzle.service.app import create_app
from mizzle.service.transport import protocol
from mizzle.service.transport.corked import CorkedTransport


class Written:
    """A transport that remembers what was done to it."""

    def __init__(self) -> None:
        self.done: list[object] = []

    def is_closing(self) -> bool:
        return "close" in self.done

    def write(self, data: bytes) -> None:
        self.done.append(data)

    def close(self) -> None:
        self.done.append("close")

    def write_eof(self) -> None:
        self.done.append("eof")


@pytest.mark.parametrize(
    ("steps", "done"),
    [
        ([("write", b"head"), ("write", b"body"), ("write", b"")], [b"headbody"]),
        ([("write", b"head")], [b"head"]),
        ([("write", b"a"), ("write", b"b"), ("write", b"c"), ("write", b"d")], [b"ab", b"cd"]),
        ([("write", b"a"), ("write", b"b"), ("write", b"c")], [b"ab", b"c"]),
        ([("write", b"head"), ("close",)], [b"head", "close"]),
        ([("write", b"head"), ("write_eof",)], [b"head", "eof"]),
        ([("close",), ("write", b"late")], ["close"]),
    ],
)
def test_what_is_written_leaves_in_order_and_by_the_next_turn(steps, done) -> None:
    async def play():
        written: Any = Written()
        corked = CorkedTransport(written, asyncio.get_running_loop())
        for name, *arguments in steps:
            getattr(corked, name)(*arguments)
        await asyncio.sleep(0)
        return written.done

    assert asyncio.run(play()) == done


def test_an_answer_is_one_write(settings, fake, draw, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a real socket: what the transport is given for each answer holds its head and its whole body."""
    writes: list[bytes] = []

    class Spied(CorkedTransport):
        def __init__(self, transport, loop) -> None:
            class Transport:
                def __getattr__(self, name):
                    return getattr(transport, name)

                def write(self, data: bytes) -> None:
                    writes.append(data)
                    transport.write(data)

            spied: Any = Transport()
            super().__init__(spied, loop)

    monkeypatch.setattr(protocol, "CorkedTransport", Spied)

    async def ask() -> None:
        async with living(create_app(settings, fake)) as address:
            reader, writer = await asyncio.open_connection(*address)
            for path in PATHS:
                writer.write(request(path, bodies(draw())[path]))
                head = await reader.readuntil(b"\r\n\r\n")
                [length] = [
                    line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
                ]
                await reader.readexactly(int(length.split(b":")[1]))
            writer.close()

    asyncio.run(ask())
    assert len(writes) == len(PATHS)
    assert all(written.startswith(b"HTTP/1.1 200") and written.endswith(b"}") for written in writes)
