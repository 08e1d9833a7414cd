"""The known problem of service and doctor: its sample is what it is said to be."""

import math

import numpy as np
import pytest

from mizzle import selftest


def test_the_sample_has_the_correlation_that_it_is_said_to_have() -> None:
    x, y = selftest.sample()
    assert x.shape == y.shape == (200, 1)
    assert np.corrcoef(x[:, 0], y[:, 0])[0, 1] == pytest.approx(0.8, abs=1e-12)
    assert pytest.approx(0.5108, abs=1e-4) == selftest.TRUTH


@pytest.mark.parametrize(
    ("mi", "right"),
    [(0.51, True), (0.51 + 0.2, True), (0.51 + 0.25, False), (0.51 - 0.25, False), (math.nan, False)],
)
def test_an_answer_is_right_within_four_standard_errors(mi, right: bool) -> None:
    assert selftest.is_right(mi) is right
