"""Whole tables: how strongly any two variables depend on each other, or each of them on a target.

First a plan says which pairs of which arrays there are (`mizzle.tables.plan`), then a backend estimates them
in chunks (`mizzle.tables.run`), then the outcomes are put together (`mizzle.tables.results`).
"""

import os
from collections.abc import Sequence
from typing import Any

from mizzle.backends.pairs import Backend, Outcome
from mizzle.data.names import quoted_name
from mizzle.data.samples import Missing
from mizzle.deprecated import renamed_keyword
from mizzle.errors import InvalidInput, MizzleError
from mizzle.executors import Executing
from mizzle.progress import Wanted
from mizzle.questions.surrogates import Kind, Rng
from mizzle.tables.checkpoint import check_file
from mizzle.tables.execution import Execution
from mizzle.tables.folder import opened
from mizzle.tables.plan import PairIndex, Plan
from mizzle.tables.pvalues import Significance, with_pvalues
from mizzle.tables.results import Matrix, PairResult, Ranking, check_threshold, strongest
from mizzle.tables.run import PlanRunner
from mizzle.tables.screening import Choice, Pass, Screen, screened
from mizzle.tables.stored import StoredPairs
from mizzle.tables.variables import Groups, variables
from mizzle.types import (
    DEFAULT_LEVEL,
    DEFAULT_THRESHOLD,
    DEFAULT_UNIT,
    PER_NAT,
    Unit,
    check_unit,
    interval_levels,
)

_Path = str | os.PathLike[str]


@renamed_keyword("asker", "backend")
def matrix(
    frame: object,
    *,
    columns: Sequence[str] | None = None,
    groups: Groups | None = None,
    missing: Missing = "raise",
    strict: bool = False,
    level: float = DEFAULT_LEVEL,
    unit: Unit = DEFAULT_UNIT,
    threshold: float = DEFAULT_THRESHOLD,
    deduplicate: bool = False,
    progress: Wanted = None,
    checkpoint: _Path | None = None,
    backend: Backend | None = None,
    executor: Executing | None = None,
    folder: _Path | None = None,
    screen: Screen = None,
    rows: int | None = None,
    pvalues: int | None = None,
    kind: Kind | None = None,
    rng: Rng = 0,
) -> Matrix:
    """The mutual information of every two variables of a table.

    A constant variable has exactly 0 with any other. Labels (text, booleans, categories) become integers,
    dates and times seconds. All this is noticed in the result, as are columns that are copies of others, and
    columns of free text and identifiers, which have no order and are left out.

    Args:
        frame: pandas, polars, pyarrow Table, dict of columns, or an array of shape (n, p), whose columns are
            called c0, c1, ..
        columns: the columns to take; None for all, but for those that are in a group.
        groups: {"name": ["column", "column"]}: columns that count as one variable.
        missing: "raise" refuses missing values (None, NaN); "drop" leaves out, in each pair, the rows in
            which one of its variables lacks a value, and counts them.
        strict: whether a column of free text or identifiers is refused instead of left out.
        level: probability of the interval from `low` to `high`.
        unit: "nats" or "bits", of all numbers.
        threshold: in `unit`; the result says which share of each predictive distribution lies below it.
        deduplicate: take each different row of the table once, and say how many were left out: for continuous
            data with copies of rows, which make the estimates too high. A column that only numbers the rows
            does not make them different.
        progress: None for a bar on stderr where that is a terminal and the work takes longer than two
            seconds; True or False; or a function of (done, total).
        checkpoint: a file that stores the estimates, from which the same call goes on after an interruption.
        backend: what estimates the pairs, such as a `mizzle.Client`; None for this process.
        executor: who works: None for threads of this process, "local" for a process on each core, "ray" for a
            cluster (RAY_ADDRESS, or one on this machine), or an executor of `concurrent.futures`, such as
            Dask's `client.get_executor()`. The answers are the same.
        folder: where the results go, a Parquet file a tile, from which the same call goes on whoever was
            killed; the matrix then reads its pairs from there, and `Matrix.open` opens it again.
        screen: for tables with more pairs than there is time for: a cheap pass chooses the best k partners of
            each variable and the strongest pairs overall, and only these are estimated, and some pairs by
            chance, which show how much was missed (`Matrix.screened`). "auto" keeps a tenth of the pairs
            at most of 500 variables and more; small tables are not screened.
        rows: of the table that the cheap pass reads, drawn at random from more, 100 at least; None for
            10,000. Estimates are always of all rows.
        pvalues: as many surrogates a pair, say 199, for columns `pvalue` and, adjusted for the number of
            pairs by Benjamini and Hochberg, `pvalue_bh`; None for none. They are not in the checkpoint, and
            take as much time as so many tables.
        kind, rng: of the surrogates, as for `mizzle.test`.

    Raises:
        InvalidInput: the table or an argument cannot be used, or the checkpoint is of another table.
        Fault: the backend fails; what it had estimated is in the checkpoint.
    """
    _check(level, unit, threshold, checkpoint)
    execution = Execution.of(backend, executor, folder, {"checkpoint": checkpoint, "pvalues": pvalues})
    significance = None if pvalues is None else Significance.of(kind, pvalues, rng)
    plan = Plan.all_pairs(variables(frame, columns, groups, missing, strict=strict, deduplicate=deduplicate))
    by, choice = Pass.of(screen, rows, plan), None
    if by is not None:
        plan, choice = execution.screened(plan, by)
    if folder is not None:
        options = {"screen": None} if by is None else by.options
        execution.fill(plan, {"kind": "matrix", **options}, level, progress)
        return Matrix.open(folder, level=level, unit=unit, threshold=threshold)
    pairs = _answered(plan, execution, level, checkpoint, unit, significance, progress)
    if choice is not None:
        surrogates = None if significance is None else significance.name
        return _screened(pairs, plan, choice, level, unit, threshold, surrogates)
    more: Any = {"notices": plan.notices, "surrogates": significance and significance.name}
    return Matrix(pairs, level, unit, threshold, plan.names, **more)


def _screened(
    pairs: tuple[PairResult, ...],
    plan: Plan,
    choice: Choice,
    level: float,
    unit: Unit,
    threshold: float,
    surrogates: tuple[str, int] | None,
) -> Matrix:
    """A matrix of the pairs that were chosen, which says what that may have missed."""
    answered = zip(plan.places, pairs, strict=True)
    mis = ((place, pair.mi / PER_NAT[unit]) for place, pair in answered if pair.estimate)
    report = screened(mis, choice)
    more: Any = {"notices": (*plan.notices, report.notice), "screened": report}
    return Matrix(pairs, level, unit, threshold, plan.names, surrogates=surrogates, **more)


@renamed_keyword("asker", "backend")
def rank(
    frame: object,
    target: str,
    *,
    given: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    groups: Groups | None = None,
    missing: Missing = "raise",
    strict: bool = False,
    level: float = DEFAULT_LEVEL,
    unit: Unit = DEFAULT_UNIT,
    threshold: float = DEFAULT_THRESHOLD,
    deduplicate: bool = False,
    progress: Wanted = None,
    checkpoint: _Path | None = None,
    backend: Backend | None = None,
    executor: Executing | None = None,
    folder: _Path | None = None,
    pvalues: int | None = None,
    kind: Kind | None = None,
    rng: Rng = 0,
) -> Ranking:
    """The mutual information of every variable of a table with a target, strongest first.

    Args:
        target: the name of a column or of a group.
        given: columns Z, of which no pair is made: each estimate is then of the conditional information of a
            variable and the target where these are known; see `mizzle.estimate`.
        frame, columns, groups, missing, strict, level, unit, threshold, deduplicate: as in `matrix`.
        progress, checkpoint, backend, executor, pvalues, kind, rng: as in `matrix`.
        folder: as in `matrix`, but all results are returned.

    Raises:
        InvalidInput, Fault: as `matrix`; MissingColumn where there is no such target.
    """
    _check(level, unit, threshold, checkpoint)
    tested: Any = {"given": given is not None}
    significance = None if pvalues is None else Significance.of(kind, pvalues, rng, **tested)
    execution = Execution.of(backend, executor, folder, {"checkpoint": checkpoint, "pvalues": pvalues})
    condition = None
    if given is not None:
        condition, groups = _with_condition(given, groups, target)
    read = variables(frame, columns, groups, missing, target, strict, deduplicate)
    plan = Plan.with_last(read, condition)
    if folder is not None:
        execution.fill(plan, {"kind": "ranking", "target": plan.names[-1]}, level, progress)
        pairs = strongest(StoredPairs(opened(folder), unit))
    else:
        pairs = strongest(_answered(plan, execution, level, checkpoint, unit, significance, progress))
    more: Any = {"notices": plan.notices, "surrogates": significance and significance.name}
    return Ranking(tuple(pairs), level, unit, threshold, plan.names[-1], **more)


def _with_condition(names: Sequence[str], groups: Groups | None, target: str) -> tuple[str, Groups]:
    """The name of the variable that is given, and the groups with it.

    Raises:
        InvalidInput: no list of columns, or one with the target.
    """
    if isinstance(names, str | bytes) or not hasattr(names, "__iter__") or not list(names):
        raise InvalidInput("given must be a list of at least one column name")
    if target in names:
        raise InvalidInput(f"given has the target {quoted_name(target)}, which would share nothing with it")
    name = f"given {', '.join(map(str, names))}"
    return name, {**(groups or {}), name: list(names)}


def _check(level: float, unit: Unit, threshold: float, checkpoint: _Path | None) -> None:
    """Check the arguments that only count at the end of the work, and that the file is ours."""
    check_file(checkpoint)
    interval_levels(level)
    check_threshold(threshold)
    check_unit(unit)


def _answered(
    plan: Plan,
    execution: Execution,
    level: float,
    checkpoint: _Path | None,
    unit: Unit,
    significance: Significance | None,
    progress: Wanted,
) -> tuple[PairResult, ...]:
    """One result a pair, in the order of the plan."""
    runner = PlanRunner(plan, level, checkpoint)
    with execution.opened(plan, values=significance is not None) as (backend, tasks):
        outcomes = runner.run(backend, progress, tasks)
        pairs = tuple(_result(plan, place, outcomes[place], unit) for place in plan.places)
        if significance is None:
            return pairs
        return with_pvalues(plan, pairs, significance.of_pairs(plan, outcomes, backend, progress, tasks))


def _result(plan: Plan, place: PairIndex, outcome: Outcome, unit: Unit) -> PairResult:
    estimate, error = (None, outcome) if isinstance(outcome, MizzleError) else (outcome.to(unit), None)
    x, y = (plan.names[i] for i in place)
    return PairResult(x, y, estimate, error, plan.dropped(place), plan.notes(place))
