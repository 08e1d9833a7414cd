"""The prior over labels without an order: two of them, or one beside a column of numbers."""

import numpy as np
from scipy.special import entr, ndtr  # type: ignore[import-untyped]

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.families.contingency import ContingencyTable
from mizzle.metadata_gen.family import Array, Family, Rng, Truth, closed_form
from mizzle.metadata_gen.hyperpriors import LogIntegers, LogUniform, Uniform

MAX_LEVELS = 256
POINTS = 1200  # of a grid that is as good as continuous
_LEVELS, _SMALL_LEVELS = LogIntegers(2, MAX_LEVELS), LogIntegers(2, 8)
_EVENNESS, _RARE, _COUPLING = LogUniform(0.3, 30.0), LogUniform(0.001, 0.3), LogUniform(0.003, 1.0)
_SPREAD, _WIDTHS, _RANK = LogUniform(0.03, 30.0), Uniform(0.0, 1.0), LogIntegers(2, 6)
_NOISE, _GAIN, _FREQUENCY = LogUniform(0.03, 3.0), LogUniform(0.2, 8.0), LogUniform(0.3, 20.0)
_LATTICE, _SHAPE = LogIntegers(2, 200), LogUniform(0.1, 5.0)
_KINDS = (0.1, 0.2, 0.15, 0.15, 0.2, 0.2)  # of tables


class LabelledNumbers(Family):
    """X is one of k labels with probabilities p; Y given X = i is a point of a grid with probabilities t_i.

    I = H(Y) - sum_i p_i H(Y | i) nats, summed over the points. A grid of `POINTS` is as good as continuous:
    its points become intervals, within which no label is likelier than in the rest. Coarser ones make ties.

    Args:
        probabilities: p, shape (k,).
        table: t, shape (k, points).

    Raises:
        InvalidInput: the probabilities or a row of the table do not sum to 1, or there is only one point.
    """

    def __init__(self, probabilities: Array, table: Array) -> None:
        super().__init__("labelled numbers", 1, 1)
        if abs(probabilities.sum() - 1.0) > 1e-9 or np.abs(table.sum(axis=1) - 1.0).max() > 1e-9:
            raise InvalidInput("the probabilities and every row of the table must sum to 1")
        if table.shape[1] < 2:
            raise InvalidInput(f"there are {table.shape[1]} values of Y; at least 2 are needed")
        self.probabilities, self.table = probabilities, table

    @property
    def continuous(self) -> bool:
        return False

    @property
    def points(self) -> int:
        """How many points Y has."""
        return int(self.table.shape[1])

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        labels = rng.choice(len(self.probabilities), n, p=self.probabilities)
        ends = np.cumsum(self.table, axis=1) / np.sum(self.table, axis=1, keepdims=True)
        places = np.searchsorted((ends + np.arange(len(ends))[:, None]).ravel(), labels + rng.random(n))
        cells = np.asarray((places - labels * self.points).clip(0, self.points - 1), np.float64)
        y = cells + rng.random(n) if self.points == POINTS else cells
        return labels.astype(np.float64)[:, None], y[:, None]

    def mi(self) -> Truth:
        of_all = entr(self.probabilities @ self.table).sum()
        return closed_form(float(of_all - self.probabilities @ entr(self.table).sum(axis=1)))

    def pmi(self, x: Array, y: Array) -> Array:
        """log P(y | x) / P(y) of each row's cell."""
        labels, cells = x[:, 0].astype(np.intp), np.floor(y[:, 0]).astype(np.intp)
        odds = self.table[labels, cells] / (self.probabilities @ self.table)[cells]
        return np.asarray(np.log(odds))


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
    """A label of up to 256 levels beside numbers: classes that are mixtures, or decided by the numbers."""
    points = _LATTICE.draw(rng) if rng.random() < 0.2 else POINTS
    if rng.random() < 0.5:
        p = level_probabilities(rng)
        return LabelledNumbers(p, _mixtures(rng, len(p), points))
    density = np.exp(-0.5 * np.linspace(-3.5, 3.5, points) ** 2)
    given_numbers = (_cut if rng.random() < 0.5 else _softmax)(rng, level_probabilities(rng), points)
    joint = given_numbers * (density / density.sum())
    joint = joint[joint.sum(axis=1) > 1e-6]
    joint /= joint.sum()
    p = joint.sum(axis=1)
    return LabelledNumbers(p, joint / p[:, None])


def _mixtures(rng: Rng, k: int, points: int) -> Array:
    """p(y | i) of mixtures of 1 to 3 normals: all classes apart, some of them, groups of them, or none."""
    components = int(rng.choice([1, 2, 3], p=[0.6, 0.25, 0.15]))
    spread, weights = _SPREAD.draw(rng), rng.dirichlet(np.full(components, 3.0), k)
    means = spread * _places(rng, k)[:, None] + _WIDTHS.draw(rng) * 3.0 * rng.standard_normal((k, components))
    if components > 1 and rng.random() < 0.5:  # the same shape in every class
        means = spread * _places(rng, k)[:, None] + 3.0 * rng.standard_normal((1, components))
    widths = np.exp(_WIDTHS.draw(rng) * (rng.random() < 0.4) * rng.standard_normal((k, components)))
    if rng.random() < 0.1:
        means, widths, weights = (np.broadcast_to(part[:1], part.shape) for part in (means, widths, weights))
    widths = np.maximum(widths, 0.004 * (means.max() - means.min() + widths.max()))
    grid = np.linspace((means - 5.0 * widths).min(), (means + 5.0 * widths).max(), points)
    masses = np.full((k, points), 1e-300)
    for w, m, s in zip(weights.T, means.T, widths.T, strict=True):
        steps = (grid - m[:, None]) / s[:, None]
        masses += (w / s)[:, None] * np.exp(-0.5 * steps * steps)
    return np.asarray(masses / masses.sum(axis=1, keepdims=True))


def _cut(rng: Rng, p: Array, points: int) -> Array:
    """p(i | y) of a wave of y, with normal noise, cut into levels, as counts and grades are."""
    signal, noise = _waves(rng, 1, points)[0], _NOISE.draw(rng)
    spread = noise * np.linspace(-2.0, 2.0, points)[rng.permutation(points)]
    edges = np.quantile(signal + spread, np.cumsum(p)[:-1])
    below = ndtr((edges[:, None] - signal) / noise)
    ends = np.vstack([np.zeros(points), below, np.ones(points)])
    return np.maximum(np.diff(ends, axis=0), 0.0)


def _softmax(rng: Rng, p: Array, points: int) -> Array:
    """p(i | y) whose logits are waves of y, each level's its own."""
    logits = _GAIN.draw(rng) * _waves(rng, len(p), points) + np.log(p)[:, None]
    odds = np.exp(logits - logits.max(axis=0))
    return np.asarray(odds / odds.sum(axis=0))


def _waves(rng: Rng, count: int, points: int) -> Array:
    """Sums of up to six waves of a standard number, standardised, or the number; shape (count, points)."""
    y = np.linspace(-3.5, 3.5, points)
    if count == 1 and rng.random() < 0.3:
        return y[None] if rng.random() < 0.6 else np.abs(y - rng.uniform(-1.0, 1.0))[None]
    terms = int(rng.integers(1, 7))
    frequencies = np.array([_FREQUENCY.draw(rng) for _ in range(terms)])
    waves = np.cos(frequencies[:, None] * y + rng.uniform(0.0, 2.0 * np.pi, (terms, 1)))
    signals = rng.standard_normal((count, terms)) @ waves
    signals -= signals.mean(axis=1, keepdims=True)
    return np.asarray(signals / np.maximum(signals.std(axis=1, keepdims=True), 1e-9))


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
