"""Servers without sockets for the clients' own tests: one plays a script, one answers as a service does."""

import asyncio
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import httpx2
import numpy as np
from safetensors.numpy import load

import mizzle
from mizzle import wire
from mizzle.estimator import EstimatorLike

URL = "http://mizzle.test"
Arrays = dict[str, np.ndarray]
Answers = Sequence[mizzle.Estimate | mizzle.MizzleError]


def problem(status: int, code: str, detail: str = "words", **headers: str) -> httpx2.Response:
    """A refusal."""
    return httpx2.Response(status, json={"code": code, "detail": detail}, headers=headers)


class Scripted:
    """A server that plays a list of responses or exceptions, and the waits between them."""

    def __init__(self, *script: httpx2.Response | Exception) -> None:
        self.script = list(script)
        self.requests = 0
        self.waits: list[float] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests += 1
        self.request = request
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    def ask(self, pair: tuple[Any, Any], **options: Any) -> mizzle.Estimate:
        http = httpx2.Client(transport=httpx2.MockTransport(self))
        with http, mizzle.Client(URL, http_client=http, **options) as client:
            client._sleep = lambda seconds: self.waits.append(float(seconds))
            return client.estimate(*pair)

    def ask_async(self, pair: tuple[Any, Any], **options: Any) -> mizzle.Estimate:
        async def ask() -> mizzle.Estimate:
            transport = httpx2.MockTransport(self)
            async with httpx2.AsyncClient(transport=transport) as http:
                client = mizzle.AsyncClient(URL, http_client=http, **options)
                client._sleep = wait  # type: ignore[assignment]  # asyncio.sleep can also hand a result on
                return await client.estimate(*pair)

        async def wait(seconds: float) -> None:
            self.waits.append(seconds)

        return asyncio.run(ask())


class Service:
    """Limits and batches over an estimator.

    Attributes:
        sent: what every batch held, as arrays by name.
        refuse: maps the arrays of a batch to a response in the place of the answer, or to None.
        spoil: maps a problem to an error in the place of its answer, or to None.
    """

    def __init__(self, estimator: EstimatorLike, **limits: Any) -> None:
        self.limits: dict[str, Any] = {
            "min_rows": 10,
            "max_columns": 64,
            "levels": [0.005, 0.995],
            "max_body_bytes": 10**6,
            "max_problem_cells": 10**5,
            "max_request_cells": 10**6,
            "max_request_problems": 100,
            "queue_cells": 10**6,
            "cells_per_second": 10**7,
            **limits,
        }
        self.estimator = estimator
        self.sent: list[Arrays] = []
        self.asked_limits = 0
        self.waits: list[float] = []
        self.sizes: list[int] = []
        self.refuse: Callable[[Arrays], httpx2.Response | None] = lambda tensors: None
        self.spoil: Callable[[np.ndarray, np.ndarray], mizzle.MizzleError | None] = lambda x, y: None
        self._lock = threading.Lock()

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path == wire.LIMITS:
            self.asked_limits += 1
            return httpx2.Response(200, json=self.limits)
        assert request.url.path == wire.BATCH_PATH
        assert request.headers["content-type"] == "application/x-safetensors"
        tensors = load(request.content)
        refusal = self.refuse(tensors)
        if refusal is not None:
            return refusal
        with self._lock:
            self.sent.append(tensors)
            self.sizes.append(len(request.content))
        return httpx2.Response(200, json={"answers": [self._answer(*pair) for pair in pairs_of(tensors)]})

    def _answer(self, x: np.ndarray, y: np.ndarray) -> dict[str, Any]:
        spoilt = self.spoil(x, y)
        if spoilt is not None:
            return {"error": wire.error(spoilt)}
        try:
            table = self.estimator.prepare(x.astype(float), y.astype(float))
            return {"estimate": wire.answer(self.estimator.run([table])[0])}
        except mizzle.MizzleError as error:
            return {"error": wire.error(error)}
        except RuntimeError:
            return {"error": {"code": "inference_failed", "status": 500, "detail": "it failed"}}

    @property
    def counts(self) -> list[int]:
        """Problems of every batch."""
        return [len(tensors) // 2 for tensors in self.sent]

    def client(self, **options: Any) -> mizzle.Client:
        """A client of it."""
        http = httpx2.Client(transport=httpx2.MockTransport(self))
        client = mizzle.Client(URL, http_client=http, **options)
        client._sleep = lambda seconds: self.waits.append(float(seconds))
        return client

    def ask_many(self, pairs: Iterable[Any], **options: Any) -> Answers:
        """What a blocking client has for many problems."""
        with self.client() as client:
            answers: Answers = client.estimate_many(pairs, **options)
            return answers

    def ask_many_async(self, pairs: Iterable[Any], **options: Any) -> Answers:
        """What an asynchronous client has for many problems."""

        async def wait(seconds: float) -> None:
            self.waits.append(seconds)

        async def ask() -> Answers:
            async with httpx2.AsyncClient(transport=httpx2.MockTransport(self)) as http:
                client = mizzle.AsyncClient(URL, http_client=http)
                client._sleep = wait  # type: ignore[assignment]  # asyncio.sleep can also hand a result on
                answers: Answers = await client.estimate_many(pairs, **options)
                return answers

        return asyncio.run(ask())


def pairs_of(tensors: Arrays) -> list[tuple[np.ndarray, np.ndarray]]:
    """The arrays of a batch as pairs, in order."""
    return [(tensors[f"x.{i}"], tensors[f"y.{i}"]) for i in range(len(tensors) // 2)]
