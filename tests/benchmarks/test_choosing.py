"""The page on choosing an estimator says what was measured, against truths that are right."""

import math

import numpy as np
import pytest
from choosing import PAGE, Situation, of_classes, of_heavy, of_wave, page, situations
from results import read_newest


def test_the_table_is_made_from_the_results() -> None:
    text = PAGE.read_text()
    assert text == page(text, read_newest("choosing")), "run: python benchmarks/choosing.py"


def test_no_situation_was_left_out() -> None:
    rows = read_newest("choosing")["situations"]
    assert [(row["situation"], row["rows"]) for row in rows] == [(s.name, s.rows) for s in situations()]
    assert [row["truth"] for row in rows] == pytest.approx(
        [s.truth for s in situations()], rel=1e-5, abs=1e-9
    )


def test_cauchy_noise_has_the_logarithm_of_two() -> None:
    # A t law of hardly more than one degree of freedom, by the sum that other laws are computed by.
    assert of_heavy(1) == math.log(2.0)
    assert of_heavy(30) == pytest.approx(0.5 * math.log(2.0), abs=0.01)  # nearly normal


def test_a_wave_under_much_noise_tells_what_a_weak_normal_signal_does() -> None:
    noise = 10.0  # the variance of a sine is 1/2
    assert of_wave(noise) == pytest.approx(0.5 * math.log1p(0.5 / noise**2), rel=0.01)


def test_classes_far_apart_tell_their_entropy() -> None:
    assert of_classes(0.5, 10.0) == pytest.approx(math.log(2.0), abs=1e-5)


@pytest.mark.parametrize("situation", situations(), ids=lambda s: f"{s.name}, {s.rows}")
def test_situations_draw_what_they_say(situation: Situation) -> None:
    x, y = situation.sample(np.random.default_rng(0), situation.rows)
    assert len(x) == len(y) == situation.rows
    assert x.ndim == y.ndim == 2
