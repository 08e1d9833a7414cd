"""Problems as real tables pose them, whose mutual information stays known; all in nats.

`KINDS` has one entry a kind. Everything is drawn from one generator of random numbers, and nothing here
shares code with the generator of the training data: other decoders, other renderings, other ranges.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import real_digits as digits
import real_truths as truths
from numpy.typing import NDArray
from real_digits import Labels
from real_sides import LOOKS, OTHER_LOOKS, Look, Map, Rng, rotation
from scipy import special, stats  # type: ignore[import-untyped]
from scores import Floats

ROWS = (300, 1000, 4000)
LOOK_NATS = (0.1, 2.5)
BEND_NATS = (2.0, 6.0)


class Problem(NamedTuple):
    """Two sides, shapes (n, dx) and (n, dy), and I(X;Y)."""

    x: Floats
    y: Floats
    nats: float


class Kind(NamedTuple):
    """A kind of problem; `draw` makes one of n rows, and `rows` are the n that it is drawn with."""

    name: str
    group: str
    draw: Callable[[Rng, int], Problem]
    rows: tuple[int, ...] = ROWS


def either_way(rng: Rng, x: Floats, y: Floats, nats: float) -> Problem:
    """The sides in this order or the other."""
    return Problem(x, y, nats) if rng.random() < 0.5 else Problem(y, x, nats)


def normal_pairs(rng: Rng, n: int, dx: int, dy: int, nats: float) -> tuple[Floats, Floats]:
    """Standard normals, in as many pairs as there can be; Dirichlet weights share the nats among these."""
    a, b = rng.standard_normal((n, dx)), rng.standard_normal((n, dy))
    pairs = min(dx, dy)
    r = np.sqrt(-np.expm1(-2.0 * nats * rng.dirichlet(np.ones(pairs))))
    b[:, :pairs] = r * a[:, :pairs] + np.sqrt(1.0 - r**2) * b[:, :pairs]
    return a, b


# Looks, rotated normals, bends


def pairs_under_look(look: Look, rng: Rng, n: int) -> Problem:
    """Normal pairs, each side under a look of its own; the places of the latents are shuffled."""
    low, high = look.latents
    (kx, ky), nats = rng.integers(low, high + 1, 2).tolist(), rng.uniform(*LOOK_NATS)
    a, b = normal_pairs(rng, n, kx, ky, nats)
    x, y = (look.make(rng, z.shape[1])(rng.permutation(z, axis=1)) for z in (a, b))
    return Problem(x, y, nats)


def wrapped_phases(rng: Rng, n: int) -> Problem:
    """Angles all around the circle and the same with normal noise, as cosines and sines."""
    count = int(rng.integers(1, 4))
    deviations = rng.uniform(0.4, 1.6, count)
    angles = rng.uniform(0.0, 2.0 * np.pi, (n, count))
    noisy = angles + rng.normal(0.0, deviations, (n, count))
    x, y = (np.hstack([np.cos(a), np.sin(a)]) for a in (angles, noisy))
    return Problem(x, y, sum(map(truths.wrapped_normal, deviations.tolist())))


def rotated(d: int, rng: Rng, n: int) -> Problem:
    """Normal pairs of uneven strengths, rotated inside both sides."""
    nats = rng.uniform(0.3, 3.0)
    a, b = normal_pairs(rng, n, d, d, nats)
    return Problem(a @ rotation(rng, d), b @ rotation(rng, d), nats)


def pairs_under_bend(bend: Callable[[Rng, int], Map], rng: Rng, n: int) -> Problem:
    """Strong normal pairs and some columns of noise, one side or both through an invertible map."""
    pairs, nats = int(rng.integers(1, 6)), rng.uniform(*BEND_NATS)
    sides = []
    for side in normal_pairs(rng, n, pairs, pairs, nats):
        noise = rng.standard_normal((n, int(rng.integers(pairs == 1, 3))))
        sides.append(np.hstack([side, noise]))
    which = rng.integers(3)  # the left one, the right one, or both
    x, y = (bend(rng, z.shape[1])(z) if which in (i, 2) else z for i, z in enumerate(sides))
    return Problem(x, y, nats)


def henon(rng: Rng, d: int) -> Map:
    """(a, b) -> (b - q (a^2 - 1), s a) of two columns at a time, each time in another frame."""
    frames = [rotation(rng, d) for _ in range(int(rng.integers(1, 3)))]
    bend, scale = rng.uniform(0.1, 0.35, len(frames)), rng.uniform(0.6, 1.2, len(frames))

    def step(z: Floats) -> Floats:
        for frame, q, s in zip(frames, bend, scale, strict=True):
            z = z @ frame
            a, b = z[:, 0 : d - 1 : 2], z[:, 1::2]
            z = np.hstack([b - q * (np.square(a) - 1.0), s * a, z[:, d - d % 2 :]])
        return z

    return step


def residual(rng: Rng, d: int) -> Map:
    """One or two layers z + g(z), g a layer of d sines with Lipschitz constant .6."""
    layers = [
        (rng.uniform(0.6, 1.2), rotation(rng, d), rotation(rng, d), rng.uniform(0.0, 2.0 * np.pi, d))
        for _ in range(int(rng.integers(1, 3)))
    ]

    def network(z: Floats) -> Floats:
        for frequency, first, second, shift in layers:
            z = z + 0.6 / frequency * np.sin(frequency * z @ first + shift) @ second
        return z

    return network


def post_nonlinear(rng: Rng, d: int) -> Map:
    """Every column stretched, all mixed, and stretched again."""
    first, last = rng.integers(len(_STRETCHES), size=(2, d)).tolist()
    mixing = (rotation(rng, d) * rng.uniform(0.5, 1.5, d)) @ rotation(rng, d)
    return lambda z: _stretched(_stretched(z, first) @ mixing, last)


def residual_of_henon(rng: Rng, d: int) -> Map:
    """A residual network after Henon's steps."""
    inner, outer = henon(rng, d), residual(rng, d)
    return lambda z: outer(inner(z))


_STRETCHES: list[Map] = [
    lambda a: np.sinh(1.2 * a) / 1.5,
    lambda a: np.arcsinh(3.0 * a),
    lambda a: a + 0.8 * np.sin(a),
    lambda a: np.logaddexp(0.0, 2.0 * a),
    lambda a: np.where(a > 0.0, 2.5 * a, a),
]


def _stretched(z: Floats, which: list[int]) -> Floats:
    return np.stack([_STRETCHES[i](column) for i, column in zip(which, z.T, strict=True)], axis=1)


# Heavy tails


def heavy(law: Any, rng: Rng, n: int) -> Problem:
    """Independent columns, and each plus noise of the same law at a scale of its own."""
    scales = rng.uniform(0.3, 3.0, int(rng.integers(1, 4)))
    x, noise = law.rvs((2, n, len(scales)), random_state=rng)
    return either_way(rng, x, x + scales * noise, sum(truths.additive(law, s) for s in scales.tolist()))


# Rare classes and events


def rare_label(rng: Rng, n: int) -> Problem:
    """A yes or no with 5 to 50 expected cases, and columns that it shifts and scales along a direction."""
    share, d = _rare(rng, n), int(rng.integers(1, 4))
    shares, means = np.array([1.0 - share, share]), np.array([0.0, rng.uniform(0.5, 4.0)])
    deviations = np.array([1.0, np.exp(rng.uniform(-0.7, 0.7))])
    return _classes_along(rng, n, shares, means, deviations, d)


def rare_of_three(rng: Rng, n: int) -> Problem:
    """A label of three classes, of which one is rare, and columns that it shifts and scales."""
    share = _rare(rng, n)
    shares = np.append((1.0 - share) * rng.dirichlet([5.0, 5.0]), share)
    means, deviations = rng.uniform(-3.0, 3.0, 3), np.exp(rng.uniform(-0.7, 0.7, 3))
    return _classes_along(rng, n, shares, means, deviations, int(rng.integers(1, 4)))


def rare_regime(rng: Rng, n: int) -> Problem:
    """Two numbers that are independent in three unseen classes, of which one is rare."""
    share = _rare(rng, n)
    shares = np.append((1.0 - share) * rng.dirichlet([5.0, 5.0]), share)
    means, deviations = rng.uniform(-3.0, 3.0, (2, 3)), np.exp(rng.uniform(-0.7, 0.7, (2, 3)))
    which = rng.choice(3, n, p=shares)
    x, y = (m[which] + s[which] * rng.standard_normal(n) for m, s in zip(means, deviations, strict=True))
    return Problem(x[:, None], y[:, None], truths.hidden_classes(shares, means, deviations))


def rare_event(rng: Rng, n: int) -> Problem:
    """A yes or no whose log odds are linear in some columns, with 5 to 50 expected cases."""
    share, slope, d = _rare(rng, n), rng.uniform(0.5, 3.0), int(rng.integers(1, 9))
    start = truths.intercept(share, slope)
    z = rng.standard_normal((n, d))
    event = rng.random(n) < special.expit(start + slope * z[:, 0])
    return either_way(rng, _column(event), z @ rotation(rng, d), truths.logit_event(start, slope))


def rare_events(rng: Rng, n: int) -> Problem:
    """Two events with marginals from .5 %, or five expected cases, to 20 %."""
    px, py = np.exp(rng.uniform(np.log(max(0.005, 5.0 / n)), np.log(0.2), 2))
    # Between independence and as often together as can be; or, in a fifth, less often than independent.
    both = max(0.0, px * py + rng.uniform(-0.25, 1.0) * (min(px, py) - px * py))
    return _from_table(rng, n, np.array([[1.0 - px - py + both, py - both], [px - both, both]]))


def _rare(rng: Rng, n: int) -> float:
    """A share with 5 to 50 expected cases."""
    return float(np.exp(rng.uniform(np.log(5.0), np.log(50.0)))) / n


# Labels


def binary_columns(rng: Rng, n: int) -> Problem:
    """Two columns of yes and no, neither of them rare."""
    return _from_table(rng, n, _random_table(rng, (2, 2)))


def label_and_number(show: Callable[[Rng, Labels, int], Floats], rng: Rng, n: int) -> Problem:
    """A label of 2 to 50 levels, and a number whose mean and spread it decides."""
    levels = int(rng.choice([2, 5, 20, 50]))
    shares = rng.dirichlet(np.full(levels, 5.0))
    means, deviations = rng.normal(0.0, rng.uniform(0.5, 3.0), levels), np.exp(rng.uniform(-0.4, 0.4, levels))
    which = rng.choice(levels, n, p=shares)
    number = means[which] + deviations[which] * rng.standard_normal(n)
    nats = truths.normal_classes(shares, means, deviations)
    return either_way(rng, show(rng, which, levels), _column(number), nats)


def two_labels(shows: list[Callable[[Rng, Labels, int], Floats]], rng: Rng, n: int) -> Problem:
    """Labels of 2 to 50 levels, either shown in its own way."""
    levels = rng.choice([2, 5, 20, 50], 2).tolist()
    joint = _random_table(rng, (levels[0], levels[1]))
    sides = _draw(rng, n, joint)
    x, y = (show(rng, side, count) for show, side, count in zip(shows, sides, levels, strict=True))
    return either_way(rng, x, y, truths.table(joint))


def one_hot(rng: Rng, labels: Labels, levels: int) -> Floats:
    """A column of 0 and 1 for every level."""
    return np.eye(levels)[labels]


def renamed(rng: Rng, labels: Labels, levels: int) -> Floats:
    """Numbers in place of the levels, in an order that means nothing."""
    return _column(rng.permutation(levels)[labels])


def _random_table(rng: Rng, shape: tuple[int, int]) -> Floats:
    """Joint probabilities: between log-normal ones and a map of the larger label to the smaller."""
    p, q = (rng.dirichlet(np.full(levels, 5.0)) for levels in shape)
    loose = np.outer(p, q) * np.exp(rng.uniform(0.2, 1.0) * rng.standard_normal(shape))
    goal = rng.permutation(np.arange(max(shape)) % min(shape))
    tight = np.eye(min(shape))[goal] * (p if shape[0] >= shape[1] else q)[:, None]
    tight = tight if shape[0] >= shape[1] else tight.T
    share = rng.uniform(0.0, 0.9)
    joint: Floats = (1.0 - share) * loose / loose.sum() + share * tight
    return joint


def _draw(rng: Rng, n: int, joint: Floats) -> tuple[Labels, Labels]:
    """Both labels of n rows."""
    cells = rng.choice(joint.size, n, p=joint.ravel())
    x, y = np.divmod(cells, joint.shape[1])
    return x, y


def _from_table(rng: Rng, n: int, joint: Floats) -> Problem:
    x, y = _draw(rng, n, joint)
    return Problem(_column(x), _column(y), truths.table(joint))


def _classes_along(rng: Rng, n: int, shares: Floats, means: Floats, deviations: Floats, d: int) -> Problem:
    """A label and d columns: normal as the class says along a random direction, and noise across it."""
    which = rng.choice(len(shares), n, p=shares)
    z = rng.standard_normal((n, d))
    z[:, 0] = means[which] + deviations[which] * z[:, 0]
    nats = truths.normal_classes(shares, means, deviations)
    return either_way(rng, _column(which), z @ rotation(rng, d), nats)


def _column(values: NDArray[Any]) -> Floats:
    return np.asarray(values, dtype=np.float64)[:, None]


# Thin signal


def thin_sum(rng: Rng, n: int) -> Problem:
    """Many columns, and their weighted sum plus noise."""
    d, nats = int(rng.choice([8, 20, 64])), rng.uniform(0.1, 2.0)
    weights = rng.standard_normal(d) if rng.random() < 0.5 else np.ones(d)
    x, r = rng.standard_normal((n, d)), np.sqrt(-np.expm1(-2.0 * nats))
    y = r * x @ weights / np.linalg.norm(weights) + np.sqrt(1.0 - r**2) * rng.standard_normal(n)
    return either_way(rng, x, _column(y), nats)


def thin_radius(rng: Rng, n: int) -> Problem:
    """5 to 40 columns, and their length plus noise."""
    d, noise = int(rng.integers(5, 41)), rng.uniform(0.1, 1.0)
    x = rng.standard_normal((n, d))
    y = np.linalg.norm(x, axis=1) + noise * rng.standard_normal(n)
    return either_way(rng, x, _column(y), truths.radius(d, noise))


def class_distance(rng: Rng, n: int) -> Problem:
    """Two to four classes a distance apart along a direction of 10 or 40 columns."""
    shares = rng.dirichlet(np.full(int(rng.integers(2, 5)), 5.0))
    means = np.linspace(0.0, len(shares) - 1.0, len(shares)) * rng.uniform(0.5, 4.0)
    return _classes_along(rng, n, shares, means, np.ones(len(shares)), int(rng.choice([10, 40])))


def concentric(rng: Rng, n: int) -> Problem:
    """Two to four classes of another width in 5 to 40 columns."""
    shares, d = rng.dirichlet(np.full(int(rng.integers(2, 5)), 5.0)), int(rng.choice([5, 10, 25, 40]))
    deviations = np.geomspace(1.0, rng.uniform(1.05, 2.0) ** (len(shares) - 1), len(shares))
    which = rng.choice(len(shares), n, p=shares)
    x = deviations[which, None] * rng.standard_normal((n, d))
    return either_way(rng, x, _column(which), truths.concentric_classes(shares, deviations, d))


# Embeddings


def digit_pairs(rng: Rng, n: int) -> Problem:
    """Pictures of two digits on either side; a binary channel decides about the right one."""
    classes = digits.APART[rng.integers(len(digits.APART))]
    a, b, nats = _channel(rng, n, 2, rng.uniform(0.02, 0.35))
    x, y = (digits.pictures(rng, classes, side, digits.PAIR_COMPONENTS) for side in (a, b))
    return Problem(x, y, nats)


def ten_digits(rng: Rng, n: int) -> Problem:
    """Pictures of ten digits on either side."""
    a, b, nats = _channel(rng, n, 10, rng.uniform(0.05, 0.7))
    x, y = (digits.pictures(rng, digits.TEN, side, digits.TEN_COMPONENTS) for side in (a, b))
    return Problem(x, y, nats)


def digits_and_label(rng: Rng, n: int) -> Problem:
    """Pictures of two digits on one side, and which it is, with errors, on the other."""
    x, y, nats = _channel(rng, n, 2, rng.uniform(0.02, 0.35))
    classes = digits.APART[rng.integers(len(digits.APART))]
    return either_way(rng, digits.pictures(rng, classes, x, digits.PAIR_COMPONENTS), _column(y), nats)


def _channel(rng: Rng, n: int, levels: int, error: float) -> tuple[Labels, Labels, float]:
    """A uniform label, what a symmetric channel makes of it, and their I."""
    x = rng.integers(levels, size=n)
    y = np.where(rng.random(n) < error, (x + rng.integers(1, levels, n)) % levels, x)
    return x, y, truths.symmetric_channel(levels, error)


_HEAVY = {f"Student, df {df}": stats.t(df) for df in (1, 1.5, 2, 3, 5)}
_HEAVY |= {"Laplace": stats.laplace(), "logistic": stats.logistic()}

KINDS = [
    *(Kind(look.name, "looks", partial(pairs_under_look, look)) for look in LOOKS),
    Kind("wrapped phases", "looks", wrapped_phases),
    *(Kind(look.name, "looks, other kinds", partial(pairs_under_look, look)) for look in OTHER_LOOKS),
    *(Kind(f"rotated {d}+{d}", "rotated", partial(rotated, d), (1000,)) for d in (5, 10, 16, 32)),
    *(Kind(f"rotated 10+10, n = {n}", "rotated", partial(rotated, 10), (n,)) for n in (300, 4000)),
    *(Kind(name, "heavy tails", partial(heavy, law)) for name, law in _HEAVY.items()),
    Kind("rare label", "rare", rare_label),
    Kind("one rare label of three", "rare", rare_of_three),
    Kind("rare regime", "rare", rare_regime),
    Kind("rare event", "rare", rare_event),
    Kind("two rare events", "rare", rare_events),
    Kind("two binary columns", "labels", binary_columns),
    Kind("one-hot and number", "labels", partial(label_and_number, one_hot)),
    Kind("renamed label and number", "labels", partial(label_and_number, renamed)),
    Kind("one-hot and one-hot", "labels", partial(two_labels, [one_hot, one_hot])),
    Kind("one-hot and renamed label", "labels", partial(two_labels, [one_hot, renamed])),
    Kind("renamed labels", "labels", partial(two_labels, [renamed, renamed])),
    Kind("Henon steps", "bends", partial(pairs_under_bend, henon)),
    Kind("residual networks", "bends", partial(pairs_under_bend, residual)),
    Kind("post-nonlinear mixing", "bends", partial(pairs_under_bend, post_nonlinear)),
    Kind("Henon steps, then a network", "bends", partial(pairs_under_bend, residual_of_henon)),
    Kind("sum of columns", "thin", thin_sum),
    Kind("radius of columns", "thin", thin_radius),
    Kind("distance of classes", "thin", class_distance),
    Kind("concentric classes", "thin", concentric),
    Kind("two digits", "embeddings", digit_pairs),
    Kind("ten digits", "embeddings", ten_digits),
    Kind("digits and a label", "embeddings", digits_and_label),
]
