"""Answers of pairs as rows of the database, and the rows of a job as its result."""

import hashlib
import json
from array import array
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from mizzle.errors import Fault, MizzleError, by_code
from mizzle.service.jobs.request import JobSpec
from mizzle.tables.plan import PairIndex, Plan
from mizzle.tables.results import Matrix, PairResult, Ranking, strongest
from mizzle.types import Estimate, ModelInfo, Notice

_MAX_NOTES = 50  # that are stored with a pair


class AnswerRow(NamedTuple):
    """What became of one pair: `numbers` or `error`.

    Attributes:
        x, y: places of the variables.
        numbers: mean and quantiles in nats, as float64.
        warnings, notes: of the estimate and of the variables, as JSON.
        error: as `encode_error` has it, in JSON.
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


class ResultHeader(NamedTuple):
    """What the answers of a job have in common; `names` are the variables, a target is the last of them."""

    what: str
    names: tuple[str, ...]
    level: float
    unit: Any
    threshold: float
    model: ModelInfo
    levels: tuple[float, ...]
    notices: tuple[Notice, ...] = ()  # which jobs of 0.9 lack


def answer_row(plan: Plan, pair: PairIndex, outcome: Estimate | MizzleError) -> AnswerRow:
    """Return the row of a pair."""
    notes = json.dumps(_bounded(plan.notes(pair)))
    dropped = plan.dropped(pair)
    if isinstance(outcome, MizzleError):
        return AnswerRow(*pair, None, 0, 0, 0, 0, "[]", notes, json.dumps(encode_error(outcome)), dropped)
    numbers = array("d", (outcome.mi, *outcome.values)).tobytes()
    shape = (outcome.n, outcome.dim_x, outcome.dim_y, int(outcome.in_range))
    return AnswerRow(*pair, numbers, *shape, json.dumps(outcome.warnings), notes, None, dropped)


def _bounded(notes: tuple[Notice, ...]) -> tuple[Notice, ...]:
    """Return the first notices; a group may have one of every column, and is in thousands of pairs."""
    if len(notes) <= _MAX_NOTES:
        return notes
    *first, last = notes[:_MAX_NOTES]
    return (*first, Notice(last.code, f"{last.message}; and {len(notes) - _MAX_NOTES} more notices"))


def encode_error(error: MizzleError) -> tuple[str, str]:
    """Return the code and the text of an error."""
    return error.code, str(error)


def decode_error(code: str, text: str) -> MizzleError:
    """Return the error of `encode_error`; a Fault where this version does not know the code."""
    return (by_code(code) or Fault)(text)


def encode_about(spec: JobSpec, plan: Plan) -> str:
    """Return as JSON what the request of a job says about its result."""
    rest = {"level": spec.level, "unit": spec.unit, "threshold": spec.threshold}
    return json.dumps({"what": spec.what, "names": plan.names, "notices": plan.notices, **rest})


def encode_fingerprint(plan: Plan, model: ModelInfo, levels: Sequence[float]) -> str:
    """Return as JSON on what answers depend: only those of one fingerprint may be put together."""
    return json.dumps({"table": plan.fingerprint, "model": model, "levels": levels})


def header_of(about: str, fingerprint: str) -> ResultHeader:
    """Return the header that `encode_about` and `encode_fingerprint` wrote."""
    fields, basis = json.loads(about), json.loads(fingerprint)
    fields["names"] = tuple(fields["names"])
    fields["notices"] = tuple(Notice(*notice) for notice in fields.get("notices", ()))
    return ResultHeader(**fields, model=ModelInfo(*basis["model"]), levels=tuple(basis["levels"]))


def answers_digest(about: str, fingerprint: str, answers: Iterable[AnswerRow]) -> str:
    """Return a hash of the header of a job and of its answers, in the order of their pairs."""
    digest = hashlib.sha256(repr((about, fingerprint)).encode(errors="surrogatepass"))
    for answer in answers:
        digest.update(repr(tuple(answer)).encode(errors="surrogatepass"))
    return digest.hexdigest()


def result_of(header: ResultHeader, answers: Iterable[AnswerRow]) -> Matrix | Ranking:
    """Return what `mizzle.matrix` or `mizzle.rank` would, from the answers of a job in order of pairs."""
    pairs = tuple(_pair_result(header, answer) for answer in answers)
    options = (header.level, header.unit, header.threshold)
    if header.what == "matrix":
        return Matrix(pairs, *options, header.names, notices=header.notices)
    return Ranking(tuple(strongest(pairs)), *options, header.names[-1], notices=header.notices)


def _pair_result(header: ResultHeader, answer: AnswerRow) -> PairResult:
    x, y = header.names[answer.x], header.names[answer.y]
    notes = tuple(Notice(*note) for note in json.loads(answer.notes))
    if answer.numbers is None:
        error = decode_error(*json.loads(answer.error or "[]"))
        return PairResult(x, y, None, error, answer.dropped, notes)
    return PairResult(x, y, _estimate(header, answer, answer.numbers), None, answer.dropped, notes)


def _estimate(header: ResultHeader, answer: AnswerRow, numbers: bytes) -> Estimate:
    mi, *values = array("d", numbers)
    shape = (answer.n, answer.dim_x, answer.dim_y, bool(answer.in_range))
    warnings = tuple(Notice(*notice) for notice in json.loads(answer.warnings))
    return Estimate(mi, header.levels, tuple(values), *shape, warnings, header.model).to(header.unit)
