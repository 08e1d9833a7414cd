"""Which pairs of a table are to be asked, in which portions, of which arrays: before anybody is asked.

Pairs are taken in blocks of variables, so that an array returns soon or not at all. Portions depend on the
table alone: one that is resumed asks in the same portions as one that is not interrupted.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Container, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np

from mizzle.data.arrays import MIN_ROWS, FloatArray
from mizzle.data.frames import Mask
from mizzle.data.names import quoted_name
from mizzle.errors import InvalidInput, MizzleError, TooFewSamples
from mizzle.tables.variables import Variable
from mizzle.types import Notice

PairIndex = tuple[int, int]
T = TypeVar("T")
_BLOCK = 16  # variables a side
_MOST_PAIRS = 512  # of a portion: what an interruption loses
_MOST_CELLS = 4_000_000  # of a portion, and of the arrays that are kept for the next


class SizedLRU(Generic[T]):
    """The things made last, up to a number of cells in all."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._cells = 0
        self._kept: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()

    def get(self, key: Hashable, cells: int, make: Callable[[], T]) -> T:
        """What was made under this key, or what `make` makes now."""
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key][0]
        made = make()
        self._kept[key] = made, cells
        self._cells += cells
        while self._cells > self._most and len(self._kept) > 1:
            self._cells -= self._kept.popitem(last=False)[1][1]
        return made


@dataclass(frozen=True)
class Chunk:
    """Pairs that are asked together: their places among the variables, and their arrays."""

    places: tuple[PairIndex, ...]
    arrays: tuple[tuple[FloatArray, FloatArray], ...]


@dataclass(frozen=True)
class Plan:
    """The pairs of a table.

    Attributes:
        variables: of which the pairs are made.
        places: the pairs, as places among the variables, in the order of the answer.
    """

    variables: tuple[Variable, ...]
    places: tuple[PairIndex, ...]
    _cut: SizedLRU[FloatArray] = field(
        default_factory=lambda: SizedLRU(_MOST_CELLS), repr=False, compare=False
    )

    @classmethod
    def all_pairs(cls, variables: list[Variable]) -> "Plan":
        """Every variable with every later one.

        Raises:
            InvalidInput: there is only one.
        """
        _at_least_two(variables)
        p = len(variables)
        return cls(tuple(variables), tuple((i, j) for i in range(p) for j in range(i + 1, p)))

    @classmethod
    def with_last(cls, variables: list[Variable]) -> "Plan":
        """Every variable but the last with the last.

        Raises:
            InvalidInput: there is no other.
        """
        _at_least_two(variables)
        last = len(variables) - 1
        return cls(tuple(variables), tuple((i, last) for i in range(last)))

    @property
    def names(self) -> tuple[str, ...]:
        """The variables' names."""
        return tuple(variable.name for variable in self.variables)

    @property
    def fingerprint(self) -> str:
        """A hash of names, values and missing cells of all variables, in order."""
        found = hashlib.sha256()
        for variable in self.variables:
            missing = b"" if variable.missing is None else np.packbits(variable.missing).tobytes()
            head = (variable.name, variable.values.shape, len(missing))
            found.update(repr(head).encode(errors="surrogatepass") + variable.values.tobytes() + missing)
        return found.hexdigest()

    def dropped(self, place: PairIndex) -> int:
        """Rows that the pair leaves out."""
        return int(self._missing(place).sum())

    def notes(self, place: PairIndex) -> tuple[Notice, ...]:
        """What was noticed about the two variables."""
        return tuple(note for i in place for note in self.variables[i].notes)

    def refusals(self) -> dict[PairIndex, MizzleError]:
        """Pairs that are left with too few rows to be asked."""
        found: dict[PairIndex, MizzleError] = {}
        n = len(self.variables[0].values)
        for place in self.places:
            left = n - self.dropped(place)
            if left < MIN_ROWS:
                names = " and ".join(quoted_name(self.variables[i].name) for i in place)
                found[place] = TooFewSamples(
                    f"{names} have values in {left} of {n} rows; at least {MIN_ROWS} are needed"
                )
        return found

    def portions(self, done: Container[PairIndex]) -> Iterator[Chunk]:
        """The pairs that are not done, in portions of bounded size."""
        waiting: list[PairIndex] = []
        cells = 0
        for place in sorted(self.places, key=lambda place: (place[0] // _BLOCK, place[1] // _BLOCK, place)):
            size = sum(self.variables[i].values.size for i in place)
            if waiting and (len(waiting) == _MOST_PAIRS or cells + size > _MOST_CELLS):
                yield from self._portion(waiting, done)
                waiting, cells = [], 0
            waiting.append(place)
            cells += size
        yield from self._portion(waiting, done)

    def _portion(self, places: list[PairIndex], done: Container[PairIndex]) -> Iterator[Chunk]:
        left = tuple(place for place in places if place not in done)
        if left:
            yield self.portion(left)

    def portion(self, places: tuple[PairIndex, ...]) -> Chunk:
        """These pairs with their arrays. Equal rows of one variable are one and the same array."""
        return Chunk(places, tuple(self._arrays(place) for place in places))

    def _arrays(self, place: PairIndex) -> tuple[FloatArray, FloatArray]:
        missing = self._missing(place)
        if not missing.any():
            return self.variables[place[0]].values, self.variables[place[1]].values
        pattern = hashlib.sha256(missing.tobytes()).digest()
        return self._cut_to(place[0], missing, pattern), self._cut_to(place[1], missing, pattern)

    def _cut_to(self, i: int, missing: Mask, pattern: bytes) -> FloatArray:
        values = self.variables[i].values
        return self._cut.get((i, pattern), values.size, lambda: values[~missing])

    def _missing(self, place: PairIndex) -> Mask:
        """Rows that one of the two lacks."""
        found = np.zeros(len(self.variables[place[0]].values), bool)
        for mask in (self.variables[i].missing for i in place):
            found = found if mask is None else found | mask
        return found


def _at_least_two(variables: list[Variable]) -> None:
    if len(variables) < 2:
        raise InvalidInput("there is one variable only; a pair needs two")
