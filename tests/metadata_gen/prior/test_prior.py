"""The meta-distribution is what its page says, within binomial bounds."""

import json
import math

import numpy as np
import pytest
from census import concrete, within

from mizzle.errors import InvalidInput
from mizzle.metadata_gen import prior
from mizzle.metadata_gen.families.archimedean import GENERATORS
from mizzle.metadata_gen.families.operators import Concatenated, MonotoneWarped
from mizzle.metadata_gen.family import Family
from mizzle.metadata_gen.hyperpriors import (
    Exponential,
    IntegerLaw,
    Integers,
    LogIntegers,
    LogUniform,
    Mix,
    RealLaw,
    Uniform,
)
from mizzle.metadata_gen.label_problems import labelled_numbers
from mizzle.metadata_gen.prior import channels, elliptical, maps, meta_distribution, pairs, ranges, signals

DRAWS = 1500
WEIGHTS = dict(ranges.MIXES["problem"].weights)
PROBLEMS = {label: weight / sum(WEIGHTS.values()) for label, weight in WEIGHTS.items()}


@pytest.fixture(scope="module")
def families() -> list[Family]:
    rng = np.random.default_rng(3)
    return [prior.draw(rng) for _ in range(DRAWS)]


def slack(p: float, n: int = DRAWS) -> float:
    """4 standard errors of a share p among n draws: 4 sqrt(p (1 - p) / n)."""
    return 4.0 * math.sqrt(p * (1.0 - p) / n)


def test_share_of_pairs(families: list[Family]) -> None:
    """At least those drawn as pairs; other kinds may come out as 1 x 1 too."""
    share = sum(f.dim_x == f.dim_y == 1 for f in families) / DRAWS
    assert share >= PROBLEMS["pair"] - slack(PROBLEMS["pair"])


def test_share_of_exact_independence(families: list[Family]) -> None:
    share = sum(f.name == "independent" for f in families) / DRAWS
    assert share >= 0.05
    assert abs(share - PROBLEMS["independent"]) <= slack(PROBLEMS["independent"])
    assert all(f.mi().nats == 0.0 for f in families if f.name == "independent")


def test_share_of_warps(families: list[Family]) -> None:
    share = sum(isinstance(f, MonotoneWarped) for f in families) / DRAWS
    assert abs(share - ranges.CHANCES["warped"]) <= slack(0.1)


def test_shapes_and_truths_lie_within_the_claim(families: list[Family]) -> None:
    assert max(max(f.dim_x, f.dim_y) for f in families) <= ranges.MAX_DIM
    assert all(0.0 <= f.mi().nats <= ranges.MAX_NATS for f in families)


def test_every_truth_is_known_well_enough(families: list[Family]) -> None:
    assert all(f.mi().stderr <= max(0.002, 0.005 * f.mi().nats) for f in families)


def test_no_size_of_mi_dominates(families: list[Family]) -> None:
    """Small, middling and large true MI all come often, and there is a thin tail beyond 10 nats."""
    nats = np.array([f.mi().nats for f in families])
    assert np.mean((nats > 0.0) & (nats <= 0.2)) > 0.15
    assert np.mean((nats > 0.2) & (nats <= 1.0)) > 0.2
    assert np.mean((nats > 1.0) & (nats <= 10.0)) > 0.25
    assert 0.002 < np.mean(nats > 10.0) < 0.06


def test_sides_differ_as_often_as_they_agree(families: list[Family]) -> None:
    """Among problems that are not 1 x 1."""
    wide = [f for f in families if max(f.dim_x, f.dim_y) > 1]
    share = sum(f.dim_x != f.dim_y for f in wide) / len(wide)
    assert share >= 0.5 - slack(0.5, len(wide))


def test_labels_group_well(families: list[Family]) -> None:
    assert len({f.name for f in families}) <= 64


def test_samples_are_finite_and_shaped(families: list[Family]) -> None:
    rng = np.random.default_rng(4)
    for family in families:
        x, y = family.sample(rng, 40)
        assert (x.shape, y.shape) == ((40, family.dim_x), (40, family.dim_y))
        assert np.isfinite(x).all()
        assert np.isfinite(y).all()


def test_rows_lie_in_range(families: list[Family]) -> None:
    rng = np.random.default_rng(6)
    rows = [prior.draw_rows(rng, family) for family in families]
    assert min(rows) >= 10
    assert 5000 < max(rows) <= 10_000


def test_limits_hold() -> None:
    rng, limits = np.random.default_rng(8), ranges.Limits(rows=500, columns=32)
    for _ in range(400):
        family = prior.draw(rng, limits)
        assert max(family.dim_x, family.dim_y) <= 32
        assert prior.draw_rows(rng, family, limits) <= 500


@pytest.mark.parametrize("label", sorted(prior.HELD_OUT))
def test_held_out_problems_are_sound(label: str) -> None:
    rng = np.random.default_rng(9)
    for _ in range(5):
        family = prior.draw_held_out(rng, label)
        assert family.mi().stderr <= max(0.002, 0.005 * family.mi().nats)
        assert all(np.isfinite(side).all() for side in family.sample(rng, 50))


def test_training_never_sees_what_is_held_out() -> None:
    """The second word of a label is the kind that no mix of the prior may name, nor draw on its own."""
    noise = ranges.TABLES["channels"]["noise.law"]
    mixes = [law for law in (*ranges.MIXES.values(), noise) if isinstance(law, Mix)]
    assert noise in mixes
    drawn = {label for mix in mixes for label, _ in mix.weights}
    held_out = {label.split()[1] for label in prior.HELD_OUT}
    assert held_out <= {*GENERATORS, *signals.KINDS, *channels.RESPONSES, *maps.KINDS}
    assert not held_out & drawn


def test_every_label_has_its_builder() -> None:
    labels = {key: {label for label, _ in mix.weights} for key, mix in ranges.MIXES.items()}
    assert labels["pair"] | labels["part"] == set(pairs.PARTS)
    assert labels["channel.signal"] | labels["channel.signal_of_one"] <= set(signals.KINDS)
    assert labels["channel.response"] <= set(channels.RESPONSES)
    assert labels["map"] <= set(maps.KINDS)
    assert labels["problem"] == {"pair", "looks", *meta_distribution.WIDE}


def test_every_family_is_drawn(families: list[Family]) -> None:
    """Whole or inside another, by the prior, among what it holds out, or beside it for labels."""
    rng = np.random.default_rng(1)
    others = [*(prior.draw_held_out(rng, label) for label in prior.HELD_OUT), labelled_numbers(rng)]
    drawn = {type(inner) for family in (*families, *others) for inner in within(family)}
    missing = concrete(Family) - drawn
    assert not missing, "draw each in prior/pairs.py, with a weight in the mixes of prior/ranges.py"


def test_same_generator_same_problem() -> None:
    first, second = (prior.draw(np.random.default_rng(7)) for _ in range(2))
    assert repr(first) == repr(second)


def test_description_survives_json() -> None:
    assert json.loads(json.dumps(prior.describe())) == prior.describe()


def test_description_holds_every_number() -> None:
    text = prior.describe()
    for part, source in {"chances": ranges.CHANCES, **ranges.TABLES}.items():
        assert set(text[part]) == set(source)  # type: ignore[call-overload]


@pytest.mark.parametrize("key", sorted(ranges.CHANCES))
def test_chance_is_a_probability(key: str) -> None:
    assert 0.0 < ranges.CHANCES[key] < 1.0


@pytest.mark.parametrize("law", [Uniform(-1, 2), LogUniform(0.1, 9), Exponential(0.7, 4.2)])
def test_real_law_stays_in_range(law: RealLaw) -> None:
    rng, low = np.random.default_rng(8), getattr(law, "low", 0.0)
    many = np.append(law.draw_many(rng, 2000), [law.draw(rng) for _ in range(200)])
    assert low <= many.min() < many.max() <= law.high
    assert many.max() > low + 0.9 * (law.high - low)


@pytest.mark.parametrize("law", [Integers(2, 5), LogIntegers(2, 5)])
def test_integer_law_reaches_both_ends(law: IntegerLaw) -> None:
    rng = np.random.default_rng(9)
    assert {law.draw(rng) for _ in range(300)} == {2, 3, 4, 5}
    assert {law.draw(rng, 3) for _ in range(300)} == {2, 3}


def test_mix_follows_its_weights() -> None:
    rng, mix = np.random.default_rng(10), Mix((("a", 3.0), ("b", 1.0)))
    share = sum(mix.draw(rng) == "a" for _ in range(DRAWS)) / DRAWS
    assert abs(share - 0.75) <= slack(0.75)


@pytest.mark.parametrize("weights", [(), (("a", 0.0),)])
def test_empty_mix_is_refused(weights: tuple[tuple[str, float], ...]) -> None:
    with pytest.raises(InvalidInput):
        Mix(weights)


@pytest.mark.parametrize("max_pairs", [1, 2, 7, 64])
def test_canonical_draws_respect_the_cap(max_pairs: int) -> None:
    rng = np.random.default_rng(11)
    for _ in range(300):
        rho = elliptical.canonical_rho(rng, max_pairs)
        assert 1 <= len(rho) <= max_pairs
        assert 0.0 <= rho.min() <= rho.max() <= ranges.MAX_RHO + 1e-12


@pytest.mark.parametrize("max_pairs", [2, 7])
def test_little_information_in_several_pairs_is_common(max_pairs: int) -> None:
    """0.1 nats is 3 pairs of rho = .25. The chance of less than that is at least .95 x .4 of the weak
    law's, 1 - exp(-.1 / .5) = .18."""
    rng = np.random.default_rng(13)
    nats = [-0.5 * np.log1p(-(elliptical.canonical_rho(rng, max_pairs) ** 2)).sum() for _ in range(DRAWS)]
    least = 0.95 * 0.4 * -math.expm1(-0.1 / 0.5)
    assert np.mean(np.array(nats) < 0.1) >= least - slack(least)


def test_repeated_pairs_follow_one_law(families: list[Family]) -> None:
    rng = np.random.default_rng(14)
    for _ in range(40):
        family = meta_distribution._repeated(rng, 6, 3)
        assert isinstance(family, Concatenated)
        assert 2 <= len(family.parts) <= 3
        assert len(set(family.parts)) == 1
        truth, own = family.mi(), family.parts[0].mi()
        assert truth.nats == pytest.approx(len(family.parts) * own.nats)
    assert sum(f.name == "repeated" for f in families) > 0.1 * PROBLEMS["composed"] * DRAWS
    assert all(min(f.dim_x, f.dim_y) > 1 for f in families if f.name == "repeated")


@pytest.mark.parametrize(("total", "parts"), [(2, 2), (3, 3), (9, 2), (20, 3)])
def test_composition_adds_up(total: int, parts: int) -> None:
    dims = elliptical.composition(np.random.default_rng(12), total, parts)
    assert len(dims) == parts
    assert sum(dims) == total
    assert min(dims) >= 1
