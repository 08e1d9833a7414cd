"""Tables as the bodies of jobs, and waiting for jobs without a clock."""

import asyncio
import io
import json

import numpy as np
from safetensors.numpy import save

PATIENCE = 20.0  # seconds after which a test that waits for something has failed
JSON, NPY, SAFETENSORS = "application/json", "application/x-npy", "application/x-safetensors"
CSV = "text/csv"


def table(n=40, p=4, seed=0):
    """Dependent columns, of which the last is constant."""
    rng = np.random.default_rng(seed)
    found = rng.standard_normal((n, p)) + rng.standard_normal((n, 1))
    found[:, -1] = 1.0
    return found


def json_body(values, **fields):
    rows = [[None if cell != cell else cell for cell in row] for row in np.asarray(values).tolist()]
    return json.dumps({"table": rows, **fields}).encode()


def npy_body(values):
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


def tensor_body(values, **fields):
    return save({"table": np.ascontiguousarray(values)}, {"job": json.dumps(fields)})


async def opened(http, **more):
    """Returns when the jobs file is open."""

    async def answers():
        return (await http.get("/v1/jobs", **more)).status_code != 503

    await until(answers)


async def put(http, id, content, media=SAFETENSORS, **more):
    """The answer to a submission, made once the file is open."""
    headers = {"content-type": media, **more.pop("headers", {})}
    await opened(http, headers=headers)
    return await http.put(f"/v1/jobs/{id}", content=content, headers=headers, **more)


async def until(true):
    """Returns when `await true()` is something, which it returns."""
    async with asyncio.timeout(PATIENCE):
        while not (found := await true()):
            await asyncio.sleep(0)
        return found


async def ended(http, id, **more):
    """The job, when it has ended."""
    await opened(http, **more)

    async def over():
        job = (await http.get(f"/v1/jobs/{id}", **more)).json()
        return job if job["ended"] else None

    return await until(over)


def events(text):
    """The events of a stream, each as a mapping of its fields."""
    blocks = [block for block in text.split("\n\n") if block and not block.startswith(":")]
    return [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]
