"""A service to attack: `mizzle serve` in a process of its own on the loopback interface, ended by its id."""

import http.client
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors.numpy import save

from mizzle import wire

HONEST, ATTACKER = "127.0.0.1", "127.0.0.2"  # all of 127.0.0.0/8 is this machine: two peers
SEED = 17
PATIENCE = 60.0  # seconds, after which something that is waited for has failed
_START = "import sys; from mizzle.cli import main; sys.exit(main(['serve']))"


class Reply(NamedTuple):
    """An answer; status 0 where the connection broke."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    @property
    def json(self) -> Any:
        """Its body as JSON; an empty object where that is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return {}


class Service:
    """A running `mizzle serve`.

    Attributes:
        port, admin_port: where it listens.
        log: the file with what it wrote to standard error.
    """

    def __init__(self, process: "subprocess.Popen[str]", port: int, admin_port: int, log: Path) -> None:
        self.process, self.port, self.admin_port, self.log = process, port, admin_port, log

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        media: str = wire.SAFETENSORS,
        key: str = "",
        source: str = HONEST,
        port: int | None = None,
        timeout: float = PATIENCE,
    ) -> Reply:
        """One request on a connection of its own."""
        headers = {"Content-Type": media} if body is not None else {}
        headers |= {"X-API-Key": key} if key else {}
        start = time.monotonic()
        connection = http.client.HTTPConnection(HONEST, port or self.port, timeout, (source, 0))
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            content, fields = response.read(), {k.lower(): v for k, v in response.getheaders()}
            return Reply(response.status, fields, content, time.monotonic() - start)
        except (OSError, http.client.HTTPException):
            return Reply(0, {}, b"", time.monotonic() - start)
        finally:
            connection.close()

    def estimate(self, body: bytes | None = None, **options: Any) -> Reply:
        """The answer to a problem, of 200 rows and 2 + 2 columns where no other is given."""
        return self.ask("POST", wire.PATH, problem(200, 2, 2) if body is None else body, **options)

    def put_job(self, name: str, body: bytes, **options: Any) -> Reply:
        """The answer to a new job."""
        return self.ask("PUT", f"{wire.JOBS}/{name}", body, **options)

    def job(self, name: str, **options: Any) -> dict[str, Any]:
        """A job as it stands; an empty object where there is none."""
        answer: dict[str, Any] = self.ask("GET", f"{wire.JOBS}/{name}", **options).json
        return answer

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process.poll() is None

    @property
    def pids(self) -> list[int]:
        """Of the service, and of its worker while it has one."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return [self.process.pid, *(int(pid) for task in tasks for pid in _text(task).split())]

    def forget_peak(self) -> None:
        """Measures peaks of memory from now on."""
        for pid in self.pids:
            with suppress(OSError):
                Path(f"/proc/{pid}/clear_refs").write_text("5")

    def peak_mib(self) -> float:
        """The highest resident memory of service and worker together, in MiB, at most."""
        return self._memory("VmHWM")

    def resident_mib(self) -> float:
        """The resident memory of service and worker together, in MiB."""
        return self._memory("VmRSS")

    def _memory(self, field: str) -> float:
        texts = (_text(Path(f"/proc/{pid}/status")) for pid in self.pids)
        lines = (line.split() for text in texts for line in text.splitlines() if line.startswith(field))
        return sum(int(line[1]) for line in lines) / 1024

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ends it, and its worker with it; its exit code."""
        pids = self.pids[1:]
        if self.alive:
            self.process.send_signal(how)
        try:
            code = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        for pid in pids:  # a worker that is stopped does not see that the service is gone
            if "mizzle.service.inference" in _text(Path(f"/proc/{pid}/cmdline")):
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
        return code


@contextmanager
def serving(
    *, memory_mib: int | None = None, prelude: str = "", ready: bool = True, **settings: Any
) -> Iterator[Service]:
    """A service, which is ended afterwards.

    Args:
        memory_mib: of address space that each of its processes may have.
        prelude: code that it runs first.
        ready: whether to wait until it is.
        settings: by the names of `Settings`.
    """
    with tempfile.TemporaryDirectory(prefix="mizzle-attack-") as folder:
        service = _started(Path(folder) / "log", memory_mib, prelude, settings)
        try:
            if ready:
                until(lambda: not service.alive or service.ask("GET", wire.READY).status == 200)
                if not service.alive:
                    raise RuntimeError(f"the service ended: {_text(service.log)[-300:]}")
            yield service
        finally:
            service.stop()


def _started(log: Path, memory_mib: int | None, prelude: str, settings: dict[str, Any]) -> Service:
    own = {key: value for key, value in os.environ.items() if not key.startswith("MIZZLE_")}
    settings = {"port": 0, "admin_port": 0, "drain_seconds": 0, "grace_seconds": 2, **settings}
    environment = own | {f"MIZZLE_{name}".upper(): str(value) for name, value in settings.items()}
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", f"{prelude}\n{_START}"],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment,
            preexec_fn=_limit(memory_mib),
        )
    assert process.stdout is not None
    port, admin_port = _ports(process.stdout.readline())
    service = Service(process, port, admin_port, log)
    until(lambda: not service.alive or service.ask("GET", "/livez").status == 200)
    return service


def _ports(line: str) -> tuple[int, int]:
    """Of the service and of its probes, as its first line names them; zeros where it did not start."""
    ports = [int(port) for port in re.findall(r"http://[^/;]*:(\d+)", line)]
    return (ports[0], ports[-1]) if ports else (0, 0)


def _limit(mib: int | None) -> Callable[[], None] | None:
    """What a child does first, so that it gets no more memory than this."""
    return None if mib is None else lambda: resource.setrlimit(resource.RLIMIT_AS, (mib << 20, mib << 20))


def until(true: Callable[[], object], seconds: float = PATIENCE, every: float = 0.05) -> bool:
    """Waits until `true()` is, and returns whether it came to be in time."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(every)
    return True


def keys_file(folder: Path, *names: str) -> tuple[Path, dict[str, str]]:
    """A file of keys, and the keys by their names."""
    from mizzle.service.http.auth import new_key

    pairs = {name: new_key(name) for name in names}
    path = folder / "keys"
    path.write_text("".join(f"{line}\n" for _, line in pairs.values()))
    path.chmod(0o600)
    return path, {name: key for name, (key, _) in pairs.items()}


def problem(n: int, dim_x: int, dim_y: int, dtype: Any = np.float32) -> bytes:
    """A correlated sample as safetensors."""
    x, y = sample(n, dim_x, dim_y)
    return save({"x": x.astype(dtype), "y": y.astype(dtype)})


def sample(n: int, dim_x: int, dim_y: int, seed: int = SEED) -> tuple[np.ndarray, np.ndarray]:
    """A correlated normal sample of shapes (n, dim_x) and (n, dim_y)."""
    rng = np.random.default_rng(seed)
    table = rng.standard_normal((n, 1)) + rng.standard_normal((n, dim_x + dim_y))
    return table[:, :dim_x].copy(), table[:, dim_x:].copy()


def batch(count: int, n: int, dim_x: int, dim_y: int) -> bytes:
    """Many problems in one request, as safetensors."""
    tensors: dict[str, np.ndarray] = {}
    for i in range(count):
        x, y = sample(n, dim_x, dim_y, SEED + i)
        tensors |= {f"x.{i}": x.astype(np.float32), f"y.{i}": y.astype(np.float32)}
    return save(tensors)


def job(values: np.ndarray, **fields: Any) -> bytes:
    """The body of a job, as safetensors."""
    return save({"table": np.ascontiguousarray(values)}, {"job": json.dumps(fields)})


def table(n: int, p: int) -> np.ndarray:
    """Dependent columns of shape (n, p)."""
    rng = np.random.default_rng(SEED)
    return (rng.standard_normal((n, p)) + rng.standard_normal((n, 1))).astype(np.float32)


def _text(path: Path) -> str:
    """What a file says; nothing where it is gone."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
