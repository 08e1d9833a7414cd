"""Answers of pairs as lines of the jobs file, and the lines of a job as a result."""

import json
from array import array
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from mizzle.errors import Fault, MizzleError, by_code
from mizzle.tables.plan import PairIndex, Plan
from mizzle.tables.results import Matrix, PairResult, Ranking, strongest
from mizzle.types import Estimate, ModelInfo, Notice


class Answer(NamedTuple):
    """What became of one pair: `numbers` or `error`.

    Attributes:
        x, y: places of the variables.
        numbers: mean and quantiles in nats, as float64.
        warnings, notes: of the estimate and of the variables, as JSON.
        error: code and text, as JSON.
        dropped: rows that were left out.
    """

    x: int
    y: int
    numbers: bytes | None
    n: int
    dim_x: int
    dim_y: int
    in_range: int
    warnings: str
    notes: str
    error: str | None
    dropped: int


class Head(NamedTuple):
    """What the answers of a job have in common; `names` are the variables, a target is the last of them."""

    what: str
    names: tuple[str, ...]
    level: float
    unit: Any
    threshold: float
    model: ModelInfo
    levels: tuple[float, ...]


def packed(plan: Plan, place: PairIndex, outcome: Estimate | MizzleError) -> Answer:
    """The line of a pair."""
    notes = json.dumps(plan.notes(place))
    dropped = plan.dropped(place)
    if isinstance(outcome, MizzleError):
        return Answer(*place, None, 0, 0, 0, 0, "[]", notes, json.dumps(plain(outcome)), dropped)
    numbers = array("d", (outcome.mi, *outcome.values)).tobytes()
    shape = (outcome.n, outcome.dim_x, outcome.dim_y, int(outcome.in_range))
    return Answer(*place, numbers, *shape, json.dumps(outcome.warnings), notes, None, dropped)


def plain(error: MizzleError) -> tuple[str, str]:
    """An error as its code and its text."""
    return error.code, str(error)


def error_of(code: str, text: str) -> MizzleError:
    """The error that `plain` wrote; where this version does not know the code, of the most general kind."""
    return (by_code(code) or Fault)(text)


def head_of(about: str, basis: str) -> Head:
    """What two lines of the jobs file say: `job_body.head` and `basis_of`."""
    said, of = json.loads(about), json.loads(basis)
    said["names"] = tuple(said["names"])
    return Head(**said, model=ModelInfo(*of["model"]), levels=tuple(of["levels"]))


def basis_of(plan: Plan, model: ModelInfo, levels: Sequence[float]) -> str:
    """On what answers stand: only those on the same may be put together."""
    return json.dumps({"table": plan.fingerprint, "model": model, "levels": levels})


def result_of(head: Head, answers: Iterable[Answer]) -> Matrix | Ranking:
    """The answers of a finished job, in order of place, as `mizzle.matrix` or `mizzle.rank` has them."""
    pairs = tuple(_pair(head, answer) for answer in answers)
    shown = (head.level, head.unit, head.threshold)
    if head.what == "matrix":
        return Matrix(pairs, *shown, head.names)
    return Ranking(tuple(strongest(pairs)), *shown, head.names[-1])


def _pair(head: Head, answer: Answer) -> PairResult:
    x, y = head.names[answer.x], head.names[answer.y]
    notes = tuple(Notice(*note) for note in json.loads(answer.notes))
    if answer.numbers is None:
        error = error_of(*json.loads(answer.error or "[]"))
        return PairResult(x, y, None, error, answer.dropped, notes)
    return PairResult(x, y, _estimate(head, answer, answer.numbers), None, answer.dropped, notes)


def _estimate(head: Head, answer: Answer, numbers: bytes) -> Estimate:
    mi, *values = array("d", numbers)
    shape = (answer.n, answer.dim_x, answer.dim_y, bool(answer.in_range))
    warnings = tuple(Notice(*notice) for notice in json.loads(answer.warnings))
    return Estimate(mi, head.levels, tuple(values), *shape, warnings, head.model).to(head.unit)
