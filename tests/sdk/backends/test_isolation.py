"""Halving a batch that fails."""

import math
from unittest.mock import Mock

import pytest
from fakes import FakeEstimator
from hypothesis import given
from hypothesis import strategies as st

from mizzle.backends.isolation import isolated, outcomes
from mizzle.errors import InferenceFailed, NonFiniteAnswer, TooManyColumns


class NoRoom(Exception):
    """Halves would not mend it."""


@given(st.lists(st.booleans(), max_size=40))
def test_only_the_guilty_fail(good) -> None:
    calls = []

    def run(items):
        calls.append(len(items))
        if not all(good[i] for i in items):
            raise ValueError(f"of {len(items)}")
        return items

    results = isolated(run, list(range(len(good))))
    assert [result for result in results if isinstance(result, int)] == [i for i, ok in enumerate(good) if ok]
    assert all(str(result) == "of 1" for result in results if isinstance(result, Exception))
    assert [isinstance(result, int) for result in results] == good
    if good and all(good):
        assert calls == [len(good)]


def test_what_halves_would_not_mend_is_raised_at_once() -> None:
    calls = []

    def run(items: list[int]) -> list[int]:
        calls.append(items)
        raise NoRoom

    with pytest.raises(NoRoom):
        isolated(run, [1, 2, 3], NoRoom)
    assert calls == [[1, 2, 3]]
    assert isinstance(isolated(run, [1])[0], NoRoom)


def test_every_failure_is_an_error_of_ours(fake: FakeEstimator, draw) -> None:
    table = fake.prepare(*draw())
    cause = RuntimeError("inside")
    for error, kind in ((cause, InferenceFailed), (TooManyColumns("65"), TooManyColumns)):
        fake.distort = Mock(side_effect=error)
        [outcome] = outcomes(fake, [table])
        assert type(outcome) is kind
        assert (outcome is error) or outcome.__cause__ is cause
    fake.distort = lambda estimate: type(estimate)(**{**vars(estimate), "mi": math.nan})
    assert [type(outcome) for outcome in outcomes(fake, [table] * 2)] == [NonFiniteAnswer] * 2
