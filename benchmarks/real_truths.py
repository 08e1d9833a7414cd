"""Mutual information by quadrature for the problems of `real_laws.py`; all in nats.

Every function is a sum over a grid of one or two variables, whose error is far below .001.
"""

from typing import Any

import numpy as np
from scipy import optimize, special  # type: ignore[import-untyped]
from scores import Floats

REACH = 9.0  # standard deviations beyond which a normal density counts as 0
_LOG_REACH = 16.0  # asinh of the largest value in the integrals of heavy tails
_PANELS = 8
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)


def table(joint: Floats) -> float:
    """I of two labels whose joint probabilities are `joint`, shape (levels of x, levels of y)."""
    independent = np.outer(joint.sum(axis=1), joint.sum(axis=0))
    return float(special.rel_entr(joint, independent).sum())


def symmetric_channel(levels: int, error: float) -> float:
    """I of a uniform label and what is another of the `levels` with probability `error`."""
    wrong = np.full(levels - 1, error / (levels - 1))
    return float(np.log(levels) - special.entr(np.append(wrong, 1.0 - error)).sum())


def classes(shares: Floats, densities: Floats, step: float) -> float:
    """I of a label and a number: sum_c p_c int f_c log(f_c / f).

    Args:
        shares: (c,), probabilities of the classes.
        densities: (c, m), density of the number in every class on a grid of m points.
        step: distance of two points.
    """
    return float(step * (shares @ special.rel_entr(densities, shares @ densities).sum(axis=1)))


def normal_classes(shares: Floats, means: Floats, deviations: Floats) -> float:
    """I of a label and a number that is normal in every class; all of shape (c,)."""
    grid, step = _grid(means, deviations)
    return classes(shares, _normal(grid, means, deviations), step)


def concentric_classes(shares: Floats, deviations: Floats, columns: int) -> float:
    """I of a label and `columns` normal columns whose common deviation it decides.

    The radius tells as much as the columns; r / deviation has a chi distribution.
    """
    reach = np.sqrt(columns) + REACH
    grid = np.linspace(0.0, reach * deviations.max(), 20_001)[1:]
    return classes(shares, _chi(grid / deviations[:, None], columns) / deviations[:, None], grid[0])


def hidden_classes(shares: Floats, means: Floats, deviations: Floats) -> float:
    """I of two numbers that are independent and normal in every class of an unseen label.

    Args:
        shares: (c,); means, deviations: (2, c), of either number in every class.
    """
    (x, step_x), (y, step_y) = (_grid(m, s, 4.0) for m, s in zip(means, deviations, strict=True))
    in_x, in_y = _normal(x, means[0], deviations[0]), _normal(y, means[1], deviations[1])
    joint = (shares[:, None] * in_x).T @ in_y
    return float(special.rel_entr(joint, np.outer(shares @ in_x, shares @ in_y)).sum() * step_x * step_y)


def intercept(share: float, slope: float) -> float:
    """The a for which an event of probability 1 / (1 + exp(-a - slope z)), z normal, has this share."""
    density, z, step = _standard_normal()

    def excess(a: float) -> float:
        return float(step * density @ special.expit(a + slope * z)) - share

    return float(optimize.brentq(excess, -60.0, 60.0))


def logit_event(intercept: float, slope: float) -> float:
    """I of a normal z and an event of probability 1 / (1 + exp(-intercept - slope z))."""
    density, z, step = _standard_normal()
    chance = special.expit(intercept + slope * z)
    rates = np.stack([chance, special.expit(-intercept - slope * z)])
    rest = step * special.entr(rates).sum(axis=0) @ density
    return float(special.entr(step * rates @ density).sum() - rest)


def wrapped_normal(deviation: float) -> float:
    """I of a uniform angle and the same plus normal noise, modulo 2 pi: log(2 pi) - h(wrapped noise)."""
    angles = np.linspace(-np.pi, np.pi, 4096, endpoint=False)
    centres = 2.0 * np.pi * np.linspace(-8.0, 8.0, 17)
    density = _normal(angles, centres, np.full(17, deviation)).sum(axis=0)
    return float(np.log(2.0 * np.pi) - special.entr(density).mean() * 2.0 * np.pi)


def radius(columns: int, noise: float) -> float:
    """I of standard normal columns and their length plus normal noise: h(length + noise) - h(noise)."""
    step = min(0.02, noise / 8.0)
    middle = np.sqrt(columns)
    lengths = np.arange(max(step, middle - REACH), middle + REACH, step)
    values = np.arange(lengths[0] - REACH * noise, lengths[-1] + REACH * noise, step)
    density = _normal(values, lengths, np.full(len(lengths), noise)).T @ _chi(lengths, columns) * step
    return float(special.entr(density).sum() * step - 0.5 * np.log(2.0 * np.pi * np.e * noise**2))


def additive(law: Any, scale: float) -> float:
    """I(X; X + scale N) = h(X + scale N) - h(scale N) for X and N of the same symmetric law.

    Args:
        law: a frozen distribution of scipy.stats, centred at 0, with `pdf` and `entropy`.
    """
    # y = sinh(v): tails of every power become exponential, and the sum in v is even and smooth.
    v = np.linspace(0.0, _LOG_REACH, 401)
    y = np.sinh(v)
    density = _half_convolution(law, y, 1.0, scale) + _half_convolution(law, y, scale, 1.0)
    terms = special.entr(density) * np.cosh(v)
    return float(2.0 * np.trapezoid(terms, v) - law.entropy() - np.log(scale))


def _half_convolution(law: Any, y: Floats, own: float, other: float) -> Floats:
    """P(own A + other B in dy, own A < y / 2) / dy for A, B of one symmetric law, at every y >= 0."""
    ends = np.arcsinh(y / 2.0 / own)[:, None]
    share = np.linspace(0.0, 1.0, _PANELS // 2 + 1)
    edges = np.hstack(
        [np.broadcast_to(_LOG_REACH * (share[:-1] - 1.0), (len(y), len(share) - 1)), ends * share]
    )
    half = np.diff(edges)[..., None] / 2.0
    w = (edges[:, :-1, None] + half) + half * _NODES
    a = np.sinh(w)
    inner = law.pdf(a) * np.cosh(w) * law.pdf((y[:, None, None] - own * a) / other) / other
    sums: Floats = (inner * half * _WEIGHTS).sum(axis=(1, 2))
    return sums


def _grid(means: Floats, deviations: Floats, fine: float = 12.0) -> tuple[Floats, float]:
    """Points with `fine` steps to the smallest deviation, over all that any class reaches; and the step."""
    step = float(deviations.min()) / fine
    low, high = (means - REACH * deviations).min(), (means + REACH * deviations).max()
    return np.arange(low, high, step), step


def _normal(grid: Floats, means: Floats, deviations: Floats) -> Floats:
    """Normal densities, shape (c, m)."""
    z = (grid - means[:, None]) / deviations[:, None]
    densities: Floats = np.exp(-0.5 * np.square(z)) / (np.sqrt(2.0 * np.pi) * deviations[:, None])
    return densities


def _standard_normal() -> tuple[Floats, Floats, float]:
    """Density, points, and their distance."""
    z, step = _grid(np.zeros(1), np.ones(1), 50.0)
    return _normal(z, np.zeros(1), np.ones(1))[0], z, step


def _chi(r: Floats, columns: int) -> Floats:
    """Density of the length of `columns` independent standard normals."""
    half = columns / 2.0
    log_density = (columns - 1.0) * np.log(r) - np.square(r) / 2.0 - (half - 1.0) * np.log(2.0)
    density: Floats = np.exp(log_density - special.gammaln(half))
    return density
