"""Estimates and tables of them as frames of other libraries, as HTML and as pictures.

pandas, polars, pyarrow and matplotlib are imported when they are asked for, and are not needed otherwise.
"""

import json
from collections.abc import Sequence
from html import escape
from importlib import import_module
from typing import Any

from mizzle.data import columns
from mizzle.errors import InvalidInput, MissingExtra
from mizzle.tables.results import (
    KEYS,
    Library,
    Matrix,
    PairResult,
    Pairs,
    Ranking,
    Record,
)
from mizzle.types import Estimate

LEVEL = 0.9  # of the interval of a single estimate
_TEXT, _FLOAT, _INT, _BOOL = range(4)
_KINDS = {
    **dict.fromkeys(("x", "y", "warnings", "error", "unit"), _TEXT),
    **dict.fromkeys(("mi", "low", "high", "median", "below"), _FLOAT),
    **dict.fromkeys(("n", "dropped", "dim_x", "dim_y"), _INT),
    "in_range": _BOOL,
}
_TYPES = {
    "pandas": ("string", "float64", "Int64", "boolean"),
    "polars": ("String", "Float64", "Int64", "Boolean"),
    "pyarrow": ("string", "float64", "int64", "bool_"),
}
_CLASS = "mizzle tex2jax_ignore mathjax_ignore"  # a notebook would set dollars in names as formulas


def frame(shown: Estimate | Pairs, library: Library = "pandas") -> Any:
    """The records as a frame of that library; the interval of a single estimate is that of 90 %.

    The metadata of a pyarrow table have, as JSON under `mizzle`, what the records of pairs have in common.

    Raises:
        InvalidInput: it is none of "pandas", "polars" and "pyarrow".
        MissingExtra: it is not installed.
    """
    if library not in _TYPES:
        raise InvalidInput("the library must be 'pandas', 'polars' or 'pyarrow'")
    records = [_record(shown)] if isinstance(shown, Estimate) else shown.records()
    module = load(library, f"pip install {library}")
    names = tuple(records[0]) if records else KEYS
    types = {name: _TYPES[library][_KINDS[name]] for name in names}
    cells = {name: [record[name] for record in records] for name in names}
    if library == "pandas":
        return module.DataFrame({name: module.Series(cells[name], dtype=types[name]) for name in names})
    if library == "polars":
        return module.DataFrame(cells, schema={name: getattr(module, types[name]) for name in names})
    head = {} if isinstance(shown, Estimate) else {"mizzle": json.dumps(shown.head())}
    schema = module.schema([(name, getattr(module, types[name])()) for name in names], metadata=head)
    return module.table(cells, schema=schema)


def text(shown: Pairs, most: int = 10) -> str:
    """The strongest pairs, a line each, below a line about all.

    Args:
        most: of the pairs.
    """
    pairs = shown.strongest()[:most]
    lines = [f"  {_said(shown, pair)}" for pair in pairs]
    left = len(shown.pairs) - len(pairs)
    return "\n".join([f"{shown!r}", *lines, *([f"  and {left} more; to_frame() has all"] if left else [])])


def _said(shown: Pairs, pair: PairResult) -> str:
    """A pair in one line."""
    names = columns.shown(pair.x) + ("" if isinstance(shown, Ranking) else f", {columns.shown(pair.y)}")
    if pair.error is not None:
        return f"{names}: {pair.error}"
    record = pair.record(shown.level, shown.threshold)
    interval = f"{100 * shown.level:.4g}% [{_number(record['low'])}, {_number(record['high'])}]"
    return f"{names}: {_number(pair.mi)} {shown.unit}, {interval}"


def html(shown: Estimate | Pairs, most: int | None = 20) -> str:
    """An HTML table, the strongest pairs first; text of the caller's is escaped.

    Args:
        most: of the pairs; None for all.
    """
    if isinstance(shown, Estimate):
        return _one(shown)
    pairs = shown.strongest()[:most]
    interval, below = f"{100 * shown.level:.4g} % interval", f"below {shown.threshold:.4g}"
    head = ("x", "y", f"MI ({shown.unit})", interval, below, "rows", "noticed")
    more = f"; the strongest {len(pairs)}" if len(pairs) < len(shown.pairs) else ""
    return _table(f"{shown!r}{more}", head, [_line(shown, pair) for pair in pairs])


def _one(estimate: Estimate) -> str:
    """An estimate as a table of one line."""
    record = _record(estimate)
    width = f"{estimate.dim_x} + {estimate.dim_y}"
    notices = escape("; ".join(notice.message for notice in estimate.warnings))
    head = (f"MI ({estimate.unit})", "90 % interval", "rows", "columns", "warnings")
    return _table("", head, [[_number(estimate.mi), _range(record), str(estimate.n), width, notices]])


def plot(shown: Estimate | Pairs) -> Any:
    """A matplotlib Figure.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    from mizzle.display import plots

    if isinstance(shown, Estimate):
        return plots.estimate(shown)
    if isinstance(shown, Ranking):
        return plots.ranking(shown)
    assert isinstance(shown, Matrix)
    return plots.matrix(shown)


def load(library: str, command: str) -> Any:
    """A library that is not needed otherwise.

    Raises:
        MissingExtra: it is not installed; the message says how to.
    """
    try:
        return import_module(library)
    except ModuleNotFoundError:
        raise MissingExtra(f"{library.split('.')[0]} is not installed: run {command}") from None


def _record(estimate: Estimate) -> Record:
    low, high = estimate.interval(LEVEL)
    return {
        "mi": estimate.mi,
        "low": low,
        "high": high,
        "median": estimate.median,
        "unit": estimate.unit,
        "n": estimate.n,
        "dim_x": estimate.dim_x,
        "dim_y": estimate.dim_y,
        "in_range": estimate.in_range,
        "warnings": " ".join(notice.code for notice in estimate.warnings),
    }


def _line(shown: Pairs, pair: PairResult) -> list[str]:
    """A pair's cells."""
    names = [escape(pair.x), escape(pair.y)]
    if pair.error is not None:
        return [*names, "", "", "", "", escape(str(pair.error))]
    record = pair.record(shown.level, shown.threshold)
    rows = str(record["n"]) + (f" ({pair.dropped} dropped)" if pair.dropped else "")
    return [
        *names,
        _number(record["mi"]),
        _range(record),
        f"{record['below']:.1%}",
        rows,
        escape(record["warnings"]),
    ]


def _number(value: float) -> str:
    return f"{value:.3f}"


def _range(record: Record) -> str:
    return f"{_number(record['low'])} to {_number(record['high'])}"


def _table(caption: str, head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Cells that are escaped already; the caption is not yet."""
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    rows = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in line) + "</tr>" for line in lines)
    return f'<table class="{_CLASS}">{title}<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
