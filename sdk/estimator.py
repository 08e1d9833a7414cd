"""What local functions and service need of an estimator; `mizzle.model.Estimator` is one."""

from concurrent.futures import Executor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from mizzle import extras
from mizzle.data.arrays import FloatArray
from mizzle.types import Estimate, ModelInfo


class EstimatorLike(Protocol):
    """Arrays to estimates on one set of weights. One call of `run` at a time, but in a thread pool."""

    @property
    def info(self) -> ModelInfo:
        """Which weights these are."""

    @property
    def levels(self) -> tuple[float, ...]:
        """The quantile levels of every answer."""

    @property
    def max_columns(self) -> int:
        """Columns of one side that the model covers."""

    @property
    def device(self) -> str:
        """Where it runs: "cpu" or "cuda"."""

    @property
    def threads(self) -> int:
        """Threads that a pool of this estimator may have; one run computes on one."""

    @property
    def card(self) -> dict[str, Any]:
        """What the model was trained on, as JSON: rows, columns, and how."""

    def prepare(self, x: FloatArray, y: FloatArray) -> Any:
        """One problem ready to run.

        Raises:
            InvalidInput: the model does not cover this problem.
        """

    def side(self, values: FloatArray) -> Any:
        """One side of shape (n, d), prepared once for any number of `pair` calls."""

    def pair(self, left: Any, right: Any) -> Any:
        """What `prepare` makes of the arrays of two sides.

        Raises:
            InvalidInput: the model does not cover this problem.
        """

    def thread_pool(self) -> AbstractContextManager[Executor]:
        """Threads that may call `run` side by side, as many as pay; joined at the end of the context."""

    def run(self, tables: list[Any]) -> list[Estimate]:
        """Any number of prepared problems of any shapes, which it groups itself; answers in order.

        Raises:
            InferenceFailed: an answer that is not finite.
        """


def load(path: Path | str | None = None, device: str = "cpu", threads: int | None = None) -> EstimatorLike:
    """The estimator on the weights at `path`, or on the weights that ship with the package.

    Args:
        device: "cpu", "cuda", or "auto" for CUDA where there is any.
        threads: of torch in the whole process from now on, and so of a thread pool, at most; one answer is
            computed by one thread whatever it is. None leaves them as they are.

    Raises:
        MissingExtra: torch or another part of the extra `local` is not installed.
        ModelUnavailable: the weights are absent or damaged.
    """
    try:
        from mizzle.model import Estimator
    except ModuleNotFoundError as error:
        remedy = "pip install 'mizzle[local]', or ask a service with mizzle.Client(url)"
        raise extras.missing(error, "estimating on this machine", remedy) from None
    loaded: EstimatorLike = Estimator.load(path, device, threads)
    return loaded
