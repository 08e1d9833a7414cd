"""Information as a share of the entropy, or as a correlation."""

import numpy as np
import pytest

import mizzle


def test_a_label_and_its_copy_share_all_and_independent_labels_nothing() -> None:
    rng = np.random.default_rng(0)
    label, other = rng.integers(4, size=(2, 1000))
    assert float(mizzle.normalized(label, label)) > 0.98
    assert float(mizzle.normalized(label, other)) < 0.02
    coarse = label // 2  # a function of the label, with an entropy of log 2
    assert float(mizzle.normalized(label, coarse)) > 0.98


def test_a_noisy_channel_has_the_share_of_its_formula() -> None:
    """Of a fair bit that flips with probability .11, I / log 2 = 1 - h(.11) = .5."""
    rng = np.random.default_rng(1)
    bit = rng.integers(2, size=2000)
    low, high = mizzle.normalized(bit, bit ^ (rng.random(2000) < 0.11)).interval(0.99)
    assert low < 0.5 < high


def test_continuous_sides_have_a_correlation() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=1000)
    y = 0.6 * x + 0.8 * rng.normal(size=1000)
    assert mizzle.normalized(x, y) == mizzle.estimate(x, y).normalized
    assert float(mizzle.normalized(x, y)) == pytest.approx(0.6, abs=4 * 0.64 / 1000**0.5)


def test_constant_sides_share_nothing() -> None:
    assert float(mizzle.normalized([1] * 60, [0, 1] * 30)) == 0.0
