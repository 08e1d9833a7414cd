"""What local functions and service need of an estimator; `mizzle.model.Estimator` is one."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

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
        """Threads that a pool of this estimator, or one run of many problems, may have."""

    @property
    def card(self) -> dict[str, Any]:
        """What the model was trained on, as JSON: rows, columns, and how; and which engine answers."""

    def prepare(self, x: FloatArray, y: FloatArray) -> Any:
        """One problem ready to run.

        Raises:
            InvalidInput: the model does not cover this problem.
        """

    def side(self, values: FloatArray) -> Any:
        """One side of shape (n, d), prepared once for any number of `pair` calls."""

    def packed(self, sides: Sequence[Any]) -> dict[str, NDArray[Any]]:
        """Prepared sides of the same rows as a few arrays, for other processes."""

    def unpacked(self, arrays: Mapping[str, NDArray[Any]], k: int) -> Any:
        """Side k of those that were packed, as it was."""

    def pair(self, left: Any, right: Any) -> Any:
        """What `prepare` makes of the arrays of two sides.

        Raises:
            InvalidInput: the model does not cover this problem.
        """

    def reordered(self, left: Any, right: Any, orders: Iterable[NDArray[np.intp]]) -> list[Any]:
        """The problems of two sides with the rows of the right one in other orders, each of shape (n,).

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


def load(
    path: Path | str | None = None,
    device: str = "cpu",
    threads: int | None = None,
    engine: str = "auto",
    sha256: str | None = None,
) -> EstimatorLike:
    """The estimator on the weights at `path`, or on the weights that ship with the package.

    Args:
        device: "cpu", "cuda", or "auto" for CUDA where there is any.
        threads: that share the work of many problems, at most; of torch they are set in the whole process
            from now on. None leaves them as they are. One answer is computed by one thread whatever it is.
        engine: "native" for the compiled engine, "torch", or "auto" for what the variable MIZZLE_ENGINE
            says, or else the compiled engine on CPUs where it was built, torch for batches on GPUs, and
            torch otherwise.
        sha256: that the weights must have, as hexadecimal digits. Without it, a file must have checksums,
            which versions up to 0.9 did not write, or be the one that ships with the package.

    Raises:
        MissingExtra: torch would have to answer and is not installed.
        ModelUnavailable: the weights are absent, damaged or others, or there is no such device or engine.
    """
    from mizzle.model import Estimator

    loaded: EstimatorLike = Estimator.load(path, device, threads, engine, sha256)
    return loaded


class TripleLike(Protocol):
    """Three sides as problems of two, whose estimates make one of I(X;Y|Z)."""

    @property
    def problems(self) -> tuple[tuple[FloatArray, FloatArray], ...]:
        """None where the answer is 0 whatever an estimator says, one, or two."""


def triple(x: FloatArray, y: FloatArray, z: FloatArray) -> TripleLike:
    """The problems of three finite arrays of shape (n, d) each, by which I(X;Y|Z) is estimated."""
    from mizzle.model.conditional import triples

    prepared: TripleLike = triples.prepare(x, y, z)
    return prepared


def conditional(of: Any, estimates: Sequence[Estimate], model: ModelInfo) -> Estimate:
    """I(X;Y|Z) in nats, of a `triple` and the estimates of its problems, which `model` made.

    Raises:
        ModelUnavailable: the weights for this are absent or damaged.
    """
    from mizzle.model.conditional import answers

    answer: Estimate = answers.answer(of, estimates, model)
    return answer


class Compiled(NamedTuple):
    """The compiled engine on this machine.

    Attributes:
        instructions: of the processor that it makes use of, "plain", "AVX2" or "AVX-512"; None without it.
        reason: why there is none.
    """

    instructions: str | None
    reason: str | None


def compiled() -> Compiled:
    """Whether there is a compiled engine here; loads no weights."""
    from mizzle.model import native

    reason = native.reason()
    return Compiled(native.instructions() if reason is None else None, reason)


class SlopesLike(Protocol):
    """Slopes of answers in the raw values; `mizzle.model.gradients.slopes.Slopes` is one."""

    def slopes(
        self, x: Any, y: Any, levels: Sequence[float], upstream: Any, wanted: tuple[bool, bool]
    ) -> tuple[Any, Any]:
        """Tensors of the shapes of x, (b, n, dx), and y, (b, n, dy).

        Args:
            levels: of quantiles; none for the mean.
            upstream: shape (b, levels), or (b, 1) for the mean: what each slope is multiplied by.
            wanted: whether the slope in x, and in y.
        """


@cache
def slopes() -> SlopesLike:
    """Slopes on the weights that ship with the package, which are loaded once.

    Raises:
        MissingExtra: torch or jaxtyping is not installed. ModelUnavailable: the weights are damaged.
    """
    try:
        from mizzle.model.gradients.slopes import Slopes
    except ModuleNotFoundError as error:
        raise extras.missing(error, "a gradient", "pip install 'mizzle[torch]'") from None
    return Slopes.shipped()
