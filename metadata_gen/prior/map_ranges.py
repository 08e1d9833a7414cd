"""The numbers of channels, maps of a side and looks, as frozen data; `ranges` exports them with its own."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mizzle.metadata_gen.hyperpriors import (
    Exponential,
    Integers,
    Law,
    LogIntegers,
    LogUniform,
    Mix,
    Uniform,
    evenly,
    mix,
)

CHANNELS: Final[Mapping[str, Law]] = MappingProxyType(
    {
        "tanh.gain": LogUniform(0.5, 5.0),
        "waves.terms": Integers(2, 8),
        "waves.frequency": LogUniform(0.3, 3.0),
        "network.units": Integers(2, 16),
        "network.gain": LogUniform(0.5, 4.0),
        "polynomial.degree": Integers(2, 4),
        "sine.frequency": LogUniform(0.7, 20.0),
        "triangle.frequency": LogUniform(0.7, 16.0),
        "fold.offset": Uniform(-1.0, 1.0),
        "xor.gain": LogUniform(0.5, 8.0),
        "ripple.frequency": LogUniform(0.7, 4.0),
        "phase": Uniform(0.0, 2.0 * math.pi),
        "phases.noise": mix(normal=0.6, cauchy=0.15, uniform=0.25),
        "phases.turns": LogIntegers(1, 4),
        "phases.spread": LogUniform(0.2, 3.0),  # radians, of angles that are not even
        "phases.width": LogUniform(0.03, 3.0),  # radians, of the noise
        "inputs": mix(normal=0.4, uniform=0.2, laplace=0.15, correlated=0.25),
        "inputs.factors": LogIntegers(1, 3),
        "inputs.gain": LogUniform(0.2, 2.0),
        "inputs.noise": LogUniform(0.3, 1.5),
        "noise.law": mix(normal=0.5, uniform=0.25, student=0.25),
        "student.df": LogUniform(2.5, 20.0),
        "scaled.slope": Uniform(-1.5, 1.5),
        "multiplicative.floor": LogUniform(0.05, 0.5),
        "poisson.rate": LogUniform(0.5, 20.0),
        "poisson.zeros": Uniform(0.1, 0.6),
        "binomial.trials": LogIntegers(2, 40),
        "binomial.offset": Uniform(-1.5, 1.5),
        "bernoulli.level": Uniform(0.05, 0.95),  # of the signal, where the odds are even
    }
)

MAPS: Final[Mapping[str, Law]] = MappingProxyType(
    {
        "mixing.scales": LogUniform(0.2, 1.0),  # singular values
        "shear.amplitude": LogUniform(0.3, 3.0),
        "banana.bend": LogUniform(0.2, 2.0),
        "fold.corner": Uniform(-1.0, 1.0),
        "wave.frequency": LogUniform(0.3, 3.0),  # radians per unit of a column, also of a shear
        "wave.phase": Uniform(0.0, 2.0 * math.pi),  # also of a shear
        "spiral.turn": LogUniform(0.3, 4.0),  # radians per standard deviation of r^2
        "arc.span": Uniform(0.4, 0.95),
        "henon.steps": Integers(1, 3),
        "henon.curvature": LogUniform(0.05, 0.6),
        "henon.scale": LogUniform(0.5, 1.5),
        "residual.layers": Integers(2, 7),
        "residual.units": Integers(1, 16),
        "residual.gain": LogUniform(0.5, 3.0),  # standard deviation of what tanh is applied to
        "residual.lipschitz": Uniform(0.5, 0.95),
        "triangular.layers": Integers(1, 3),
        "triangular.gain": LogUniform(0.5, 3.0),  # standard deviation of what tanh is applied to
        "triangular.scale": Uniform(0.1, 0.5),  # standard deviation of a
        "triangular.shift": LogUniform(0.3, 2.0),  # standard deviation of b
        "stretch": mix(wiggly=0.25, skew=0.25, step=0.25, tails=0.25),  # of post-nonlinear
        "skew.skewness": Uniform(-0.95, 0.95),
        "step.height": LogUniform(0.5, 4.0),
        "step.width": LogUniform(0.1, 1.0),
        "step.centre": Uniform(-1.0, 1.0),
        "tails.power": LogUniform(0.4, 1.4),
        "tails.scale": LogUniform(0.2, 2.0),
        "coupling.layers": Integers(2, 4),
        "coupling.gain": LogUniform(0.5, 3.0),  # standard deviation of what tanh is applied to
        "coupling.log_scale": Uniform(0.1, 0.6),  # standard deviation of h S at |h| = 1
        "coupling.shift": LogUniform(0.2, 2.0),  # standard deviation of h T at |h| = 1
    }
)

# Looks

MAX_LATENTS: Final = 4  # columns of a side before a look
REFERENCE: Final = 256  # rows of the problem that scales of its latents are taken from
SMALLEST_SCALE: Final = 1e-9  # of a column that hardly varies
HEAVY: Final = 5.0  # a latent is, with rows as many scales from its median
LIMIT_HEAVY: Final = 4.0  # where tails of latents bend, in scales: limit arctan(z / limit)
LIMIT_LIGHT: Final = 12.0
LOOK_ROWS: Final = 400  # standard normal ones, that principal components are taken from
LOOKS: Final[Mapping[str, Law]] = MappingProxyType(
    {
        "problem": Mix((("normal", 0.64), ("student", 0.06), ("part", 0.2), ("independent", 0.1))),
        "latents": Integers(1, MAX_LATENTS),
        "before": evenly("rotation", "mixing", "triangular", "coupling", "spiral"),  # of two latents
        "after": evenly("residual", "triangular", "coupling"),
        "nats": Mix((("moderate", 0.55), ("weak", 0.2), ("broad", 0.25))),
        "nats.moderate": Uniform(0.1, 2.5),
        "nats.weak": Exponential(0.3, 2.5),
        "nats.broad": Uniform(0.0, 6.0),
        "student.df": LogUniform(2.0, 20.0),
        "columns.extra": LogIntegers(1, 48),  # more than 2 k of them, for k latents
        "columns.mixtures": LogIntegers(1, 20),
        "units": Integers(16, 48),
        "gain": LogUniform(0.4, 1.6),
        "gain.waves": LogUniform(0.3, 1.0),
        "gain.shares": LogUniform(0.5, 1.6),
        "linear": LogUniform(0.25, 1.2),  # weight of the linear part of a decoder
        "blocks": Integers(1, 3),
        "degree": Integers(2, 4),
        "degree.high": Integers(3, 8),
        "scale.squash": LogUniform(1.2, 4.0),
        "scale.hermite": Uniform(0.4, 0.7),
        "scale.exp": LogUniform(0.25, 0.8),
        "scale.sphere": LogUniform(0.3, 1.2),
        "reach": Uniform(1.2, 2.8),  # radians, below pi
        "harmonics": Integers(2, 5),
        "span": Uniform(0.4, 0.95),
        "phase": Uniform(0.0, 2.0 * math.pi),
        "frequency": LogUniform(1.0, 4.0),
        "sums": Integers(1, 5),  # of angles
        "waves": Integers(2, 6),
        "frequency.knot": LogUniform(0.7, 4.0),  # half turns at most each way
        "pitch": LogUniform(0.15, 0.6),
        "stairs": Integers(1, 4),
        "stairs.depth": Uniform(0.5, 0.95),
        "views": Integers(2, 5),
        "side": Integers(7, 12),  # pixels along each side of a picture
        "soft": LogUniform(0.12, 0.35),
        "soft.plateau": LogUniform(0.05, 0.12),  # short of its width, or it were a bell
        "size": Uniform(0.35, 0.6),
        "frequency.grating": Uniform(1.5, 4.0),
        "frequency.checker": Uniform(1.5, 3.5),
        "skew": Uniform(-0.5, 0.5),
        "base": Uniform(0.0, 2.0 * math.pi),  # angle of a picture
        "times": Integers(10, 40),
        "sharpness": LogUniform(0.5, 4.0),
        "ratio": Uniform(0.3, 0.9),  # of the sizes of a sawtooth's waves
        "rate": LogUniform(0.7, 2.5),
        "stretch": Uniform(0.15, 0.3),
        "spread": Uniform(0.2, 0.5),
        "wavelets": Integers(3, 5),  # 2^this are the columns
    }
)
