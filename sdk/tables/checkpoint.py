"""A file with the estimates of a table so far: written whole or not at all, and read for the same table only.

An .npz file without pickle: a JSON head (format, fingerprint of the table, weights, levels, warnings) and
arrays with one line a pair. Estimates are in nats; errors are not stored, so their pairs are estimated again.
"""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mizzle.data import npy_files
from mizzle.data.names import quoted_name
from mizzle.errors import InvalidFile
from mizzle.tables.plan import PairIndex
from mizzle.types import Estimate, ModelInfo, Notice

FORMAT = "mizzle table 1"
_SECONDS = 10.0  # between two writings
_SHARE = 20  # writing takes at most one part in so many of the time
_DAMAGE = (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, RecursionError)


class Checkpoint:
    """The file of one table.

    Args:
        path: of the file, which need not exist; its folder must.
        fingerprint: of the table, as `Plan.fingerprint`.
    """

    def __init__(self, path: str | os.PathLike[str], fingerprint: str) -> None:
        self._path = Path(path)
        self._fingerprint = fingerprint
        self._due = time.monotonic() + _SECONDS

    def __str__(self) -> str:
        """The file as messages name it."""
        return f"the checkpoint {quoted_name(self._path.name)}"

    def load(self) -> dict[PairIndex, Estimate]:
        """The estimates in the file; none where there is no file yet.

        Raises:
            InvalidFile: the file is of another table, damaged, no checkpoint, or cannot be read.
        """
        parts = _parts(self._path)
        if parts is None:
            return {}
        head, arrays = parts
        if head.get("fingerprint") != self._fingerprint:
            text = f"{self} belongs to other data or other columns"
            raise InvalidFile(f"{text}, and was left alone; name another file")
        try:
            return _estimates(head, arrays)
        except _DAMAGE:
            raise _no_checkpoint(self._path) from None

    def save(self, estimates: Mapping[PairIndex, Estimate]) -> None:
        """Replace the file by another with these estimates.

        Raises:
            InvalidFile: it cannot be written.
        """
        start = time.monotonic()
        part = self._path.with_name(f"{self._path.name}.{os.getpid()}.part")
        try:
            with part.open("wb") as file:
                np.savez(file, **_arrays(estimates, self._fingerprint))  # type: ignore[arg-type]
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, self._path)  # at once: whoever reads sees the old file or the new
        except OSError as error:
            text = f"{self} cannot be written: {error.strerror}"
            raise InvalidFile(text) from None
        finally:
            part.unlink(missing_ok=True)
        now = time.monotonic()
        self._due = now + max(_SECONDS, _SHARE * (now - start))

    def save_if_due(self, estimates: Mapping[PairIndex, Estimate]) -> None:
        """`save`, where the last time is long enough ago.

        Raises:
            InvalidFile: it cannot be written.
        """
        if time.monotonic() >= self._due:
            self.save(estimates)


def check_file(path: str | os.PathLike[str] | None) -> None:
    """Whether a file, if there is one, is a checkpoint of any table: known before any work.

    Raises:
        InvalidFile: it is none, or cannot be read.
    """
    if path is not None:
        _parts(Path(path))


def _parts(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
    """Head and arrays of a checkpoint; None where there is no file yet.

    Raises:
        InvalidFile: it is no checkpoint, or cannot be read.
    """
    if not path.exists():
        return None
    try:
        arrays = npy_files.read_npz(path.read_bytes())
        head = json.loads(arrays["head"].tobytes())
        good = head["format"] == FORMAT
    except OSError as error:
        reason = error.strerror or "it is damaged"
        raise InvalidFile(f"the checkpoint {quoted_name(path.name)} cannot be read: {reason}") from None
    except _DAMAGE:
        good = False
    if not good:
        raise _no_checkpoint(path)
    return head, arrays


def _no_checkpoint(path: Path) -> InvalidFile:
    text = f"{quoted_name(path.name)} is no checkpoint of mizzle, or a damaged one, and was left alone"
    return InvalidFile(f"{text}; name another file for the checkpoint")


def _arrays(estimates: Mapping[PairIndex, Estimate], fingerprint: str) -> dict[str, np.ndarray]:
    """The arrays of the file: the head as bytes of JSON, and one line a pair in each of the others."""
    first = next(iter(estimates.values()), None)
    head = {
        "format": FORMAT,
        "fingerprint": fingerprint,
        "model": first.model._asdict() if first else None,
        "levels": first.levels if first else (),
        "warnings": [estimate.warnings for estimate in estimates.values()],
    }
    lines = [(e.mi, *e.values) for e in estimates.values()]
    sizes = [(e.n, e.dim_x, e.dim_y) for e in estimates.values()]
    return {
        "head": np.frombuffer(json.dumps(head).encode(), np.uint8),
        "places": np.array(list(estimates), np.int64).reshape(-1, 2),
        "numbers": np.array(lines, np.float64),
        "sizes": np.array(sizes, np.int64),
        "in_range": np.array([e.in_range for e in estimates.values()], bool),
    }


def _estimates(head: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> dict[PairIndex, Estimate]:
    """The estimates in the parts of a file, by pair."""
    model = ModelInfo(**head["model"]) if head["model"] else None
    levels = tuple(head["levels"])
    lines = zip(
        map(tuple, arrays["places"].tolist()),
        arrays["numbers"].tolist(),
        arrays["sizes"].tolist(),
        arrays["in_range"].tolist(),
        head["warnings"],
        strict=True,
    )
    return {
        place: Estimate(
            mi, levels, tuple(values), n, dx, dy, in_range, tuple(Notice(*w) for w in warnings), model
        )
        for place, (mi, *values), (n, dx, dy), in_range, warnings in lines
        if model is not None
    }
