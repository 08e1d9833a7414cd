"""The numbers of the meta-distribution, as frozen data: the prior draws from them, weights carry them.

A key reads family.parameter. CHANNELS, MAPS and LOOKS hold the parameters of channels, of maps of a side and
of looks, the other tables everything else. MIST-like ranges are those of MIST's generator (arXiv 2511.18945).
"""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from mizzle.metadata_gen.hyperpriors import (
    Exponential,
    IntegerLaw,
    Integers,
    Law,
    LogIntegers,
    LogUniform,
    Mix,
    RealLaw,
    Uniform,
    as_data,
    evenly,
    mix,
)
from mizzle.metadata_gen.prior.map_ranges import CHANNELS, LOOKS, MAPS

MAX_NATS: Final = 40.0  # what lies above is drawn again
MAX_DIM: Final = 64  # columns of one side
ROWS: Final = (10, 10_000)
COLUMNS: Final = (1, MAX_DIM)
MAX_COST: Final = 80_000  # rows x (columns + 8); larger n are kept with probability MAX_COST / cost
MAX_RHO: Final = 0.999  # of the canonical correlations
MAX_FILL: Final = 0.9  # mean nats per canonical pair, as a share of what MAX_RHO allows
MAX_MIXED: Final = 8  # columns of a mixture, both sides together
MAX_GAIN: Final = 4.0  # of counts, per standard deviation of the signal: in log rate, or in log-odds
MIN_LEVEL: Final = 0.02  # share of the uniform law in laws of levels: none of k is rarer than MIN_LEVEL / k
HIDDEN: Final = 8  # hidden units of a coupling layer
MAX_PAIR_NATS: Final = 8.0  # of one normal pair that shares the MI with others


class Limits(NamedTuple):
    """Limits of a problem.

    Attributes:
        rows: the largest number of rows.
        columns: the largest number of columns of one side.
    """

    rows: int = ROWS[1]
    columns: int = MAX_DIM


EVERYTHING: Final = Limits()


CHANCES: Final[Mapping[str, float]] = MappingProxyType(
    {
        "rows.small": 0.35,
        "bends.both": 0.5,
        "bends.again": 0.4,
        "bends.middling": 0.7,
        "rotated.all_pairs": 0.6,
        "rotated.tail": 0.07,
        "thin.equal": 0.5,  # weights of a sum, else random ones
        "mist.equal_dims": 0.45,  # MIST's own dims; else as everywhere
        "student.rho_zero": 0.15,
        "broad.student": 0.3,
        "broad.dealt": 0.5,  # columns of blocks and autoregressions in random order
        "canonical.tail": 0.05,
        "canonical.weak": 0.4,
        "mixture.separate": 0.35,  # clusters of its own on either side
        "mixture.concentric": 0.15,
        "table.rare": 0.5,  # both of two events, each at a rate of its own
        "mixture.rare": 0.2,  # one component or class has a small share
        "label.one_hot": 0.25,
        "heavy.alike": 0.6,  # the noise has X's law
        "labels.numbers": 0.45,  # against numbers; else against another label
        "embeddings.both": 0.7,  # else the other side is the label
        "embeddings.symmetric": 0.5,
        "clouds.rotated": 0.6,
        "clouds.power": 0.6,  # deviations fall as a power; else exponentially
        "binned.both": 0.5,
        "binned.rounded": 0.6,  # to equal steps; else cut anywhere
        "rounded.skewed": 0.5,
        "nuisance": 0.1,
        "nuisance.side": 0.7,
        "copies": 0.08,
        "copies.exact": 0.4,
        "mapped": 0.45,
        "mapped.side": 0.7,
        "mapped.again": 0.2,  # through a second map of its own
        "contaminated": 0.06,
        "zero_inflated": 0.04,
        "zero_inflated.shared": 0.3,
        "composed.repeated": 0.2,  # one law for all parts
        "filled": 0.5,  # up to the drawn columns
        "noise.plain": 0.3,  # no dependence inside a side
        "shuffled": 0.5,
        "warped": 0.1,
        "looks.equal": 0.4,  # as many latents on either side
        "looks.side": 0.85,
        "looks.plain": 0.5,  # latents that are normal pairs, not mixed
        "looks.again": 0.1,  # linearly widened or mixed
        "looks.before": 0.3,  # latents mapped
        "looks.mixed": 0.3,  # columns mixed
        "looks.after": 0.3,  # else mapped
        "looks.scaled": 0.5,  # columns of decoders and embeddings in units of their own
        "looks.components": 0.5,  # of decoders, profiles and expansions; of pictures always
    }
)

MIXES: Final[Mapping[str, Mix]] = MappingProxyType(
    {
        "problem": mix(
            independent=0.14, pair=0.24, mist=0.30, broad=0.18, composed=0.19,
            looks=0.23, labels=0.05, embeddings=0.05, bends=0.06, rotated=0.06, thin=0.04,
        ),
        "dims": mix(equal=0.35, free=0.25, small=0.25, large=0.15),
        "dims.bends": mix(bends=1.0),
        "dims.rotated": mix(wide_equal=0.5, wide=0.5),
        "dims.thin": mix(wide=1.0),
        "thin": mix(sum=0.2, sums=0.2, radius=0.2, distance=0.2, concentric=0.2),
        "pair": mix(
            normal=0.18, student=0.10, additive=0.12, copula=0.14, copula_mixture=0.04,
            mixture=0.08, label=0.05, channel=0.17, table=0.15, binned=0.18,
            heavy=0.08, rare=0.09, phases=0.07, independent=0.07,
        ),
        "pair.rho": mix(rho=0.4, nats_exponential=0.3, nats_uniform=0.3),
        "mist": mix(
            normal_dense=1.0, normal_sparse=1.0, normal_lvm=1.0, normal_2pair=0.8,
            student_dense=1.0, student_sparse=1.5, student_2pair=0.8, additive=1.2,
        ),
        "broad": mix(
            canonical=0.22, matched=0.17, factor=0.15, dense=0.06, sparse=0.05, lvm=0.07, block=0.07,
            toeplitz=0.05, additive=0.05, student_identity=0.05, concatenated=0.05,
        ),
        "part": mix(
            channel=0.40, mixture=0.14, label=0.08, copula=0.10, normal=0.10, additive=0.05, table=0.06,
            binned=0.14, heavy=0.06, rare=0.06, phases=0.06,
        ),
        "heavy.law": mix(student=0.55, outliers=0.15, slash=0.08, logistic=0.08, secant=0.06, normal=0.08),
        "rare": mix(**{"class": 0.4}, event=0.4, regime=0.2),
        "table": mix(binary=0.45, small=0.3, any=0.25),
        "labels.codes": mix(one_hot=0.45, dropped=0.2, renamed=0.35),
        "copula": evenly("clayton", "gumbel", "frank"),
        "copula.rotation": evenly("0", "90", "180", "270"),
        "channel.signal": mix(
            linear=0.07, tanh=0.04, features=0.19, polynomial=0.09, sine=0.08, triangle=0.05, absolute=0.05,
            square=0.06, product=0.17, xor=0.12, radius=0.08,
        ),
        "channel.signal_of_one": mix(
            linear=0.14, tanh=0.08, features=0.28, polynomial=0.14, sine=0.12, triangle=0.07, absolute=0.09,
            square=0.08,
        ),
        "channel.response": mix(
            normal=0.32, uniform=0.12, student=0.10, scaled=0.12, multiplicative=0.08,
            poisson=0.08, zero_poisson=0.04, bernoulli=0.08,
        ),
        "noise.marginal": mix(normal=0.35, student=0.2, uniform=0.1, discrete=0.1, rounded=0.25),
        "map": mix(
            rotation=0.13, mixing=0.14, spiral=0.21, coupling=0.20, swiss=0.07, arc=0.04, polar=0.04,
            shear=0.11, wave=0.06, henon=0.12, residual=0.12, triangular=0.07, post_nonlinear=0.12,
        ),
        "bend": mix(
            spiral=0.14, coupling=0.14, swiss=0.05, arc=0.04, polar=0.04, shear=0.10, wave=0.04,
            henon=0.14, residual=0.14, triangular=0.07, post_nonlinear=0.14,
        ),
        "warp": evenly("affine", "power", "asinh", "wiggly"),
        "warp.light_tails": evenly("affine", "power", "asinh", "wiggly", "sinh", "exp", "cdf", "logistic"),
    }
)  # fmt: skip

INTEGERS: Final[Mapping[str, IntegerLaw]] = MappingProxyType(
    {
        "rows.small": Integers(10, 500),
        "rows.wide": LogIntegers(*ROWS),
        "dims.equal": Integers(2, 32),
        "dims.free": LogIntegers(1, 32),
        "dims.small": Integers(1, 5),
        "dims.large": LogIntegers(*COLUMNS),
        "dims.bends": Integers(3, 8),  # room for pairs and noise
        "dims.wide": LogIntegers(2, MAX_DIM),
        "dims.wide-equal": LogIntegers(2, MAX_DIM),
        "bends.pairs": Integers(1, 5),  # at most min(dim_x, dim_y)
        "bends.noise": Integers(0, 3),
        "rotated.pairs": Integers(1, MAX_DIM),  # at most min(dim_x, dim_y)
        "thin.pairs": LogIntegers(1, 3),
        "thin.classes": Integers(2, 5),
        "mist.n_interacting": Integers(1, MAX_DIM),  # at most min(dim_x, dim_y)
        "broad.n_interacting": LogIntegers(1, MAX_DIM),  # at most min(dim_x, dim_y)
        "broad.coupled": LogIntegers(1, MAX_DIM),  # additive coordinates, at most min of dims
        "broad.blocks": LogIntegers(1, 16),
        "factor.factors": LogIntegers(1, 8),
        "repeated.copies": LogIntegers(2, 16),  # at most min(dim_x, dim_y)
        "canonical.pairs": LogIntegers(1, MAX_DIM),  # at most min(dim_x, dim_y)
        "concatenated.parts": Integers(2, 3),
        "composed.parts": LogIntegers(1, 4),
        "mixture.dims": LogIntegers(1, 7),
        "mixture.components": LogIntegers(1, 20),
        "mixture.side_components": Integers(2, 5),
        "label.classes": LogIntegers(2, 20),
        "table.levels": LogIntegers(2, 20),
        "table.small_levels": Integers(2, 3),
        "heavy.pairs": LogIntegers(1, 3),  # at most min(dim_x, dim_y)
        "rare.classes": Integers(2, 4),
        "rare.columns": LogIntegers(1, 4),
        "event.columns": LogIntegers(1, 8),
        "labels.levels": LogIntegers(2, 50),
        "labels.columns": LogIntegers(1, 3),
        "embeddings.classes": LogIntegers(2, 12),
        "clouds.columns": LogIntegers(2, 48),
        "clouds.separating": Integers(1, 9),  # columns that tell classes apart, at most one a class
        "clouds.rank": LogIntegers(2, 16),  # factors of the structure within a class
        "binned.levels": LogIntegers(2, 40),
        "rounded.levels": LogIntegers(3, 1000),  # steps within three standard deviations
        "copula_mixture.components": Integers(2, 3),
        "channel.inputs": LogIntegers(1, 4),
        "interaction.inputs": LogIntegers(2, 4),  # of signals held out, which are others for one input
        "noise.levels": LogIntegers(2, 20),
        "nuisance.columns": LogIntegers(1, 8),  # at most what the limits leave
        "copies.columns": LogIntegers(1, 4),  # at most what the limits leave
    }
)

REALS: Final[Mapping[str, RealLaw]] = MappingProxyType(
    {
        "pair.rho": Uniform(-0.9999, 0.9999),
        "pair.nats_uniform": Uniform(0.0, 4.2),
        "pair.nats_exponential": Exponential(0.7, 4.2),
        "student.rho": Uniform(-0.99, 0.99),
        "student.df": LogUniform(0.8, 30.0),
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
        "broad.toeplitz": Uniform(-0.98, 0.98),
        "factor.gain": LogUniform(0.1, 2.0),
        "factor.noise": LogUniform(0.3, 3.0),
        "canonical.nats": Uniform(0.0, 10.0),
        "canonical.nats_weak": Exponential(0.5, 10.0),
        "canonical.nats_tail": Uniform(10.0, 30.0),
        "canonical.evenness": LogUniform(0.3, 100.0),  # Dirichlet concentration over the pairs
        "canonical.scales": LogUniform(0.2, 1.0),
        "bends.nats": Uniform(1.0, 8.0),
        "bends.nats_middling": Uniform(2.0, 6.0),
        "bends.evenness": LogUniform(0.5, 5.0),  # Dirichlet concentration over the pairs
        "rotated.nats": LogUniform(0.1, 6.0),
        "rotated.nats_tail": Uniform(6.0, 15.0),
        "rotated.evenness": LogUniform(0.3, 5.0),  # Dirichlet concentration over the pairs
        "thin.nats": LogUniform(0.05, 4.0),
        "thin.noise": LogUniform(0.06, 2.0),  # of a radius, whose standard deviation is about .7
        "thin.distance": LogUniform(0.3, 4.0),  # standard deviation of the means of classes
        "thin.unevenness": Uniform(0.0, 0.4),  # standard deviation of the logarithms of their widths
        "thin.width": LogUniform(0.4, 7.0),  # of concentric classes, in standard deviations of log |x|
        "copula.tau": Uniform(0.02, 0.9),
        "mixture.evenness": LogUniform(0.5, 20.0),  # Dirichlet concentration of the weights
        "mixture.spread": LogUniform(0.5, 8.0),
        "mixture.roundness": Uniform(0.1, 1.0),
        "table.coupling": Uniform(0.3, 1.0),
        "levels.evenness": LogUniform(0.5, 30.0),  # Dirichlet concentration
        "table.evenness": LogUniform(0.1, 5.0),  # Dirichlet concentration
        "table.any_coupling": Uniform(0.0, 1.0),
        "table.rate": Uniform(0.05, 0.5),  # of an event, or of its contrary
        "table.rare_rate": LogUniform(0.004, 0.3),
        "heavy.df": LogUniform(1.0, 6.0),
        "heavy.outliers": LogUniform(0.02, 0.5),  # their share
        "heavy.scale": LogUniform(0.1, 6.0),
        "rare.share": LogUniform(0.002, 0.1),
        "event.rate": LogUniform(0.003, 0.2),
        "event.slope": LogUniform(0.2, 5.0),
        "labels.coupling": Uniform(0.02, 1.0),
        "clouds.fullness": Uniform(0.2, 0.95),  # diameter of a ball per smallest distance of centres
        "clouds.power": Uniform(0.3, 1.5),  # minus the exponent of the columns' deviations
        "clouds.decay": LogUniform(0.02, 0.5),  # of the columns' deviations, per column
        "clouds.within": LogUniform(0.3, 3.0),  # deviation within a class, per diameter of a ball
        "clouds.alike": Uniform(0.0, 0.9),  # how much of their shape classes share
        "clouds.offset": LogUniform(0.1, 2.0),
        "clouds.bend": LogUniform(0.03, 1.0),
        "clouds.noise": LogUniform(0.01, 0.7),
        "channel.noise": LogUniform(0.03, 3.0),  # in standard deviations of the signal
        "noise.df": LogUniform(1.0, 30.0),
        "rounded.skew": LogUniform(0.2, 1.5),  # of (exp(skew z) - 1) / skew
        "copies.noise": LogUniform(0.03, 3.0),
        "contaminated.share": LogUniform(0.01, 0.9),
        "zero_inflated.keep": Uniform(0.2, 0.95),
        "warp.scale": LogUniform(0.1, 10.0),
        "warp.power": LogUniform(1.0 / 3.0, 3.0),
        "wiggly.slope": Uniform(0.1, 0.9),  # sum |a b|, over three waves
        "wiggly.frequency": LogUniform(0.3, 5.0),
        "wiggly.phase": Uniform(0.0, 2.0 * math.pi),
    }
)

LVM: Final = ("alpha", "lambda", "beta", "eta")  # in the order of `dispersion.latent_variable`


TABLES: Final[Mapping[str, Mapping[str, Law]]] = MappingProxyType(
    {"mixes": MIXES, "integers": INTEGERS, "reals": REALS, "channels": CHANNELS, "maps": MAPS, "looks": LOOKS}
)


def describe() -> dict[str, object]:
    """All numbers and tables as JSON-able data."""
    return {
        "max_nats": MAX_NATS,
        "max_dim": MAX_DIM,
        "max_cost": MAX_COST,
        "max_rho": MAX_RHO,
        "max_fill": MAX_FILL,
        "max_mixed": MAX_MIXED,
        "rows": list(ROWS),
        "chances": dict(CHANCES),
        **{name: _as_data(table) for name, table in TABLES.items()},
    }


def _as_data(table: Mapping[str, Law]) -> dict[str, object]:
    return {key: as_data(law) for key, law in table.items()}
