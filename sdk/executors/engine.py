"""What an `executor=` stands for, opened for one piece of work."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol

from mizzle.errors import InvalidInput
from mizzle.executors import sharing
from mizzle.executors.futures import Futures
from mizzle.executors.local import Processes
from mizzle.executors.ray_cluster import Ray
from mizzle.executors.sharing import Arrays
from mizzle.executors.worker import Work

Executing = Literal["local", "ray"] | Executor


class Engine(Protocol):
    """Who runs tasks over arrays that were shared."""

    def run(self, work: Work, tasks: Iterable[Any]) -> Iterator[tuple[int, Any]]:
        """Results with the numbers of their tasks, as they become ready.

        Args:
            work: a function of a module, of the shared arrays and a task.

        Raises:
            MizzleError: a task failed, or the engine did.
        """


def check_executor(executor: object) -> None:
    """Whether this can be an executor.

    Raises:
        InvalidInput: it is none.
    """
    if executor is None or executor in ("local", "ray") or isinstance(executor, Executor):
        return
    came = repr(executor)[:80]
    remedy = (
        "give 'local', 'ray', or an executor of concurrent.futures, such as client.get_executor() of Dask"
    )
    raise InvalidInput(f"executor is {came}; {remedy}")


@contextmanager
def opened(executor: Executing, arrays: Arrays, folder: Path | None = None) -> Iterator[Engine]:
    """The engine with the arrays at its workers, as long as the context lasts.

    Args:
        folder: that workers of other machines see, if there is one.

    Raises:
        InvalidInput: this is no executor.
        MissingExtra, ExecutorFailed: its library is not installed, or it cannot be reached.
        InvalidFile: what is shared cannot be written.
    """
    check_executor(executor)
    with ExitStack() as stack:
        if executor == "ray":
            ray = Ray(arrays)
            stack.callback(ray.close)
            yield ray
        elif isinstance(executor, Executor):
            yield Futures(executor, _shared(stack, executor, arrays, folder))
        else:
            processes = Processes(stack.enter_context(sharing.mapped(arrays)))
            stack.callback(processes.close)
            yield processes


def _shared(stack: ExitStack, executor: Executor, arrays: Arrays, folder: Path | None) -> Any:
    """What tasks on an executor share: Dask's own copies on each worker, or a file."""
    client = getattr(executor, "_client", None)
    if client is not None and type(executor).__module__.startswith("distributed"):
        return client.scatter([dict(arrays)], broadcast=True, hash=False)[0]
    return stack.enter_context(sharing.mapped(arrays, folder))
