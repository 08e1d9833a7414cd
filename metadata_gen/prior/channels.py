"""The prior over nonlinear channels: random inputs, signal and response."""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.dispersion import random_factor_model
from mizzle.metadata_gen.families.channels import Channel, lattice_values
from mizzle.metadata_gen.families.responses import (
    Additive,
    Bernoulli,
    Binomial,
    Poisson,
    Response,
    Standard,
    StandardLaplace,
    StandardNormal,
    StandardStudent,
    StandardUniform,
)
from mizzle.metadata_gen.families.signals import Inputs
from mizzle.metadata_gen.family import Array, Family, Rng
from mizzle.metadata_gen.prior.draws import choice, real, whole
from mizzle.metadata_gen.prior.map_ranges import CHANNELS
from mizzle.metadata_gen.prior.ranges import MAX_GAIN
from mizzle.metadata_gen.prior.signals import random_signal


def channel(rng: Rng, dim_x: int, _: int) -> Family:
    """A channel of at most dim_x inputs, all of it drawn."""
    inputs = whole(rng, "channel.inputs", dim_x)
    signal = choice(rng, "channel.signal" if inputs > 1 else "channel.signal_of_one")
    return random_channel(rng, signal, choice(rng, "channel.response"), inputs, real(rng, "channel.noise"))


def random_channel(rng: Rng, signal: str, response: str, dim: int, noise: float) -> Channel:
    """A channel with parameters from `map_ranges.CHANNELS`.

    Args:
        signal: a kind in `signals.KINDS`.
        response: a kind in RESPONSES.
        dim: the number of inputs.
        noise: standard deviation of the noise in units of the signal's; of counts, about the standard error
            of the signal read off a typical count.

    Raises:
        InvalidInput: there is no such signal or response, or the noise is not positive.
    """
    inputs, f = random_inputs(rng, dim), random_signal(rng, signal, dim)
    cut = _cut(rng, lattice_values(inputs, f)) if response == "bernoulli" else 0.0
    return Channel(inputs, f, random_response(rng, response, noise, cut))


def random_inputs(rng: Rng, dim: int) -> Inputs:
    """Inputs with a marginal of the mix "inputs"; "correlated" is a normal factor model."""
    marginal = choice(rng, "inputs", CHANNELS)
    if marginal != "correlated":
        return Inputs(dim, marginal)
    gain = _numbers(rng, "inputs.gain", whole(rng, "inputs.factors", table=CHANNELS))
    noise = _numbers(rng, "inputs.noise", dim)
    return Inputs(dim, "normal", random_factor_model(rng, dim, 0, gain, gain, noise))


def random_response(rng: Rng, kind: str, noise: float, cut: float = 0.0) -> Response:
    """One of RESPONSES, its noise as in `random_channel`; a Bernoulli's odds are even at t = `cut`.

    Raises:
        InvalidInput: there is no such response, or the noise is not positive.
    """
    if kind not in RESPONSES or not noise > 0.0:
        raise InvalidInput(f"no response {kind!r} with noise {noise}; the kinds are {', '.join(RESPONSES)}")
    if kind == "bernoulli":  # t and logistic noise of this standard deviation, against the cut
        gain = math.pi / (math.sqrt(3.0) * noise)
        return Bernoulli(-gain * cut, gain)
    return _BUILDERS[kind](rng, noise)


def _number(rng: Rng, key: str) -> float:
    return real(rng, key, CHANNELS)


def _numbers(rng: Rng, key: str, size: int) -> Array:
    """One by one, as in `signals`."""
    return np.array([_number(rng, key) for _ in range(size)])


def _standard(rng: Rng, label: str) -> Standard:
    return StandardStudent(_number(rng, "student.df")) if label == "student" else _STANDARD[label]


def _any_standard(rng: Rng) -> Standard:
    return _standard(rng, choice(rng, "noise.law", CHANNELS))


def _multiplicative(rng: Rng, noise: float) -> Response:
    """scale(t) = noise (floor + |t|)"""
    floor = _number(rng, "multiplicative.floor")
    return Additive(_any_standard(rng), noise * floor, growth=1.0 / floor)


def _poisson(rng: Rng, noise: float, zeros: float) -> Response:
    """The rate's Fisher information about t is gain^2 rate, which is noise^-2."""
    rate = _number(rng, "poisson.rate")
    return Poisson(rate, min(MAX_GAIN, 1.0 / (noise * math.sqrt(rate))), zeros)


def _binomial(rng: Rng, noise: float) -> Response:
    """The Fisher information about t is at most gain^2 trials / 4, which is noise^-2."""
    trials, offset = whole(rng, "binomial.trials", table=CHANNELS), _number(rng, "binomial.offset")
    return Binomial(trials, offset, min(MAX_GAIN, 2.0 / (noise * math.sqrt(trials))))


def _cut(rng: Rng, values: Array) -> float:
    """A middling quantile of the signal, standardised."""
    quantile = np.quantile(values, _number(rng, "bernoulli.level"))
    return float((quantile - values.mean()) / values.std())


_STANDARD: Final[Mapping[str, Standard]] = MappingProxyType(
    {"normal": StandardNormal(), "uniform": StandardUniform(), "laplace": StandardLaplace()}
)
_BUILDERS: Final[Mapping[str, Callable[[Rng, float], Response]]] = MappingProxyType(
    {
        "normal": lambda rng, noise: Additive(_standard(rng, "normal"), noise),
        "uniform": lambda rng, noise: Additive(_standard(rng, "uniform"), noise),
        "laplace": lambda rng, noise: Additive(_standard(rng, "laplace"), noise),
        "student": lambda rng, noise: Additive(_standard(rng, "student"), noise),
        "scaled": lambda rng, noise: Additive(_any_standard(rng), noise, slope=_number(rng, "scaled.slope")),
        "multiplicative": _multiplicative,
        "poisson": lambda rng, noise: _poisson(rng, noise, 0.0),
        "zero-poisson": lambda rng, noise: _poisson(rng, noise, _number(rng, "poisson.zeros")),
        "binomial": _binomial,
    }
)
RESPONSES: Final = (*_BUILDERS, "bernoulli")
