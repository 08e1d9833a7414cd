"""Shares: whoever takes all that they can get leaves something, and what is given back is gone."""

import pytest

from mizzle.errors import QueueFull
from mizzle.service.inference.shares import Shares


def _filled(shares: Shares, caller: str, unit: int = 1) -> int:
    """What a caller gets who takes one unit after the other."""
    count = 0
    while shares.fits(caller, unit):
        shares.add(caller, unit)
        count += unit
    return count


@pytest.mark.parametrize(("factor", "expected"), [(1, [500, 250, 125]), (3, [750, 188, 47])])
def test_everybody_leaves_room_for_the_next(factor: float, expected) -> None:
    shares = Shares(1000, factor)
    for caller, count in zip("abc", expected, strict=True):
        assert abs(_filled(shares, caller) - count) <= 1
    assert shares.used < 1000
    assert len(shares) == 3


@pytest.mark.parametrize("total", [1, 2, 3])
def test_of_few_everybody_gets_one(total: int) -> None:
    shares = Shares(total)
    for caller in range(total):
        assert shares.fits(str(caller))
        shares.add(str(caller))
    assert not shares.fits("another")


def test_a_limit_that_was_set_stands_instead() -> None:
    assert _filled(Shares(1000, limit=7), "a") == 7
    assert _filled(Shares(1000, limit=2000), "a") == 1000


def test_what_others_would_return_is_counted() -> None:
    shares = Shares(2, limit=1)
    shares.add("a")
    shares.add("b")
    assert not shares.fits("c")
    assert shares.fits("c", returned=1)
    assert not shares.fits("a", returned=1)


def test_what_is_given_back_is_gone() -> None:
    shares = Shares(2)
    with shares.taken("a", "no"), shares.taken("b", "no"):
        assert (shares.used, len(shares)) == (2, 2)
        with pytest.raises(QueueFull, match="no"), shares.taken("c", "no"):
            pass
    assert (shares.used, len(shares)) == (0, 0)
