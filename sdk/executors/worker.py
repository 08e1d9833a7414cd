"""What a worker does with a task: it checks that it is of the same version, opens what is shared, and works.

A worker holds one model, which computes in one thread: there are as many workers as cores.
"""

import threading
from collections.abc import Callable
from typing import Any

from mizzle import estimator
from mizzle.errors import ExecutorFailed, MizzleError
from mizzle.estimator import EstimatorLike
from mizzle.executors.sharing import Arrays, Mapped
from mizzle.version import __version__

Work = Callable[[Arrays, Any], Any]
_lock = threading.Lock()
_model: EstimatorLike | None = None


def call(work: Work, version: str, shared: Arrays | Mapped, task: Any) -> Any:
    """The result of a task.

    Args:
        work: a function of a module of ours, of the shared arrays and the task.
        version: of the process that wants the result.

    Raises:
        ExecutorFailed: this worker is of another version, or does not see what is shared.
    """
    if version != __version__:
        text = f"a worker has mizzle {__version__}, and this process {version}"
        raise ExecutorFailed(f"{text}; install one version everywhere")
    return work(shared.open() if isinstance(shared, Mapped) else shared, task)


def model(sha256: str) -> EstimatorLike:
    """The one model of this worker.

    Args:
        sha256: of the weights that the process has which wants the results.

    Raises:
        ExecutorFailed: the weights here are others.
        ModelUnavailable: there are none.
    """
    global _model
    with _lock:
        if _model is None:
            _model = estimator.load(threads=1)
    if _model.info.sha256 != sha256:
        text = f"a worker has other weights ({_model.info.sha256[:12]}) than this process ({sha256[:12]})"
        raise ExecutorFailed(f"{text}; install one version everywhere")
    return _model


def failure(error: BaseException, engine: str) -> MizzleError:
    """What a task ended in, as an error that says what to do.

    Args:
        engine: as messages name it, say "Ray".
    """
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, MizzleError):
            return cause
    if any("No module named 'mizzle" in str(cause) for cause in causes):
        text = f"the workers of {engine} do not have mizzle"
        return ExecutorFailed(f"{text}; install mizzle {__version__} where they run")
    lines = str(causes[-1]).strip().splitlines() or [""]
    return ExecutorFailed(f"a worker of {engine} failed: {type(causes[-1]).__name__}: {lines[-1][:200]}")


def _causes(error: BaseException | None) -> list[BaseException]:
    """An error, and what led to it."""
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        inner = getattr(error, "cause", None)  # as Ray has it
        error = inner if isinstance(inner, BaseException) else error.__cause__ or error.__context__
    return chain
