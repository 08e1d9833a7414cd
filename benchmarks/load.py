"""How the service holds up: throughput, latency below capacity, overload, recovery, memory.

    python benchmarks/load.py [--quick] [--soak]
    python benchmarks/load.py --attack [--quick]

Starts `mizzle serve` with the shipped weights on a loopback port, asks it for problems of 200 rows and 2 + 2
columns as .npy, and ends it. The same problems through the worker process without HTTP are the measure of
capacity. Rates are in requests a second, times in milliseconds; what counts are the ratios, as the machine is
shared with the load itself. Prints tables and writes results/load-YYYY-MM-DD.json.

`--attack` instead attacks services of its own in every way that an audit did (`attacks/`), prints what came
beside the bound of each, and writes results/attack-YYYY-MM-DD.json, which `docs/attacks.md` is made from. Its
exit code is 1 where a bound does not hold.
"""

import argparse
import asyncio
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import http_load as http
import numpy as np
import uvloop
from attacks import GROUPS
from attacks.judging import Group, all_outcomes
from attacks.service import SEED
from results import RESULTS, Row, print_table, result_name, write_result

from mizzle.model.weights import SHIPPED
from mizzle.service.app import LOADER
from mizzle.service.inference.ipc import Pair
from mizzle.service.inference.worker import Worker
from mizzle.service.settings import Settings
from mizzle.service.telemetry.metrics import Metrics

SHAPE = (200, 2, 2)
CONCURRENCY = 32
BODIES = 64
LOADS = (0.7, 2.0, 5.0)  # of capacity
SOAK = 100_000
LARGE_BODIES = 50  # of the largest size in JSON, during which probes are timed


def main() -> int:
    """Runs the phases, or the attacks, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="short phases: tries the program, tells little")
    parser.add_argument("--soak", action="store_true", help="also 100,000 good and 100,000 bad requests")
    parser.add_argument(
        "--attack", action="store_true", help="hostile callers instead: what came, beside bounds"
    )
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    if options.attack:
        return attacked(options.quick, options.out)
    seconds = 2.0 if options.quick else 20.0
    direct = asyncio.run(_direct(seconds / 2))
    with_service = _served(lambda port, pid: _phases(port, pid, seconds, direct, options.soak))
    payload: Row = {
        "quick": options.quick, "seed": SEED, "shape": SHAPE, "concurrency": CONCURRENCY,
        "direct_rate": direct, **with_service,
    }  # fmt: skip
    for name, value in payload.items():
        print_table(name, value) if isinstance(value, list) else print(f"{name}: {value}")
    print(f"written: {write_result(result_name('load', options.quick), payload, options.out).name}")
    return 0


def attacked(quick: bool, out: Path, groups: Sequence[Group] = GROUPS) -> int:
    """Makes the table of attacks; 1 where a bound does not hold."""
    start, outcomes = time.monotonic(), []
    for outcome in all_outcomes(groups, quick):
        outcomes.append(outcome)
        print(f"{outcome.part:>2}  {outcome.holds!s:<5}  {outcome.attack}: {outcome.measured}", flush=True)
    payload: Row = {
        "quick": quick, "seed": SEED, "weights": {"sha256": hashlib.sha256(SHIPPED.read_bytes()).hexdigest()},
        "minutes": (time.monotonic() - start) / 60, "attacks": [outcome._asdict() for outcome in outcomes],
    }  # fmt: skip
    print(f"written: {write_result(result_name('attack', quick), payload, out).name}")
    return int(any(outcome.holds is False for outcome in outcomes))


async def _direct(seconds: float) -> float:
    """Problems a second that a worker process answers in batches of `CONCURRENCY`, without HTTP."""
    settings = Settings()
    worker = Worker(LOADER, {"device": settings.device, "threads": settings.threads}, Metrics())
    await worker.start()
    pairs = [_pair(i) for i in range(CONCURRENCY)]
    await worker.run(pairs)
    start, done = time.monotonic(), 0
    while time.monotonic() - start < seconds:
        await worker.run(pairs)
        done += len(pairs)
    rate = done / (time.monotonic() - start)
    await worker.close()
    return rate


def _pair(seed: int) -> Pair:
    n, dim_x, dim_y = SHAPE
    rng = np.random.default_rng(seed)
    table = rng.standard_normal((n, 1)) + rng.standard_normal((n, dim_x + dim_y))
    return Pair(table[:, :dim_x], table[:, dim_x:])


def _served(phases: Callable[[int, int], Awaitable[Row]]) -> Row:
    """What the phases found, against a service of their own that is ended afterwards."""
    environment = {**os.environ, "MIZZLE_DRAIN_SECONDS": "0"}
    code = "import sys; from mizzle.cli import main; sys.exit(main(['serve', '--port', '0']))"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as service:
        assert service.stdout is not None
        address = next(word for word in service.stdout.readline().split() if word.startswith("http"))
        try:
            return uvloop.run(_when_ready(int(address.rpartition(":")[2]), service.pid, phases))
        finally:
            service.send_signal(signal.SIGTERM)
            service.wait(60)


async def _when_ready(port: int, pid: int, phases: Callable[[int, int], Awaitable[Row]]) -> Row:
    probe = http.Connection(port)
    while (await probe.ask(http.get("/readyz"))).status != 200:
        await asyncio.sleep(0.1)
    probe.close()
    return await phases(port, pid)


async def _phases(port: int, pid: int, seconds: float, direct: float, soak: bool) -> Row:
    requests = [http.npy(*SHAPE, seed) for seed in range(BODIES)]
    await http.closed(port, requests, CONCURRENCY, seconds / 10)
    ended = asyncio.Event()
    probes = {path: asyncio.create_task(http.probing(port, path, 0.05, ended.is_set)) for path in PROBES}
    single = await http.closed(port, requests, 1, seconds / 4)
    full = await http.closed(port, requests, CONCURRENCY, seconds)
    capacity = len(http.with_status(full, 200)) / seconds
    loads = [await http.under_load(port, requests, share, capacity, seconds, SEED) for share in LOADS]
    before_large = time.monotonic()
    large = await _large_bodies(port, LARGE_BODIES)
    ended.set()
    probed = {path: await task for path, task in probes.items()}
    measured: Row = {
        "single": _times(single),
        "http_rate": capacity,
        "http_share_of_direct": capacity / direct,
        "loads": loads,
        "p99_below_capacity_over_single": loads[0]["p99"] / _times(single)["median"],
        "p99_overload_over_below": loads[-1]["p99"] / loads[0]["p99"],
        "goodput_overload": loads[-1]["goodput"] / capacity,
        "probes": [{"path": path, **_times(answers)} for path, answers in probed.items()],
        "large_bodies": http.counted(large),
        "probes_beside_large": [
            {"path": path, **_times([a for a in answers if a.start >= before_large])}
            for path, answers in probed.items()
        ],
    }
    return {**measured, "soak": await _soak(port, pid, requests)} if soak else measured


PROBES = ("/livez", "/readyz")


async def _large_bodies(port: int, count: int) -> list[http.Answer]:
    """JSON that is a list of numbers, too long to be a problem; read and refused."""
    cell, rest = b"0.125, ", b'{"x": [1], "y": [1]}'
    body = rest.replace(b"[", b"[" + cell * ((Settings().max_json_bytes - len(rest)) // len(cell)), 1)
    connection = http.Connection(port)
    answers = [
        await connection.ask(http.post("/v1/estimate", "application/json", body)) for _ in range(count)
    ]
    connection.close()
    return answers


async def _soak(port: int, pid: int, requests: list[bytes]) -> Row:
    """Memory, threads and descriptors before and after many good and bad requests."""
    bad = [
        http.post("/v1/estimate", "application/json", b'{"x": [1, NaN], "y": [[1], [2]]}'),
        http.post("/v1/estimate?dim_x=1", "application/x-npy", b"\x93NUMPY\x01\x00" + bytes(40)),
        http.get("/nothing/here"),
        http.post("/v1/estimate", "text/plain", b"x"),
    ]
    await _counted(port, requests + bad, SOAK // 20)
    before = _process(pid)
    start = time.monotonic()
    counts = await _counted(
        port, [r for pair in zip(requests, bad * 16, strict=True) for r in pair], 2 * SOAK
    )
    after = _process(pid)
    return {
        "requests": counts, "minutes": (time.monotonic() - start) / 60,
        **{f"{key}_before": value for key, value in before.items()},
        **{f"{key}_after": value for key, value in after.items()},
    }  # fmt: skip


async def _counted(port: int, requests: list[bytes], count: int) -> dict[str, int]:
    """So many requests by 16 clients; how many of every status."""
    answers: list[http.Answer] = []

    async def client(place: int) -> None:
        connection = http.Connection(port)
        for i in range(place, count, 16):
            answers.append(await connection.ask(requests[i % len(requests)]))
        connection.close()

    await asyncio.gather(*(client(place) for place in range(16)))
    return http.counted(answers)


def _process(pid: int) -> dict[str, Any]:
    """Resident MiB, threads and open descriptors of the service without its worker."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {
        "rss_mib": int(status["VmRSS"].split()[0]) / 1024,
        "threads": int(status["Threads"]),
        "descriptors": len(list(Path(f"/proc/{pid}/fd").iterdir())),
    }


def _times(answers: list[http.Answer]) -> Row:
    good = http.with_status(answers, 200)
    return {
        "count": len(good),
        "median": http.percentile(good, 0.5),
        "p99": http.percentile(good, 0.99),
        "failed": len(answers) - len(good),
    }


if __name__ == "__main__":
    sys.exit(main())
