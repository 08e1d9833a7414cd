"""Every number of the meta-distribution, as frozen data: `prior` draws from it, weights carry it.

A key reads family.parameter. MIST-like ranges are those of MIST's generator (arXiv 2511.18945).
"""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mizzle.metadata_gen.family import Array, Rng
from mizzle.metadata_gen.laws import (
    Exponential,
    IntegerLaw,
    Integers,
    LogIntegers,
    LogUniform,
    Mix,
    RealLaw,
    Uniform,
    as_data,
)

MAX_NATS: Final = 40.0  # what lies above is drawn again
MAX_DIM: Final = 64  # columns of one side
ROWS: Final = (10, 2000)
COLUMNS: Final = (1, MAX_DIM)
MAX_RHO: Final = 0.999  # of the canonical correlations
MAX_FILL: Final = 0.9  # mean nats per canonical pair, as a share of what MAX_RHO allows


def _evenly(*labels: str) -> Mix:
    return Mix(tuple((label, 1.0) for label in labels))


CHANCES: Final[Mapping[str, float]] = MappingProxyType(
    {
        "rows.small": 0.5,
        "pair": 0.28,
        "independent": 0.07,
        "mist": 0.5,
        "mist.equal_dims": 0.25,  # MIST's own dims; else as everywhere
        "pair.student_rho_zero": 0.15,
        "broad.student": 0.35,
        "canonical.tail": 0.05,
        "nuisance": 0.1,
        "nuisance.side": 0.7,
        "noise.plain": 0.3,  # no dependence inside a side
        "shuffled": 0.5,
        "warped": 0.1,
    }
)

MIXES: Final[Mapping[str, Mix]] = MappingProxyType(
    {
        "dims": Mix((("equal", 0.60), ("free", 0.25), ("large", 0.15))),
        "pair": Mix((("normal", 0.45), ("student", 0.25), ("additive", 0.30))),
        "pair.rho": Mix((("rho", 0.4), ("nats_exponential", 0.3), ("nats_uniform", 0.3))),
        "mist": Mix(
            (
                ("normal-dense", 1.0),
                ("normal-sparse", 1.0),
                ("normal-lvm", 1.0),
                ("normal-2pair", 0.8),
                ("student-dense", 1.0),
                ("student-sparse", 1.5),
                ("student-2pair", 0.8),
                ("additive", 2.5),  # its bounded noise is the hardest of these to read off
            )
        ),
        "broad": Mix(
            (
                ("canonical", 0.30),
                ("factor", 0.20),
                ("dense", 0.08),
                ("sparse", 0.06),
                ("lvm", 0.08),
                ("additive", 0.08),
                ("student-identity", 0.06),
                ("concatenated", 0.14),
            )
        ),
        "noise.marginal": Mix((("normal", 0.5), ("student", 0.35), ("uniform", 0.15))),
        "warp": _evenly("affine", "power", "asinh", "wiggly"),
        "warp.light_tails": _evenly("affine", "power", "asinh", "wiggly", "sinh", "exp", "cdf", "logistic"),
    }
)

INTEGERS: Final[Mapping[str, IntegerLaw]] = MappingProxyType(
    {
        "rows.small": Integers(10, 500),
        "rows.wide": LogIntegers(*ROWS),
        "dims.equal": Integers(2, 32),
        "dims.free": LogIntegers(1, 32),
        "dims.large": LogIntegers(*COLUMNS),
        "mist.n_interacting": Integers(1, MAX_DIM),  # at most min(dim_x, dim_y)
        "broad.n_interacting": LogIntegers(1, MAX_DIM),  # at most min(dim_x, dim_y)
        "broad.coupled": LogIntegers(1, MAX_DIM),  # additive coordinates, at most min of dims
        "factor.factors": LogIntegers(1, 8),
        "canonical.pairs": LogIntegers(1, MAX_DIM),  # at most min(dim_x, dim_y)
        "concatenated.parts": Integers(2, 3),
        "nuisance.columns": LogIntegers(1, 8),  # at most what MAX_DIM leaves
    }
)

REALS: Final[Mapping[str, RealLaw]] = MappingProxyType(
    {
        "pair.rho": Uniform(-0.9999, 0.9999),
        "pair.nats_uniform": Uniform(0.0, 4.2),
        "pair.nats_exponential": Exponential(0.7, 4.2),
        "pair.student_rho": Uniform(-0.99, 0.99),
        "pair.df": LogUniform(0.8, 30.0),
        "pair.eps": LogUniform(0.01, 5.0),
        "mist.off_diag": Uniform(0.0, 0.5),
        "mist.strength": Uniform(0.1, 5.0),
        "mist.alpha": Uniform(0.0, 1.0),
        "mist.lambda": Uniform(0.1, 3.0),
        "mist.beta": Uniform(0.0, 1.5),
        "mist.eta": Uniform(0.1, 5.0),
        "mist.df": Uniform(1.0, 10.0),
        "mist.eps": Uniform(0.1, 2.0),
        "broad.off_diag": Uniform(0.0, 0.95),
        "broad.strength": LogUniform(0.1, 8.0),
        "broad.alpha": Uniform(0.0, 2.0),
        "broad.lambda": Uniform(0.0, 4.0),
        "broad.beta": Uniform(0.0, 3.0),
        "broad.eta": Uniform(0.0, 6.0),
        "broad.df": LogUniform(1.0, 30.0),
        "broad.eps": LogUniform(0.02, 5.0),
        "factor.gain": LogUniform(0.1, 2.0),
        "factor.noise": LogUniform(0.3, 3.0),
        "canonical.nats": Uniform(0.0, 8.0),
        "canonical.nats_tail": Uniform(8.0, 30.0),
        "canonical.evenness": LogUniform(0.3, 10.0),  # Dirichlet concentration over the pairs
        "canonical.scales": LogUniform(0.2, 1.0),
        "noise.df": LogUniform(1.0, 30.0),
        "warp.scale": LogUniform(0.1, 10.0),
        "warp.power": LogUniform(1.0 / 3.0, 3.0),
        "wiggly.slope": Uniform(0.1, 0.9),  # sum |a b|, over three waves
        "wiggly.frequency": LogUniform(0.3, 5.0),
        "wiggly.phase": Uniform(0.0, 2.0 * math.pi),
    }
)

LVM: Final = ("alpha", "lambda", "beta", "eta")  # in the order of `dispersion.latent_variable`


def chance(rng: Rng, key: str) -> bool:
    """True with probability CHANCES[key]."""
    return rng.random() < CHANCES[key]


def choice(rng: Rng, key: str) -> str:
    """A label of MIXES[key]."""
    return MIXES[key].draw(rng)


def real(rng: Rng, key: str) -> float:
    """A number from REALS[key]."""
    return REALS[key].draw(rng)


def reals(rng: Rng, key: str, size: int) -> Array:
    """Independent numbers from REALS[key], shape (size,)."""
    return REALS[key].draw_many(rng, size)


def whole(rng: Rng, key: str, at_most: int | None = None) -> int:
    """An integer from INTEGERS[key], whose upper end the problem may lower."""
    return INTEGERS[key].draw(rng, at_most)


def describe() -> dict[str, object]:
    """All of it as JSON-able data, for the header of the weights."""
    return {
        "max_nats": MAX_NATS,
        "max_dim": MAX_DIM,
        "max_rho": MAX_RHO,
        "max_fill": MAX_FILL,
        "chances": dict(CHANCES),
        "mixes": {key: as_data(mix) for key, mix in MIXES.items()},
        "integers": {key: as_data(law) for key, law in INTEGERS.items()},
        "reals": {key: as_data(law) for key, law in REALS.items()},
    }
