"""Data sets with known mutual information, on disk: a safetensors file and a manifest beside it.

This module is shared with the export programs, which run in environments with numpy<2 and without
mizzle: it may import numpy and safetensors, and nothing else outside the standard library.

A file `NAME.safetensors` holds, for data set i of N:
    x.{i}, y.{i}    rows by columns, float32 or float64 as the generator made them
    mi              (N,) float64, the true mutual information in nats
    n               (N,) int64, rows
    dim             (N, 2) int64, columns of x and of y
    seed            (N,) int64, the seed the data set was drawn with
and in its header: format, suite ("mist", "bmi" or "mixtures"), split, and the JSON lists of N strings
`labels` (family or task) and `names` (the same for people).

Estimates of neural peers (`neural_peers.py`) lie beside it as `neural-NAME.json`.
"""

import hashlib
import json
from collections.abc import Collection, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save

FORMAT = "mizzle-export-1"
CACHE = Path(__file__).resolve().parent.parent / ".cache" / "benchmarks"


class Case(NamedTuple):
    """One data set: x, y, its true mutual information in nats, and where it comes from."""

    x: NDArray[Any]
    y: NDArray[Any]
    mi: float
    label: str
    name: str
    seed: int


class Export(NamedTuple):
    """All data sets of one file, with the header's suite and split."""

    stem: str
    suite: str
    split: str
    cases: list[Case]


def write_export(
    path: Path, suite: str, split: str, cases: list[Case], packages: list[str], **extra: Any
) -> Path:
    """Writes `path` and its manifest; `packages` are named in the manifest with their versions.

    An interrupted export leaves no file that `intact` or `read_all` would take for a whole one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    header = {
        "format": FORMAT,
        "suite": suite,
        "split": split,
        "labels": json.dumps([c.label for c in cases]),
        "names": json.dumps([c.name for c in cases]),
    }
    _write(path, _sorted(save(_tensors(cases), metadata=header)))
    manifest = _manifest(path, cases, packages) | extra
    write_json(path.with_suffix(".json"), manifest)
    return path


def read_export(path: Path) -> Export:
    """The data sets of one file.

    Raises:
        ValueError: the file is no export of this format.
    """
    with safe_open(path, framework="numpy") as file:
        header = file.metadata() or {}
        if header.get("format") != FORMAT:
            raise ValueError(f"{path.name}: format is {header.get('format')!r}, not {FORMAT!r}")
        labels, names = json.loads(header["labels"]), json.loads(header["names"])
        mi, seed = file.get_tensor("mi"), file.get_tensor("seed")
        cases = [
            Case(
                file.get_tensor(f"x.{i}"), file.get_tensor(f"y.{i}"),
                float(mi[i]), labels[i], names[i], int(seed[i]),
            )
            for i in range(len(labels))
        ]  # fmt: skip
    return Export(path.stem, header["suite"], header["split"], cases)


def read_all(cache: Path = CACHE) -> Iterator[Export]:
    """Every export in the cache, by name."""
    for path in sorted(cache.glob("*.safetensors")):
        yield read_export(path)


def intact(path: Path, seeds: Collection[int] = ()) -> bool:
    """Whether an export is there, has the SHA-256 of its manifest, and covers these seeds."""
    manifest = path.with_suffix(".json")
    if not (path.exists() and manifest.exists()):
        return False
    said = json.loads(manifest.read_text())
    return set(seeds) <= set(said.get("seeds", [said.get("seed")])) and said["sha256"] == sha256(path)


def neural(stem: str, cache: Path = CACHE) -> dict[str, NDArray[np.float64]]:
    """Estimates of the neural peers on one export, in nats, clipped at 0, NaN where none was made.

    Empty if `neural_peers.py` has not run on this export.

    Raises:
        ValueError: they were made from another version of the export.
    """
    path = neural_path(stem, cache)
    if not path.exists():
        return {}
    record = json.loads(path.read_text())
    export = cache / f"{stem}.safetensors"
    if record["sha256"] != sha256(export):
        raise ValueError(f"{path.name} belongs to another {export.name}; run neural_peers.py again")
    with safe_open(export, framework="numpy") as file:
        count = len(file.get_tensor("mi"))
    return {name: _spread(estimates, count) for name, estimates in record["estimates"].items()}


def neural_path(stem: str, cache: Path = CACHE) -> Path:
    """Where the estimates of the neural peers on one export lie."""
    return cache / f"neural-{stem}.json"


def write_json(path: Path, value: Any) -> None:
    """Writes a JSON file that is never seen half written."""
    _write(path, (json.dumps(value, indent=2) + "\n").encode())


def sha256(path: Path) -> str:
    """SHA-256 of a file, as hex digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _write(path: Path, content: bytes) -> None:
    partial = path.with_suffix(".partial")
    partial.write_bytes(content)
    partial.replace(path)


def _sorted(file: bytes) -> bytes:
    """A safetensors file with the metadata of its header in order of keys.

    The library writes them in an order that changes with every run; so equal data make equal files.
    """
    size = int.from_bytes(file[:8], "little")
    header = json.loads(file[8 : 8 + size])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode().ljust(size)
    assert len(text) == size, "the tensors must stay where the length says"
    return file[:8] + text + file[8 + size :]


def _spread(estimates: dict[str, float], count: int) -> NDArray[np.float64]:
    """Estimates by index as an array of all problems; neural lower bounds may lie below 0."""
    values = np.full(count, np.nan)
    values[[int(index) for index in estimates]] = [max(0.0, nats) for nats in estimates.values()]
    return values


def _tensors(cases: list[Case]) -> dict[str, NDArray[Any]]:
    # safetensors writes the raw buffer: a strided view would be stored scrambled, hence the copies.
    columns = [c.x for c in cases], [c.y for c in cases]
    tensors = {
        f"{side}.{i}": np.ascontiguousarray(table)
        for side, tables in zip("xy", columns, strict=True)
        for i, table in enumerate(tables)
    }
    tensors["mi"] = np.array([c.mi for c in cases], dtype=np.float64)
    tensors["n"] = np.array([len(c.x) for c in cases], dtype=np.int64)
    tensors["dim"] = np.array([(c.x.shape[1], c.y.shape[1]) for c in cases], dtype=np.int64)
    tensors["seed"] = np.array([c.seed for c in cases], dtype=np.int64)
    return tensors


def _manifest(path: Path, cases: list[Case], packages: list[str]) -> dict[str, Any]:
    digests = [hashlib.sha256(c.x.tobytes() + c.y.tobytes()).digest() for c in cases]
    counts: dict[str, int] = {}
    for case in cases:
        counts[case.label] = counts.get(case.label, 0) + 1
    finite = [bool(np.isfinite(c.x).all() and np.isfinite(c.y).all()) for c in cases]
    return {
        "file": path.name,
        "sha256": sha256(path),
        "packages": {name: version(name) for name in packages},
        "count": len(cases),
        "distinct_data_sets": len(set(digests)),
        "with_non_finite_values": len(cases) - sum(finite),
        "counts": counts,
    }
