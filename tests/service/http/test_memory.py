"""Bytes of requests: admitted like work, shared by callers, and charged no longer than they are held."""

import asyncio
import gc
import hashlib
import json
import logging
import socket
import subprocess
import sys
import weakref
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest
from job_bodies import SAFETENSORS, tensor_body
from live import INFER, RESET, bodies, client, living, request, until
from safetensors.numpy import save

from mizzle import wire
from mizzle.data import samples
from mizzle.errors import QueueFull, TooLarge
from mizzle.service.app import create_app
from mizzle.service.formats import problem
from mizzle.service.formats.problem import held_bytes
from mizzle.service.formats.registry import parse_problem
from mizzle.service.http import memory as memory_module
from mizzle.service.http.auth import Keys
from mizzle.service.http.memory import RequestMemory, Turns
from mizzle.service.settings import Settings

BODY, BUDGET = 2**20, 8 * 2**20
JOB = "/v1/jobs/one"
POSTS = (wire.PATH, wire.BATCH_PATH, INFER)
HEAD = "{} {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-safetensors\r\n"
DECLARED = f"Content-Length: {BODY}\r\n\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
def small(settings: Settings, tmp_path) -> Settings:
    return settings.model_copy(
        update={"max_body_bytes": BODY, "max_inflight_bytes": BUDGET, "jobs_dir": tmp_path / "jobs"}
    )


def memory_of(app) -> RequestMemory:
    memory: RequestMemory = app.state.service.memory
    return memory


async def connected(stack: ExitStack, address, host: str) -> socket.socket:
    """A connection from one of the addresses of this machine."""
    connection = stack.enter_context(socket.socket())
    connection.setblocking(False)
    connection.bind((host, 0))
    await asyncio.get_running_loop().sock_connect(connection, address)
    return connection


async def answered(connection: socket.socket) -> bytes:
    return await asyncio.get_running_loop().sock_recv(connection, 4096)


def head(path: str, framing: str) -> bytes:
    media = SAFETENSORS if path in (wire.PATH, wire.BATCH_PATH, JOB) else wire.BINARY
    start = HEAD.format("PUT" if path == JOB else "POST", path).replace(SAFETENSORS, media)
    return (start + framing).encode()


@pytest.mark.parametrize("framing", [DECLARED, CHUNKED], ids=["declared", "chunked"])
@pytest.mark.parametrize("path", [*POSTS, JOB])
def test_unfinished_bodies_are_admitted_like_work(fake, small: Settings, path: str, framing: str) -> None:
    """However many there are; another caller is let in, and what hangs up leaves nothing."""
    app, loop = create_app(small, fake), asyncio.get_running_loop
    content = b"%x\r\n%s\r\n" % (BODY - 1, b"a" * (BODY - 1)) if framing is CHUNKED else b"a" * (BODY - 1)

    async def scenario() -> None:
        async with living(app) as address:
            with ExitStack() as stack:
                own = []
                for _ in range(40):
                    connection = await connected(stack, address, "127.0.0.1")
                    await loop().sock_sendall(connection, head(path, framing))
                    before = memory_of(app).bytes
                    sent = asyncio.create_task(loop().sock_sendall(connection, content))
                    await until(lambda b=before: memory_of(app).bytes >= b + BODY - 1 or full(app))
                    own.append((connection, sent))
                    if full(app):
                        break
                assert memory_of(app).bytes <= BUDGET
                refused = await answered(own[-1][0])
                assert b" 429 " in refused.split(b"\r\n")[0]
                assert b"queue_full" in refused
                assert b"\r\nretry-after: 1" in refused
                before = memory_of(app).bytes
                other = await connected(stack, address, "127.0.0.2")
                await loop().sock_sendall(other, head(path, framing) + content)
                await until(lambda: memory_of(app).bytes >= before + BODY - 1)
                for connection, sent in own:
                    sent.cancel()
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            await until(lambda: memory_of(app).bytes == 0)

    def full(app) -> bool:
        return app.state.metrics.registry.get_sample_value(
            "mizzle_rejected_total", {"reason": "queue_full"}
        ) not in (None, 0.0)

    asyncio.run(scenario())


@pytest.mark.parametrize("path", POSTS)
def test_what_waits_is_charged_by_its_arrays(fake, small: Settings, draw, path: str) -> None:
    body = bodies(draw())[path]

    async def scenario() -> None:
        app = create_app(small, fake)
        async with living(app) as address, client(address) as http:
            fake.forget()
            fake.gate.clear()
            waiting = asyncio.create_task(http.post(path, content=body))
            await fake.begun()
            assert memory_of(app).bytes == sum(side.nbytes for side in draw())
            fake.gate.set()
            assert (await waiting).status_code == 200
            await until(lambda: memory_of(app).bytes == 0)

    asyncio.run(scenario())


@pytest.mark.parametrize("status", [200, 400, 413, 415, 422, 504])
@pytest.mark.parametrize("path", POSTS)
def test_however_a_request_ends_nothing_is_charged_any_more(
    fake, small, draw, path: str, status: int
) -> None:
    large = json.dumps({"x": [0] * 10**5, "y": [0] * 10**5}).encode()
    sent = {
        200: bodies(draw())[path],
        400: b"{",
        413: large * 4,
        415: b"",
        422: b"{}",
        504: bodies(draw())[path],
    }
    headers = {"content-type": "text/plain"} if status == 415 else {}
    headers |= {"x-request-timeout": "1e-9"} if status == 504 else {}

    async def scenario() -> None:
        app = create_app(small, fake)
        async with living(app) as address, client(address) as http:
            assert (await http.post(path, content=sent[status], headers=headers)).status_code == status
            await until(lambda: memory_of(app).bytes == 0)

    asyncio.run(scenario())


@pytest.mark.parametrize("path", POSTS)
def test_whoever_hangs_up_is_charged_nothing(fake, small: Settings, draw, path: str) -> None:
    async def scenario() -> None:
        app = create_app(small, fake)
        async with living(app) as address:
            fake.forget()
            fake.gate.clear()
            with ExitStack() as stack:
                connection = await connected(stack, address, "127.0.0.1")
                await asyncio.get_running_loop().sock_sendall(connection, request(path, bodies(draw())[path]))
                await fake.begun()
                assert memory_of(app).bytes > 0
            await until(lambda: memory_of(app).bytes == 0)
            fake.gate.set()

    asyncio.run(scenario())


def test_a_job_that_waits_to_be_stored_is_charged(fake, small: Settings, monkeypatch) -> None:
    async def scenario() -> None:
        app, stored = create_app(small, fake), asyncio.Event()
        async with living(app) as address, client(address) as http:
            body = tensor_body(np.random.default_rng(0).random((40, 3)))
            await until(lambda: not isinstance(app.state.jobs.store._failure, Exception))
            real = app.state.jobs.submit

            async def submit(submission):
                await stored.wait()
                return await real(submission)

            monkeypatch.setattr(app.state.jobs, "submit", submit)
            sending = asyncio.create_task(http.put(JOB, content=body, headers={"content-type": SAFETENSORS}))
            await until(lambda: memory_of(app).bytes == len(body))
            stored.set()
            assert (await sending).status_code in (200, 202)
            await until(lambda: memory_of(app).bytes == 0)

    asyncio.run(scenario())


def test_numbers_that_grow_are_charged_as_they_are_held() -> None:
    """Eight times the body; where there is no room for that, it is refused before it waits."""
    memory = RequestMemory(Settings(max_body_bytes=1000, max_inflight_bytes=3200))
    sample = parse_problem(
        SAFETENSORS, save({name: np.arange(90, dtype=np.int8) for name in "xy"}), {}, (0.0, 1.0)
    )
    with memory.charged("a") as charge, memory.charged("b") as other:
        charge.resize(200)
        other.resize(600)
        with pytest.raises(QueueFull):
            charge.resize(held_bytes([sample]))
        other.resize(0)
        charge.resize(600)
        assert memory.bytes == 600
    assert memory.bytes == 0


def test_what_can_never_fit_is_no_matter_of_time() -> None:
    memory = RequestMemory(Settings(max_body_bytes=1000, max_inflight_bytes=2000))
    with memory.charged("a") as charge:
        charge.resize(1000)
        with pytest.raises(TooLarge, match="needs 1001 bytes, and here one may take 1000"):
            charge.resize(1001)
        assert memory.bytes == 1000


def test_bodies_are_read_in_turns_of_their_callers() -> None:
    """However many one caller sent before; and nobody is passed over when another has gone."""

    async def scenario():
        turns, order = Turns(), []

        async def read(caller, name):
            async with turns.of(caller):
                order.append(name)

        async with turns.of("a"):
            names = ["a0", "a1", "a2", "c0", "b0", "b1"]
            tasks = {name: asyncio.create_task(read(name[0], name)) for name in names}
            await asyncio.sleep(0)
            tasks["c0"].cancel()
            await asyncio.sleep(0)
        await asyncio.wait(tasks.values())
        await read("a", "last")
        return order

    assert asyncio.run(scenario()) == ["a0", "b0", "a1", "b1", "a2", "last"]


def test_a_turn_that_came_to_somebody_who_left_goes_on() -> None:
    async def scenario():
        turns = Turns()

        async def read():
            async with turns.of("a"):
                return True

        async with turns.of("a"):
            gone, other = asyncio.create_task(read()), asyncio.create_task(read())
            await asyncio.sleep(0)
        gone.cancel()  # its turn has come in the same moment
        return await asyncio.wait_for(other, 5)

    assert asyncio.run(scenario())


def test_a_caller_may_have_so_many_bodies_wait_to_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_module, "_MAX_WAITING_READS", 1)

    async def scenario():
        turns = Turns()

        async def read(caller):
            async with turns.of(caller):
                return caller

        async with turns.of("a"):
            waiting = asyncio.create_task(read("a"))
            await asyncio.sleep(0)
            with pytest.raises(QueueFull, match="wait to be read"):
                await read("a")
            other = asyncio.create_task(read("b"))
            await asyncio.sleep(0)
        return await asyncio.gather(waiting, other)

    assert asyncio.run(scenario()) == ["a", "b"]


KEYS = Keys.parse("".join(f"{name}:{hashlib.sha256(name.encode()).hexdigest()}\n" for name in ("one", "two")))
EXPECTING = f"Expect: 100-continue\r\n{DECLARED}"


@pytest.mark.parametrize("key", ["", "X-API-Key: wrong\r\n"], ids=["no key", "wrong key"])
@pytest.mark.parametrize("framing", [EXPECTING, DECLARED, CHUNKED], ids=["expecting", "declared", "chunked"])
@pytest.mark.parametrize("path", [*POSTS, JOB])
def test_who_has_no_key_is_refused_before_the_body(fake, small, path: str, framing: str, key: str) -> None:
    """Nothing of it is asked for, charged or held, however much is sent."""

    async def scenario() -> None:
        app, loop = create_app(small, fake, keys=KEYS), asyncio.get_running_loop()
        async with living(app) as address:
            with ExitStack() as stack:
                connection = await connected(stack, address, "127.0.0.1")
                await loop.sock_sendall(connection, head(path, key + framing))
                assert (await answered(connection)).startswith(b"HTTP/1.1 401 ")
                assert memory_of(app).bytes == 0
                if framing is not CHUNKED:
                    await loop.sock_sendall(connection, b"a" * (BODY - 1))
                    assert memory_of(app).bytes == 0

    asyncio.run(scenario())


def test_one_key_has_its_number_of_unfinished_requests(fake, small: Settings) -> None:
    """From whatever connections; the next is refused before its body, another key is let in."""
    limit = 3

    async def scenario() -> None:
        settings = small.model_copy(update={"key_concurrency": limit})
        app, loop = create_app(settings, fake, keys=KEYS), asyncio.get_running_loop()
        async with living(app) as address:
            with ExitStack() as stack:

                async def send(name: str, path: str):
                    connection = await connected(stack, address, "127.0.0.1")
                    await loop.sock_sendall(connection, head(path, f"X-API-Key: {name}\r\n{EXPECTING}"))
                    return await answered(connection)

                for path in POSTS:
                    assert (await send("one", path)).startswith(b"HTTP/1.1 100 ")
                assert (await send("one", JOB)).startswith(b"HTTP/1.1 429 ")
                assert (await send("two", wire.PATH)).startswith(b"HTTP/1.1 100 ")
            await until(lambda: memory_of(app).bytes == 0)

    asyncio.run(scenario())


BAD = {
    "too wide": {"x": np.zeros((50, 100), np.int8)},
    "too long": {"x": np.zeros((60_000, 1), np.int8), "y": np.zeros((60_000, 1), np.int8)},
    "not finite": {"x": np.full((50, 1), np.nan)},
    "too few rows": {"x": np.zeros((1, 1)), "y": np.zeros((1, 1))},
}


@pytest.mark.parametrize("bad", [*BAD, None])
def test_nothing_of_a_request_stays_once_it_is_answered(fake, settings, monkeypatch, bad: str | None) -> None:
    """Not even until the next collection of garbage: an error in a batch must not hold on to the others."""
    good = {"x": np.arange(50.0)[:, None], "y": np.arange(50.0)[::-1, None] ** 2}
    problems = [good, {**good, **BAD.get(bad or "", {})}, good]
    batch = save({f"{s}.{i}": np.ascontiguousarray(p[s]) for i, p in enumerate(problems) for s in "xy"})
    arrays: list[Any] = []

    def read(*given, real=samples.read_sample):
        sample = real(*given)
        arrays.extend(map(weakref.ref, (sample.x, sample.y)))
        return sample

    monkeypatch.setattr(problem, "read_sample", read)
    monkeypatch.setattr(logging.root.manager, "disable", logging.CRITICAL)  # pytest holds what is logged

    async def scenario() -> None:
        app = create_app(settings.model_copy(update={"max_body_bytes": 2**22}), fake)
        async with living(app) as address, client(address) as http:
            gc.collect()
            gc.disable()
            try:
                answer = await http.post(
                    wire.BATCH_PATH, content=batch, headers={"content-type": SAFETENSORS}
                )
                assert answer.status_code == 200
                assert sum("error" in item for item in answer.json()["answers"]) == bool(bad)
                fake.forget()
                await until(lambda: not any(array() is not None for array in arrays))
            finally:
                gc.enable()

    asyncio.run(scenario())
    assert arrays


@pytest.mark.skipif(not hasattr(memory_module._libc, "mallopt"), reason="the C library is not glibc")
def test_what_threads_freed_goes_back_to_the_system() -> None:
    """In a process of its own, as the allocator is configured once."""
    done = subprocess.run([sys.executable, "-c", _FREED], capture_output=True, text=True, check=True)
    before, after = map(int, done.stdout.split())
    assert after - before < 20_000  # KiB, of some 200 MiB


_FREED = """
import threading
import numpy as np
from mizzle.service.http.memory import configure_allocator

def resident():
    return next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS"))

def work():
    for _ in range(3):
        arrays = [np.ones(size, np.uint8) for size in range(2**20, 8 * 2**20, 2**20)]

configure_allocator()
before = resident()
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(before, resident())
"""
