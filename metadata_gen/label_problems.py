"""The prior over labels without an order: two of them, or one beside a column of numbers."""

import numpy as np

from mizzle.metadata_gen.families.contingency import ContingencyTable, LabelledNumbers
from mizzle.metadata_gen.family import Array, Rng
from mizzle.metadata_gen.hyperpriors import LogIntegers, LogUniform, Uniform

MAX_LEVELS = 256
_LEVELS, _SMALL_LEVELS = LogIntegers(2, MAX_LEVELS), LogIntegers(2, 8)
_EVENNESS, _RARE, _COUPLING = LogUniform(0.3, 30.0), LogUniform(0.001, 0.3), LogUniform(0.003, 1.0)
_SPREAD, _WIDTHS, _RANK = LogUniform(0.03, 30.0), Uniform(0.0, 1.0), LogIntegers(2, 6)
_LATTICE, _SHAPE = LogIntegers(2, 200), LogUniform(0.1, 5.0)
_KINDS = (0.1, 0.2, 0.15, 0.15, 0.2, 0.2)  # of tables


def label_table(rng: Rng) -> ContingencyTable:
    """Two labels of up to 256 levels each: (1 - c) p q' + c J with one of five kinds of J."""
    p, q = (level_probabilities(rng) for _ in range(2))
    kind = rng.choice(6, p=_KINDS)
    if kind == 0:
        joint = np.outer(p, q)
    elif kind == 1:
        joint = _matching(rng, p, q)
    elif kind == 2:
        joint = _function(rng, p, len(q))
    elif kind == 3:
        joint = _low_rank(rng, len(p), len(q))
    elif kind == 4:
        joint = (rng.gamma(_SHAPE.draw(rng), size=(len(p), len(q))) + 1e-6) * np.outer(p, q)
        joint /= joint.sum()
    else:
        joint = _renamed(rng, p)
    table = joint if rng.random() < 0.5 else joint.T
    coupling = float(rng.choice([1.0, rng.random(), _COUPLING.draw(rng)], p=[0.3, 0.45, 0.25]))
    mixed = coupling * table + (1.0 - coupling) * np.outer(table.sum(axis=1), table.sum(axis=0))
    return ContingencyTable(mixed / mixed.sum())


def labelled_numbers(rng: Rng) -> LabelledNumbers:
    """A label of up to 256 levels beside numbers: all classes apart, some apart, groups of them, or none."""
    p = level_probabilities(rng)
    k, components = len(p), int(rng.choice([1, 2, 3], p=[0.6, 0.25, 0.15]))
    spread = _SPREAD.draw(rng)
    means = spread * _places(rng, k)[:, None] + _WIDTHS.draw(rng) * 3.0 * rng.standard_normal((k, components))
    if components > 1 and rng.random() < 0.5:  # the same shape in every class
        means = spread * _places(rng, k)[:, None] + 3.0 * rng.standard_normal((1, components))
    widths = np.exp(_WIDTHS.draw(rng) * (rng.random() < 0.4) * rng.standard_normal((k, components)))
    if rng.random() < 0.1:
        means = np.broadcast_to(means[:1], means.shape)
        widths = np.broadcast_to(widths[:1], widths.shape)
    whole = means.max() - means.min() + widths.max()
    widths = np.maximum(widths, 0.004 * whole)
    weights = rng.dirichlet(np.full(components, 3.0), k)
    lattice = (_LATTICE.draw(rng),) if rng.random() < 0.2 else ()
    return LabelledNumbers(p, weights, means, widths, *lattice)


def level_probabilities(rng: Rng) -> Array:
    """Probabilities of 2 to 256 levels: even, uneven, falling like ranks, or with rare ones."""
    k = (_SMALL_LEVELS if rng.random() < 0.4 else _LEVELS).draw(rng)
    kind = rng.integers(4)
    if kind == 0:
        return np.full(k, 1.0 / k)
    if kind == 1:
        p = np.arange(1.0, k + 1.0) ** -rng.uniform(0.2, 1.5)
    elif kind == 2:
        p = rng.gamma(_EVENNESS.draw(rng), size=k) + 0.01
    else:
        p = np.ones(k)
        rare = int(rng.integers(1, max(2, k // 2 + 1)))
        p[:rare] = _RARE.draw(rng) * (k - rare) / rare
    return np.asarray(p / p.sum())


def _places(rng: Rng, k: int) -> Array:
    """Where the classes stand: each for itself, most of them together, or in a few groups."""
    kind = rng.integers(4)
    places = rng.standard_normal(k)
    if kind == 1:  # one stands apart
        places[1:] = 0.0
        places[0] = 1.0 + abs(places[0])
    elif kind == 2:
        places = places[rng.integers(0, max(2, k // 4), k)] if k > 2 else places
    elif kind == 3:
        places = rng.permutation(np.linspace(-1.5, 1.5, k))
    return np.asarray(places)


def _matching(rng: Rng, p: Array, q: Array) -> Array:
    """One uniform number cut into either's levels, in random order."""
    p, q = rng.permutation(p), rng.permutation(q)
    ends_x, ends_y = np.minimum(np.cumsum(p), 1.0), np.minimum(np.cumsum(q), 1.0)
    overlap = np.minimum.outer(ends_x, ends_y) - np.maximum.outer(ends_x - p, ends_y - q)
    joint = np.maximum(overlap, 0.0) + 1e-15
    return np.asarray(joint / joint.sum())


def _function(rng: Rng, p: Array, levels: int) -> Array:
    """Y = f(X) for a random f, as the country of a city."""
    images = rng.integers(0, min(levels, len(p)), len(p))
    images = np.unique(images, return_inverse=True)[1]
    joint = np.zeros((len(p), int(images.max()) + 1))
    joint[np.arange(len(p)), images] = p
    return joint


def _renamed(rng: Rng, p: Array) -> Array:
    """The same label under other names."""
    return np.asarray(np.diag(p)[:, rng.permutation(len(p))])


def _low_rank(rng: Rng, levels_x: int, levels_y: int) -> Array:
    """sum_h r_h p(x|h) p(y|h)."""
    rank, evenness = _RANK.draw(rng), _SHAPE.draw(rng)
    share = rng.dirichlet(np.full(rank, 3.0))
    of_x, of_y = (rng.gamma(evenness, size=(rank, k)) + 1e-3 for k in (levels_x, levels_y))
    of_x, of_y = (v / v.sum(axis=1, keepdims=True) for v in (of_x, of_y))
    return np.asarray(np.einsum("h,hx,hy->xy", share, of_x, of_y))
