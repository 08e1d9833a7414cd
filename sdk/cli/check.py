"""The command that says whether to believe an estimate."""

import json
import textwrap
from typing import Any

from mizzle.cli import options
from mizzle.cli.estimate import assumed, client_for, refuse_repeats
from mizzle.cli.output import Output
from mizzle.cli.source import Source
from mizzle.cli.terminal import mark, table
from mizzle.questions.reliability import Check
from mizzle.tables.plan import Plan
from mizzle.tables.variables import variables
from mizzle.types import DEFAULT_UNIT
from mizzle.wire import printable


def check(
    file: options.File,
    x: options.X,
    y: options.Y,
    kind: options.FileFormat = None,
    labels: options.Labels = None,
    missing: options.Missing = "raise",
    sep: options.Separator = None,
    decimal: options.Decimal = ".",
    thousands: options.Thousands = None,
    na_value: options.NaValues = None,
    no_default_na: options.NoDefaultNa = False,
    unit: options.Unit = DEFAULT_UNIT,
    deduplicate: options.Deduplicate = False,
    url: options.Url = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Whether to believe the estimate of two sides of a table; ends with 1 where it is not reliable."""
    left, right = options.names(x, "--x"), options.names(y, "--y")
    refuse_repeats([*left, *right])
    source = Source(file, kind, labels, missing, sep, decimal, thousands, na_value, no_default_na)
    table_of_file = source.read([*left, *right])
    Output(None, False, as_json, quiet).note(table_of_file.notes)
    target = options.joined(right)
    sides = {options.joined(left): table_of_file.columns_of(left), target: table_of_file.columns_of(right)}
    plan = Plan.with_last(variables(table_of_file.frame, [], sides, missing, target, deduplicate=deduplicate))
    for error in plan.refusals().values():
        raise error
    [(x_side, y_side)] = plan.chunk((plan.places[0],)).arrays
    with client_for(url) as client:
        result = client.check(x_side, y_side, unit=unit, progress=False if quiet else None)
    notes = [notice._asdict() for notice in plan.notes(plan.places[0])]
    if as_json:
        print(json.dumps({**_answer(result, notes), **assumed(table_of_file.notes)}, allow_nan=False))
    else:
        _report(result, *plan.names)
    return 0 if result.reliable else 1


def _answer(result: Check, notes: list[dict[str, Any]]) -> dict[str, Any]:
    answer = result.to_dict()
    return {**answer, "warnings": [*notes, *answer["warnings"]]}


def _report(result: Check, x: str, y: str) -> None:
    e = result.estimate
    low, high = e.interval()
    print(printable(f"I({x}; {y}) = {e.mi:.4g} {e.unit}, 90% interval {low:.4g} to {high:.4g}"))
    mark(result.reliable, "the estimate is reliable" if result.reliable else "the estimate is not reliable")
    for reason in result.reasons:
        print(textwrap.fill(printable(reason), 100, initial_indent="  ", subsequent_indent="    "))
    lines = [
        [
            evidence.what,
            f"{evidence.estimate:.4f}",
            "" if evidence.interval is None else "{:.4f} to {:.4f}".format(*evidence.interval),
            "yes" if evidence.agrees else "no",
        ]
        for evidence in result.evidence
    ]
    if lines:
        table(("compared with", e.unit, "90% interval", "agrees"), lines, (e.unit, "90% interval"))
