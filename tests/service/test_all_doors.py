"""Every door of the service at its limits at once: what it takes stays below what docs/service.md states.

The peaks of the service and of its worker are read from the system, which counts what no allocator knows of.
"""

import json
import os
import re
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from job_bodies import tensor_body
from safetensors.numpy import save

from mizzle.wire import BATCH_PATH, JSON, PATH, SAFETENSORS

LIMIT = 4 * 2**30  # of address space of each process; of both together, what they have of it in memory
SECONDS = 40.0  # of patience with any one of them
BODIES, BODY = 39, 32 * 2**20  # from each of three addresses, 3.5 GiB together
STREAMS, IDLE, JOBS, READERS = 150, 300, 4, 30
HEAD = "{} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-safetensors\r\n{}\r\n"
pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="peaks of memory are read from /proc"
)


def _status(pid: int, field: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def _family(pid: int) -> list[int]:
    """A process, and those that it started."""
    children = [Path(f"/proc/{pid}/task/{task}/children") for task in os.listdir(f"/proc/{pid}/task")]
    return [pid, *(int(child) for path in children for child in path.read_text().split())]


def _limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))


@pytest.fixture
def service(tmp_path: Path):
    """A service that fails where it asks for more memory than the limit: process, address, probes."""
    settings = {
        "JOBS_DIR": str(tmp_path / "jobs"),
        "THREADS": "1",
        "DRAIN_SECONDS": "0",
        "GRACE_SECONDS": "1",
    }
    environment = {**os.environ, **{f"MIZZLE_{name}": value for name, value in settings.items()}}
    command = [sys.executable, "-m", "mizzle", "serve", "--port=0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment, preexec_fn=_limit_memory
    ) as process:
        assert process.stdout
        line = process.stdout.readline()
        if not line:
            pytest.skip("a process with a limit of address space does not start here")
        url, probes = line.split()[3], line.rpartition("; probes: ")[2].strip(" )\n")
        with httpx2.Client(base_url=probes, trust_env=False, timeout=SECONDS) as http:
            while http.get("/startupz").status_code != 200:
                assert process.poll() is None
            yield process, url, http
        process.terminate()


def _flood(stack: ExitStack, url: str, count: int, head: str, source: str, body: bytes = b"") -> None:
    """Connections that send so much, and never the end."""
    host, port = url.removeprefix("http://").split(":")
    for _ in range(count):
        connection = socket.create_connection((host, int(port)), SECONDS, source_address=(source, 0))
        stack.enter_context(connection)
        with suppress(OSError):  # refused before the end
            connection.settimeout(2.0)
            connection.sendall(head.encode())
            for _ in range(0, BODY - 2**20, max(1, len(body))) if body else ():
                connection.sendall(body)


def test_every_door_at_once_stays_below_the_limit(service) -> None:
    process, url, probes = service
    rng = np.random.default_rng(0)
    largest_job = tensor_body(rng.integers(0, 100, (20_000, 200)).astype(np.int8), what="rank", target="c0")
    wide = {f"{s}.{i}": rng.integers(0, 100, (5000, 60)).astype(np.int8) for i in range(24) for s in "xy"}
    text = json.dumps({"x": [[0.5, 1]] * 90_000, "y": [[0]] * 90_000})
    statuses: list[int] = []

    def ask(count: int, method: str, path: str, **sent) -> None:
        with httpx2.Client(base_url=url, trust_env=False, timeout=SECONDS) as http:
            for i in range(count):
                with suppress(httpx2.HTTPError):
                    statuses.append(http.request(method, path.format(i), **sent).status_code)

    small = tensor_body(rng.integers(0, 9, (50, 30)).astype(np.int8))
    media = {"content-type": SAFETENSORS}
    ask(1, "PUT", "/v1/jobs/small", content=small, headers=media)
    ask(JOBS, "PUT", "/v1/jobs/large-{}", content=largest_job, headers=media)
    work: list[tuple[Callable[..., None], tuple[Any, ...], dict[str, Any]]] = [
        (ask, (3, "POST", PATH), {"content": text, "headers": {"content-type": JSON}}),
        (ask, (3, "POST", PATH), {"content": text, "headers": {"content-type": JSON}}),
        (ask, (2, "POST", BATCH_PATH), {"content": save(wide), "headers": media}),
        (ask, (2, "POST", BATCH_PATH), {"content": save(wide), "headers": media}),
        (ask, (READERS, "GET", "/v1/jobs/small/result"), {}),
        (ask, (2, "PUT", "/v1/jobs/more-{}"), {"content": largest_job, "headers": media}),
    ]
    with ExitStack() as stack:
        _flood(stack, url, IDLE, "GET /livez HT", source="127.0.0.4")
        _flood(stack, url, STREAMS, HEAD.format("GET /v1/jobs/large-0/events", ""), source="127.0.0.3")
        threads = [threading.Thread(target=f, args=args, kwargs=more) for f, args, more in work]
        for thread in threads:
            thread.start()
        declared = HEAD.format(f"POST {PATH}", f"Content-Length: {BODY}\r\n")
        for source in ("127.0.0.2", "127.0.0.5", "127.0.0.6"):
            _flood(stack, url, BODIES, declared, source, bytes(2**20))
        assert probes.get("/livez").status_code == 200
        assert re.search(r'rejected_total\{reason="queue_full"\} [1-9]', probes.get("/metrics").text)
        for thread in threads:
            thread.join(SECONDS)
        peaks = [_status(pid, "VmHWM") for pid in _family(process.pid)]
    assert process.poll() is None
    assert len(peaks) > 1

    assert sum(peaks) < LIMIT
    assert {200, 202} <= set(statuses) <= {200, 202, 409, 413, 429, 503, 504}
    assert probes.get("/livez").status_code == 200
