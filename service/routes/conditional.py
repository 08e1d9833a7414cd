"""Problems with what is given, as problems of two sides that the engine knows, and both answers as one."""

import asyncio
from collections.abc import Sequence

from mizzle.backends.conditional import estimate_or_error
from mizzle.errors import InvalidInput, MizzleError
from mizzle.estimator import conditional
from mizzle.service.formats.problem import Problem, as_answer
from mizzle.service.inference.engine import Caller, Engine
from mizzle.types import Estimate


async def estimate_many(
    engine: Engine, problems: Sequence[Problem | InvalidInput], caller: Caller
) -> list[Estimate | MizzleError]:
    """As `Engine.estimate_many`, of problems some with a third side; admitted or refused as a whole."""
    parts = [_parts(problem) for problem in problems]
    flat = [problem for part in parts for problem in part]
    answers = iter(await engine.estimate_many(flat, caller)) if flat else iter(())
    return [
        await asyncio.to_thread(_together, engine, problem, [next(answers) for _ in part])
        if isinstance(problem, Problem) and problem.triple is not None
        else next(answers)
        for problem, part in zip(problems, parts, strict=True)
    ]


def _parts(problem: Problem | InvalidInput) -> list[Problem | InvalidInput]:
    """What the engine has to answer for a problem."""
    if isinstance(problem, InvalidInput) or problem.triple is None:
        return [problem]
    return [Problem(x, y, None) for x, y in problem.triple.problems]


def _together(
    engine: Engine, problem: Problem, answers: Sequence[Estimate | MizzleError]
) -> Estimate | MizzleError:
    assert problem.triple is not None
    try:
        return conditional(problem.triple, [estimate_or_error(answer) for answer in answers], engine.info)
    except MizzleError as error:
        return as_answer(error)
