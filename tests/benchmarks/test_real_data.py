"""Problems of the benchmark on real data: that their truths are true, and how answers to them are scored."""

import math
import zlib
from typing import Any

import numpy as np
import pytest
import real_digits as digits
import real_laws as problems
import real_sides as sides
import real_truths as truths
from peers import cca, ksg
from real_data import PEERS, Answered, problem, score_rows
from scipy import signal, special, stats
from scipy.spatial import KDTree
from scipy.spatial.distance import pdist

from mizzle.errors import TooManyColumns
from mizzle.types import Estimate, ModelInfo

COUNT = 20_000  # points of a Monte Carlo mean
ALL_LOOKS = sides.LOOKS + sides.OTHER_LOOKS
BENDS = (problems.henon, problems.residual, problems.post_nonlinear, problems.residual_of_henon)
HEAVY = {"t1.5": stats.t(1.5), "t2": stats.t(2), "t3": stats.t(3), "t5": stats.t(5)}
HEAVY |= {"laplace": stats.laplace(), "logistic": stats.logistic()}


def named(name: str) -> problems.Kind:
    return next(kind for kind in problems.KINDS if kind.name == name)


def stream(*place: object) -> np.random.Generator:
    """Random numbers of a place."""
    return np.random.default_rng(zlib.crc32(repr(place).encode()))


def close_to_mean(terms: np.ndarray, nats: float) -> bool:
    """Whether a value is within four standard errors of the mean of independent terms."""
    return bool(abs(terms.mean() - nats) < 4 * terms.std() / math.sqrt(len(terms)) + 1e-5)


# Kinds


@pytest.mark.parametrize("kind", problems.KINDS, ids=lambda kind: kind.name)
def test_every_kind_draws_finite_sides_and_the_same_ones_again(kind: problems.Kind) -> None:
    first, again, other = (kind.draw(stream(kind.name, place), 300) for place in (0, 0, 1))
    for side, same in zip(first[:2], again[:2], strict=True):
        assert len(side) == 300
        assert 1 <= side.shape[1] <= 64
        assert np.isfinite(side).all()
        assert np.array_equal(side, same)
    assert first.nats == again.nats != other.nats
    assert 0.0 < first.nats < 10.0


def test_a_problem_depends_on_its_kind_and_its_place() -> None:
    kind = named("phases")
    first, again = problem(kind, 3), problem(kind._replace(group="another"), 3)
    assert np.array_equal(first.x, again.x)
    assert {len(problem(kind, i).x) for i in range(20)} == set(kind.rows)
    assert len({problem(kind, i).nats for i in range(20)} | {problem(named("powers"), 3).nats}) == 21


def test_names_are_different_and_a_third_of_the_looks_is_kept_apart() -> None:
    names = [kind.name for kind in problems.KINDS]
    assert len(set(names)) == len(names)
    assert 3 * len(sides.OTHER_LOOKS) >= len(ALL_LOOKS)


# Looks and bends


@pytest.mark.parametrize("look", ALL_LOOKS, ids=lambda look: look.name)
def test_looks_are_injective(look: sides.Look) -> None:
    """No two points come together, and no direction at any point is lost.

    The logarithm of shares undoes their saturation; it is injective itself.
    """
    for k in range(look.latents[0], look.latents[1] + 1):
        rng = stream(look.name, k)
        make = look.make(rng, k)
        view = (lambda z, make=make: np.log(make(z))) if look.name == "shares" else make
        z = rng.uniform(-2.5, 2.5, (150, k))
        x = view(z)
        assert x.shape[1] >= k
        ratio = pdist(x) / pdist(special.ndtr(z))
        assert ratio.min() > 0.003 * np.median(ratio)
        values = np.linalg.svd(jacobians(view, z), compute_uv=False)
        assert values[:, -1].min() > 1e-4 * np.median(values[:, 0])


@pytest.mark.parametrize("bend", BENDS, ids=lambda bend: bend.__name__)
def test_bends_are_invertible(bend: Any) -> None:
    """Volume keeps its sign, and no two points come together."""
    for d in (2, 3, 8):
        rng = stream(bend.__name__, d)
        step, z = bend(rng, d), rng.standard_normal((150, d))
        signs, logs = np.linalg.slogdet(jacobians(step, z))
        assert (signs == signs[0]).all()
        assert np.isfinite(logs).all()
        ratio = pdist(step(z)) / pdist(z)
        assert ratio.min() > 0.01 * np.median(ratio)


def jacobians(step: Any, z: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """By central differences, shape (n, d, k)."""
    return np.stack([(step(z + h * e) - step(z - h * e)) / (2 * h) for e in np.eye(z.shape[1])], axis=2)


@pytest.mark.parametrize(("dx", "dy"), [(1, 1), (2, 4), (5, 5)])
def test_normal_pairs_share_what_they_say(dx: int, dy: int) -> None:
    """The sum over pairs of an estimate whose standard error is r / sqrt(n); its bias is dx dy / 2n."""
    n, nats = 50_000, 1.3
    a, b = problems.normal_pairs(stream(dx, dy), n, dx, dy, nats)
    assert abs(cca(a, b) - nats) < 4 * math.sqrt(min(dx, dy) / n) + dx * dy / (2 * n)


@pytest.mark.parametrize("name", ["rotated 5+5", "mixtures", "sum of columns"])
def test_linear_kinds_by_canonical_correlations(name: str) -> None:
    """Of mixtures, the first columns that span a side stand for all."""
    drawn = named(name).draw(stream(name), 20_000)
    x, y = (side[:, independent_columns(side)] for side in drawn[:2])
    pairs = min(x.shape[1], y.shape[1])
    bias = x.shape[1] * y.shape[1] / 40_000
    assert abs(cca(x, y) - bias - drawn.nats) < 4 * math.sqrt(pairs / 20_000)


def independent_columns(side: np.ndarray) -> list[int]:
    chosen: list[int] = []
    for i in range(side.shape[1]):
        if np.linalg.matrix_rank(side[:1000, [*chosen, i]]) > len(chosen):
            chosen.append(i)
    return chosen


# Quadrature


@pytest.mark.parametrize("scale", [0.3, 1.0, 3.0])
def test_additive_noise_has_closed_forms(scale: float) -> None:
    assert truths.additive(stats.t(1), scale) == pytest.approx(math.log(1 + 1 / scale), abs=1e-4)
    assert truths.additive(stats.norm(), scale) == pytest.approx(0.5 * math.log1p(scale**-2), abs=1e-6)


@pytest.mark.parametrize("name", HEAVY)
def test_additive_noise_by_convolution(name: str) -> None:
    """h(X + s N) from densities on a grid; the tails beyond it hold less than 1e-4 nats at df = 1.5."""
    law, scale, step = HEAVY[name], 0.4, 0.02
    grid = step * np.arange(-300_000, 300_001)
    density = step * signal.fftconvolve(law.pdf(grid), law.pdf(grid / scale) / scale, mode="same")
    entropy = step * special.entr(np.maximum(density, 0.0)).sum()
    nats = entropy - law.entropy() - math.log(scale)
    assert truths.additive(law, scale) == pytest.approx(nats, abs=1e-3)


@pytest.mark.parametrize("law", [stats.t(2), stats.laplace()], ids=["t2", "laplace"])
def test_heavy_tails_by_neighbours(law: Any) -> None:
    """KSG of the ranks of one pair; its standard error at n = 4,000 is .015."""
    places = (i for i in range(100) if problems.heavy(law, stream(i), 10).x.shape[1] == 1)
    x, y, nats = problems.heavy(law, stream(next(places)), 4000)
    left, right = (stats.rankdata(side, axis=0) for side in (x, y))
    assert ksg(left, right, k=5) == pytest.approx(nats, abs=0.06)


def test_classes_by_monte_carlo() -> None:
    rng = stream("classes")
    shares, means, deviations = (
        np.array([0.9, 0.07, 0.03]),
        np.array([0.0, 1.0, -2.0]),
        np.array([1.0, 0.5, 2.0]),
    )
    which = rng.choice(3, COUNT, p=shares)
    y = means[which] + deviations[which] * rng.standard_normal(COUNT)
    densities = stats.norm(means, deviations).pdf(y[:, None])
    terms = np.log(densities[np.arange(COUNT), which] / (densities @ shares))
    assert close_to_mean(terms, truths.normal_classes(shares, means, deviations))


def test_concentric_classes_by_monte_carlo() -> None:
    rng = stream("concentric")
    shares, deviations, d = np.array([0.3, 0.7]), np.array([1.0, 1.4]), 10
    which = rng.choice(2, COUNT, p=shares)
    x = deviations[which, None] * rng.standard_normal((COUNT, d))
    densities = np.stack([stats.norm(0.0, s).pdf(x).prod(axis=1) for s in deviations], axis=1)
    terms = np.log(densities[np.arange(COUNT), which] / (densities @ shares))
    assert close_to_mean(terms, truths.concentric_classes(shares, deviations, d))


def test_hidden_classes_by_monte_carlo() -> None:
    rng = stream("hidden")
    shares, means = np.array([0.6, 0.35, 0.05]), np.array([[0.0, 1.0, -3.0], [2.0, -1.0, 0.5]])
    deviations = np.array([[1.0, 0.6, 2.0], [0.5, 1.5, 1.0]])
    which = rng.choice(3, COUNT, p=shares)
    values = means[:, which] + deviations[:, which] * rng.standard_normal((2, COUNT))
    in_x, in_y = (stats.norm(means[i], deviations[i]).pdf(values[i][:, None]) for i in (0, 1))
    terms = np.log((in_x * in_y) @ shares / (in_x @ shares) / (in_y @ shares))
    assert close_to_mean(terms, truths.hidden_classes(shares, means, deviations))


def test_separate_hidden_classes_tell_their_entropy() -> None:
    means = np.array([[0.0, 30.0, 60.0], [0.0, 30.0, 60.0]])
    nats = truths.hidden_classes(np.full(3, 1 / 3), means, np.ones((2, 3)))
    assert nats == pytest.approx(math.log(3), abs=1e-6)


@pytest.mark.parametrize("share", [0.005, 0.3])
def test_an_event_by_monte_carlo(share: float) -> None:
    rng, start = stream("event", share), truths.intercept(share, 2.0)
    chance = special.expit(start + 2.0 * rng.standard_normal(20 * COUNT))
    assert close_to_mean(chance, share)
    event = rng.random(20 * COUNT) < chance
    terms = np.where(event, np.log(chance / share), np.log((1 - chance) / (1 - share)))
    assert close_to_mean(terms, truths.logit_event(start, 2.0))


@pytest.mark.parametrize("deviation", [0.4, 1.0, 1.6])
def test_wrapped_noise_by_its_fourier_series(deviation: float) -> None:
    """p(t) = (1 + 2 sum_k exp(-k^2 s^2 / 2) cos(k t)) / 2 pi."""
    noise, k = deviation * stream("wrapped", deviation).standard_normal(COUNT), np.arange(1, 40)
    terms = np.log1p(2 * np.cos(np.outer(noise, k)) @ np.exp(-0.5 * (k * deviation) ** 2))
    assert close_to_mean(terms, truths.wrapped_normal(deviation))


@pytest.mark.parametrize(("d", "noise"), [(5, 0.1), (5, 1.0), (40, 0.5)])
def test_a_radius_by_monte_carlo(d: int, noise: float) -> None:
    rng, chi = stream("radius", d, noise), stats.chi(d)
    lengths = np.linalg.norm(rng.standard_normal((1000, d)), axis=1)
    y = lengths + noise * rng.standard_normal(1000)
    middle = chi.ppf((np.arange(2000) + 0.5) / 2000)
    density = stats.norm(middle, noise).pdf(y[:, None]).mean(axis=1)
    assert close_to_mean(np.log(stats.norm(lengths, noise).pdf(y) / density), truths.radius(d, noise))


def test_tables_by_direct_sums() -> None:
    joint = np.array([[0.4, 0.1, 0.0], [0.05, 0.15, 0.3]])
    cells = [(i, j) for i in range(2) for j in range(3) if joint[i, j]]
    sums = [joint[c] * math.log(joint[c] / joint[c[0]].sum() / joint[:, c[1]].sum()) for c in cells]
    assert truths.table(joint) == pytest.approx(sum(sums))
    channel = np.full((10, 10), 0.3 / 9 / 10)
    np.fill_diagonal(channel, 0.07)
    assert truths.symmetric_channel(10, 0.3) == pytest.approx(truths.table(channel))


# Whole draws against other estimates of the same


@pytest.mark.parametrize("name", ["two rare events", "two binary columns", "renamed labels"])
def test_labels_by_counting(name: str) -> None:
    """The plug-in value, less (a - 1) (b - 1) / 2n; the spread of pointwise information is below 2."""
    n = 200_000
    x, y, nats = named(name).draw(stream(name), n)
    levels = [len(np.unique(side)) for side in (x, y)]
    assert counted(x[:, 0], y[:, 0]) - math.prod(c - 1 for c in levels) / (2 * n) == pytest.approx(
        nats, abs=4 * 2 / math.sqrt(n)
    )


def test_one_hot_sides_are_labels() -> None:
    n = 100_000
    x, y, nats = named("one-hot and one-hot").draw(stream("one-hot"), n)
    assert ((x.sum(axis=1) == 1) & (y.sum(axis=1) == 1)).all()
    bias = (x.shape[1] - 1) * (y.shape[1] - 1) / (2 * n)
    assert counted(x.argmax(axis=1), y.argmax(axis=1)) - bias == pytest.approx(nats, abs=8 / math.sqrt(n))


def counted(x: np.ndarray, y: np.ndarray) -> float:
    """The plug-in value of two labels."""
    codes = [np.unique(side, return_inverse=True)[1] for side in (x, y)]
    joint = np.zeros([code.max() + 1 for code in codes])
    np.add.at(joint, tuple(codes), 1.0 / len(x))
    return truths.table(joint)


CLASSES = ["rare label", "one rare label of three", "renamed label and number", "distance of classes"]


@pytest.mark.parametrize("name", [*CLASSES, "concentric classes"])
def test_classes_by_their_own_likelihoods(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """mean log p(x | label) / p(x), where every class is a normal of its own mean and covariance.

    The fit to the same rows adds half of its parameters over n.
    """
    n = 40_000
    monkeypatch.setattr(problems, "_rare", lambda rng, n: 0.03)  # or it would have 50 cases at any n
    kind = named(name)
    i = next(i for i in range(100) if sum(s.shape[1] for s in kind.draw(stream(name, i), 300)[:2]) < 13)
    x, y, nats = kind.draw(stream(name, i), n)
    label, values = (x, y) if len(np.unique(x)) <= 50 else (y, x)
    codes = np.unique(label, return_inverse=True)[1].reshape(-1)
    members = [values[codes == c] for c in range(codes.max() + 1)]
    shares = np.array([len(own) / n for own in members])
    fits = [stats.multivariate_normal(own.mean(axis=0), np.cov(own.T)) for own in members]
    logs = np.stack([fit.logpdf(values) for fit in fits], axis=1)
    terms = logs[np.arange(n), codes] - special.logsumexp(logs, axis=1, b=shares)
    d = values.shape[1]
    bias = len(shares) * (d + d * (d + 1) / 2) / (2 * n)
    assert abs(terms.mean() - nats) < 4 * terms.std() / math.sqrt(n) + bias


def test_rare_classes_are_as_rare_as_they_say() -> None:
    cases = [
        min(side.sum() for side in problem(named("rare event"), i)[:2] if side.shape[1] == 1)
        for i in range(20)
    ]
    assert 1 <= min(cases) < 20
    assert 20 < max(cases) <= 80


@pytest.mark.parametrize("classes", digits.APART)
def test_pairs_of_digits_do_not_overlap(classes: tuple[int, ...]) -> None:
    assert digits.separation(classes, 2) > 0.99
    assert digits.separation(classes, 8) == 1.0


def test_pictures_are_new_and_of_their_class() -> None:
    """No two are equal, and the nearest of other pictures shows the same digit."""
    which = np.arange(1000) % 2
    x = digits.pictures(stream("pictures"), (0, 1), which, (8,))
    assert len(np.unique(x, axis=0)) == len(x)
    nearest = KDTree(x[:500]).query(x[500:])[1]
    assert (which[nearest] == which[500:]).mean() > 0.99


@pytest.mark.parametrize("levels", [2, 10])
def test_the_channel_of_the_digits_by_counting(levels: int) -> None:
    x, y, nats = problems._channel(stream("channel", levels), 100_000, levels, 0.2)
    assert counted(x, y) - (levels - 1) ** 2 / 200_000 == pytest.approx(nats, abs=8 / math.sqrt(100_000))


# Scores


def an_answer(kind: problems.Kind, nats: float, mean: float, half: float, in_range: bool = True) -> Answered:
    values = mean + half * np.linspace(-1.0, 1.0, 5)
    levels = (0.005, 0.05, 0.5, 0.95, 0.995)
    estimate = Estimate(mean, levels, tuple(values), 300, 1, 1, in_range, (), ModelInfo("m", "1", "0"))
    return Answered(kind, 0, 300, (1, 1), nats, estimate, np.full(len(PEERS), nats + 0.1))


def test_misses_by_more_than_the_width_are_counted_and_so_are_the_flagged() -> None:
    kind = named("phases")
    answered = [
        an_answer(kind, 1.0, 1.05, 0.2),  # held
        an_answer(kind, 1.0, 1.15, 0.2),  # not held, but by less than the width, .2
        an_answer(kind, 1.0, 2.0, 0.2),
        an_answer(kind, 3.0, 5.0, 0.2, in_range=False),
        Answered(kind, 4, 300, (1, 1), 1.0, TooManyColumns("too many"), np.full(len(PEERS), np.nan)),
    ]
    rows = score_rows(answered)
    assert {row["by"] for row in rows} == {"group", "n", "kind"}
    (row,) = [row for row in rows if row["by"] == "kind" and row["method"] == "mizzle"]
    assert (row["group"], row["kind"], row["count"], row["answered"]) == ("looks", "phases", 5, 4)
    assert (row["missed"], row["missed_flagged"], row["missed_unflagged"]) == (0.5, 0.5, 0.25)
    assert row["mae"] == pytest.approx((0.05 + 0.15 + 1.0 + 2.0) / 4)
    assert row["mae_small"] == pytest.approx((0.05 + 0.15 + 1.0) / 3)
    assert (row["cover90"], row["flagged"], row["width"]) == (0.25, 0.25, pytest.approx(0.2))
    (peer,) = [row for row in rows if row["by"] == "n" and row["method"] == "ksg"]
    assert (peer["answered"], peer["mae"], peer["n"]) == (4, pytest.approx(0.1), 300)
    assert peer["ours_mae"] == row["mae"]
