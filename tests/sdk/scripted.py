"""Servers without sockets for the clients' own tests: one plays a script, one answers as a service does."""

import asyncio
import threading

import httpx2
from safetensors.numpy import load

import mizzle
from mizzle import wire

URL = "http://mizzle.test"


def problem(status, code, detail="words", **headers):
    """A refusal."""
    return httpx2.Response(status, json={"code": code, "detail": detail}, headers=headers)


class Scripted:
    """A server that plays a list of responses or exceptions, and the waits between them."""

    def __init__(self, *script):
        self.script = list(script)
        self.requests = 0
        self.waits = []

    def __call__(self, request):
        self.requests += 1
        self.request = request
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    def ask(self, pair, **options):
        http = httpx2.Client(transport=httpx2.MockTransport(self))
        with http, mizzle.Client(URL, http_client=http, **options) as client:
            client._sleep = self.waits.append
            return client.estimate(*pair)

    def ask_async(self, pair, **options):
        async def ask():
            transport = httpx2.MockTransport(self)
            async with httpx2.AsyncClient(transport=transport) as http:
                client = mizzle.AsyncClient(URL, http_client=http, **options)
                client._sleep = wait
                return await client.estimate(*pair)

        async def wait(seconds):
            self.waits.append(seconds)

        return asyncio.run(ask())


class Service:
    """Limits and batches over an estimator.

    Attributes:
        sent: what every batch held, as arrays by name.
        refuse: maps the arrays of a batch to a response in the place of the answer, or to None.
        spoil: maps a problem to an error in the place of its answer, or to None.
    """

    def __init__(self, estimator, **limits):
        self.limits = {
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
        self.sent = []
        self.asked_limits = 0
        self.waits = []
        self.sizes = []
        self.refuse = lambda tensors: None
        self.spoil = lambda x, y: None
        self._lock = threading.Lock()

    def __call__(self, request):
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

    def _answer(self, x, y):
        error = self.spoil(x, y)
        if error is not None:
            return {"error": wire.error(error)}
        try:
            table = self.estimator.prepare(x.astype(float), y.astype(float))
            return {"estimate": wire.answer(self.estimator.run([table])[0])}
        except mizzle.MizzleError as error:
            return {"error": wire.error(error)}
        except RuntimeError:
            return {"error": {"code": "inference_failed", "status": 500, "detail": "it failed"}}

    @property
    def counts(self):
        """Problems of every batch."""
        return [len(tensors) // 2 for tensors in self.sent]

    def client(self, **options):
        """A client of it."""
        http = httpx2.Client(transport=httpx2.MockTransport(self))
        client = mizzle.Client(URL, http_client=http, **options)
        client._sleep = self.waits.append
        return client

    def ask_many(self, pairs, **options):
        """What a blocking client has for many problems."""
        with self.client() as client:
            return client.estimate_many(pairs, **options)

    def ask_many_async(self, pairs, **options):
        """What an asynchronous client has for many problems."""

        async def wait(seconds):
            self.waits.append(seconds)

        async def ask():
            async with httpx2.AsyncClient(transport=httpx2.MockTransport(self)) as http:
                client = mizzle.AsyncClient(URL, http_client=http)
                client._sleep = wait
                return await client.estimate_many(pairs, **options)

        return asyncio.run(ask())


def pairs_of(tensors):
    """The arrays of a batch as pairs, in order."""
    return [(tensors[f"x.{i}"], tensors[f"y.{i}"]) for i in range(len(tensors) // 2)]
