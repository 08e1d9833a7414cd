"""Differences: how often the interval holds the truth, what is refused, and that all doors agree."""

import asyncio
import json
import math

import numpy as np
import pytest
from fakes import FakeEstimator

import mizzle


def features(n: int = 300, seed: int = 0, weights=(1.0, 0.3)):
    """Two features that are correlated, and a target; and the true difference in nats."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=n)
    a, b = (0.6 * common + 0.8 * rng.normal(size=n) for _ in range(2))
    y = weights[0] * a + weights[1] * b + rng.normal(size=n)
    r = 0.36  # correlation of a and b
    variance = weights[0] ** 2 + weights[1] ** 2 + 2 * r * weights[0] * weights[1] + 1
    squares = [(weights[i] + r * weights[1 - i]) ** 2 / variance for i in range(2)]
    first, second = (-0.5 * math.log1p(-s) for s in squares)
    return a, b, y, first - second


@pytest.fixture
def client(fake: FakeEstimator):
    return mizzle.Client.local(fake)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    """Of 40 draws at least 90 % less 4 standard errors (2 s of work)."""
    inside = []
    for seed in range(40):
        a, b, y, truth = features(200, seed, weights=(0.8, 0.1 * (seed % 9)))
        low, high = mizzle.difference((a, y), (b, y)).interval(0.9)
        inside.append(low <= truth <= high)
    assert np.mean(inside) >= 0.9 - 4 * math.sqrt(0.09 / 40)


def test_a_clear_difference_has_its_sign_and_turns_with_the_pairs() -> None:
    a, b, y, _ = features(600)
    forth, back = mizzle.difference((a, y), (b, y)), mizzle.difference((b, y), (a, y))
    assert forth.probability > 0.99
    assert back.probability < 0.01
    assert forth.mi == pytest.approx(-back.mi)
    assert forth.quantile(0.05) == pytest.approx(-back.quantile(0.95), abs=0.01)


def test_a_pair_and_its_copy_do_not_differ(client) -> None:
    a, _, y, _ = features()
    result = client.difference((a, y), (a, y))
    assert result.mi == 0.0
    assert result.correlation > 0.9
    assert result.probability == pytest.approx(0.5, abs=0.01)
    low, high = result.interval()
    apart = client.difference((a, y), (a[::-1].copy(), y[::-1].copy())).interval()
    assert high - low < (apart[1] - apart[0]) / 1.5  # what both have in common cancels


def test_nothing_differs_from_nothing(client) -> None:
    y = np.random.default_rng(0).normal(size=100)
    result = client.difference((np.ones(100), y), (np.ones(100), y))
    assert (result.mi, result.probability, result.interval()) == (0.0, 0.5, (0.0, 0.0))


def test_rows_with_gaps_are_dropped_from_all_four(client) -> None:
    a, b, y, _ = features()
    a[3], b[5], y[7] = np.nan, np.nan, np.nan
    result = client.difference((a, y), (b, y), missing="drop")
    assert result.n == result.first.n == result.second.n == 297
    assert result.warnings[0].code == "dropped"
    with pytest.raises(mizzle.NotFinite, match="x1"):
        client.difference((a, y), (b, y))


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda a, b, y: (a, (b, y)), mizzle.InvalidShape, "first argument must be a pair"),
        (lambda a, b, y: ((a, y), (b, y, y)), mizzle.InvalidShape, "second argument must be a pair"),
        (lambda a, b, y: ((a, y), (b[1:], y[1:])), mizzle.LengthMismatch, "x2 has 299"),
        (lambda a, b, y: ((a[:49], y[:49]), (b[:49], y[:49])), mizzle.TooFewSamples, "49 complete rows"),
        (lambda a, b, y: ((np.zeros((300, 65)), y), (b, y)), mizzle.TooManyColumns, "65 columns"),
    ],
)
def test_what_cannot_be_answered_is_refused(client, change, error, words) -> None:
    with pytest.raises(error, match=words):
        client.difference(*change(*features()[:3]))


@pytest.mark.parametrize("options", [{"unit": "bit"}, {"missing": "skip"}, {"rng": -1}, {"rng": 0.5}])
def test_bad_options_are_refused_before_any_work(client, fake, options) -> None:
    a, b, y, _ = features()
    with pytest.raises(mizzle.InvalidInput, match=next(iter(options))):
        client.difference((a, y), (b, y), **options)
    assert fake.batches == []


def test_the_same_seed_gives_the_same_answer(client) -> None:
    a, b, y, _ = features()
    first, second, other = (client.difference((a, y), (b, y), rng=rng) for rng in (1, 1, 2))
    assert first == second
    assert first.correlation != other.correlation


def test_all_doors_agree(fake, served: str) -> None:
    a, b, y, _ = features(60)
    expected = mizzle.Client.local(fake).difference((a, y), (b, y)).to_dict()
    with mizzle.Client(served) as remote:
        assert remote.difference((a, y), (b, y)).to_dict() == expected
    asynchronous = mizzle.AsyncClient.local(fake).difference((a, y), (b, y))
    assert asyncio.run(asynchronous).to_dict() == expected


def test_as_json_in_bits_and_drawn(client) -> None:
    a, b, y, _ = features()
    result = client.difference((a, y), (b, y))
    bits = result.to("bits")
    assert bits.mi == pytest.approx(result.mi / math.log(2))
    assert bits.first.unit == bits.second.unit == "bits"
    assert client.difference((a, y), (b, y), unit="bits") == bits
    assert json.loads(json.dumps(result.to_dict()))["probability"] == result.probability
    assert type(result.plot()).__name__ == "Figure"
    assert "P(first larger)" in repr(result)


def test_progress_counts_estimates_and_an_interruption_passes(client) -> None:
    a, b, y, _ = features()
    calls = []
    client.difference((a, y), (b, y), progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (66, 66)
    assert len(calls) > 1
