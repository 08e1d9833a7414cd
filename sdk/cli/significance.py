"""The commands that say whether a dependence could be chance, and whether to believe an estimate."""

import json
import textwrap
from typing import Annotated, Any

import typer

from mizzle.cli import options
from mizzle.cli.estimate import assumed, client_for
from mizzle.cli.output import Output
from mizzle.cli.source import Sides, Source, only_pair
from mizzle.cli.terminal import fields, labelled, mark, table
from mizzle.questions.reliability import Check
from mizzle.questions.significance import Test
from mizzle.questions.surrogates import DEFAULT_COUNT, check_block, check_count, chosen_kind
from mizzle.types import DEFAULT_UNIT, Notice
from mizzle.wire import printable

LENGTHS = {"shift": "by at least", "block": "of"}
Count = Annotated[int, typer.Option("--n", metavar="N", help="How many surrogates, 19 to 99,999.")]
Block = Annotated[
    int | None, typer.Option("--block", metavar="ROWS", help="Rows of a block; else chosen by the series.")
]


def test(
    file: options.File,
    x: options.X,
    y: options.Y,
    conditions: options.Conditions = None,
    surrogates: options.Surrogates = None,
    n: Count = DEFAULT_COUNT,
    block: Block = None,
    seed: options.Seed = 0,
    kind: options.FileFormat = None,
    labels: options.Labels = None,
    missing: options.Missing = "raise",
    sep: options.Separator = None,
    decimal: options.Decimal = ".",
    thousands: options.Thousands = None,
    na_value: options.NaValues = None,
    no_default_na: options.NoDefaultNa = False,
    unit: options.Unit = DEFAULT_UNIT,
    url: options.Url = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """A test of independence: whether the dependence of two sides of a table could be chance."""
    output = Output(None, False, as_json, quiet)
    check_count(n)  # before any work
    check_block(block, chosen_kind(surrogates, given=conditions is not None))
    source = Source(file, kind, labels, missing, sep, decimal, thousands, na_value, no_default_na)
    sides = Sides.read(source, output, x, y, conditions)
    plan = sides.plan(missing)
    x_side, y_side, *third = only_pair(plan)
    with client_for(url) as client:
        result = client.test(
            x_side,
            y_side,
            given=third[0] if third else None,
            kind=surrogates,
            n=n,
            block=block,
            rng=seed,
            unit=unit,
            progress=False if quiet else None,
        )
    [place] = plan.places
    notices = [*plan.notes(place), *result.warnings]
    if as_json:
        more = {"dropped": plan.dropped(place), **assumed(sides.table.notes)}
        answer = {**result.to_dict(), "warnings": [notice._asdict() for notice in notices], **more}
        print(json.dumps(answer, allow_nan=False))
    else:
        _report(sides.information(*(plan.names[i] for i in place)), result, plan.dropped(place), notices)


def _report(information: str, result: Test, dropped: int, notices: list[Notice]) -> None:
    print(printable(f"p = {result.pvalue:.4g}, {information} = {result.statistic:.4g} {result.unit}"))
    left_out = f", {dropped} more left out" if dropped else ""
    length = f", {LENGTHS[result.kind]} {result.length} rows" if result.kind in LENGTHS else ""
    fields(
        [
            ("surrogates", f"{result.n} of kind {result.kind}{length}, largest {result.null.max():.4g}"),
            ("sample", f"{result.estimate.n} rows{left_out}"),
            ("model", f"{result.estimate.model.name} {result.estimate.model.version}"),
            *labelled(notices),
        ]
    )


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
    source = Source(file, kind, labels, missing, sep, decimal, thousands, na_value, no_default_na)
    sides = Sides.read(source, Output(None, False, as_json, quiet), x, y)
    plan = sides.plan(missing, deduplicate)
    x_side, y_side = only_pair(plan)
    with client_for(url) as client:
        result = client.check(x_side, y_side, unit=unit, progress=False if quiet else None)
    notes = [notice._asdict() for notice in plan.notes(plan.places[0])]
    if as_json:
        print(json.dumps({**_answer(result, notes), **assumed(sides.table.notes)}, allow_nan=False))
    else:
        _report_check(result, *plan.names)
    return 0 if result.reliable else 1


def _answer(result: Check, notes: list[dict[str, Any]]) -> dict[str, Any]:
    answer = result.to_dict()
    return {**answer, "warnings": [*notes, *answer["warnings"]]}


def _report_check(result: Check, x: str, y: str) -> None:
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
