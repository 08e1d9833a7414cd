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
from mizzle.data.samples import read_side
from mizzle.errors import InvalidInput
from mizzle.questions.surrogates import generator_of

_MOST_MINUTES = 24 * 60.0
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
        minutes: for all of it; 0 only calibrates. With the same seed, weights agree on one machine as long
            as the time suffices for what is planned for it, which `report.stopped` says.
        rng: a seed or generator.
        progress: None for a bar on a terminal; True or False; or a function of (done, total).
        name: of the model, by which a service of several knows it; mizzle-base-adapted when left out.

    Returns:
        an estimator with `estimate`, `report` and `save`. Ctrl-C ends the fitting and keeps what there is.

    Raises:
        InvalidInput: too few rows, too many columns or numbers, a constant column, too many levels, a name
            that cannot be shown.
        MissingExtra: torch, scipy or zuko is not installed.
    """
    if not 0.0 <= minutes <= _MOST_MINUTES:
        raise InvalidInput(f"minutes is {minutes}; it must be from 0, which only calibrates, to 1440")
    if name is not None and not (name.isprintable() and 0 < len(name) <= MAX_NAME):
        raise InvalidInput(f"name must have 1 to {MAX_NAME} printable characters")
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


def _seed(rng: object) -> int:
    """A seed that a report can name."""
    return (
        int(rng) if isinstance(rng, int | np.integer) and rng >= 0 else int(generator_of(rng).integers(2**31))
    )


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

    if isinstance(rows, Mapping):
        side = read_side(np.column_stack(list(rows.values())) if rows else [], name)
    else:
        side = read_side(rows, name)
    names = _names(rows) or tuple(f"{name}{i}" for i in range(side.values.shape[1]))
    return columns.read(side.values, names, name, tuple(notice.message for notice in side.notices))


def _names(rows: object) -> tuple[str, ...]:
    """Names of a frame's columns; none where there are none."""
    named = rows.items() if isinstance(rows, Mapping) else frames.columns(rows) or ()
    return tuple(str(name) for name, _ in named)
