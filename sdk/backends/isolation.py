"""One bad problem costs the others of its batch nothing: a batch that fails is run again in halves."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from mizzle.backends.pairs import Outcome, Pair
from mizzle.errors import InferenceFailed, InvalidInput, MizzleError, NonFiniteAnswer
from mizzle.estimator import EstimatorLike
from mizzle.types import Estimate
from mizzle.wire import finite

Item = TypeVar("Item")
Result = TypeVar("Result")
_FAILED = "this problem could not be computed; the fault is ours, please report it"


def isolated(
    run: Callable[[list[Item]], Sequence[Result]],
    items: list[Item],
    fatal: type[Exception] | tuple[()] = (),
) -> list[Result | Exception]:
    """The result of every item, or the error of an item that fails on its own.

    Args:
        run: the results of several items; whatever it raises, it is called again with half of them.
        fatal: errors that halves would not mend, which are raised.
    """
    if not items:
        return []
    try:
        return list(run(items))
    except fatal:
        raise
    except Exception as error:
        if len(items) == 1:
            return [error]
    half = len(items) // 2
    return [*isolated(run, items[:half], fatal), *isolated(run, items[half:], fatal)]


def outcomes(model: EstimatorLike, tables: list[Any]) -> list[Outcome]:
    """The estimates of prepared problems, or what became of them instead, in order."""
    return [_outcome(answer) for answer in isolated(model.run, tables)]


def prepared_outcomes(model: EstimatorLike, pairs: Iterable[Pair]) -> list[Outcome]:
    """The same of problems that are prepared here; one that cannot be has its error."""
    prepared = [_prepared(model, pair) for pair in pairs]
    good = iter(outcomes(model, [table for table in prepared if not isinstance(table, MizzleError)]))
    return [table if isinstance(table, MizzleError) else next(good) for table in prepared]


def _prepared(model: EstimatorLike, pair: Pair) -> Any:
    """`model.prepare`, or the error of this pair."""
    try:
        return model.prepare(*pair)
    except InvalidInput as error:
        return error


def _outcome(answer: Estimate | Exception) -> Outcome:
    """A finite estimate, or an error of ours."""
    if isinstance(answer, Estimate):
        return answer if finite(answer) else NonFiniteAnswer(_FAILED)
    if isinstance(answer, MizzleError):
        return answer
    failure = InferenceFailed(_FAILED)
    failure.__cause__ = answer
    return failure
