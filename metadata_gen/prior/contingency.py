"""The prior over contingency tables, and over the probabilities of levels."""

import numpy as np

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.families.contingency import ContingencyTable
from mizzle.metadata_gen.family import Array, Rng
from mizzle.metadata_gen.prior.draws import chance, choice, real, reals, whole
from mizzle.metadata_gen.prior.ranges import MIN_LEVEL


def table(rng: Rng, levels: str = "table.levels") -> ContingencyTable:
    """A contingency table, whose numbers of levels come from this key of INTEGERS."""
    levels_x, levels_y = whole(rng, levels), whole(rng, levels)
    return random_table(rng, levels_x, levels_y, real(rng, "table.evenness"), real(rng, "table.coupling"))


def any_table(rng: Rng) -> ContingencyTable:
    """Two columns of yes and no, two of which one has two or three levels, or two of any."""
    kind = choice(rng, "table")
    if kind == "binary":
        return binary_table(rng)
    if kind == "any":
        return table(rng)
    levels = whole(rng, "table.small_levels"), whole(rng, "table.levels")
    x, y = levels if rng.random() < 0.5 else levels[::-1]
    return random_table(rng, x, y, real(rng, "levels.evenness"), real(rng, "table.any_coupling"))


def binary_table(rng: Rng) -> ContingencyTable:
    """Two events with any marginals, rare ones too, which go together or exclude each other.

    P(both) = p q + c (m - p q), with m the largest or the smallest that the marginals p and q allow.
    """
    rates = reals(rng, "table.rare_rate" if chance(rng, "table.rare") else "table.rate", 2)
    p, q = np.abs(rng.integers(2, size=2) - rates).tolist()
    extreme = min(p, q) if rng.random() < 0.6 else max(0.0, p + q - 1.0)
    both = p * q + real(rng, "table.any_coupling") * (extreme - p * q)
    cells = np.array([[1.0 - p - q + both, q - both], [p - both, both]])
    return ContingencyTable(np.maximum(cells, 0.0))


def random_table(
    rng: Rng, levels_x: int, levels_y: int, concentration: float, coupling: float
) -> ContingencyTable:
    """(1 - coupling) p q^T + coupling J, where J has the marginals p and q and depends in one of three ways.

    J is, at equal odds, the matching of randomly ordered levels, Dirichlet cells, or a mixture of 2 to 4
    classes within which X and Y are independent.

    Args:
        concentration: of the Dirichlet laws; below 1 uneven, far above 1 nearly equal.
        coupling: 0 is independence, 1 is J itself.

    Raises:
        InvalidInput: coupling is not in [0, 1].
    """
    if not 0.0 <= coupling <= 1.0:
        raise InvalidInput(f"coupling is {coupling}; it must lie in [0, 1]")
    kind = rng.integers(3)
    if kind == 0:
        coupled = _matched(rng, levels_x, levels_y, concentration)
    elif kind == 1:
        cells = rng.dirichlet(np.full(levels_x * levels_y, concentration)).reshape(levels_x, levels_y)
        coupled = (1.0 - MIN_LEVEL) * cells + MIN_LEVEL / cells.size
    else:
        coupled = _classes(rng, levels_x, levels_y, concentration)
    product = np.outer(coupled.sum(axis=1), coupled.sum(axis=0))
    return ContingencyTable((1.0 - coupling) * product + coupling * coupled)


def random_levels(rng: Rng, levels: int, concentration: float) -> Array:
    """Dirichlet probabilities, shape (levels,), each at least MIN_LEVEL / levels."""
    drawn = rng.dirichlet(np.full(levels, concentration))
    return np.asarray((1.0 - MIN_LEVEL) * drawn + MIN_LEVEL / levels)


def _matched(rng: Rng, levels_x: int, levels_y: int, concentration: float) -> Array:
    """X and Y as one uniform number sees them that is cut into either's levels: Y's most probable partner."""
    of_x, of_y = (random_levels(rng, k, concentration) for k in (levels_x, levels_y))
    ends_x, ends_y = (np.minimum(np.cumsum(p), 1.0) for p in (of_x, of_y))
    overlap = np.minimum.outer(ends_x, ends_y) - np.maximum.outer(ends_x - of_x, ends_y - of_y)
    return np.asarray(np.maximum(overlap, 0.0)[rng.permutation(levels_x)])


def _classes(rng: Rng, levels_x: int, levels_y: int, concentration: float) -> Array:
    """sum_h r_h p(x|h) p(y|h): a table of low rank."""
    share = random_levels(rng, int(rng.integers(2, 5)), concentration)
    of_x, of_y = (
        np.array([random_levels(rng, k, concentration) for _ in share]) for k in (levels_x, levels_y)
    )
    return np.asarray(np.einsum("h,hx,hy->xy", share, of_x, of_y))
