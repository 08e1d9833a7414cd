"""Which pairs of a table there are to estimate, of which arrays and in which chunks: before any of them is.

Pairs are taken in blocks of variables, so that an array returns soon or not at all. Chunks depend on the
table alone: a table that is resumed has the same ones as a table that is not interrupted.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import overload

import numpy as np

from mizzle.data.arrays import MIN_ROWS, FloatArray
from mizzle.data.frames import Mask
from mizzle.data.lru import SizedLRU
from mizzle.data.names import quoted_name
from mizzle.errors import InvalidInput, MizzleError, TooFewSamples
from mizzle.tables.variables import Variable, Variables
from mizzle.types import Notice

PairIndex = tuple[int, int]
_BLOCK = 16  # variables a side
_MAX_PAIRS = 512  # of a chunk: what an interruption loses
MAX_CHUNK_CELLS = 4_000_000  # of more than one pair, and of the arrays that are held for the next


class AllPairs(Sequence[PairIndex]):
    """Every one of so many variables with every later one: (0, 1), (0, 2), .., none held in memory."""

    def __init__(self, variables: int) -> None:
        self.variables = variables
        self._firsts = [
            i * variables - i * (i + 1) // 2 for i in range(variables)
        ]  # where the pairs of i begin

    def __len__(self) -> int:
        return self.variables * (self.variables - 1) // 2

    def __iter__(self) -> Iterator[PairIndex]:
        return combinations(range(self.variables), 2)

    @overload
    def __getitem__(self, k: int) -> PairIndex: ...
    @overload
    def __getitem__(self, k: slice) -> Sequence[PairIndex]: ...
    def __getitem__(self, k: int | slice) -> PairIndex | Sequence[PairIndex]:
        if isinstance(k, slice):
            return tuple(self[place] for place in range(len(self))[k])
        k = range(len(self))[k]
        i = bisect_right(self._firsts, k, hi=self.variables - 1) - 1
        return i, i + 1 + k - self._firsts[i]

    def __eq__(self, other: object) -> bool:
        return self.variables == other.variables if isinstance(other, AllPairs) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.variables)


@dataclass(frozen=True)
class Chunk:
    """Pairs that are estimated together.

    Attributes:
        places: of the two variables of each pair, among all variables.
        arrays: of each pair, shape (n, d) each, and behind them of what is given, if anything is.
    """

    places: tuple[PairIndex, ...]
    arrays: tuple[tuple[FloatArray, ...], ...]


@dataclass(frozen=True)
class Plan:
    """The pairs of a table.

    Attributes:
        variables: of which the pairs are made.
        places: the pairs, as places among the variables, in the order of the results.
        notices: about what of the table was left out.
        condition: the place of the variable that is given to every pair, if one is.
    """

    variables: Sequence[Variable]
    places: Sequence[PairIndex]
    notices: tuple[Notice, ...] = ()
    condition: int | None = None
    _cut: SizedLRU[FloatArray] = field(
        default_factory=lambda: SizedLRU(MAX_CHUNK_CELLS), repr=False, compare=False
    )

    @classmethod
    def all_pairs(cls, variables: Variables) -> "Plan":
        """Every variable with every later one.

        Raises:
            InvalidInput: there is only one.
        """
        _at_least_two(variables)
        return cls(tuple(variables), AllPairs(len(variables)), variables.notices)

    @classmethod
    def with_last(cls, variables: Variables, condition: str | None = None) -> "Plan":
        """Every variable but the last with the last.

        Args:
            condition: the name of a variable that is given to every pair, and part of none.

        Raises:
            InvalidInput: there is no other.
        """
        _at_least_two(variables)
        last = len(variables) - 1
        names = [variable.name for variable in variables]
        third = None if condition is None else names.index(condition)
        if third is not None and len(variables) < 3:
            raise InvalidInput("beside the target there is only what is given; a pair needs two")
        places = tuple((i, last) for i in range(last) if i != third)
        return cls(tuple(variables), places, variables.notices, third)

    @property
    def names(self) -> tuple[str, ...]:
        """The variables' names."""
        return tuple(variable.name for variable in self.variables)

    @property
    def complete(self) -> bool:
        """Whether no variable lacks a value anywhere."""
        return all(variable.missing is None for variable in self.variables)

    @property
    def fingerprint(self) -> str:
        """A hash of names, values and missing cells of all variables, in order."""
        digest = hashlib.sha256()
        for variable in self.variables:
            missing = b"" if variable.missing is None else np.packbits(variable.missing).tobytes()
            values = variable.values
            head = (variable.name, values.shape, len(missing))
            digest.update(repr(head).encode(errors="surrogatepass"))
            digest.update(values.data)
            digest.update(missing)
        return digest.hexdigest()

    def dropped(self, place: PairIndex) -> int:
        """Rows that the pair leaves out."""
        return int(self._missing(place).sum())

    def notes(self, place: PairIndex) -> tuple[Notice, ...]:
        """What was noticed about the two variables."""
        return tuple(dict.fromkeys(note for i in place for note in self.variables[i].notes))

    def refusals(self) -> dict[PairIndex, MizzleError]:
        """The errors of pairs that are left with too few rows."""
        errors: dict[PairIndex, MizzleError] = {}
        n = self.variables[0].rows
        if n >= MIN_ROWS and self.complete:
            return {}
        for place in self.places:
            left = n - self.dropped(place)
            if left < MIN_ROWS:
                names = " and ".join(quoted_name(self.variables[i].name) for i in place)
                errors[place] = TooFewSamples(
                    f"{names} have values in {left} of {n} rows; at least {MIN_ROWS} are needed"
                )
        return errors

    def chunks(self, done: Container[PairIndex]) -> Iterator[Chunk]:
        """The pairs that are not done, in chunks of bounded size."""
        for places in self._groups():
            left = tuple(place for place in places if place not in done)
            if left:
                yield self.chunk(left)

    def _groups(self) -> Iterator[tuple[PairIndex, ...]]:
        """All pairs, block by block, in groups of bounded size."""
        return self.cut(
            sorted(self.places, key=lambda place: (place[0] // _BLOCK, place[1] // _BLOCK, place))
        )

    def cut(self, places: Iterable[PairIndex]) -> Iterator[tuple[PairIndex, ...]]:
        """These pairs in groups, in order, whose arrays all fit into memory."""
        group: list[PairIndex] = []
        cells = 0
        for place in places:
            size = sum(self.variables[i].size for i in place)
            if group and (len(group) == _MAX_PAIRS or cells + size > MAX_CHUNK_CELLS):
                yield tuple(group)
                group, cells = [], 0
            group.append(place)
            cells += size
        yield tuple(group)

    def chunk(self, places: tuple[PairIndex, ...]) -> Chunk:
        """These pairs with their arrays. Equal rows of one variable are one and the same array."""
        return Chunk(places, tuple(self._arrays(place) for place in places))

    def _sides(self, place: PairIndex) -> tuple[int, ...]:
        """The variables of a pair, and the one that is given."""
        return place if self.condition is None else (*place, self.condition)

    def _arrays(self, place: PairIndex) -> tuple[FloatArray, ...]:
        missing, sides = self._missing(place), self._sides(place)
        if not missing.any():
            return tuple(self._whole(i) for i in sides)
        pattern = hashlib.sha256(missing.data).digest()
        return tuple(self._cut_to(i, missing, pattern) for i in sides)

    def _whole(self, i: int) -> FloatArray:
        variable = self.variables[i]
        return self._cut.get(i, variable.size, lambda: variable.values)

    def _cut_to(self, i: int, missing: Mask, pattern: bytes) -> FloatArray:
        variable = self.variables[i]
        return self._cut.get((i, pattern), variable.size, lambda: variable.values[~missing])

    def _missing(self, place: PairIndex) -> Mask:
        """Rows that one of the sides lacks."""
        missing = np.zeros(self.variables[place[0]].rows, bool)
        for mask in (self.variables[i].missing for i in self._sides(place)):
            missing = missing if mask is None else missing | mask
        return missing


def _at_least_two(variables: Variables) -> None:
    if len(variables) < 2:
        raise InvalidInput("there is one variable only; a pair needs two")
