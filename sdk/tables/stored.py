"""Results that stay in their folder: a sequence of pairs that reads the tiles it needs, and no more."""

import heapq
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, groupby
from typing import Any, overload

import numpy as np

from mizzle.data.names import quoted_name
from mizzle.errors import InvalidFile, MizzleError
from mizzle.tables import folder as folders
from mizzle.tables.folder import SCREEN, Folder
from mizzle.tables.plan import PairIndex
from mizzle.tables.results import Matrix, PairResult
from mizzle.tables.screening import Pass, Screened, load, screened
from mizzle.types import PER_NAT, Notice, Unit

REPORT = "_mizzle-screened.json"


@dataclass(frozen=True)
class _Band:
    """Tiles whose pairs come before all of the next band."""

    first: int
    tiles: range


class StoredPairs(Sequence[PairResult]):
    """The pairs of a table in its folder, in the order of the table, in a unit.

    Raises:
        InvalidFile: tiles are missing.
    """

    def __init__(self, folder: Folder, unit: Unit) -> None:
        self.folder = folder
        self._unit: Unit = unit
        manifest = folder.manifest
        self.names: tuple[str, ...] = tuple(manifest["names"])
        self._notes = [tuple(Notice(*note) for note in notes) for notes in manifest["notes"]]
        counts = [count for _, count, *_ in manifest["tiles"]]
        self._bands = list(_bands([band for band, *_ in manifest["tiles"]], counts))
        self._length: int = sum(counts)
        self._read_band = lru_cache(1)(self._band)
        there = {entry.name for entry in os.scandir(folder.path)}
        missing = sum(folder.file(k).name not in there for k in range(len(counts)))
        if missing:
            text = f"the folder {quoted_name(folder.path.name)} lacks {missing} of {len(counts)} tiles"
            raise InvalidFile(f"{text}; the same call as before makes them")

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[PairResult]:
        for b in range(len(self._bands)):
            yield from self._read_band(b)

    @overload
    def __getitem__(self, k: int) -> PairResult: ...
    @overload
    def __getitem__(self, k: slice) -> Sequence[PairResult]: ...
    def __getitem__(self, k: int | slice) -> PairResult | Sequence[PairResult]:
        if isinstance(k, slice):
            return tuple(self[place] for place in range(len(self))[k])
        k = range(len(self))[k]
        b = next(b for b in reversed(range(len(self._bands))) if self._bands[b].first <= k)
        return self._read_band(b)[k - self._bands[b].first]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or len(other) != len(self):
            return NotImplemented if not isinstance(other, Sequence) else False
        return all(ours == theirs for ours, theirs in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # as of a list: it is compared by its content

    def find(self, i: int, j: int) -> PairResult | None:
        """The pair of two variables by their places; None where it was not wanted."""
        for k in self._candidates(min(i, j), max(i, j)):
            columns = self.folder.read(k)
            for place, outcome, dropped in folders.outcomes_in(columns, self.folder.manifest):
                if place == (min(i, j), max(i, j)):
                    return self._result(place, outcome, dropped)
        return None

    def _candidates(self, i: int, j: int) -> Iterator[int]:
        """Tiles of a matrix that may hold a pair."""
        band_of_i = i // self.folder.manifest["side"]
        for k, (band, _, first, last) in enumerate(self.folder.manifest["tiles"]):
            if band == band_of_i and first <= j <= last:
                yield k

    def square(self) -> np.ndarray[Any, Any]:
        """The estimates as a symmetric array of shape (p, p), NaN where there is none."""
        square = np.full((len(self.names),) * 2, np.nan)
        for columns in self._columns():
            i, j = np.array(columns["i"]), np.array(columns["j"])
            mi = np.array([np.nan if mi is None else mi for mi in columns["mi"]]) * PER_NAT[self._unit]
            square[i, j] = square[j, i] = mi
        return square

    def strongest(self, count: int) -> list[PairResult]:
        """So many pairs in falling order of their estimates; those without one come last."""
        return heapq.nsmallest(count, self, key=lambda pair: -pair.mi if pair.estimate else np.inf)

    def mis(self) -> Iterator[tuple[PairIndex, float]]:
        """The pairs with their estimates in nats, of those that have one."""
        for columns in self._columns():
            for i, j, mi in zip(columns["i"], columns["j"], columns["mi"], strict=True):
                if mi is not None:
                    yield (i, j), mi

    def _columns(self) -> Iterator[dict[str, list[Any]]]:
        return (self.folder.read(k) for k in range(len(self.folder.manifest["tiles"])))

    def _band(self, b: int) -> list[PairResult]:
        items = [
            item
            for k in self._bands[b].tiles
            for item in folders.outcomes_in(self.folder.read(k), self.folder.manifest)
        ]
        return [self._result(*item) for item in sorted(items, key=lambda item: item[0])]

    def _result(self, place: PairIndex, outcome: Any, dropped: int) -> PairResult:
        estimate, error = (
            (None, outcome) if isinstance(outcome, MizzleError) else (outcome.to(self._unit), None)
        )
        notes = tuple(dict.fromkeys(note for i in place for note in self._notes[i]))
        return PairResult(self.names[place[0]], self.names[place[1]], estimate, error, dropped, notes)


def _bands(bands: Sequence[int], counts: Sequence[int]) -> Iterator[_Band]:
    firsts = [0, *accumulate(counts)]
    for _, group in groupby(range(len(bands)), key=lambda k: bands[k]):
        tiles = list(group)
        yield _Band(firsts[tiles[0]], range(tiles[0], tiles[-1] + 1))


def opened_matrix(path: str | os.PathLike[str], level: float, unit: Unit, threshold: float) -> Matrix:
    """The matrix in a folder.

    Raises:
        InvalidFile: it is no such folder, holds a ranking, or lacks tiles.
    """
    folder = folders.opened(path)
    if folder.manifest["kind"] != "matrix":
        text = f"the folder {quoted_name(folder.path.name)} holds a {folder.manifest['kind']}"
        raise InvalidFile(f"{text} and no matrix; the same call of mizzle.rank as before returns it")
    pairs = StoredPairs(folder, unit)
    notices = tuple(Notice(*notice) for notice in folder.manifest["notices"])
    report = None if folder.manifest["screen"] is None else _screened(pairs)
    if report is not None:
        notices = (*notices, report.notice)
    return Matrix(pairs, level, unit, threshold, pairs.names, notices=notices, screened=report)


def _screened(pairs: StoredPairs) -> Screened:
    """What a screened table says of the pairs that it lacks: once computed, it lies in the folder, too."""
    folder = pairs.folder
    path = folder.path / REPORT
    if path.exists():
        return Screened(**json.loads(path.read_text()))
    by = Pass(folder.manifest["screen"], folder.manifest.get("rows"))
    choice = load(folder.path / SCREEN, by.key(folder.manifest["fingerprint"]))
    if choice is None:
        raise InvalidFile(f"the folder {quoted_name(folder.path.name)} lacks {SCREEN}; begin anew, elsewhere")
    report = screened(pairs.mis(), choice)
    with folders.written(path) as part:
        part.write_text(json.dumps(report._asdict()))
    return report
