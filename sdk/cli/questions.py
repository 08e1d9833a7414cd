"""The commands of series and of differences: at which lag, and which of two tells more."""

import json
from typing import Annotated

import numpy as np
import typer

from mizzle.cli import options
from mizzle.cli.estimate import assumed, client_for
from mizzle.cli.output import Output
from mizzle.cli.source import Source
from mizzle.cli.terminal import fields, labelled, table
from mizzle.data.arrays import FloatArray
from mizzle.data.columns import Column, notices_of, read
from mizzle.data.frames import named_columns
from mizzle.data.names import quoted_name
from mizzle.errors import InvalidInput
from mizzle.files.reader import Table
from mizzle.questions.difference import Difference
from mizzle.questions.lagged import Lagged
from mizzle.types import DEFAULT_LEVEL, DEFAULT_UNIT, interval_levels
from mizzle.wire import printable

Lags = Annotated[
    str,
    typer.Option(
        "--lags",
        metavar="A:B",
        help="From A to B, both included, or A,B,C: rows by which x comes before y.",
    ),
]
History = Annotated[
    int, typer.Option("--history", metavar="K", help="Condition on K past values of y: transfer entropy.")
]
Shifts = Annotated[
    int,
    typer.Option(
        "--pvalues",
        metavar="N",
        help="Test each lag by so many circular shifts of x, 19 to 9999; 0 for none.",
    ),
]
Csv = Annotated[bool, typer.Option("--csv", help="Print a line of CSV for each lag.")]
Other = Annotated[
    str, typer.Option("--x2", metavar="C,D", help="Columns of the other feature.", show_default=False)
]
OtherTarget = Annotated[
    str | None,
    typer.Option("--y2", metavar="E,F", help="What the other feature is compared with; as --y if left out."),
]


def lagged(
    file: options.File,
    x: options.X,
    y: options.Y,
    lags: Lags = "-20:20",
    conditions: options.Conditions = None,
    history: History = 0,
    pvalues: Shifts = 0,
    seed: options.Seed = 0,
    kind: options.FileFormat = None,
    labels: options.Labels = None,
    missing: options.Missing = "raise",
    sep: options.Separator = None,
    decimal: options.Decimal = ".",
    thousands: options.Thousands = None,
    na_value: options.NaValues = None,
    no_default_na: options.NoDefaultNa = False,
    level: options.Level = DEFAULT_LEVEL,
    unit: options.Unit = DEFAULT_UNIT,
    url: options.Url = None,
    as_json: options.Json = False,
    as_csv: Csv = False,
    quiet: options.Quiet = False,
) -> None:
    """The mutual information of two series at every lag: y(t) and x(t - lag)."""
    if as_json and as_csv:
        raise InvalidInput("--json and --csv are two forms of one output; choose one of them")
    listed = _lags(lags)
    interval_levels(level)  # before any work
    source = Source(file, kind, labels, missing, sep, decimal, thousands, na_value, no_default_na)
    named = {"--x": x, "--y": y, **({} if conditions is None else {"--given": conditions})}
    content, (x_side, y_side, *third) = _sides(source, quiet, named)
    with client_for(url) as client:
        result = client.lagged(
            x_side,
            y_side,
            lags=listed,
            given=third[0] if third else None,
            history=history,
            pvalues=pvalues or False,
            level=level,
            unit=unit,
            missing=missing,
            rng=seed,
            progress=False if quiet else None,
        )
    if as_json:
        print(json.dumps({**result.to_dict(), **assumed(content.notes)}, allow_nan=False))
    elif as_csv:
        print(result.to_csv(), end="")
    else:
        _show(result)


def difference(
    file: options.File,
    x: options.X,
    y: options.Y,
    x2: Other,
    y2: OtherTarget = None,
    seed: options.Seed = 0,
    kind: options.FileFormat = None,
    labels: options.Labels = None,
    missing: options.Missing = "raise",
    sep: options.Separator = None,
    decimal: options.Decimal = ".",
    thousands: options.Thousands = None,
    na_value: options.NaValues = None,
    no_default_na: options.NoDefaultNa = False,
    level: options.Level = DEFAULT_LEVEL,
    unit: options.Unit = DEFAULT_UNIT,
    url: options.Url = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Which of two features of a table tells more about a target, and by how much."""
    interval_levels(level)  # before any work
    source = Source(file, kind, labels, missing, sep, decimal, thousands, na_value, no_default_na)
    names = {"--x": x, "--y": y, "--x2": x2, "--y2": y2 or y}
    content, sides = _sides(source, quiet, names)
    with client_for(url) as client:
        progress = False if quiet else None
        pairs = (sides[0], sides[1]), (sides[2], sides[3])
        result = client.difference(*pairs, unit=unit, missing=missing, rng=seed, progress=progress)
    if as_json:
        print(json.dumps({**result.to_dict(), **assumed(content.notes)}, allow_nan=False))
    else:
        _report(result, list(names.values()), level)


def _sides(source: Source, quiet: bool, texts: dict[str, str]) -> tuple[Table, list[FloatArray]]:
    """The file, and the columns that each option names, shape (n, d), NaN where a cell is missing."""
    sides = [options.names(text, option) for option, text in texts.items()]
    content = source.read(list(dict.fromkeys(name for side in sides for name in side)))
    columns = named_columns(content.frame)
    read_columns = {name: read(columns[name]) for side in sides for name in content.columns_of(side)}
    notes = [
        f"column {quoted_name(name)} {text}" for name, c in read_columns.items() for _, text in notices_of(c)
    ]
    Output(None, False, False, quiet).note([*content.notes, *notes])
    return content, [_table([(n, read_columns[n]) for n in content.columns_of(side)]) for side in sides]


def _table(columns: list[tuple[str, Column]]) -> FloatArray:
    """Columns side by side, with NaN where a cell is missing.

    Raises:
        InvalidInput: one of them cannot be used.
    """
    for name, column in columns:
        if column.refusal is not None:
            raise InvalidInput(f"column {quoted_name(name)} {column.refusal}")
    return np.column_stack([np.where(column.missing, np.nan, column.values) for _, column in columns])


def _lags(text: str) -> list[int]:
    """The lags of "A:B", both ends included, or of "A,B,C".

    Raises:
        InvalidInput: it is neither.
    """
    try:
        first, colon, last = text.partition(":")
        lags = list(range(int(first), int(last) + 1)) if colon else [int(lag) for lag in text.split(",")]
    except ValueError:
        lags = []
    if not lags:
        raise InvalidInput("--lags needs whole numbers of rows, as -20:20 or 1,2,5, the smaller first")
    return lags


def _show(result: Lagged) -> None:
    """A line for each lag, and what was noticed."""
    interval = f"{100 * result.level:g}% interval"
    heads = ["lag", result.unit, interval, "rows", *(["p", "p (BH)"] if result.null else [])]
    lines = []
    for record in result.records:
        tested = [f"{p:.3g}" for p in (record.pvalue, record.pvalue_bh) if p is not None]
        numbers = [f"{record.mi:.4f}", f"{record.low:.4f} to {record.high:.4f}", str(record.n)]
        lines.append([str(record.lag), *numbers, *tested])
    table(heads, lines, heads)
    best = [("largest at lag", str(result.best.lag))]
    if result.band is not None:
        best.append(("95% of shifts below", f"{result.band:.4g} {result.unit}"))
    fields([*best, *labelled(result.notices)])


def _report(result: Difference, names: list[str], level: float) -> None:
    low, high = result.interval(level)
    x, y, x2, y2 = names
    print(printable(f"I({x}; {y}) - I({x2}; {y2}) = {result.mi:+.4g} {result.unit}"))
    lines = [
        (f"{100 * level:g}% interval", f"{low:+.4g} to {high:+.4g} {result.unit}"),
        ("first is larger", f"with probability {result.probability:.1%}"),
        ("first, second", f"{result.first.mi:.4g} and {result.second.mi:.4g} {result.unit}"),
        ("sample", f"{result.n} rows"),
    ]
    fields([*lines, *labelled(result.warnings)])
