"""A folder with the results of a table: a Parquet file a tile, and what they share in `_mizzle.json`.

A tile is written whole or not at all (a hidden file that gets its name when it is complete), and says of
which table it is: stopping at any moment, going on and computing twice are harmless. Any reader of Parquet
data sets reads the folder; numbers are in nats. Errors of the moment are computed again by the next run.
"""

import hashlib
import json
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from mizzle import extras
from mizzle.backends.pairs import Outcome
from mizzle.data.names import quoted_name
from mizzle.errors import InvalidFile, MizzleError, TooFewSamples, by_code
from mizzle.estimator import EstimatorLike
from mizzle.tables.plan import PairIndex, Plan
from mizzle.tables.tiles import Tile, side, tiles
from mizzle.types import Estimate, ModelInfo, Notice

FORMAT = "mizzle tiles 1"
SCREEN = "_mizzle-screen.npz"  # which pairs a cheap pass chose
MANIFEST = "_mizzle.json"  # readers of Parquet data sets pass over names that begin so
_INSTALL = "pip install 'mizzle[ray]', or pip install pyarrow"
_KEY = b"mizzle"  # in the metadata of a file
_NUMBERS = ("n", "dim_x", "dim_y", "dim_z", "dropped")
Manifest = dict[str, Any]


@dataclass(frozen=True)
class Folder:
    """The files of one table.

    Attributes:
        path: of the folder.
        manifest: what `_mizzle.json` says.
    """

    path: Path
    manifest: Manifest

    @property
    def key(self) -> str:
        """A hash of all that the results depend on, which every tile carries."""
        return str(self.manifest["key"])

    def file(self, number: int) -> Path:
        """Of a tile."""
        return self.path / f"tile-{number:06d}.parquet"

    def done(self, count: int) -> set[int]:
        """Which of so many tiles are there, whole, and hold no error that another run may not see.

        Raises:
            InvalidFile: a tile is of another table.
        """
        parquet = extras.load("pyarrow.parquet", _INSTALL)
        there = {entry.name for entry in os.scandir(self.path)}
        return {k for k in range(count) if self.file(k).name in there and self._is_done(parquet, k)}

    def _is_done(self, parquet: Any, number: int) -> bool:
        try:
            head = json.loads(parquet.read_metadata(self.file(number)).metadata[_KEY])
        except Exception:  # pyarrow's many ways to say that a file is damaged: it is made again
            return False
        if head["key"] != self.key:
            raise InvalidFile(f"{self.file(number).name} {_OTHER}")
        return not head["again"]

    def sheet(self, plan: Plan, tile: Tile, refused: Mapping[PairIndex, MizzleError]) -> "Sheet":
        """What a tile's file is made of, but for what its pairs are answered."""
        names = {i: plan.names[i] for i in {i for place in tile.places for i in place}}
        dropped = None if plan.complete else [plan.dropped(place) for place in tile.places]
        own = {place: refused[place] for place in tile.places if place in refused}
        return Sheet(self.key, tuple(self.manifest["levels"]), tile.places, names, dropped, own)

    def write(self, number: int, content: bytes) -> None:
        """Write a tile.

        Raises:
            InvalidFile: it cannot be written.
        """
        with written(self.file(number)) as part:
            part.write_bytes(content)

    def read(self, number: int) -> dict[str, list[Any]]:
        """The columns of a tile.

        Raises:
            InvalidFile: it is damaged, missing, or of another table.
        """
        parquet = extras.load("pyarrow.parquet", _INSTALL)
        try:
            table = parquet.read_table(self.file(number))
            head = json.loads(table.schema.metadata[_KEY])
        except Exception:
            text = f"{quoted_name(self.path.name)} lacks {self.file(number).name}, or it is damaged"
            raise InvalidFile(f"{text}; the same call makes it again") from None
        if head["key"] != self.key:
            raise InvalidFile(f"{self.file(number).name} {_OTHER}")
        columns: dict[str, list[Any]] = table.to_pydict()
        return columns


class Sheet(NamedTuple):
    """What a tile's file is made of, but for what its pairs are answered; small enough to be part of a task.

    Attributes:
        key: of the table.
        levels: of the quantiles.
        places: of all pairs; names: of their variables, by place.
        dropped: rows that each pair leaves out; None where none does.
        refused: pairs that need no answer, as they cannot have one.
    """

    key: str
    levels: tuple[float, ...]
    places: tuple[PairIndex, ...]
    names: Mapping[int, str]
    dropped: Sequence[int] | None
    refused: Mapping[PairIndex, MizzleError]

    @property
    def wanted(self) -> list[PairIndex]:
        """The pairs that are to be answered."""
        return [place for place in self.places if place not in self.refused]


def content(sheet: Sheet, answers: Sequence[Outcome]) -> bytes:
    """A tile's file.

    Args:
        answers: to the pairs that are wanted.

    Raises:
        MissingExtra: pyarrow is not installed here.
    """
    arrow, parquet = (extras.load(name, _INSTALL) for name in ("pyarrow", "pyarrow.parquet"))
    answered = iter(answers)
    outcomes = [sheet.refused.get(place) or next(answered) for place in sheet.places]
    again = any(_may_pass(outcome) for outcome in outcomes)
    head = json.dumps({"format": FORMAT, "key": sheet.key, "again": again})
    table = arrow.table(_columns(arrow, sheet, outcomes))
    buffer = arrow.BufferOutputStream()
    metadata = {_KEY: head.encode()}
    parquet.write_table(table.replace_schema_metadata(metadata), buffer, compression="zstd")
    packed: bytes = buffer.getvalue().to_pybytes()
    return packed


_OTHER = "belongs to another table or other options, and was left alone; name another folder"


class written:  # a context, as `open` is one
    """A file that gets its name once it is complete and on the disk.

    Raises:
        InvalidFile: it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")

    def __enter__(self) -> Path:
        """Where to write."""
        return self._part

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            if error is None:
                _sync(self._part)
                os.replace(self._part, self._path)
        except OSError as failed:
            error = failed
        finally:
            self._part.unlink(missing_ok=True)
        if isinstance(error, OSError):
            reason = error.strerror or "the disk is full"
            text = f"{self._path.name} cannot be written into {quoted_name(self._path.parent.name)}: {reason}"
            raise InvalidFile(f"{text}; what is finished stays, and the same call goes on") from None


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def prepared(
    path: str | os.PathLike[str], plan: Plan, model: EstimatorLike, kind: Mapping[str, Any]
) -> Folder:
    """The folder of a plan, begun or gone on with.

    Args:
        kind: whether it is of a matrix or of a ranking, and which.

    Raises:
        InvalidFile: it is of another table or of other weights, holds something else, or cannot be written.
        MissingExtra: pyarrow is not installed.
    """
    extras.load("pyarrow", _INSTALL)
    folder = Folder(Path(path), _manifest(plan, model, kind))
    if (folder.path / MANIFEST).exists():
        _check_same(opened(folder.path), folder)
        return folder
    create(folder.path)
    with written(folder.path / MANIFEST) as part:
        part.write_text(json.dumps(folder.manifest))
    return folder


def create(path: Path) -> None:
    """Make a folder for results, where there is none.

    Raises:
        InvalidFile: it cannot be made, or holds something else.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        others = [entry.name for entry in os.scandir(path) if not entry.name.startswith((".", "_mizzle"))]
    except OSError as error:
        text = f"the folder {quoted_name(path.name)} cannot be used: {error.strerror}"
        raise InvalidFile(f"{text}; name another") from None
    if others and not (path / MANIFEST).exists():
        text = f"the folder {quoted_name(path.name)} holds {quoted_name(min(others))}"
        raise InvalidFile(f"{text}, which is no part of a table's results; name an empty or a new one")


def _check_same(there: Folder, here: Folder) -> None:
    if there.key == here.key:
        return
    what = _OTHER
    if there.manifest["model"] != here.manifest["model"]:
        what = "is of other weights than answer now, and was left alone; name another folder"
    raise InvalidFile(f"the folder {quoted_name(here.path.name)} {what}")


def opened(path: str | os.PathLike[str]) -> Folder:
    """The folder of a table that was begun.

    Raises:
        InvalidFile: it is none, or cannot be read.
    """
    try:
        manifest = json.loads((Path(path) / MANIFEST).read_bytes())
        good = manifest["format"] == FORMAT and isinstance(manifest["key"], str)
    except (OSError, ValueError, KeyError, TypeError):
        good = False
    if not good:
        text = f"{quoted_name(Path(path).name)} is no folder with the results of a table, or a damaged one"
        raise InvalidFile(f"{text}; matrix(.., folder=) makes such")
    return Folder(Path(path), manifest)


def _manifest(plan: Plan, model: EstimatorLike, kind: Mapping[str, Any]) -> Manifest:
    size = side(plan)
    parts = [
        (tile.band, len(tile.places), min(j for _, j in tile.places), max(j for _, j in tile.places))
        for tile in tiles(plan, size)
    ]  # the last two: which later variables it has
    head = {
        "format": FORMAT,
        "fingerprint": plan.fingerprint,
        **kind,
        "given": None if plan.condition is None else plan.names[plan.condition],
        "model": model.info._asdict(),
        "levels": list(model.levels),
        "side": size,
        "tiles": parts,
    }
    key = hashlib.sha256(json.dumps(head).encode()).hexdigest()
    about = {
        "names": plan.names,
        "notes": [variable.notes for variable in plan.variables],
        "notices": plan.notices,
    }
    return {**head, "key": key, **about}


def _may_pass(outcome: Outcome) -> bool:
    """Whether this is an error that another run may not see."""
    return isinstance(outcome, MizzleError) and outcome.status not in (413, 422)


def _columns(arrow: Any, sheet: Sheet, outcomes: Sequence[Outcome]) -> Mapping[str, Any]:
    """The columns of a file: one line a pair, its numbers null where it has no estimate."""
    estimates = [None if isinstance(outcome, MizzleError) else outcome for outcome in outcomes]
    places, names = sheet.places, sheet.names

    def each(of: Any) -> list[Any]:
        return [None if estimate is None else of(estimate) for estimate in estimates]

    def texts(values: Sequence[str | None]) -> Any:
        return arrow.array(values, arrow.string()).dictionary_encode()

    return {
        "i": arrow.array([i for i, _ in places], arrow.int32()),
        "j": arrow.array([j for _, j in places], arrow.int32()),
        "x": texts([names[i] for i, _ in places]),
        "y": texts([names[j] for _, j in places]),
        "mi": arrow.array(each(lambda e: e.mi), arrow.float64()),
        **{
            _quantile(level): arrow.array(each(lambda e, k=k: e.values[k]), arrow.float64())
            for k, level in enumerate(sheet.levels)
        },
        **{
            name: arrow.array(each(lambda e, name=name: getattr(e, name)), arrow.int64())
            for name in _NUMBERS[:4]
        },
        "dropped": arrow.array(sheet.dropped or [0] * len(places), arrow.int64()),
        "in_range": arrow.array(each(lambda e: e.in_range), arrow.bool_()),
        "warnings": texts(each(lambda e: json.dumps(e.warnings))),
        "error": texts([_error_text(outcome) for outcome in outcomes]),
    }


def _quantile(level: float) -> str:
    return f"q{level:g}"


def _error_text(outcome: Outcome) -> str | None:
    return json.dumps([outcome.code, str(outcome)]) if isinstance(outcome, MizzleError) else None


def outcomes_in(
    columns: Mapping[str, Sequence[Any]], manifest: Manifest
) -> Iterator[tuple[PairIndex, Outcome, int]]:
    """Each pair of a file, with what became of it and how many rows it left out."""
    levels, model = tuple(manifest["levels"]), ModelInfo(**manifest["model"])
    values = zip(*(columns[_quantile(level)] for level in levels), strict=True)
    keys = ("i", "j", "mi", "n", "dim_x", "dim_y", "dim_z", "dropped", "in_range", "warnings", "error")
    rows = zip(*(columns[key] for key in keys), values, strict=True)
    for i, j, mi, n, dx, dy, dz, dropped, in_range, warnings, error, quantiles in rows:
        if error is not None:
            yield (i, j), _error(*json.loads(error)), dropped
            continue
        notices = tuple(Notice(*notice) for notice in json.loads(warnings))
        yield (i, j), Estimate(mi, levels, quantiles, n, dx, dy, in_range, notices, model, dim_z=dz), dropped


def _error(code: str, text: str) -> MizzleError:
    return (by_code(code) or TooFewSamples)(text)
