"""Channels that between them hold every signal, law of the inputs and response."""

import numpy as np

from mizzle.metadata_gen import dispersion
from mizzle.metadata_gen.families import signals
from mizzle.metadata_gen.families.channels import Channel
from mizzle.metadata_gen.families.responses import (
    Additive,
    Bernoulli,
    Binomial,
    Poisson,
    StandardLaplace,
    StandardNormal,
    StandardStudent,
    StandardUniform,
)
from mizzle.metadata_gen.families.signals import Inputs
from mizzle.metadata_gen.family import Array, Family
from mizzle.metadata_gen.prior.signals import random_direction

RNG = np.random.default_rng(0)
UNIT = np.ones(1)
NORMAL, UNIFORM, LAPLACE = StandardNormal(), StandardUniform(), StandardLaplace()
CORRELATED = Inputs(3, "normal", dispersion.dense(3, 0.6))


def direction(dim: int) -> Array:
    return random_direction(RNG, dim)


FAMILIES: dict[str, Family] = {
    "channel linear": Channel(Inputs(1), signals.Linear(UNIT), Additive(NORMAL, 0.7)),
    "channel linear sharp": Channel(Inputs(2), signals.Linear(direction(2)), Additive(NORMAL, 0.01)),
    "channel linear weak": Channel(CORRELATED, signals.Linear(direction(3)), Additive(LAPLACE, 5.0)),
    "channel uniform": Channel(Inputs(1, "uniform"), signals.Linear(UNIT), Additive(UNIFORM, 0.3)),
    "channel tanh": Channel(Inputs(2, "laplace"), signals.Tanh(direction(2), 3.0), Additive(UNIFORM, 0.2)),
    "channel waves": Channel(
        Inputs(2),
        signals.Waves(RNG.standard_normal((4, 2)), np.arange(4.0), RNG.standard_normal(4)),
        Additive(NORMAL, 0.3),
    ),
    "channel network": Channel(
        CORRELATED,
        signals.Network(RNG.standard_normal((5, 3)), RNG.standard_normal(5), RNG.standard_normal(5)),
        Additive(StandardStudent(2.5), 0.2),
    ),
    "channel polynomial": Channel(
        Inputs(1, "laplace"),
        signals.Polynomial(UNIT, np.array([0.0, 0.5, 1.0, -0.3])),
        Additive(NORMAL, 0.1),
    ),
    "channel sine": Channel(Inputs(1), signals.Sine(UNIT, 5.0, 0.3), Additive(NORMAL, 0.4)),
    "channel triangle": Channel(
        Inputs(4, "uniform"), signals.Triangle(direction(4), 4.0, 1.0), Additive(LAPLACE, 0.1)
    ),
    "channel absolute": Channel(Inputs(1), signals.Absolute(UNIT, 0.5), Additive(NORMAL, 0.5, slope=1.2)),
    "channel square": Channel(Inputs(1), signals.Square(UNIT), Additive(NORMAL, 0.1, growth=5.0)),
    "channel product": Channel(Inputs(2), signals.Product(), Additive(UNIFORM, 1.0)),
    "channel wide product": Channel(Inputs(8, "laplace"), signals.Product(), Additive(NORMAL, 0.1)),
    "channel xor": Channel(Inputs(2), signals.Xor(8.0), Additive(NORMAL, 0.03)),
    "channel radius": Channel(Inputs(5), signals.Radius(), Additive(StandardStudent(4.0), 0.5, growth=1.0)),
    "channel ripple": Channel(Inputs(3), signals.Ripple(3.0, 0.5), Additive(NORMAL, 0.2)),
    "channel maximum": Channel(Inputs(3, "uniform"), signals.Maximum(), Additive(NORMAL, 0.3)),
    "channel poisson": Channel(Inputs(1), signals.Sine(UNIT, 2.0, 0.0), Poisson(4.0, 0.8)),
    "channel zero poisson": Channel(Inputs(2), signals.Product(), Poisson(20.0, 1.5, 0.3)),
    "channel binomial": Channel(Inputs(2, "uniform"), signals.Linear(direction(2)), Binomial(7, 0.5, 1.5)),
    "channel bernoulli": Channel(Inputs(2), signals.Xor(2.0), Bernoulli(0.2, 20.0)),
}
