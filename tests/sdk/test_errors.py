"""Every problem that the service can send has a class of its own on this side."""

import pytest

from mizzle import errors, wire
from mizzle.service.http import problem_details
from mizzle.service.inference import observer

CODES = {code: status for status, (code, _) in problem_details._BY_STATUS.items()}


@pytest.mark.parametrize("code", sorted({*CODES, problem_details._INTERNAL[0], *observer.REFUSALS}))
def test_every_code_has_its_class(code):
    found = errors.by_code(code)
    assert found is not None
    assert found.status == CODES.get(code, found.status)


@pytest.mark.parametrize("code", CODES)
def test_a_problem_comes_back_as_its_class(code):
    response = problem_details.problem_for(CODES[code])
    found = wire.read_problem(response.status_code, bytes(response.body))
    assert (type(found), found.code) == (errors.by_code(code), code)
    assert str(found) == problem_details._BY_STATUS[CODES[code]][1]
