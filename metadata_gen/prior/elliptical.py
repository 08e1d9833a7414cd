"""The prior over normals, Students and additive noise: MIST's kinds, and broader ones."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from mizzle.metadata_gen import dispersion as dsp
from mizzle.metadata_gen.families.additive import (
    AdditiveNoise,
    AdditiveUniformNoise,
    HyperbolicSecant,
    Logistic,
    Normal,
    NormalWithOutliers,
    Slash,
    Student,
    SymmetricLaw,
)
from mizzle.metadata_gen.families.elliptical import MultivariateNormal, MultivariateStudent
from mizzle.metadata_gen.families.independent import Noise
from mizzle.metadata_gen.families.operators import Concatenated, Swapped, WithNuisance
from mizzle.metadata_gen.family import Array, Family, Rng
from mizzle.metadata_gen.prior.draws import chance, choice, real, reals, whole
from mizzle.metadata_gen.prior.ranges import LVM, MAX_FILL, MAX_PAIR_NATS, MAX_RHO

# One column against one column


def normal_pair(rng: Rng) -> Family:
    """A normal pair with rho from `pair_rho`."""
    return MultivariateNormal(dsp.pair(pair_rho(rng)), 1, "normal-pair")


def student_pair(rng: Rng) -> Family:
    """A Student pair, without correlation now and then: its tails depend all the same."""
    rho = 0.0 if chance(rng, "student.rho_zero") else real(rng, "student.rho")
    return MultivariateStudent(dsp.pair(rho), 1, real(rng, "student.df"), "student-pair")


def additive_pair(rng: Rng) -> Family:
    """A uniform column with uniform noise."""
    return AdditiveUniformNoise(reals(rng, "pair.eps", 1), "additive-pair")


def pair_rho(rng: Rng) -> float:
    """A correlation: rho uniform, or I = -1/2 log(1 - rho^2) uniform or exponential, with a random sign."""
    kind = choice(rng, "pair.rho")
    if kind == "rho":
        return real(rng, "pair.rho")
    nats = real(rng, "pair." + kind.replace("-", "_"))
    return math.copysign(math.sqrt(-math.expm1(-2.0 * nats)), rng.random() - 0.5)


# Heavy tails


def heavy(rng: Rng, dim_x: int, dim_y: int) -> Family:
    """One to three columns, and the same with noise, both of laws that are drawn once; either may be X."""
    law = _law(rng)
    noise = law if chance(rng, "heavy.alike") else _law(rng)
    count = whole(rng, "heavy.pairs", min(dim_x, dim_y))
    pairs = [AdditiveNoise(law, noise, real(rng, "heavy.scale")) for _ in range(count)]
    family = pairs[0] if count == 1 else Concatenated(pairs, "heavy")
    return family if rng.random() < 0.5 else Swapped(family)


def _law(rng: Rng) -> SymmetricLaw:
    kind = choice(rng, "heavy.law")
    if kind == "student":
        return Student(real(rng, "heavy.df"))
    return NormalWithOutliers(real(rng, "heavy.outliers")) if kind == "outliers" else _FIXED_LAWS[kind]


_FIXED_LAWS: Final[Mapping[str, SymmetricLaw]] = MappingProxyType(
    {
        "normal": Normal(),
        "logistic": Logistic(),
        "secant": HyperbolicSecant(),
        "slash": Slash(),
    }
)


# MIST's kinds


def mist(rng: Rng, dim_x: int, dim_y: int) -> Family:
    """A problem of MIST's generator, also for unequal numbers of columns (arXiv 2511.18945, appendix)."""
    name = choice(rng, "mist")
    if name == "additive":
        return _additive(rng, dim_x, dim_y, reals(rng, "mist.eps", min(dim_x, dim_y)))
    law, kind = name.split("-")
    matrix = _mist_dispersion(rng, kind, dim_x, dim_y)
    if law == "student":
        return MultivariateStudent(matrix, dim_x, real(rng, "mist.df"), name)
    return MultivariateNormal(matrix, dim_x, name)


def _mist_dispersion(rng: Rng, kind: str, dim_x: int, dim_y: int) -> Array:
    max_pairs = min(dim_x, dim_y)
    if kind == "dense":
        return dsp.dense(dim_x + dim_y, real(rng, "mist.off_diag"))
    if kind == "2pair":  # one pair where a side has one column
        return dsp.sparse(dim_x, dim_y, min(2, max_pairs), real(rng, "mist.strength"))
    k = whole(rng, "mist.n_interacting", max_pairs)
    if kind == "sparse":
        return dsp.sparse(dim_x, dim_y, k, real(rng, "mist.strength"))
    return dsp.latent_variable(dim_x, dim_y, k, *(real(rng, "mist." + p) for p in LVM))


# Normal pairs of uneven strengths


def rotated(rng: Rng, dim_x: int, dim_y: int) -> Family:
    """Normal pairs of uneven strengths, often as many as there can be, each side rotated at random."""
    max_pairs = min(dim_x, dim_y)
    pairs = max_pairs if chance(rng, "rotated.all_pairs") else whole(rng, "rotated.pairs", max_pairs)
    nats = real(rng, "rotated.nats_tail" if chance(rng, "rotated.tail") else "rotated.nats")
    rho = shared_rho(rng, nats, pairs, real(rng, "rotated.evenness"))
    rotations = (dsp.random_rotation(rng, dim) for dim in (dim_x, dim_y))
    return MultivariateNormal(dsp.canonical(rho, *rotations), dim_x, "normal-rotated")


def shared_rho(rng: Rng, nats: float, pairs: int, evenness: float) -> Array:
    """Correlations of pairs that share this MI: rho_i^2 = 1 - exp(-2 I_i), shape (pairs,).

    The shares I_i / I are Dirichlet with this concentration, and no I_i exceeds MAX_PAIR_NATS.
    """
    shares = rng.dirichlet(np.full(pairs, evenness))
    return np.sqrt(-np.expm1(-2.0 * np.minimum(nats * shares, MAX_PAIR_NATS)))


# Broader ones


def broad(rng: Rng, dim_x: int, dim_y: int) -> Family:
    """A normal or Student on a random dispersion, additive noise, or several of them side by side."""
    kind = choice(rng, "broad")
    max_pairs = min(dim_x, dim_y)
    if kind == "concatenated" and max_pairs > 1:
        return _concatenated(rng, dim_x, dim_y)
    if kind == "additive":
        eps = reals(rng, "broad.eps", whole(rng, "broad.coupled", max_pairs))
        return _additive(rng, dim_x, dim_y, eps)
    if kind == "student-identity":
        return MultivariateStudent(np.eye(dim_x + dim_y), dim_x, real(rng, "broad.df"), kind)
    kind = "canonical" if kind == "concatenated" else kind  # a single column has no parts
    return elliptical(rng, kind, dim_x, dim_y)


def elliptical(rng: Rng, kind: str, dim_x: int, dim_y: int) -> Family:
    """A normal or a Student on a dispersion of this kind."""
    matrix = _dispersion(rng, kind, dim_x, dim_y)
    if chance(rng, "broad.student"):
        return MultivariateStudent(matrix, dim_x, real(rng, "broad.df"), "student-" + kind)
    return MultivariateNormal(matrix, dim_x, "normal-" + kind)


def _dispersion(rng: Rng, kind: str, dim_x: int, dim_y: int) -> Array:
    dim = dim_x + dim_y
    if kind == "canonical":
        mixes = (canonical_mixing(rng, d) for d in (dim_x, dim_y))
        return dsp.canonical(canonical_rho(rng, min(dim_x, dim_y)), *mixes)
    if kind == "matched":
        return dsp.canonical(canonical_rho(rng, min(dim_x, dim_y)), np.eye(dim_x), np.eye(dim_y))
    if kind == "factor":
        return factors(rng, dim_x, dim_y)
    if kind == "dense":
        return dsp.dense(dim, real(rng, "broad.off_diag"))
    if kind == "toeplitz":
        return dsp.toeplitz(real(rng, "broad.toeplitz"), _order(rng, dim))
    if kind == "block":
        k = whole(rng, "broad.blocks", dim)
        return dsp.blocks(_order(rng, dim) * k // dim, reals(rng, "broad.off_diag", k))
    k = whole(rng, "broad.n_interacting", min(dim_x, dim_y))
    if kind == "sparse":
        return dsp.sparse(dim_x, dim_y, k, real(rng, "broad.strength"))
    return dsp.latent_variable(dim_x, dim_y, k, *(real(rng, "broad." + p) for p in LVM))


def _order(rng: Rng, dim: int) -> dsp.Order:
    return rng.permutation(dim) if chance(rng, "broad.dealt") else np.arange(dim)


def canonical_mixing(rng: Rng, dim: int) -> Array:
    """A mixing of a side's columns, some stronger than others."""
    return dsp.random_mixing(rng, reals(rng, "canonical.scales", dim))


def canonical_rho(rng: Rng, max_pairs: int, nats: float | None = None) -> Array:
    """Correlations of 1 to max_pairs pairs that share a target MI: rho_i^2 = 1 - exp(-2 I_i) <= MAX_RHO^2.

    The shares I_i / I are Dirichlet, pulled towards equal ones as far as MAX_RHO demands.

    Args:
        nats: the target; None draws it, and more than MAX_RHO allows is drawn again.
    """
    cap = -0.5 * math.log1p(-(MAX_RHO**2))
    room = MAX_FILL * cap  # nats per pair on average, which leaves the shares some play
    nats = real(rng, _canonical_law(rng)) if nats is None else nats
    nats = nats if nats < room * max_pairs else room * max_pairs * rng.random()
    k = max(whole(rng, "canonical.pairs", max_pairs), math.ceil(nats / room))
    shares = rng.standard_gamma(real(rng, "canonical.evenness"), k)
    shares /= shares.sum()
    excess = float(shares.max()) - cap / max(nats, 1e-9)
    if excess > 0.0:
        pull = excess / (float(shares.max()) - 1.0 / k)
        shares += (pull + (1.0 - pull) * rng.random()) * (1.0 / k - shares)
    return np.sqrt(-np.expm1(-2.0 * nats * shares))


def _canonical_law(rng: Rng) -> str:
    """Much information in one draw of twenty; little, as many columns often share, in two of five."""
    if chance(rng, "canonical.tail"):
        return "canonical.nats_tail"
    return "canonical.nats_weak" if chance(rng, "canonical.weak") else "canonical.nats"


def factors(rng: Rng, dim_x: int, dim_y: int) -> Array:
    """The correlations of a random factor model; with dim_y = 0 inside X alone, shape (d, d)."""
    count = whole(rng, "factor.factors")
    gain_x, gain_y = (reals(rng, "factor.gain", count) for _ in range(2))
    noise = reals(rng, "factor.noise", dim_x + dim_y)
    return dsp.random_factor_model(rng, dim_x, dim_y, gain_x, gain_y, noise)


def _additive(rng: Rng, dim_x: int, dim_y: int, eps: Array) -> Family:
    """Coupled coordinates, then uniform columns without a partner until the sides are full."""
    family = AdditiveUniformNoise(eps)
    rest = [dim - len(eps) for dim in (dim_x, dim_y)]
    if not any(rest):
        return family
    return WithNuisance(family, *(Noise(np.eye(d), "uniform") if d else None for d in rest))


def _concatenated(rng: Rng, dim_x: int, dim_y: int) -> Family:
    """Two or three smaller problems, whose columns add up to the given ones."""
    parts = whole(rng, "concatenated.parts", min(dim_x, dim_y))
    dims = zip(composition(rng, dim_x, parts), composition(rng, dim_y, parts), strict=True)
    draws = [(mist if rng.random() < 0.5 else broad)(rng, *d) for d in dims]
    return Concatenated(draws, "concatenated")


def composition(rng: Rng, total: int, parts: int) -> list[int]:
    """A uniformly random way to write total as a sum of `parts` positive integers."""
    cuts = np.sort(rng.choice(total - 1, parts - 1, replace=False)) + 1
    return [int(d) for d in np.diff(cuts, prepend=0, append=total)]
