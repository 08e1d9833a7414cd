"""Every problem that the service can send has a class of its own on this side."""

import pytest

from mizzle import errors, wire
from mizzle.service.http import problem_details
from mizzle.service.inference import observer

CODES = {code: status for status, (code, _) in problem_details._BY_STATUS.items()}


@pytest.mark.parametrize("code", sorted({*CODES, problem_details._INTERNAL[0], *observer.REFUSALS}))
def test_every_code_has_its_class(code) -> None:
    result = errors.by_code(code)
    assert result is not None
    assert result.status == CODES.get(code, result.status)


@pytest.mark.parametrize("code", CODES)
def test_a_problem_comes_back_as_its_class(code) -> None:
    response = problem_details.problem_for(CODES[code])
    result = wire.read_problem(response.status_code, bytes(response.body))
    assert (type(result), result.code) == (errors.by_code(code), code)
    assert str(result) == problem_details._BY_STATUS[CODES[code]][1]
