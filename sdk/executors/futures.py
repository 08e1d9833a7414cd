"""Any executor of `concurrent.futures`: loky, Dask's `Client.get_executor()`, submitit, mpi4py, threads."""

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from itertools import islice
from typing import Any

from mizzle.errors import ExecutorFailed
from mizzle.executors import worker
from mizzle.version import __version__

_AHEAD = 2  # tasks that wait for each worker, so that none waits for us
_UNKNOWN = 128  # workers of an executor that does not say how many it has


class Futures:
    """An executor of the caller's, which stays as it is.

    Args:
        shared: what all tasks need: a small thing that names it, or one of Dask's futures.
    """

    def __init__(self, executor: Executor, shared: Any) -> None:
        self._executor = executor
        self._shared = shared
        self._name = f"the executor {type(executor).__name__}"

    def run(self, work: worker.Work, tasks: Iterable[Any]) -> Iterator[tuple[int, Any]]:
        """Results with the numbers of their tasks, as they become ready.

        Raises:
            MizzleError: a task failed, or the executor lost its workers.
        """
        todo, running = iter(enumerate(tasks)), dict[Future[Any], int]()
        try:
            while True:
                for k, task in islice(todo, self._room() - len(running)):
                    running[self._submitted(work, task)] = k
                if not running:
                    return
                ready, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in ready:
                    yield running.pop(future), self._result(future)
        finally:
            for future in running:
                future.cancel()

    def _room(self) -> int:
        workers = getattr(self._executor, "_max_workers", None) or getattr(
            self._executor, "num_workers", None
        )
        return (1 + _AHEAD) * workers if isinstance(workers, int) else _UNKNOWN

    def _submitted(self, work: worker.Work, task: Any) -> Future[Any]:
        try:
            return self._executor.submit(worker.call, work, __version__, self._shared, task)
        except RuntimeError as error:  # it was shut down, or is broken
            raise self._unusable(error) from error

    def _result(self, future: Future[Any]) -> Any:
        error = future.exception()
        if isinstance(error, BrokenExecutor) and "mizzle" not in str(error.__cause__):
            raise self._unusable(error) from error
        if error is not None:
            raise worker.failure(error, self._name) from error
        return future.result()

    def _unusable(self, error: BaseException) -> ExecutorFailed:
        text = f"{self._name} can no longer be used ({str(error).splitlines()[0][:200]})"
        return ExecutorFailed(f"{text}; make another, and the same call goes on with what is in its folder")
