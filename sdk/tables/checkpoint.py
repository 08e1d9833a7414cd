"""A file with the answers of a table so far: written whole or not at all, and read for the same table only.

An .npz file without pickle: a JSON head (format, fingerprint of the table, weights, levels, warnings) and
arrays with one line a pair. Estimates are in nats; errors are not kept, and so are asked again.
"""

import json
import os
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mizzle.data.names import quoted_name
from mizzle.errors import InvalidFile
from mizzle.tables.plan import PairIndex
from mizzle.types import Estimate, ModelInfo, Notice

FORMAT = "mizzle table 1"
_SECONDS = 10.0  # between two writings
_SHARE = 20  # writing takes at most one part in so many of the time
_DAMAGE = (ValueError, KeyError, TypeError, IndexError, EOFError, AttributeError, zipfile.BadZipFile)


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
        """The answers in the file; none where there is no file yet.

        Raises:
            InvalidFile: the file is of another table, damaged, no checkpoint, or cannot be read.
        """
        found = _parts(self._path)
        if found is None:
            return {}
        head, arrays = found
        if head.get("fingerprint") != self._fingerprint:
            text = f"{self} belongs to other data or other columns"
            raise InvalidFile(f"{text}, and was left alone; name another file")
        try:
            return _estimates(head, arrays)
        except _DAMAGE:
            raise _no_checkpoint(self._path) from None

    def save(self, answers: Mapping[PairIndex, Estimate]) -> None:
        """Replace the file by one with these answers.

        Raises:
            InvalidFile: it cannot be written.
        """
        start = time.monotonic()
        part = self._path.with_name(f"{self._path.name}.{os.getpid()}.part")
        try:
            with part.open("wb") as file:
                np.savez(file, **_arrays(answers, self._fingerprint))  # type: ignore[arg-type]
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

    def save_if_due(self, answers: Mapping[PairIndex, Estimate]) -> None:
        """`save`, where the last time is long enough ago.

        Raises:
            InvalidFile: it cannot be written.
        """
        if time.monotonic() >= self._due:
            self.save(answers)


def check_file(path: str | os.PathLike[str] | None) -> None:
    """Before any work: whether a file, if there is one, is a checkpoint; of which table, is seen later.

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
        with path.open("rb") as file, np.load(file, allow_pickle=False) as parts:
            found = {name: parts[name] for name in parts.files}
        head = json.loads(found["head"].tobytes())
        good = head["format"] == FORMAT
    except OSError as error:
        reason = error.strerror or "it is damaged"
        raise InvalidFile(f"the checkpoint {_name(path)} cannot be read: {reason}") from None
    except _DAMAGE:
        good = False
    if not good:
        raise _no_checkpoint(path)
    return head, found


def _no_checkpoint(path: Path) -> InvalidFile:
    text = f"{_name(path)} is no checkpoint of mizzle, or a damaged one, and was left alone"
    return InvalidFile(f"{text}; name another file for the checkpoint")


def _name(path: Path) -> str:
    return quoted_name(path.name)


def _arrays(answers: Mapping[PairIndex, Estimate], fingerprint: str) -> dict[str, np.ndarray]:
    found = list(answers.values())
    head = {
        "format": FORMAT,
        "fingerprint": fingerprint,
        "model": found[0].model._asdict() if found else None,
        "levels": found[0].levels if found else (),
        "warnings": [one.warnings for one in found],
    }
    return {
        "head": np.frombuffer(json.dumps(head).encode(), np.uint8),
        "places": np.array(list(answers), np.int64).reshape(-1, 2),
        "numbers": np.array([(one.mi, *one.values) for one in found], np.float64),
        "sizes": np.array([(one.n, one.dim_x, one.dim_y) for one in found], np.int64),
        "in_range": np.array([one.in_range for one in found], bool),
    }


def _estimates(head: Mapping[str, Any], found: Mapping[str, np.ndarray]) -> dict[PairIndex, Estimate]:
    model = ModelInfo(**head["model"]) if head["model"] else None
    levels = tuple(head["levels"])
    lines = zip(
        map(tuple, found["places"].tolist()),
        found["numbers"].tolist(),
        found["sizes"].tolist(),
        found["in_range"].tolist(),
        head["warnings"],
        strict=True,
    )
    return {
        place: Estimate(
            mi, levels, tuple(values), n, dx, dy, inside, tuple(Notice(*w) for w in warned), model
        )
        for place, (mi, *values), (n, dx, dy), inside, warned in lines
        if model is not None
    }
