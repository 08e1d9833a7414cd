"""The commands that estimate: two sides of a table, all pairs of its columns, or each against a target."""

import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from mizzle import tables, wire
from mizzle.backends.reduced import Reduce
from mizzle.cli import options
from mizzle.cli.output import Output, print_pairs
from mizzle.cli.source import Sides, Source, only_pair
from mizzle.cli.terminal import fields, labelled, say
from mizzle.client import Client
from mizzle.data.names import quoted_name
from mizzle.errors import InvalidInput
from mizzle.questions.surrogates import check_count
from mizzle.tables.checkpoint import check_file
from mizzle.tables.plan import Plan
from mizzle.tables.results import Matrix, PairResult, Ranking, check_threshold
from mizzle.tables.screening import Screen
from mizzle.types import DEFAULT_LEVEL, DEFAULT_THRESHOLD, DEFAULT_UNIT, Unit, interval_levels
from mizzle.wire import printable


def estimate(
    file: options.File,
    x: options.X,
    y: options.Y,
    conditions: options.Conditions = None,
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
    reduce: options.Reduce = "none",
    threshold: options.Threshold = DEFAULT_THRESHOLD,
    deduplicate: options.Deduplicate = False,
    url: options.Url = None,
    weights: options.Weights = None,
    out: options.Out = None,
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """The mutual information of two sides of a table, each of one or more columns."""
    output = Output(out, force, as_json, quiet)
    output.check(file)
    source = Source(file, kind, labels, missing, sep, decimal, thousands, na_value, no_default_na)
    sides = Sides.read(source, output, x, y, conditions)
    interval_levels(level), check_threshold(threshold)  # before any work
    plan = sides.plan(missing, deduplicate)
    with client_for(url, weights) as client:
        pair = _pair(client, plan, unit, reduce)
    result = Ranking((pair,), level, unit, threshold, sides.target)
    answer = {**_answer(pair, result), **assumed(sides.table.notes)}
    output.give(
        result,
        json.dumps(answer, allow_nan=False),
        lambda: _report(pair, result, sides.information(pair.x, pair.y)),
    )


def matrix(
    file: options.File,
    columns: options.Columns = None,
    group: options.Groups = None,
    exclude: options.Exclude = None,
    kind: options.FileFormat = None,
    labels: options.Labels = None,
    missing: options.Missing = "raise",
    strict: options.Strict = False,
    sep: options.Separator = None,
    decimal: options.Decimal = ".",
    thousands: options.Thousands = None,
    na_value: options.NaValues = None,
    no_default_na: options.NoDefaultNa = False,
    level: options.Level = DEFAULT_LEVEL,
    unit: options.Unit = DEFAULT_UNIT,
    threshold: options.Threshold = DEFAULT_THRESHOLD,
    deduplicate: options.Deduplicate = False,
    url: options.Url = None,
    checkpoint: options.Checkpoint = None,
    folder: options.Folder = None,
    executor: options.Executor = None,
    screen: options.Screen = None,
    rows: options.Rows = None,
    pvalues: options.PValues = None,
    surrogates: options.Surrogates = None,
    seed: options.Seed = 0,
    out: options.Out = None,
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """The mutual information of every two columns of a table."""
    output = Output(out, force, as_json, quiet)
    output.check(file, checkpoint, folder)
    check_file(checkpoint)
    _check_tested(pvalues, surrogates)
    _check_folder(folder, checkpoint, pvalues)
    partners = _partners(screen, rows)
    source = Source(file, kind, labels, missing, sep, decimal, thousands, na_value, no_default_na, strict)
    table_of_file, chosen = source.chosen(columns, group, exclude)
    output.note(table_of_file.notes)
    with _answering(url, executor=executor, folder=folder) as answering, _resumable(checkpoint, folder):
        result = answering.matrix(
            table_of_file.frame,
            **chosen,
            strict=strict,
            level=level,
            unit=unit,
            threshold=threshold,
            deduplicate=deduplicate,
            progress=False if quiet else None,
            checkpoint=checkpoint,
            folder=folder,
            executor=executor,
            screen=partners,
            rows=rows,
            pvalues=pvalues,
            kind=surrogates,
            rng=seed,
        )
    give(output, result, table_of_file.notes)


def rank(
    file: options.File,
    target: options.Target,
    conditions: options.Conditions = None,
    columns: options.Columns = None,
    group: options.Groups = None,
    exclude: options.Exclude = None,
    kind: options.FileFormat = None,
    labels: options.Labels = None,
    missing: options.Missing = "raise",
    strict: options.Strict = False,
    sep: options.Separator = None,
    decimal: options.Decimal = ".",
    thousands: options.Thousands = None,
    na_value: options.NaValues = None,
    no_default_na: options.NoDefaultNa = False,
    level: options.Level = DEFAULT_LEVEL,
    unit: options.Unit = DEFAULT_UNIT,
    threshold: options.Threshold = DEFAULT_THRESHOLD,
    deduplicate: options.Deduplicate = False,
    url: options.Url = None,
    checkpoint: options.Checkpoint = None,
    folder: options.Folder = None,
    executor: options.Executor = None,
    pvalues: options.PValues = None,
    surrogates: options.Surrogates = None,
    seed: options.Seed = 0,
    out: options.Out = None,
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """The mutual information of every column of a table with a target, strongest first."""
    output = Output(out, force, as_json, quiet)
    output.check(file, checkpoint, folder)
    check_file(checkpoint)
    _check_tested(pvalues, surrogates)
    _check_folder(folder, checkpoint, pvalues)
    source = Source(file, kind, labels, missing, sep, decimal, thousands, na_value, no_default_na, strict)
    third = options.names(conditions, "--given") if conditions is not None else []
    table_of_file, chosen = source.chosen(columns, group, exclude, target, third)
    output.note(table_of_file.notes)
    with _answering(url, executor=executor, folder=folder) as answering, _resumable(checkpoint, folder):
        result = answering.rank(
            table_of_file.frame,
            target,
            given=table_of_file.columns_of(third) or None,
            **chosen,
            strict=strict,
            level=level,
            unit=unit,
            threshold=threshold,
            deduplicate=deduplicate,
            progress=False if quiet else None,
            checkpoint=checkpoint,
            folder=folder,
            executor=executor,
            pvalues=pvalues,
            kind=surrogates,
            rng=seed,
        )
    give(output, result, table_of_file.notes)


def client_for(url: str | None, weights: Path | None = None) -> Client:
    """A client of the service, or the estimator in this process, on these weights or those that ship.

    Raises:
        InvalidInput: both are there. ModelUnavailable: the weights cannot be used.
    """
    if url and weights:
        raise InvalidInput("--weights is for estimates made here, and a service has its own: leave out --url")
    return Client(url) if url else Client.local(weights=weights)


def _answering(url: str | None, **ours: object) -> AbstractContextManager[Any]:
    """What has `matrix` and `rank`: a client of the service, or the package itself.

    Args:
        ours: options by name that a service has no part in.

    Raises:
        InvalidInput: they are there, and so is a service.
    """
    for name in (name for name, value in ours.items() if value is not None and url):
        text = f"--{name} is for estimates made here: leave it out, or --url"
        raise InvalidInput(f"{text} (and {options.URL} in the environment)")
    return Client(url) if url else nullcontext(tables)


def give(output: Output, result: Matrix | Ranking, notes: Sequence[str] = ()) -> None:
    """The result of a table.

    Args:
        notes: what was assumed to read it.

    Raises:
        MizzleError: no pair at all has an estimate; that of the first.
    """
    first = next((pair.error for pair in result.pairs if pair.error is not None), None)
    if first is not None and all(pair.error is not None for pair in result.pairs):
        raise first
    output.note([notice.message for notice in result.notices])
    as_json = json.dumps({**json.loads(result.to_json()), **assumed(notes)}) if notes else result.to_json()
    output.give(result, as_json, lambda: print_pairs(result), _summary(result))


def assumed(notes: Sequence[str]) -> dict[str, list[str]]:
    """What an object of JSON says of how its file was read; nothing where nothing had to be assumed."""
    return {"assumed": list(notes)} if notes else {}


def _summary(result: Matrix | Ranking) -> str:
    """One line in place of a line for every pair."""
    pairs = [pair for pair in result.strongest() if pair.error is None]
    failed = len(result.pairs) - len(pairs)
    first, mi = pairs[0], pairs[0].record(result.level, result.threshold)["mi"]
    without = f", {failed} of them without an estimate" if failed else ""
    strongest = f"the strongest {quoted_name(first.x)} and {quoted_name(first.y)} with {mi:.4g} {result.unit}"
    return f"{len(result.pairs)} pairs{without}, {strongest}"


@contextmanager
def _resumable(checkpoint: Path | None, folder: Path | None) -> Iterator[None]:
    """Say how to go on after an interruption."""
    try:
        yield
    except KeyboardInterrupt:
        if checkpoint is None and folder is None:
            say("mizzle: interrupted; with --checkpoint FILE or --folder DIR it could go on from here")
        else:
            place = "folder" if checkpoint is None else "checkpoint"
            say(f"mizzle: interrupted; the same command goes on from the {place}")
        raise


def _pair(client: Client, plan: Plan, unit: Unit, reduce: Reduce) -> PairResult:
    """The only pair of a plan.

    Raises:
        MizzleError: it has no estimate.
    """
    x, y, *third = only_pair(plan)
    [place] = plan.places
    answer = client.estimate(x, y, given=third[0] if third else None, reduce=reduce).to(unit)
    x_name, y_name = (plan.names[i] for i in place)
    return PairResult(x_name, y_name, answer, None, plan.dropped(place), plan.notes(place))


def _answer(pair: PairResult, result: Ranking) -> dict[str, Any]:
    """The answer as a service sends it, with what was asked for besides."""
    assert pair.estimate is not None
    levels = sorted({*wire.DEFAULT_LEVELS, *interval_levels(result.level)})
    record = pair.record(result.level, result.threshold)
    notes = [notice._asdict() for notice in (*pair.notes, *pair.estimate.warnings)]
    more = {"level": result.level, "threshold": result.threshold}
    more |= {name: record[name] for name in ("low", "high", "below", "dropped")}
    return {**wire.answer(pair.estimate, levels), "warnings": notes, **more}


def _report(pair: PairResult, result: Ranking, information: str) -> None:
    assert pair.estimate is not None
    e, record = pair.estimate, pair.record(result.level, result.threshold)
    dropped = f", {pair.dropped} more left out" if pair.dropped else ""
    third = "" if e.dim_z is None else f", {e.dim_z} given"
    print(printable(f"{information} = {e.mi:.4g} {e.unit}"))
    lines = [
        (f"{100 * result.level:g}% interval", f"{record['low']:.4g} to {record['high']:.4g} {e.unit}"),
        (f"below {result.threshold:g} {e.unit}", f"{record['below']:.1%} of the predictive distribution"),
        ("sample", f"{e.n} rows{dropped}, {e.dim_x} + {e.dim_y} columns{third}"),
        ("model", f"{e.model.name} {e.model.version}"),
    ]
    if not e.in_range:
        lines.append(("out of range", "the model was not trained on samples like this one"))
    noticed = (*pair.notes, *e.warnings)
    fields([*lines, *labelled(noticed)])


def _check_tested(pvalues: int | None, surrogates: str | None) -> None:
    """Check what goes together, before any work.

    Raises:
        InvalidInput: the number cannot be one of surrogates, or there is a kind of none.
    """
    if pvalues is not None:
        check_count(pvalues, "--pvalues")
    elif surrogates is not None:
        raise InvalidInput("--kind is that of the surrogates of --pvalues; add --pvalues N, or leave it out")


def _check_folder(folder: Path | None, checkpoint: Path | None, pvalues: int | None) -> None:
    """Check what does not go together, before any work.

    Raises:
        InvalidInput: a folder has no place for p-values, and is a checkpoint itself.
    """
    others = {"--checkpoint": checkpoint, "--pvalues": pvalues}
    for option in (option for option, value in others.items() if value is not None and folder is not None):
        raise InvalidInput(f"{option} and --folder do not go together; leave out one of them")


def _partners(text: str | None, rows: int | None) -> Screen:
    """What --screen says.

    Raises:
        InvalidInput: it is no such thing, or not there where there are rows.
    """
    if text is None and rows is not None:
        raise InvalidInput("--rows is of the pass that chooses pairs; leave it out, or add --screen auto")
    if text is None or text == "auto":
        return "auto" if text else None
    if not (text.isascii() and text.isdigit() and int(text)):
        raise InvalidInput("--screen needs auto, or how many partners of each column are answered")
    return int(text)
