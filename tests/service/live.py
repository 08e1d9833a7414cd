"""The service behind its own protocol on the loopback interface, in the event loop of the test.

A test sees both ends, and waits for what it needs by looking: no clock decides about anything.
"""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx2
import numpy as np
import uvicorn
from fakes import model_loaded
from fastapi import FastAPI

from mizzle import wire
from mizzle.service.transport.protocol import protocol_class
from mizzle.service.transport.shedding import LoadShedder

Address = tuple[str, int]

PATIENCE = 30.0  # seconds after which a test that waits for something has failed
RESET = struct.pack("ii", 1, 0)  # closing throws away what is on its way, and says so to the other end
INFER = "/v2/models/fake/infer"
PATHS = (wire.PATH, wire.BATCH_PATH, INFER)


@asynccontextmanager
async def living(app: FastAPI, shedder: LoadShedder | None = None) -> AsyncIterator[Address]:
    """Application, model and server; the address of it."""
    config = uvicorn.Config(
        app,
        http=protocol_class(PATIENCE, PATIENCE, 100, shedder),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await until(lambda: server.started or serving.done())
            await model_loaded()
            yield listener.getsockname()
        finally:
            server.should_exit = True
            await serving


async def until(true: Callable[..., object]) -> None:
    """Returns when `true()` is."""
    async with asyncio.timeout(PATIENCE):
        while not true():
            await asyncio.sleep(0)


def client(address: Address) -> httpx2.AsyncClient:
    """Any number of connections to a service, for JSON; without a limit of time."""
    base = "http://{}:{}".format(*address)
    unbounded, headers = httpx2.Limits(max_connections=None), {"content-type": "application/json"}
    return httpx2.AsyncClient(base_url=base, headers=headers, limits=unbounded, timeout=None, trust_env=False)


def bodies(pair: tuple[np.ndarray, np.ndarray]) -> dict[str, bytes]:
    """JSON bodies that ask about a sample, by path."""
    x, y = (side.tolist() for side in pair)
    inputs = [
        {"name": name, "datatype": "FP64", "shape": list(side.shape), "data": side.tolist()}
        for name, side in zip("xy", pair, strict=True)
    ]
    asked = {
        wire.PATH: {"x": x, "y": y},
        wire.BATCH_PATH: {"problems": [{"x": x, "y": y}]},
        INFER: {"inputs": inputs},
    }
    return {path: json.dumps(body).encode() for path, body in asked.items()}


def request(path: str, body: bytes) -> bytes:
    """A whole request as bytes."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
