"""What tests of the contract share: /openapi.json as a source of requests, and bodies that are no JSON.

Every operation gets requests that the document allows and requests that it forbids, and each answer has to be
one that it describes. A schema cannot say everything; what the document says in words is done to the requests
by the tests.
"""

import io
import json
from typing import Any

import numpy as np
import schemathesis
from fakes import FakeEstimator, FakeTable
from hypothesis import strategies as st
from safetensors.numpy import load, save
from schemathesis.config import SchemathesisConfig

from mizzle import wire
from mizzle.service.app import create_app
from mizzle.service.formats.registry import NPY, SAFETENSORS
from mizzle.service.settings import Settings

Sides = tuple[np.ndarray, ...]  # x and y
OCTETS = "application/octet-stream"
SETTINGS = Settings(max_body_bytes=200_000, max_problem_cells=50_000, grace_seconds=1)
LEVELS = FakeEstimator.levels
# An answer that is late by the caller's own clock is documented, and no fault of the server; what is both
# wrong and too large may be refused for either.
CHECKS = {
    "not_a_server_error": {"expected-statuses": ["2xx", "4xx", "504"]},
    "negative_data_rejection": {"expected-statuses": ["4xx", "504"]},
}


class Ranking(FakeEstimator):
    """The fake, over ranks as the model: the squares of numbers near the largest float would be infinite."""

    def prepare(self, x: np.ndarray, y: np.ndarray) -> FakeTable:
        return super().prepare(*(side.argsort(axis=0).argsort(axis=0).astype(float) for side in (x, y)))


def described(mode: str, examples: int) -> Any:
    """The document as a source of requests; the same ones in every run."""
    generation = {"mode": mode, "max-examples": examples, "deterministic": True, "database": "none"}
    config = {"seed": 1, "generation": generation, "checks": CHECKS, "cache": {"enabled": False}}
    document = create_app(SETTINGS, FakeEstimator()).openapi()
    return schemathesis.openapi.from_dict(document, config=SchemathesisConfig.from_dict(config))


def cell(number: float) -> float:
    """A number of the document as the service takes it: no integer that a float cannot hold."""
    return number if abs(number) <= 2**53 else float(number)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[np.ndarray, ...]:
    """Two sides of as many rows."""
    rows, seed = draw(st.integers(10, 30)), draw(st.integers(0, 100))
    rng = np.random.default_rng(seed)
    return tuple(rng.standard_normal((rows, draw(st.integers(1, 3)))).round(3) for _ in "xy")


def npy(pair: Sides) -> bytes:
    """A body of .npy."""
    file = io.BytesIO()
    np.save(file, np.hstack(pair))
    return file.getvalue()


def safetensors(pair: Sides) -> bytes:
    """A body of safetensors."""
    return save(dict(zip("xy", pair, strict=True)))


def octets(pair: Sides) -> bytes:
    """A body of the Open Inference Protocol with binary data."""
    raw = [side.tobytes() for side in pair]
    entries = [
        {"name": name, "datatype": "FP64", "shape": side.shape, "parameters": {"binary_data_size": len(part)}}
        for name, side, part in zip("xy", pair, raw, strict=True)
    ]
    return b"".join([json.dumps({"inputs": entries}).encode(), *raw])


schemathesis.openapi.media_type(NPY, pairs().map(npy))
schemathesis.openapi.media_type(SAFETENSORS, pairs().map(safetensors))
schemathesis.openapi.media_type(OCTETS, pairs().map(octets))


@schemathesis.serializer(SAFETENSORS)
def sent(context: Any, body: bytes) -> bytes:
    """A file as it is sent; a media type has one kind of files here, and a batch has other names in them."""
    if context.case.meta.generation.mode.is_positive:
        if context.case.path == wire.BATCH_PATH:
            return save({f"{name}.0": side for name, side in load(body).items()})
        if context.case.path.startswith(wire.JOBS):
            return save({"table": np.hstack([*load(body).values()])})
    return body
