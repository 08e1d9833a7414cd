"""The service on Ray Serve: any replica answers as an application alone does, whoever comes and goes.

Ray is a large library, and no part of the development tools: without it most of these tests are skipped.
"""

import asyncio
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from importlib import import_module
from threading import Event
from types import SimpleNamespace
from typing import Any

import fleet
import httpx2
import numpy as np
import pytest

from mizzle import errors
from mizzle.service.app import create_app
from mizzle.service.inference.models import Models
from mizzle.service.settings import Settings

# Of the cluster that starts here; Ray reads them as it is imported.
os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0123456789abcdef" * 4}
ASKERS = 3
CROWD = 12  # fewer than the target of requests of one replica: only their wait asks for a second
SECONDS = 1800.0
SMALL, LARGE = (0, 1, 2), (3,)  # of the problems
# The service's own limits of time: what is slow on a busy machine is not lost.
PATIENT = {f"MIZZLE_{name}_SECONDS": str(SECONDS) for name in ("BODY", "REQUEST")} | {
    "MIZZLE_MIN_BODY_RATE": "1"
}
SCALING = {
    "min_replicas": 1,
    "max_replicas": 2,
    "target_ongoing_requests": 16,
    "look_back_period_s": 20.0,
    "upscale_delay_s": 2.0,
    "downscale_delay_s": 2.0,
    "policy": {"policy_function": "mizzle.service.ray:wanted_replicas"},
}
pytestmark = [
    pytest.mark.timeout(2 * SECONDS),
    pytest.mark.filterwarnings("default"),  # Ray's own, such as sockets that it leaves open
]


@pytest.fixture(scope="module")
def module() -> Any:
    try:
        return import_module("mizzle.service.ray")
    except errors.MissingExtra as error:
        pytest.skip(str(error))


def problems() -> list[dict[str, Any]]:
    """Bodies of several sizes: small ones, and one that fills a batch, behind which others wait."""
    rng = np.random.default_rng(0)
    sizes = (50, 1, 1), (200, 2, 1), (300, 3, 4), (4000, 2, 2)
    sides = [(rng.normal(size=(n, dx)), rng.normal(size=(n, dy))) for n, dx, dy in sizes]
    return [{"x": x.tolist(), "y": (y + x[:, :1]).tolist()} for x, y in sides]


@pytest.fixture(scope="module")
def alone() -> list[dict[str, Any]]:
    """What one application in this process answers, by problem."""

    async def answers() -> list[dict[str, Any]]:
        app = create_app(Settings(threads=1))
        async with app.router.lifespan_context(app):
            await app.state.engine.loaded()
            transport = httpx2.ASGITransport(app)
            async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as http:
                asked = [await http.post("/v1/estimate", json=body) for body in problems()]
        return [answer.raise_for_status().json() for answer in asked]

    return asyncio.run(answers())


@pytest.fixture(scope="module")
def cluster(module: Any) -> Iterator[str]:
    """A node with Serve, and the address of its proxy."""
    import ray
    from ray import serve
    from ray.cluster_utils import Cluster

    port = fleet.free_port()
    size = {"num_cpus": 2, "object_store_memory": 100 * 2**20, "include_dashboard": False}
    nodes = Cluster(initialize_head=True, head_node_args=size)
    ray.init(address=nodes.address, log_to_driver=False)
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    yield f"http://127.0.0.1:{port}"
    serve.shutdown()
    ray.shutdown()
    nodes.shutdown()


def deploy(deployment: Any, cores: float) -> None:
    """Run two replicas of so many cores each, in place of those of another number."""
    from ray import serve

    options = {"num_replicas": 2, "autoscaling_config": None, "ray_actor_options": {"num_cpus": cores}}
    serve.run(deployment.options(**options).bind(), name="mizzle")


def client(url: str) -> httpx2.Client:
    return httpx2.Client(base_url=url, trust_env=False, timeout=SECONDS)


def replicas(url: str) -> set[str]:
    """When the replicas started that answer."""
    with client(url) as http:
        texts = [http.get("/metrics").raise_for_status().text for _ in range(40)]
    return {re.findall(r"^process_start_time_seconds (\S+)$", text, re.M)[0] for text in texts}


def running() -> int:
    """Replicas that answer, by what Serve says."""
    from ray import serve

    states: dict[Any, int] = serve.status().applications["mizzle"].deployments["Mizzle"].replica_states
    return states.get("RUNNING", 0)


def wait_until(done: Callable[[], bool], asking: Sequence[Future[Any]]) -> None:
    """Return when this is so; at once, with its error, when one of those who ask had one."""
    until = time.monotonic() + SECONDS
    while not done():
        assert time.monotonic() < until
        for one in asking:
            if one.done():
                one.result()
        time.sleep(0.5)


def ask(url: str, stop: Event, numbers: Sequence[int] = SMALL) -> list[tuple[int, Any]]:
    """Problems by turns and their answers, until told to stop; whatever is not an answer is an error."""
    answers: list[tuple[int, Any]] = []
    bodies = problems()
    with client(url) as http:
        while not (stop.is_set() and answers):
            number = numbers[len(answers) % len(numbers)]
            answer = http.post("/v1/estimate", json=bodies[number])
            answers.append((number, answer.raise_for_status().json()))
    return answers


def test_any_replica_answers_as_one_alone_and_an_update_loses_nothing(
    module: Any, cluster: str, alone: list[dict[str, Any]]
) -> None:
    deploy(module.deployment, 0.5)
    before = replicas(cluster)
    stop = Event()
    with ThreadPoolExecutor(ASKERS) as pool:
        asking = [pool.submit(ask, cluster, stop) for _ in range(ASKERS)]
        try:
            deploy(module.deployment, 0.4)
        finally:
            stop.set()
    after = replicas(cluster)
    assert len(before) == len(after) == 2
    assert not before & after
    for answers in (one.result() for one in asking):
        assert answers
        assert all(answer == alone[number] for number, answer in answers)


def test_a_wait_brings_a_second_replica_and_its_end_takes_it_away(
    module: Any, cluster: str, alone: list[dict[str, Any]]
) -> None:
    from ray import serve

    actor = {"num_cpus": 0.2, "runtime_env": {"env_vars": PATIENT}}
    scaled = module.deployment.options(autoscaling_config=SCALING, ray_actor_options=actor)
    serve.run(scaled.bind(), name="mizzle")
    assert running() == 1
    crowd_goes, stop = Event(), Event()
    with ThreadPoolExecutor(CROWD + 1) as pool:
        # One goes on throughout, and meets the replica that comes and the one that goes.
        steady = pool.submit(ask, cluster, stop)
        crowd = [pool.submit(ask, cluster, crowd_goes, LARGE) for _ in range(CROWD)]
        try:
            wait_until(lambda: running() == 2, [steady, *crowd])
            wait_until(lambda: len(replicas(cluster)) == 2, [steady, *crowd])
            crowd_goes.set()
            wait_until(lambda: running() == 1, [steady])
            wait_until(lambda: len(replicas(cluster)) == 1, [steady])
        finally:
            crowd_goes.set()
            stop.set()
    answered = [one.result() for one in (steady, *crowd)]
    print(f"answers: {len(answered[0])} of one caller, {sum(map(len, answered[1:]))} of {CROWD}")
    assert all(answer == alone[number] for answers in answered for number, answer in answers)


@pytest.mark.parametrize(
    ("fills", "requests", "wanted"),
    [
        ([], 0, 0),
        ([0.0, 0.0], 0, 0),
        ([0.5, 0.5, 0.5], 0, 3),  # as it should be
        ([1.0, 1.0, 1.0], 0, 6),
        ([0.0, 0.0], 48, 3),  # of 16 each
        ([1.0, 1.0], 16, 4),
    ],
)
def test_replicas_are_as_many_as_the_queues_and_requests_want(
    module: Any, fills: list[float], requests: float, wanted: float
) -> None:
    metrics = {"queue_fill": dict(enumerate(fills))} if fills else None
    config = SimpleNamespace(target_ongoing_requests=16)
    context = SimpleNamespace(aggregated_metrics=metrics, total_num_requests=requests, config=config)
    assert module.wanted_replicas(context) == (wanted, {})


@pytest.mark.parametrize(("cores", "threads"), [(0.5, 1), (1, 1), (2, 1), (2.5, 2), (8, 7)])
def test_a_replica_has_threads_as_it_has_cores(module: Any, cores: float, threads: int) -> None:
    assert module._settings(cores).threads == threads


def test_settings_of_the_environment_stay(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIZZLE_THREADS", "3")
    assert module._settings(8.0).threads == 3


def test_jobs_of_one_process_are_refused(module: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("MIZZLE_JOBS_DIR", str(tmp_path))
    with pytest.raises(errors.InvalidInput, match="unset it, and for jobs set MIZZLE_JOBS_URL"):
        module._settings(2.0)


def test_what_serve_asks_is_what_all_engines_say(module: Any) -> None:
    async def failed() -> None:
        raise errors.ModelUnavailable("gone")

    async def loaded() -> None:
        pass

    replica = module.Replica()
    engines: Any = [
        SimpleNamespace(queue_fill=fill, loaded=of) for fill, of in ((0.1, loaded), (0.25, failed))
    ]
    replica.app = SimpleNamespace(state=SimpleNamespace(models=Models(engines)))
    assert replica.record_autoscaling_stats() == {"queue_fill": 0.25}
    with pytest.raises(errors.ModelUnavailable, match="gone"):
        asyncio.run(replica.check_health())


def test_without_ray_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "mizzle.service.ray", raising=False)
    with pytest.raises(errors.MissingExtra, match=r"ray is not installed.*mizzle\[ray-serve\]"):
        import_module("mizzle.service.ray")
