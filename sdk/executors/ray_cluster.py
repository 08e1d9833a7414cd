"""Ray: what tasks share lies in its object store once a node, and a task that is lost is computed again.

Who may join a cluster is left to Ray: token authentication is on for clusters that it starts here.
"""

import os
import socket
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from mizzle import extras
from mizzle.errors import ExecutorFailed, MizzleError
from mizzle.executors import worker
from mizzle.executors.sharing import Arrays
from mizzle.machine import cores
from mizzle.version import __version__

_INSTALL = "pip install 'mizzle[ray]'"
_AHEAD = 2  # tasks that wait for each worker, so that none waits for us
_RETRIES = 20  # of a task whose worker or node was lost
_PATIENCE = 10.0  # seconds for a cluster to take a connection
_SECONDS = 10.0  # after which it is looked how many workers there are now


class Ray:
    """The cluster that this process is connected to, that RAY_ADDRESS names, or one on this machine.

    Raises:
        MissingExtra: Ray is not installed.
        ExecutorFailed: the cluster cannot be reached, or is of another version.
    """

    def __init__(self, arrays: Arrays) -> None:
        self._ray = extras.load("ray", _INSTALL)
        self._ours = not self._ray.is_initialized()
        if self._ours:
            _connect(self._ray, os.environ.get("RAY_ADDRESS"))
        self._shared = self._ray.put(dict(arrays))
        self._call = self._ray.remote(num_cpus=1, max_retries=_RETRIES)(worker.call)

    def run(self, work: worker.Work, tasks: Iterable[Any]) -> Iterator[tuple[int, Any]]:
        """Results with the numbers of their tasks, as they become ready.

        Raises:
            MizzleError: a task failed, or was lost again and again.
        """
        todo, running = iter(enumerate(tasks)), dict[Any, int]()
        try:
            while True:
                for k, task in islice(todo, max(0, self._room() - len(running))):
                    running[self._call.remote(work, __version__, self._shared, task)] = k
                if not running:
                    return
                ready, _ = self._ray.wait(list(running), num_returns=1, timeout=_SECONDS)
                for reference in ready:
                    yield running.pop(reference), self._result(reference)
        finally:
            for reference in running:
                self._ray.cancel(reference, force=True)

    def close(self) -> None:
        """Let go of what is shared, and of the cluster if it is ours."""
        del self._shared
        if self._ours:
            self._ray.shutdown()

    def _room(self) -> int:
        """How many tasks are with the cluster at most; nodes come and go."""
        return (1 + _AHEAD) * max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def _result(self, reference: Any) -> Any:
        try:
            return self._ray.get(reference)
        except Exception as error:
            raise worker.failure(error, "Ray") from error


def _check_reachable(address: str) -> None:
    """Whether anybody listens there: Ray itself would try for many minutes.

    Raises:
        OSError: nobody does.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), _PATIENCE).close()


def _connect(ray: Any, address: str | None) -> None:
    options: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
    try:
        if address is not None:
            _check_reachable(address)
        if address is None:
            ray.init(address="local", num_cpus=cores(), include_dashboard=False, **options)
        else:
            ray.init(address=address, **options)
    except MizzleError:
        raise
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        where = (
            "no cluster of Ray can be started here"
            if address is None
            else f"Ray at {address} does not answer"
        )
        if "mismatch" in str(error).lower():
            where = f"Ray at {address} is of another version"
        text = f"{where}: {' '.join(line.strip() for line in lines)[:300]}"
        raise ExecutorFailed(
            f"{text}; RAY_ADDRESS names the cluster, which needs the same Ray and Python"
        ) from error
