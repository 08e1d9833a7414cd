"""Signals, responses and the channels made of them: against closed forms, quadrature and brute force."""

import inspect
import json
import math
from collections.abc import Callable

import channel_families as examples
import numpy as np
import pytest
from channel_families import FAMILIES
from scipy.integrate import quad  # type: ignore[import-untyped]
from scipy.special import k0, xlogy  # type: ignore[import-untyped]
from scipy.stats import binom, norm, poisson  # type: ignore[import-untyped]

from mizzle.errors import InvalidInput
from mizzle.metadata_gen import channels, responses, signals
from mizzle.metadata_gen.additive import AdditiveUniformNoise
from mizzle.metadata_gen.channels import RESPONSES, Channel, random_channel, random_response
from mizzle.metadata_gen.family import Array, Truth
from mizzle.metadata_gen.laws import as_data
from mizzle.metadata_gen.montecarlo import tolerance
from mizzle.metadata_gen.responses import Additive, Bernoulli, Binomial, Counts, Poisson, Response, Standard
from mizzle.metadata_gen.signals import KINDS, Inputs, Linear, Product, Signal, Square

LAWS = [examples.NORMAL, examples.UNIFORM, examples.LAPLACE, responses.StandardStudent(2.5)]
CHANNELS = {label: family for label, family in FAMILIES.items() if isinstance(family, Channel)}
every_law = pytest.mark.parametrize("law", LAWS, ids=lambda law: type(law).__name__)
every_channel = pytest.mark.parametrize("channel", CHANNELS.values(), ids=CHANNELS.keys())


def assert_close(truth: Truth, nats: float) -> None:
    # 4 standard errors of the integration; the reference is exact to 1e-5
    assert abs(truth.nats - nats) <= 4 * truth.stderr + 1e-5


def subclasses(module: object, base: type) -> set[type]:
    members = (c for _, c in inspect.getmembers(module, inspect.isclass) if issubclass(c, base))
    return {c for c in members if not inspect.isabstract(c)}


def test_census() -> None:
    assert subclasses(signals, Signal) == {type(c.signal) for c in CHANNELS.values()}
    assert subclasses(responses, Response) == {type(c.response) for c in CHANNELS.values()}
    assert subclasses(responses, Standard) == {type(law) for law in LAWS}
    assert {c.inputs.marginal for c in CHANNELS.values()} == set(signals.QUANTILES)


# Parts


@pytest.mark.parametrize("marginal", signals.QUANTILES)
def test_inputs_are_standardised(marginal: str) -> None:
    x = Inputs(2, marginal).sample(np.random.default_rng(0), 60_000)
    # the variance of x^2 is at most 5 (Laplace), so that 4 standard errors of the variance are below 0.04
    assert x.mean(axis=0) == pytest.approx([0.0, 0.0], abs=4 / math.sqrt(60_000))
    assert x.var(axis=0) == pytest.approx([1.0, 1.0], abs=0.04)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dim", [1, 8])
def test_signal_is_one_finite_number_per_row(kind: str, dim: int) -> None:
    x = np.random.default_rng(0).standard_normal((50, dim))
    signal = signals.random_signal(np.random.default_rng(1), kind, dim)
    t = signal(x)
    assert t.shape == (50,)
    assert np.isfinite(t).all()
    assert signal(x[3:4]) == pytest.approx(t[3:4])


@every_law
def test_standard_law(law: Standard) -> None:
    """Mass 1, variance 1, the stated entropy, and a cdf whose slope is the density."""

    def moment(of: Callable[[float], float]) -> float:
        def integrand(z: float) -> float:
            return of(z) * math.exp(float(law.log_density(np.array(z))))

        return float(2.0 * sum(quad(integrand, *ends, limit=200)[0] for ends in ((0.0, 1.0), (1.0, law.reach))))

    assert moment(lambda z: 1.0) == pytest.approx(1.0, abs=1e-6)
    # a Student of 2.5 degrees of freedom has 2 % of its variance beyond the grid
    assert moment(lambda z: z * z) == pytest.approx(1.0, abs=0.02)
    assert moment(lambda z: -float(law.log_density(np.array(z)))) == pytest.approx(law.entropy, abs=1e-5)
    z = np.linspace(-1.5, 1.5, 7)
    slope = (law.cdf(z + 0.05) - law.cdf(z - 0.05)) / 0.1
    assert slope == pytest.approx(np.exp(law.log_density(z)), abs=0.03)


@every_law
def test_average_is_continuous_where_cells_become_wide(law: Standard) -> None:
    z = np.linspace(-4.0, 4.0, 81)[:, None]
    below, above = (law.average(z, np.array([responses.WIDE + step])) for step in (-1e-9, 1e-9))
    assert below == pytest.approx(above, abs=0.02)


@every_channel
def test_response_has_mass_and_entropy_as_stated(channel: Channel) -> None:
    t = channel.latent(channel.inputs.sample(np.random.default_rng(0), 2048))
    y, weights = channel.response.grid(t)
    few = np.quantile(t, [0.2, 0.5, 0.8])
    logs = channel.response.log_density(y[:, None], few)
    mass = weights @ np.exp(logs)
    # the grid resolves p(y), the average of these over t, and each of them only if the noise is strong
    if isinstance(channel.response, Counts) or channel.mi().nats < 0.1:
        assert mass == pytest.approx(np.ones(3), abs=1e-6)
        entropy = -(weights @ (np.exp(logs) * logs))
        assert entropy == pytest.approx(channel.response.entropy(few), abs=1e-6)


@every_channel
def test_density_has_mass_one(channel: Channel) -> None:
    integral = channel._integral
    _, weights = channel.response.grid(np.zeros(1)) if len(integral.y) == 2 else (None, None)
    if isinstance(channel.response, Counts):
        assert integral.density.sum() == pytest.approx(1.0, abs=1e-6)
    else:
        mass = np.trapezoid(integral.density, integral.y)
        assert weights is None
        assert mass == pytest.approx(1.0, abs=0.005)
