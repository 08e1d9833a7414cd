"""The meta-distribution: which problems the network is trained on. This page is that claim.

`draw` goes from the shape of a problem to its family to the disguises that keep its MI. Every
number stands in `ranges` and is read from there by key, so that page and exported ranges agree.
"""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, cast

import numpy as np

from mizzle.metadata_gen import dispersion as dsp
from mizzle.metadata_gen import warps as wrp
from mizzle.metadata_gen.additive import AdditiveUniformNoise
from mizzle.metadata_gen.elliptical import MultivariateNormal, MultivariateStudent
from mizzle.metadata_gen.family import Array, Family, Rng
from mizzle.metadata_gen.independent import Independent, Marginal, Noise
from mizzle.metadata_gen.operators import (
    ColumnsShuffled,
    Concatenated,
    MonotoneWarped,
    WithNuisance,
)
from mizzle.metadata_gen.ranges import (
    COLUMNS,
    LVM,
    MAX_DIM,
    MAX_FILL,
    MAX_NATS,
    MAX_RHO,
    ROWS,
    chance,
    choice,
    describe,
    real,
    reals,
    whole,
)

__all__ = ["COLUMNS", "ROWS", "describe", "draw", "draw_rows"]


def draw(rng: Rng) -> Family:
    """One problem: its shape, its family, and the disguises that keep its MI."""
    pair = chance(rng, "pair")
    if chance(rng, "independent"):
        family: Family = _independent(rng, *((1, 1) if pair else _dims(rng)))
    elif pair:
        family = _pair(rng)
    else:
        family = _mist_problem(rng) if chance(rng, "mist") else _broad_problem(rng)
    return _warped(rng, family) if chance(rng, "warped") else family


def draw_rows(rng: Rng) -> int:
    """The number of rows of a problem."""
    return whole(rng, "rows.small" if chance(rng, "rows.small") else "rows.wide")


# Shapes


def _dims(rng: Rng) -> tuple[int, int]:
    """dim_x and dim_y: equal, or independent of each other."""
    key = "dims." + choice(rng, "dims")
    dim = whole(rng, key)
    return dim, dim if key == "dims.equal" else whole(rng, key)


def _capped(build: Callable[[], Family]) -> Family:
    """The first of repeated draws with at most MAX_NATS."""
    while (family := build()).mi().nats > MAX_NATS:
        pass
    return family


# One column against one column


def _pair(rng: Rng) -> Family:
    kind = choice(rng, "pair")
    if kind == "normal":
        return MultivariateNormal(dsp.pair(_pair_rho(rng)), 1, "normal-pair")
    if kind == "additive":
        return AdditiveUniformNoise(reals(rng, "pair.eps", 1), "additive-pair")
    rho = 0.0 if chance(rng, "pair.student_rho_zero") else real(rng, "pair.student_rho")
    return MultivariateStudent(dsp.pair(rho), 1, real(rng, "pair.df"), "student-pair")


def _pair_rho(rng: Rng) -> float:
    """rho uniform, or I = -1/2 log(1 - rho^2) uniform or exponential, with a random sign."""
    kind = choice(rng, "pair.rho")
    if kind == "rho":
        return real(rng, "pair.rho")
    nats = real(rng, "pair." + kind)
    return math.copysign(math.sqrt(-math.expm1(-2.0 * nats)), rng.random() - 0.5)


# Problems of MIST's kind


def _mist_problem(rng: Rng) -> Family:
    dim_x, dim_y = _dims(rng)
    if chance(rng, "mist.equal_dims"):
        dim_x = dim_y = whole(rng, "dims.equal")
    return _capped(lambda: _mist(rng, dim_x, dim_y))


def _mist(rng: Rng, dim_x: int, dim_y: int) -> Family:
    name = choice(rng, "mist")
    if name == "additive":
        return _additive(rng, dim_x, dim_y, reals(rng, "mist.eps", min(dim_x, dim_y)))
    law, kind = name.split("-")
    matrix = _mist_dispersion(rng, kind, dim_x, dim_y)
    if law == "student":
        return MultivariateStudent(matrix, dim_x, real(rng, "mist.df"), name)
    return MultivariateNormal(matrix, dim_x, name)


def _mist_dispersion(rng: Rng, kind: str, dim_x: int, dim_y: int) -> Array:
    most = min(dim_x, dim_y)
    if kind == "dense":
        return dsp.dense(dim_x + dim_y, real(rng, "mist.off_diag"))
    if kind == "2pair":  # one pair where a side has one column
        return dsp.sparse(dim_x, dim_y, min(2, most), real(rng, "mist.strength"))
    k = whole(rng, "mist.n_interacting", most)
    if kind == "sparse":
        return dsp.sparse(dim_x, dim_y, k, real(rng, "mist.strength"))
    return dsp.latent_variable(dim_x, dim_y, k, *(real(rng, "mist." + p) for p in LVM))


# Broad problems


def _broad_problem(rng: Rng) -> Family:
    dim_x, dim_y = _dims(rng)
    family = _capped(lambda: _broad(rng, dim_x, dim_y, choice(rng, "broad")))
    if chance(rng, "nuisance"):
        extra_x, extra_y = (_extra(rng, MAX_DIM - d) for d in (dim_x, dim_y))
        family = WithNuisance(family, extra_x, extra_y)
    if chance(rng, "shuffled"):
        orders = (rng.permutation(d) for d in (family.dim_x, family.dim_y))
        family = ColumnsShuffled(family, *orders)
    return family


def _broad(rng: Rng, dim_x: int, dim_y: int, kind: str) -> Family:
    most = min(dim_x, dim_y)
    if kind == "concatenated" and most > 1:
        return _concatenated(rng, dim_x, dim_y)
    if kind == "additive":
        eps = reals(rng, "broad.eps", whole(rng, "broad.coupled", most))
        return _additive(rng, dim_x, dim_y, eps)
    if kind == "student-identity":
        return MultivariateStudent(np.eye(dim_x + dim_y), dim_x, real(rng, "broad.df"), kind)
    kind = "canonical" if kind == "concatenated" else kind  # a single column has no parts
    matrix = _broad_dispersion(rng, kind, dim_x, dim_y)
    if chance(rng, "broad.student"):
        return MultivariateStudent(matrix, dim_x, real(rng, "broad.df"), "student-" + kind)
    return MultivariateNormal(matrix, dim_x, "normal-" + kind)


def _broad_dispersion(rng: Rng, kind: str, dim_x: int, dim_y: int) -> Array:
    if kind == "canonical":
        return _canonical(rng, dim_x, dim_y)
    if kind == "factor":
        return _factors(rng, dim_x, dim_y)
    if kind == "dense":
        return dsp.dense(dim_x + dim_y, real(rng, "broad.off_diag"))
    k = whole(rng, "broad.n_interacting", min(dim_x, dim_y))
    if kind == "sparse":
        return dsp.sparse(dim_x, dim_y, k, real(rng, "broad.strength"))
    return dsp.latent_variable(dim_x, dim_y, k, *(real(rng, "broad." + p) for p in LVM))


def _canonical(rng: Rng, dim_x: int, dim_y: int) -> Array:
    mix_x, mix_y = (dsp.random_mixing(rng, reals(rng, "canonical.scales", d)) for d in (dim_x, dim_y))
    return dsp.canonical(_canonical_rho(rng, min(dim_x, dim_y)), mix_x, mix_y)


def _canonical_rho(rng: Rng, most: int) -> Array:
    """Correlations of 1..most pairs that share a target MI: rho_i^2 = 1 - exp(-2 I_i) <= MAX_RHO^2.

    The shares I_i / I are Dirichlet, pulled towards equal ones as far as MAX_RHO demands.
    """
    cap = -0.5 * math.log1p(-(MAX_RHO**2))
    room = MAX_FILL * cap  # nats per pair on average, which leaves the shares some play
    nats = real(rng, "canonical.nats_tail" if chance(rng, "canonical.tail") else "canonical.nats")
    nats = nats if nats < room * most else room * most * rng.random()
    k = max(whole(rng, "canonical.pairs", most), math.ceil(nats / room))
    shares = rng.standard_gamma(real(rng, "canonical.evenness"), k)
    shares /= shares.sum()
    excess = float(shares.max()) - cap / max(nats, 1e-9)
    if excess > 0.0:
        pull = excess / (float(shares.max()) - 1.0 / k)
        shares += (pull + (1.0 - pull) * rng.random()) * (1.0 / k - shares)
    return np.sqrt(-np.expm1(-2.0 * nats * shares))


def _factors(rng: Rng, dim_x: int, dim_y: int) -> Array:
    """A factor model; with dim_y = 0 a correlation matrix inside X alone."""
    factors = whole(rng, "factor.factors")
    gain_x, gain_y = (reals(rng, "factor.gain", factors) for _ in range(2))
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
    """Two or three smaller problems of any family, whose columns add up to the given ones."""
    parts = whole(rng, "concatenated.parts", min(dim_x, dim_y))
    dims = zip(_composition(rng, dim_x, parts), _composition(rng, dim_y, parts), strict=True)
    return Concatenated([_part(rng, *d) for d in dims], "concatenated")


def _part(rng: Rng, dim_x: int, dim_y: int) -> Family:
    if chance(rng, "mist"):
        return _mist(rng, dim_x, dim_y)
    while (kind := choice(rng, "broad")) == "concatenated":
        pass
    return _broad(rng, dim_x, dim_y, kind)


def _composition(rng: Rng, total: int, parts: int) -> list[int]:
    """A uniformly random way to write total as a sum of `parts` positive integers."""
    cuts = np.sort(rng.choice(total - 1, parts - 1, replace=False)) + 1
    return [int(d) for d in np.diff(cuts, prepend=0, append=total)]


# Columns without a partner, and disguises


def _independent(rng: Rng, dim_x: int, dim_y: int) -> Family:
    return Independent(_noise(rng, dim_x), _noise(rng, dim_y))


def _noise(rng: Rng, dim: int) -> Noise:
    marginal = cast(Marginal, choice(rng, "noise.marginal"))
    matrix = np.eye(dim) if chance(rng, "noise.plain") else _factors(rng, dim, 0)
    return Noise(matrix, marginal, real(rng, "noise.df"))


def _extra(rng: Rng, room: int) -> Noise | None:
    if room < 1 or not chance(rng, "nuisance.side"):
        return None
    return _noise(rng, whole(rng, "nuisance.columns", room))


def _warped(rng: Rng, family: Family) -> Family:
    light = isinstance(family, MultivariateNormal | AdditiveUniformNoise)
    warps_x, warps_y = ([_warp(rng, light) for _ in range(d)] for d in (family.dim_x, family.dim_y))
    return MonotoneWarped(family, warps_x, warps_y)


def _warp(rng: Rng, light_tails: bool) -> wrp.Warp:
    """A strictly monotone map; those that saturate or explode only on light tails."""
    kind = choice(rng, "warp.light_tails" if light_tails else "warp")
    if kind == "affine":
        return wrp.Affine(math.copysign(real(rng, "warp.scale"), rng.random() - 0.5))
    if kind == "power":
        return wrp.SignedPower(real(rng, "warp.power"))
    return _wiggly(rng) if kind == "wiggly" else PLAIN_WARPS[kind]


def _wiggly(rng: Rng) -> wrp.Warp:
    """Three waves that share the slope sum |a b| < 1."""
    slopes = rng.dirichlet((1.0, 1.0, 1.0)) * real(rng, "wiggly.slope")
    frequencies, phases = reals(rng, "wiggly.frequency", 3), reals(rng, "wiggly.phase", 3)
    waves = np.column_stack([slopes / frequencies, frequencies, phases]).tolist()
    return wrp.Wiggly(tuple((a, b, c) for a, b, c in waves))


PLAIN_WARPS: Final[Mapping[str, wrp.Warp]] = MappingProxyType(
    {
        "asinh": wrp.Asinh(),
        "sinh": wrp.Sinh(),
        "exp": wrp.Exponential(),
        "cdf": wrp.NormalCdf(),
        "logistic": wrp.Logistic(),
    }
)
