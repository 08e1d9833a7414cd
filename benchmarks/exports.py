"""Data sets with known mutual information, on disk: a safetensors file and a manifest beside it.

This module is shared with the export programs, which run in environments with numpy<2 and without
mizzle: it may import numpy and safetensors, and nothing else outside the standard library.

A file `NAME.safetensors` holds, for data set i of N:
    x.{i}, y.{i}    rows by columns, float32 or float64 as the generator made them
    mi              (N,) float64, the true mutual information in nats
    n               (N,) int64, rows
    dim             (N, 2) int64, columns of x and of y
    seed            (N,) int64, the seed the data set was drawn with
and in its header: format, suite ("mist" or "bmi"), split, and the JSON lists of N strings `labels`
(family or task) and `names` (the same for people).
"""

import hashlib
import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

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
    """Writes `path` and its manifest; `packages` are named in the manifest with their versions."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = {
        "format": FORMAT,
        "suite": suite,
        "split": split,
        "labels": json.dumps([c.label for c in cases]),
        "names": json.dumps([c.name for c in cases]),
    }
    save_file(_tensors(cases), path, metadata=header)
    manifest = _manifest(path, cases, packages) | extra
    path.with_suffix(".json").write_text(json.dumps(manifest, indent=2) + "\n")
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


def found(cache: Path = CACHE) -> Iterator[Export]:
    """Every export in the cache, by name."""
    for path in sorted(cache.glob("*.safetensors")):
        yield read_export(path)


def sha256(path: Path) -> str:
    """SHA-256 of a file, as hex digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


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
