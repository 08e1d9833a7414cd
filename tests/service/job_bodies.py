"""Tables as the bodies of jobs, and waiting for jobs without a clock."""

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx2
import numpy as np
from safetensors.numpy import save

PATIENCE = 20.0  # seconds after which a test that waits for something has failed
JSON, NPY, SAFETENSORS = "application/json", "application/x-npy", "application/x-safetensors"
CSV = "text/csv"
T = TypeVar("T")


def table(n: int = 40, p: int = 4, seed: int = 0) -> np.ndarray:
    """Dependent columns, of which the last is constant."""
    rng = np.random.default_rng(seed)
    found = rng.standard_normal((n, p)) + rng.standard_normal((n, 1))
    found[:, -1] = 1.0
    return found


def json_body(values: Any, **fields: Any) -> bytes:
    rows = [[None if cell != cell else cell for cell in row] for row in np.asarray(values).tolist()]
    return json.dumps({"table": rows, **fields}).encode()


def npy_body(values: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


def tensor_body(values: np.ndarray, **fields: Any) -> bytes:
    return save({"table": np.ascontiguousarray(values)}, {"job": json.dumps(fields)})


async def opened(http: httpx2.AsyncClient, **more: Any) -> None:
    """Returns when the jobs file is open."""

    async def answers() -> bool:
        return (await http.get("/v1/jobs", **more)).status_code != 503

    await until(answers)


async def put(
    http: httpx2.AsyncClient, id: str, content: bytes, media: str = SAFETENSORS, **more: Any
) -> httpx2.Response:
    """The answer to a submission, made once the file is open."""
    headers = {"content-type": media, **more.pop("headers", {})}
    await opened(http, headers=headers)
    return await http.put(f"/v1/jobs/{id}", content=content, headers=headers, **more)


async def until(true: Callable[[], Awaitable[T]]) -> T:
    """Returns when `await true()` is something, which it returns."""
    async with asyncio.timeout(PATIENCE):
        while not (found := await true()):
            await asyncio.sleep(0)
        return found


async def ended(http: httpx2.AsyncClient, id: str, **more: Any) -> Any:
    """The job, when it has ended."""
    await opened(http, **more)

    async def over() -> Any:
        job = (await http.get(f"/v1/jobs/{id}", **more)).json()
        return job if job["ended"] else None

    return await until(over)


def events(text: str) -> list[dict[str, str]]:
    """The events of a stream, each as a mapping of its fields."""
    blocks = [block for block in text.split("\n\n") if block and not block.startswith(":")]
    return [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]
