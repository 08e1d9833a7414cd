"""Data sets on disk: a folder of shards, and a manifest that vouches for each of them.

A shard is one safetensors file of consecutive data sets. Its tensors, all flat:

    values             float32; each data set column after column, X's columns first
    offset             where a data set starts in `values`
    rows, dim_x, dim_y its shape
    nats, stderr       float64; its truth
    family             its number in the list of names that stands in the header
    index              the i of `dataset(seed, i, limits)`

Values are stored in 32 bits, for half the size, but not just rounded: rounding would tie values of continuous
columns (of normal ones about 1 in 700 at 500 rows, 1 in 30 at 2000), and make what is beyond 3e38 infinite.
`rounded` keeps order and ties within each column exactly as they were drawn, so that whatever looks at ranks
alone sees no difference. The few cells that are not the nearest 32-bit number are counted in the manifest, as
`nudged`.
"""

import hashlib
import json
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, cast, overload

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save

from mizzle.errors import Fault, InvalidInput
from mizzle.metadata_gen.family import Array, Truth
from mizzle.metadata_gen.store.summary import Summary, by_family, by_nats
from mizzle.metadata_gen.stream import DataSet

FORMAT: Final = "mizzle data sets, version 1"
MANIFEST: Final = "manifest.json"
Float32s = NDArray[np.float32]
_LARGEST: Final = int(np.array(np.finfo(np.float32).max).view(np.int32))  # place of the largest finite number
_WHOLE: Final = ("index", "rows", "dim_x", "dim_y")
_KNOWN: Final = (*_WHOLE, "nats", "stderr")


def rounded(columns: Array) -> tuple[Float32s, int]:
    """Columns (d, n) of finite numbers in 32 bits: within each, equal stays equal and smaller stays smaller.

    Returns:
        the columns, and the number of cells that are not the nearest 32-bit number.
    """
    nearest = _nearest(columns)
    ties = _ties(nearest)
    tied = np.flatnonzero(ties)
    wrong = np.asarray(~np.isfinite(nearest).all(axis=1))
    wrong[tied] |= ties[tied] > _ties(columns[tied])
    ordered = nearest.copy()
    for d in np.flatnonzero(wrong):
        ordered[d] = _in_order(columns[d])
    return ordered, int((ordered != nearest).sum())


def _ties(columns: NDArray[Any]) -> NDArray[np.int64]:
    """Of each column, how many cells equal the next one in sorted order."""
    order = np.sort(columns, axis=1)
    return np.asarray(np.count_nonzero(order[:, 1:] == order[:, :-1], axis=1))


def _nearest(values: Array) -> Float32s:
    with np.errstate(over="ignore"):
        return values.astype(np.float32, order="C")


def _in_order(column: Array) -> Float32s:
    """32-bit numbers p_1 < p_2 < ... for the distinct values v_1 < v_2 < ... of a column, each near its own.

    In places on the line of all 32-bit numbers: p_j = max(place of v_j, p_(j-1) + 1), none beyond the ends.
    """
    distinct, which = np.unique(column, return_inverse=True)
    steps = np.arange(len(distinct))
    nearest = _nearest(distinct)
    size = np.abs(nearest).view(np.int32).astype(np.int64)
    place = np.clip(np.where(nearest < 0, -size, size), -_LARGEST, _LARGEST - steps[::-1])
    place = np.maximum.accumulate(place - steps) + steps
    values = np.abs(place).astype(np.int32).view(np.float32)
    return cast(Float32s, np.where(place < 0, -values, values)[which])


def pack(sets: Iterable[DataSet], about: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
    """One shard as bytes, a function of the data sets and `about`; and its record for the manifest.

    Raises:
        Fault: a value is not finite.
    """
    values, known, names, nudged = [], [], [], 0
    for data in sets:
        table = np.concatenate([data.x.T, data.y.T])
        if not np.isfinite(table).all():
            raise Fault(f"data set {data.index} ({data.family}) has a value that is not finite")
        columns, changed = rounded(table)
        values.append(columns.ravel())
        known.append((data.index, len(data.x), data.x.shape[1], data.y.shape[1], *data.truth))
        names.append(data.family)
        nudged += changed
    tensors: dict[str, NDArray[Any]] = {
        key: np.array(column, np.int64 if key in _WHOLE else np.float64)
        for key, column in zip(_KNOWN, zip(*known, strict=True), strict=True)
    }
    families, tensors["family"] = np.unique(names, return_inverse=True)
    tensors["offset"] = np.cumsum([0, *map(len, values[:-1])])
    header = {"format": FORMAT, **about, "families": families.tolist()}
    content = save({"values": np.concatenate(values), **tensors}, {"mizzle": json.dumps(header)})
    return content, {
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "count": len(names),
        "nudged": nudged,
        "families": by_family(names),
        "nats": by_nats(tensors["nats"]),
    }


class _Shard(NamedTuple):
    """An open shard: its tensors but for `values`, the names of its families, and a slice of `values`."""

    known: dict[str, NDArray[Any]]
    names: NDArray[np.str_]
    values: Any

    def dataset(self, b: int) -> DataSet:
        i, n, dim_x, dim_y, start, family = (
            int(self.known[key][b]) for key in ("index", "rows", "dim_x", "dim_y", "offset", "family")
        )
        flat = self.values[start : start + n * (dim_x + dim_y)]
        columns = flat.reshape(dim_x + dim_y, n).astype(np.float64)
        truth = Truth(float(self.known["nats"][b]), float(self.known["stderr"][b]))
        return DataSet(i, str(self.names[family]), columns[:dim_x].T, columns[dim_x:].T, truth)

    def summary(self) -> Summary:
        rows, dim_x, dim_y = (self.known[key] for key in ("rows", "dim_x", "dim_y"))
        return Summary(self.names[self.known["family"]], rows, dim_x, dim_y, self.known["nats"])


class Shards(Sequence[DataSet]):
    """The data sets of a folder: item i is `dataset(seed, i, limits)`, rounded to 32 bits by `rounded`.

    The size of every shard is checked at once, its SHA-256 when it is first read. May be pickled.

    Attributes:
        folder: where they lie.
        manifest: the manifest of the folder.

    Raises:
        InvalidInput: there is no such folder, or it is unfinished or damaged.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.manifest = read_manifest(self.folder)
        self._records: list[dict[str, Any]] = self.manifest["shards"]
        self._open: dict[int, _Shard] = {}
        count, present = self.manifest["recipe"]["count"], self.manifest["totals"]["count"]
        if present != count:
            raise InvalidInput(
                f"{folder} holds {present} of {count} data sets; the command that began it goes on"
            )
        for record in self._records:
            path = self.folder / record["file"]
            if not path.is_file() or path.stat().st_size != record["bytes"]:
                raise _damaged(path)

    def __len__(self) -> int:
        return int(self.manifest["recipe"]["count"])

    @overload
    def __getitem__(self, i: int) -> DataSet: ...
    @overload
    def __getitem__(self, i: slice) -> list[DataSet]: ...
    def __getitem__(self, i: int | slice) -> DataSet | list[DataSet]:
        if isinstance(i, slice):
            return [self[j] for j in range(len(self))[i]]
        k, b = divmod(range(len(self))[i], self.manifest["recipe"]["shard"])
        return self._shard(k).dataset(b)

    def __reduce__(self) -> tuple[type["Shards"], tuple[Path]]:
        return Shards, (self.folder,)

    def summary(self) -> Summary:
        """Family, shape and truth of all data sets."""
        return Summary.joined(self._shard(k).summary() for k in range(len(self._records)))

    def facts(self) -> Summary:
        """The former name of `summary`."""
        warnings.warn("Shards.facts is now Shards.summary", DeprecationWarning, stacklevel=2)
        return self.summary()

    def _shard(self, k: int) -> _Shard:
        if k not in self._open:
            self._open[k] = _opened(self.folder, self._records[k])
        return self._open[k]


def _opened(folder: Path, record: dict[str, Any]) -> _Shard:
    path = folder / record["file"]
    if not intact(folder, record):
        raise _damaged(path)
    file: Any = safe_open(path, framework="numpy")
    names = np.array(json.loads(file.metadata()["mizzle"])["families"])
    known = {key: file.get_tensor(key) for key in (*_KNOWN, "family", "offset")}
    return _Shard(known, names, file.get_slice("values"))


def _damaged(path: Path) -> InvalidInput:
    return InvalidInput(f"{path} is missing or damaged; the command that made it makes it again")


def intact(folder: Path, record: dict[str, Any]) -> bool:
    """Whether the shard of this record has the size and the SHA-256 that the record says."""
    path = folder / record["file"]
    if not path.is_file() or path.stat().st_size != record["bytes"]:
        return False
    with path.open("rb") as file:
        return bool(hashlib.file_digest(file, "sha256").hexdigest() == record["sha256"])


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a folder of data sets.

    Raises:
        InvalidInput: there is none, or it is of another format.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
    except (OSError, ValueError):
        manifest = None
    if (
        not isinstance(manifest, dict)
        or manifest.get("format") != FORMAT
        or not {"recipe", "shards"} <= manifest.keys()
    ):
        raise InvalidInput(f"there is no {path}, or it is not the manifest of {FORMAT}")
    return manifest
