"""Surrogates: the rows of one side in other orders, as they could have come if the sides were independent.

A shuffle keeps nothing of the order of rows, and so is for rows without one. A circular shift and a
permutation of circular blocks keep how the rows of a series follow each other (Theiler et al. 1992; Politis
and Romano 1992): compared with shuffles, any two slow series would look dependent. A local permutation keeps
what the side shares with a third one (Runge 2018).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mizzle.data.arrays import FloatArray
from mizzle.errors import InvalidInput, TooFewSamples
from mizzle.questions import local_permutations
from mizzle.questions.local_permutations import Places
from mizzle.types import Notice, short_repr

Kind = Literal["shuffle", "shift", "block", "local"]
Rng = int | np.random.Generator | None
Order = NDArray[np.intp]
DEFAULT_COUNT = 199  # surrogates, which give p-values in steps of 0.005
MIN_COUNT, MAX_COUNT = 19, 99_999
MIN_ROWS = 50
# Autocorrelation of ranks at which a series has forgotten half. Less would be safer for the power of shifts,
# and wrong for their level: leaving out the shifts that are like the sample itself makes p-values too small.
_HALF = 0.5
_BLOCK_LENGTHS = 8  # autocorrelation lengths that a block has by default
_MIN_BLOCKS = 4  # that a default leaves
_LONGEST = 8  # autocorrelation is followed up to one part in so many of the rows


@dataclass(frozen=True)
class Surrogates:
    """How surrogates of one sample are drawn.

    Attributes:
        kind: "shuffle", "shift", "block" or "local".
        rows: of the sample.
        count: how many surrogates there are.
        length: rows of a block; the smallest shift in either direction; 1 for permutations.
        notices: what was assumed.
        neighbours: of local permutations, the rows nearest to each by what is given, shape (rows, k).
    """

    kind: Kind
    rows: int
    count: int
    length: int
    notices: tuple[Notice, ...] = ()
    neighbours: Places | None = None

    def orders(self, rng: np.random.Generator) -> Iterator[Order]:
        """For each surrogate, which row comes where, shape (rows,)."""
        if self.kind == "shift":
            return self._shifts(rng)
        draw = {"block": self._blocks, "local": self._local}.get(self.kind, self._shuffled)
        return (draw(rng) for _ in range(self.count))

    def _local(self, rng: np.random.Generator) -> Order:
        assert self.neighbours is not None
        return local_permutations.local_permutation(self.neighbours, rng)

    def _shuffled(self, rng: np.random.Generator) -> Order:
        return rng.permutation(self.rows)

    def _shifts(self, rng: np.random.Generator) -> Iterator[Order]:
        """Each by another number of rows."""
        rows = np.arange(self.rows)
        shifts = self.length + rng.choice(_shift_count(self.rows, self.length), self.count, replace=False)
        return ((rows + shift) % self.rows for shift in shifts)

    def _blocks(self, rng: np.random.Generator) -> Order:
        """The circle of rows is cut somewhere, its blocks are permuted, and closed to a circle again."""
        circle = np.roll(np.arange(self.rows), rng.integers(self.rows))
        blocks = np.array_split(circle, range(self.length, self.rows, self.length))
        permuted = np.concatenate([blocks[i] for i in rng.permutation(len(blocks))])
        return np.roll(permuted, rng.integers(self.rows))


def surrogates(
    x: FloatArray, y: FloatArray, kind: Kind, count: int, block: int | None, z: FloatArray | None = None
) -> Surrogates:
    """How surrogates of two sides of shape (n, d) are to be drawn.

    Args:
        z: what is given, for the kind "local".
        block: rows of a block; None for eight times the longer autocorrelation length of the two sides.

    Raises:
        TooFewSamples: there are fewer than 50 rows.
        InvalidInput: a block is longer than half of the rows.
    """
    rows = len(x)
    if rows < MIN_ROWS:
        raise TooFewSamples(f"the sample has {rows} rows; a test needs at least {MIN_ROWS}")
    if z is not None:
        return Surrogates(kind, rows, count, 1, neighbours=local_permutations.neighbours(z))
    if kind == "shuffle":
        return Surrogates(kind, rows, count, 1)
    if kind == "block" and block is not None:
        return Surrogates(kind, rows, count, _checked_block(block, rows))
    length, notices = _length(x, y)
    if kind == "block":
        length = max(1, min(_BLOCK_LENGTHS * length, rows // _MIN_BLOCKS))
        text = f"blocks have {length} rows, {_BLOCK_LENGTHS} times the autocorrelation length"
        chosen = Notice("block_length", f"{text}, at most a quarter of all; block= chooses another length")
        return Surrogates(kind, rows, count, length, (chosen, *notices))
    shifts = _shift_count(rows, length)
    if shifts < count:
        text = f"{rows} rows can be shifted in {shifts} ways by at least {length}, and each was taken once"
        fewer = Notice("all_shifts", f"{text}, in place of {count} draws; kind='block' has more")
        return Surrogates(kind, rows, shifts, length, (fewer, *notices))
    return Surrogates(kind, rows, count, length, notices)


def chosen_kind(kind: object, *, given: bool) -> Kind:
    """The kind of surrogates that a caller names, or that fits where None is named.

    Args:
        given: whether a third side is.

    Raises:
        InvalidInput: there is no such kind, or it does not go with what is given.
    """
    if kind is None:
        return "local" if given else "shuffle"
    if not isinstance(kind, str) or kind not in get_args(Kind):
        raise InvalidInput(f"kind is {short_repr(kind)}; it must be 'shuffle', 'shift', 'block' or 'local'")
    if given and kind != "local":
        text = "with given, rows are permuted among those of nearly the same given"
        raise InvalidInput(f"kind is {kind!r}; {text}, which is kind='local': choose that, or leave kind out")
    if kind == "local" and not given:
        text = "needs given, by which rows are near; add given, or choose 'shuffle', 'shift' or 'block'"
        raise InvalidInput(f"kind='local' {text}")
    return kind  # type: ignore[return-value]


def check_count(n: object, name: str = "n") -> int:
    """A number of surrogates; `name` is what messages call it.

    Raises:
        InvalidInput: it is no whole number from 19 to 99,999.
    """
    whole = isinstance(n, int | np.integer) and not isinstance(n, bool)
    if not whole or not MIN_COUNT <= n <= MAX_COUNT:  # type: ignore[operator]
        allowed = f"from {MIN_COUNT} to {MAX_COUNT:,}, say {DEFAULT_COUNT}"
        raise InvalidInput(f"{name} is {short_repr(n)}; it must be a whole number of surrogates {allowed}")
    return int(n)  # type: ignore[call-overload, no-any-return]


def check_block(block: object, kind: Kind) -> None:
    """Check the length of blocks, as far as it can be without a sample.

    Raises:
        InvalidInput: it is no positive whole number, or the surrogates have no blocks.
    """
    if block is None:
        return
    if kind != "block":
        raise InvalidInput(f"block is for kind='block'; surrogates of kind {kind!r} have none, leave it out")
    if isinstance(block, bool) or not isinstance(block, int | np.integer) or block < 1:
        raise InvalidInput(
            f"block is {short_repr(block)}; it must be a positive whole number of rows, or None"
        )


def generator_of(rng: object) -> np.random.Generator:
    """A generator from a seed; one that is there already is used, and goes on.

    Raises:
        InvalidInput: it is neither a generator nor a seed.
    """
    if isinstance(rng, np.random.Generator):
        return rng
    seed = int(rng) if isinstance(rng, int | np.integer) and not isinstance(rng, bool) else None
    if (rng is not None and seed is None) or (seed is not None and seed < 0):
        text = "it must be a whole number of at least 0, a numpy.random.Generator, or None"
        raise InvalidInput(f"rng is {short_repr(rng)}; {text}")
    return np.random.default_rng(seed)


def autocorrelation_length(values: FloatArray) -> int:
    """Rows after which every column of shape (n, d) has forgotten half of itself, by ranks; at least 1.

    The smallest lag at which the autocorrelation is below 0.5; n // 8 where there is none up to there.
    """
    return max((_column_length(column) for column in values.T), default=1)


def _column_length(column: FloatArray) -> int:
    ranks = np.unique(column, return_inverse=True)[1].astype(np.float64)
    n, longest = len(ranks), max(1, len(ranks) // _LONGEST)
    centred = ranks - ranks.mean()
    power = np.abs(np.fft.rfft(centred, 2 ** math.ceil(math.log2(2 * n)))) ** 2
    covariance = np.fft.irfft(power)[: longest + 1]
    below = covariance[1:] < _HALF * covariance[0]
    return 1 + int(below.argmax()) if below.any() or covariance[0] <= 0 else longest


def _length(x: FloatArray, y: FloatArray) -> tuple[int, tuple[Notice, ...]]:
    """The autocorrelation length of the sides, and what there is to say of it."""
    length = max(map(autocorrelation_length, (x, y)))
    if length < len(x) // _LONGEST:
        return length, ()
    text = "a series stays correlated with itself over an eighth of its rows, as trends and random walks do"
    return length, (
        Notice("trend", f"{text}, and the p-value is too small; take differences from row to row"),
    )


def _shift_count(rows: int, length: int) -> int:
    """How many circular shifts are by at least `length` rows in either direction."""
    return rows - 2 * length + 1


def _checked_block(block: int, rows: int) -> int:
    if block > rows // 2:
        text = (
            f"block is {block} rows and the sample has {rows}; at most half of them, {rows // 2}, are allowed"
        )
        raise InvalidInput(f"{text}, and a fifth or less makes sense")
    return int(block)
