"""The network and its calibration on one set of weights, compiled."""

import math
import os
import weakref
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mizzle.errors import ModelUnavailable
from mizzle.machine import cores
from mizzle.model.native.library import (
    KINDS,
    OVERALL,
    SHAPE,
    SIZES,
    TENSOR,
    address,
    channels,
    check,
    load,
    message,
    settings,
)
from mizzle.model.native.tokens import (
    Packed,
    Problem,
    Tokens,
    canonical_order,
    packed_problems,
    packed_tokens,
)

_TOGETHER = 32  # problems of a group: the network reads its weights once for as many

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


class Answers(NamedTuple):
    """Answers to b problems; NaN where the network gave something that is not finite.

    Attributes:
        mean: posterior means in nats, shape (b,).
        nats: quantiles at the engine's levels, shape (b, q).
        excess: how far the sample lies beyond the training, familiar up to 1, shape (b,).
    """

    mean: Doubles
    nats: Doubles
    excess: Doubles


class Engine:
    """A network with its calibration.

    No call changes it, so that threads may share one; while it computes, it holds no interpreter lock.

    Args:
        about: the header of a weights file.
        tensors: all its tensors by their names, single precision; they are copied.
        threads: that may share the work; as many as OMP_NUM_THREADS says or as there are cores if left out.

    Raises:
        ModelUnavailable: there is no engine here, or the weights were trained on other statistics.
    """

    name = "native"
    device = "cpu"

    def __init__(
        self, about: Mapping[str, Any], tensors: Mapping[str, Floats], threads: int | None = None
    ) -> None:
        self.threads = threads or _default_threads()
        self._library, said = load(), message()
        if {name: about.get(name) for name in settings()} != settings():
            raise ModelUnavailable("the weights are of another version of mizzle than the compiled engine")
        packed = _packed_tensors(tensors)
        sizes, rows = _sizes(about["net"]), np.array(about["rows"], np.int32)
        at = address(packed.entries), len(packed.entries), address(sizes), address(rows)
        self._model = self._library.mizzle_new_model(*at, said)
        if not self._model:
            raise ModelUnavailable(f"the weights do not fit the compiled engine: {said.value.decode()}")
        self._freed = weakref.finalize(self, self._library.mizzle_free_model, self._model)
        self.levels: tuple[float, ...] = tuple(settings()["levels"])

    def enter_thread(self) -> None:
        """Nothing: a call computes on the thread that it comes from."""

    def groups(self, problems: Sequence[Problem], workers: int) -> list[list[int]]:
        """Positions of problems to answer together, in equal parts of all sizes for each of the workers.

        A group is limited, as its tokens are in memory together.
        """
        sizes = [np.size(problem.x) + np.size(problem.y) for problem in problems]
        order = sorted(range(len(problems)), key=sizes.__getitem__)
        count = min(len(order), workers * math.ceil(len(order) / (workers * _TOGETHER)))
        return [order[i::count] for i in range(count)]

    def canonical_order(self, problem: Problem) -> NDArray[np.int32]:
        """The rows in an order that their content decides, whatever their order; shape (n,)."""
        return canonical_order(problem)

    def run(self, problems: Sequence[Problem]) -> Answers:
        """Answers to ranked problems, whose sides vary, of any shapes.

        Raises:
            MemoryError, InferenceFailed: as they say.
        """
        packed, said = packed_problems(problems), message()
        ceilings, answers = (
            self._ceilings([problem.ceiling for problem in problems]),
            self._empty(len(problems)),
        )
        at = address(packed.entries), address(ceilings), len(problems), address(answers)
        check(self._library.mizzle_answer_problems(self._model, *at, said), said)
        return _answers(answers)

    def run_tokens(
        self, tokens: Sequence[Tokens], shapes: Sequence[tuple[int, int]], ceilings: Any
    ) -> Answers:
        """Answers from tokens that were computed before.

        Args:
            shapes: rows, and columns of both sides together, of each problem.
            ceilings: upper bounds in nats, shape (b, q).
        """
        packed, said = packed_tokens(tokens), message()
        sizes, bounds, answers = np.array(shapes, SHAPE), self._ceilings(ceilings), self._empty(len(tokens))
        at = address(packed.entries), address(sizes), address(bounds), len(tokens), address(answers)
        check(self._library.mizzle_answer_tokens(self._model, *at, said), said)
        return _answers(answers)

    def raw(self, tokens: Sequence[Tokens]) -> tuple[Floats, Floats]:
        """The network alone: quantiles of log(1 + I) before calibration, and the features of novelty."""
        packed, said = packed_tokens(tokens), message()
        quantiles = np.empty((len(tokens), len(self.levels)), np.float32)
        features = np.empty((len(tokens), channels()[OVERALL]), np.float32)
        at = address(packed.entries), len(tokens), address(quantiles), address(features)
        check(self._library.mizzle_raw(self._model, *at, said), said)
        return quantiles, features

    def _ceilings(self, ceilings: Any) -> Doubles:
        """Upper bounds of each problem, side by side."""
        shape = (len(ceilings), len(self.levels))
        bounds = np.array([np.asarray(own) for own in ceilings], np.float64).reshape(shape)
        return np.ascontiguousarray(bounds)

    def _empty(self, count: int) -> Doubles:
        return np.empty((count, len(self.levels) + 2))


def _default_threads() -> int:
    """As many as other libraries would use, which honour the variable where processes share the cores."""
    wanted = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(wanted) if wanted.isdecimal() and int(wanted) else cores()


def _answers(parts: Doubles) -> Answers:
    return Answers(parts[:, 0].copy(), parts[:, 1:-1].copy(), parts[:, -1].copy())


def _packed_tensors(tensors: Mapping[str, Floats]) -> Packed:
    """Tensors as the library reads them."""
    packed = Packed(TENSOR, len(tensors))
    for entry, (name, tensor) in zip(packed.entries, tensors.items(), strict=True):
        text = np.frombuffer(name.encode() + b"\0", np.uint8)
        if tensor.dtype != np.float32:
            raise ValueError(f"{name} is not in single precision")
        values = np.ascontiguousarray(tensor)
        entry["name"], entry["values"], entry["size"] = packed.point(text), packed.point(values), values.size
    return packed


def _sizes(net: Mapping[str, Any]) -> NDArray[Any]:
    """Sizes of the network as the library reads them."""
    sizes = np.zeros(1, SIZES)
    for name in SIZES.names or ():
        sizes[name] = _axes(net["axes"]) if name == "axes" else net[name]
    return sizes


def _axes(names: str) -> int:
    """A bit for every kind of token that is attended to."""
    return sum(1 << KINDS.index(name) for name in names.split())
