"""`mizzle.adapt`, `mizzle.assess` and `mizzle.load`: weights for data of one's own kind."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mizzle import extras
from mizzle import progress as bars
from mizzle.adaptation.adapted import Adapted, from_file
from mizzle.adaptation.report import Report
from mizzle.data import frames
from mizzle.data.samples import Side, read_side
from mizzle.errors import InvalidInput
from mizzle.questions.surrogates import generator_of

_LEAST_MINUTES, _MOST_MINUTES = 1.0, 24 * 60.0
_MOST_SEED = 2**63 - 1  # of torch
MAX_NAME = 100  # characters, as in any weights file
_COMMAND = "pip install 'mizzle[adapt]'"


def adapt(
    x_rows: object,
    y_rows: object,
    minutes: float = 5.0,
    rng: int | np.random.Generator | None = None,
    progress: bars.Wanted = None,
    name: str | None = None,
) -> Adapted:
    """Weights for data like these: calibrated on problems that look like them, and fitted for a while.

    An injective map per side is fitted to its rows, and problems of known information are pushed through the
    maps. How rows of x and y belong together is never used: they need not be paired, nor equally many.

    Args:
        x_rows, y_rows: at least 200 rows each, as `mizzle.estimate` takes them, or a dict of columns.
        minutes: for all of it, at least 1; 0 only calibrates, however long that takes. With the same seed,
            weights agree on one machine as long as the time suffices for what is planned for it, which
            `report.stopped` says.
        rng: a seed below 2^63, or a generator.
        progress: None for a bar on a terminal; True or False; or a function of (done, total).
        name: of the model, by which a service of several knows it; mizzle-base-adapted when left out.

    Returns:
        an estimator with `estimate`, `report` and `save`. Ctrl-C ends the fitting and keeps what there is.

    Raises:
        InvalidInput: too few rows, too many columns or numbers, a column that is constant or nearly so, too
            many levels, a name that cannot be shown or stand in an address.
        MissingExtra: torch, scipy or zuko is not installed.
    """
    if minutes != 0.0 and not _LEAST_MINUTES <= minutes <= _MOST_MINUTES:
        raise InvalidInput(f"minutes is {minutes}; it must be 0, which only calibrates, or from 1 to 1440")
    if name is not None and not _is_name(name):
        raise InvalidInput(f"name must have 1 to {MAX_NAME} printable characters, no / and not dots alone")
    running = _running()
    adapted: Adapted = running.adapt(*_sides(x_rows, y_rows), float(minutes), _seed(rng), progress, name)
    return adapted


def assess(
    x_rows: object, y_rows: object, rng: int | np.random.Generator | None = None, progress: bars.Wanted = None
) -> Report:
    """How good the shipped weights are on data like these; arguments and errors as those of `adapt`."""
    report: Report = _running().assess(*_sides(x_rows, y_rows), _seed(rng), progress)
    return report


def load(path: Path | str) -> Adapted:
    """The estimator that `Adapted.save` wrote.

    Raises:
        ModelUnavailable: there is no such file, it is damaged, or the weights that it was made from are not
            those of this installation.
    """
    return from_file(Path(path))


def _is_name(name: str) -> bool:
    """Whether a model may be called so: requests name it in their path, too."""
    return name.isprintable() and 0 < len(name) <= MAX_NAME and "/" not in name and name.strip(".") != ""


def _seed(rng: object) -> int:
    """A seed that a report can name."""
    drawn = int(generator_of(rng).integers(2**31))
    if not isinstance(rng, int | np.integer):
        return drawn
    if rng > _MOST_SEED:
        raise InvalidInput(f"rng is {rng}; a seed may be {_MOST_SEED} at most")
    return int(rng)


def _running() -> Any:
    for library in ("torch", "scipy", "zuko"):
        extras.load(library, _COMMAND)
    from mizzle.adaptation import running

    return running


def _sides(x_rows: object, y_rows: object) -> tuple[Any, Any]:
    """Checked columns of both sides."""
    return _side(x_rows, "x"), _side(y_rows, "y")


def _side(rows: object, name: str) -> Any:
    from mizzle.adaptation import columns

    side = _of_dict(rows, name) if isinstance(rows, Mapping) and rows else read_side(rows, name)
    names = _names(rows) or tuple(f"{name}{i}" for i in range(side.values.shape[1]))
    return columns.read(side.values, names, name, tuple(notice.message for notice in side.notices))


def _of_dict(rows: Mapping[Any, object], name: str) -> Side:
    """Every value as a column, read by itself."""
    sides = {str(key): read_side(column, name) for key, column in rows.items()}
    wide = [key for key, side in sides.items() if side.values.shape[1] != 1]
    if wide:
        raise InvalidInput(f"{name} is a dict of columns, and {wide[0]!r} has several: name each of them")
    sizes = {key: len(side.values) for key, side in sides.items()}
    if len(set(sizes.values())) > 1:
        listed = ", ".join(f"{key!r} {size}" for key, size in sizes.items())
        raise InvalidInput(f"columns of {name} must have equally many rows; they have: {listed}")
    notices = tuple(notice for side in sides.values() for notice in side.notices)
    return Side(np.hstack([side.values for side in sides.values()]), None, notices)


def _names(rows: object) -> tuple[str, ...]:
    """Names of a frame's columns; none where there are none."""
    named = rows.items() if isinstance(rows, Mapping) else frames.columns(rows) or ()
    return tuple(str(name) for name, _ in named)
