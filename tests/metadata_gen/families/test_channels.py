"""Signals, responses and the channels made of them: against closed forms, quadrature and brute force."""

import math
from collections.abc import Callable

import channel_families as examples
import numpy as np
import pytest
from census import concrete
from channel_families import FAMILIES
from scipy.integrate import quad
from scipy.special import k0, xlogy
from scipy.stats import binom, norm, poisson

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.families import responses, signals
from mizzle.metadata_gen.families.additive import AdditiveUniformNoise
from mizzle.metadata_gen.families.channels import Channel
from mizzle.metadata_gen.families.responses import (
    Additive,
    Bernoulli,
    Binomial,
    Counts,
    Poisson,
    Response,
    Standard,
)
from mizzle.metadata_gen.families.signals import QUANTILES, Inputs, Linear, Product, Signal, Square
from mizzle.metadata_gen.family import Array, Truth
from mizzle.metadata_gen.montecarlo import tolerance
from mizzle.metadata_gen.prior.channels import RESPONSES, random_channel, random_response
from mizzle.metadata_gen.prior.signals import KINDS, random_signal

STANDARDS = [examples.NORMAL, examples.UNIFORM, examples.LAPLACE, responses.StandardStudent(2.5)]
CHANNELS = {label: family for label, family in FAMILIES.items() if isinstance(family, Channel)}
every_law = pytest.mark.parametrize("law", STANDARDS, ids=lambda law: type(law).__name__)
every_channel = pytest.mark.parametrize("channel", CHANNELS.values(), ids=CHANNELS.keys())


def assert_close(truth: Truth, nats: float) -> None:
    # 4 standard errors of the integration; the reference is exact to 1e-5
    assert abs(truth.nats - nats) <= 4 * truth.stderr + 1e-5


def test_census() -> None:
    assert concrete(Signal) == {type(c.signal) for c in CHANNELS.values()}
    assert concrete(Response) == {type(c.response) for c in CHANNELS.values()}
    assert concrete(Standard) == {type(law) for law in STANDARDS}
    assert {c.inputs.marginal for c in CHANNELS.values()} == set(QUANTILES)


# Parts


@pytest.mark.parametrize("marginal", QUANTILES)
def test_inputs_are_standardised(marginal: str) -> None:
    x = Inputs(2, marginal).sample(np.random.default_rng(0), 60_000)
    # the variance of x^2 is at most 5 (Laplace), so that 4 standard errors of the variance are below 0.04
    assert x.mean(axis=0) == pytest.approx([0.0, 0.0], abs=4 / math.sqrt(60_000))
    assert x.var(axis=0) == pytest.approx([1.0, 1.0], abs=0.04)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dim", [1, 8])
def test_signal_is_one_finite_number_per_row(kind: str, dim: int) -> None:
    x = np.random.default_rng(0).standard_normal((50, dim))
    signal = random_signal(np.random.default_rng(1), kind, dim)
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

        return float(
            2.0 * sum(quad(integrand, *ends, limit=200)[0] for ends in ((0.0, 1.0), (1.0, law.reach)))
        )

    assert moment(lambda z: 1.0) == pytest.approx(1.0, abs=1e-6)
    # beyond its reach, a Student of 2.5 degrees of freedom has 2.4 % of its variance
    assert moment(lambda z: z * z) == pytest.approx(1.0, abs=0.03)
    assert moment(lambda z: -float(law.log_density(np.array(z)))) == pytest.approx(law.entropy, abs=1e-5)
    z = np.linspace(-1.5, 1.5, 7)
    slope = (law.cdf(z + 0.05) - law.cdf(z - 0.05)) / 0.1
    assert slope == pytest.approx(np.exp(law.log_density(z)), abs=0.03)


@every_law
@pytest.mark.parametrize("half", [0.1, 0.24, 0.26])
def test_cells_side_by_side_average_to_one_wide_cell(law: Standard, half: float) -> None:
    y, cells = np.linspace(-2.0, 2.0, 41)[:, None], np.arange(-50, 51)
    narrow = law.average(y - 2.0 * half * cells, np.full(101, half)).mean(axis=1)
    wide = (law.cdf(y + 101 * half) - law.cdf(y - 101 * half)) / (202 * half)
    # a stretched Laplace ripples by twice its transform 1 / (1 + k^2 / 2) at k = pi / half and its multiples
    assert narrow == pytest.approx(wide[:, 0], rel=0.04)


@every_channel
def test_response_has_mass_and_entropy_as_stated(channel: Channel) -> None:
    t = channel.latent(channel.inputs.sample(np.random.default_rng(0), 2048))
    y, weights = channel.response.grid(t)
    middling = np.quantile(t, [0.2, 0.5, 0.8])
    logs = channel.response.log_density(y[:, None], middling)
    mass = weights @ np.exp(logs)
    # the grid resolves p(y), the average of these over t, and each of them only if the noise is strong
    if isinstance(channel.response, Counts) or channel.mi().nats < 0.1:
        assert mass == pytest.approx(np.ones(3), abs=1e-4)  # a Laplace's peak costs most
        entropy = -(weights @ (np.exp(logs) * logs))
        assert entropy == pytest.approx(channel.response.entropy(middling), abs=1e-4)


# Channels against what is known of them


@pytest.mark.parametrize("noise", [0.01, 0.1, 1.0, 7.0])
@pytest.mark.parametrize("dim", [1, 2, 5])
def test_linear_normal_is_closed_form(dim: int, noise: float) -> None:
    """w.X has variance 1, so that T has 1 / sd^2: I = 1/2 log(1 + 1 / (sd noise)^2)."""
    channel = Channel(Inputs(dim), Linear(examples.direction(dim)), Additive(examples.NORMAL, noise))
    assert_close(channel.mi(), 0.5 * math.log1p((channel.sd * noise) ** -2))


@pytest.mark.parametrize("noise", [0.02, 0.5, 3.0])
def test_uniform_is_additive_uniform_noise(noise: float) -> None:
    """T has the width sqrt 12 / sd and the noise that of sqrt 12 noise: eps is half their ratio."""
    channel = Channel(Inputs(1, "uniform"), Linear(examples.UNIT), Additive(examples.UNIFORM, noise))
    assert_close(channel.mi(), AdditiveUniformNoise(np.array([noise * channel.sd / 2.0])).mi().nats)


@pytest.mark.parametrize("noise", [0.1, 1.0])
def test_product_is_quadrature(noise: float) -> None:
    """X_1 X_2 has the density K_0(|t|) / pi; h(Y) on a grid of y."""
    channel = Channel(Inputs(2), Product(), Additive(examples.NORMAL, noise))
    t = np.geomspace(1e-9, 40.0, 4000)
    mass = np.gradient(t) * k0(t) / math.pi
    y = np.linspace(-45.0, 45.0, 4501)
    sigma = noise * channel.sd
    p = sum(norm.pdf(y[:, None], sign * t, sigma) @ mass for sign in (-1.0, 1.0))
    entropy = -float(xlogy(p, p).sum()) * (y[1] - y[0])
    # the quadrature of the reference is exact to 1e-3
    nats = entropy - 0.5 * math.log(2.0 * math.pi * math.e * sigma**2)
    assert abs(channel.mi().nats - nats) <= 4 * channel.mi().stderr + 1e-3


def discrete_nats(pmf: Callable[[Array, Array], Array], t: Array, mass: Array, largest: int) -> float:
    """sum_t p(t) sum_y p(y|t) log(p(y|t) / p(y)), by brute force."""
    p = pmf(np.arange(largest + 1.0)[:, None], t)
    marginal = p @ mass
    return float((xlogy(p, p).sum(axis=0) @ mass) - xlogy(marginal, marginal).sum())


@pytest.mark.parametrize("zeros", [0.0, 0.4])
@pytest.mark.parametrize("gain", [0.1, 0.7])
def test_poisson_is_brute_force(gain: float, zeros: float) -> None:
    channel = Channel(Inputs(1), Linear(examples.UNIT), Poisson(5.0, gain, zeros))
    z, mass = np.polynomial.hermite_e.hermegauss(200)

    def pmf(y: Array, t: Array) -> Array:
        counts = poisson.pmf(y, np.minimum(5.0 * np.exp(gain * t), responses.MAX_RATE))
        return np.asarray(zeros * (y == 0.0) + (1.0 - zeros) * counts)

    t = (z - channel.mean) / channel.sd
    assert_close(channel.mi(), discrete_nats(pmf, t, mass / mass.sum(), 250))


@pytest.mark.parametrize("response", [Binomial(12, 0.3, 1.2), Bernoulli(-0.5, 6.0)])
def test_binomial_is_brute_force(response: Binomial) -> None:
    channel = Channel(Inputs(1), Square(examples.UNIT), response)
    z = norm.ppf((np.arange(200_000) + 0.5) / 200_000)
    t = (z**2 - channel.mean) / channel.sd

    def pmf(y: Array, t: Array) -> Array:
        odds = np.exp(response.offset + response.gain * np.minimum(t, 30.0))
        return np.asarray(binom.pmf(y, response.trials, odds / (1.0 + odds)))

    assert_close(channel.mi(), discrete_nats(pmf, t, np.full(len(t), 1.0 / len(t)), response.trials))


def test_sharp_parity_is_one_bit_and_noise() -> None:
    """T is almost +-1 with even odds; normal noise of sd 0.03 tells the two apart."""
    steep = Channel(Inputs(2, "uniform"), signals.Xor(1e4), Additive(examples.NORMAL, 0.03))
    assert steep.mi().nats == pytest.approx(math.log(2.0), abs=0.01)


def test_rotation_of_normal_inputs_changes_nothing() -> None:
    response = Additive(examples.LAPLACE, 0.3)
    single, four = (
        Channel(Inputs(d), signals.Sine(examples.direction(d), 2.0, 0.4), response) for d in (1, 4)
    )
    # both know T's scale to 1 % only, which moves I by at most as much
    difference = abs(single.mi().nats - four.mi().nats)
    assert difference <= 4 * math.hypot(single.mi().stderr, four.mi().stderr) + 0.01


# Random channels


@pytest.mark.parametrize("response", RESPONSES)
@pytest.mark.parametrize("signal", KINDS)
def test_random_channel_knows_its_mi(signal: str, response: str) -> None:
    rng = np.random.default_rng(0)
    channel = random_channel(rng, signal, response, 2, 0.3)
    nats, stderr = channel.mi()
    assert 0.0 < nats < 6.0
    assert stderr <= tolerance(nats)
    assert channel.continuous == (response not in ("poisson", "zero-poisson", "binomial", "bernoulli"))
    x, y = channel.sample(rng, 30)
    assert np.isfinite(channel.pmi(x, y)).all()


def test_random_channel_depends_on_rng_only() -> None:
    first, second = (random_channel(np.random.default_rng(5), "features", "scaled", 3, 0.5) for _ in range(2))
    assert first.mi() == second.mi()


def test_names_are_few() -> None:
    rng = np.random.default_rng(0)
    pairs = [(signal, "normal") for signal in KINDS] + [("sine", response) for response in RESPONSES]
    names = {random_channel(rng, signal, response, 2, 0.5).name for signal, response in pairs}
    assert "channel-monotone" in names
    assert "channel-poisson" in names
    assert len(names) <= 16


def test_rows_beyond_the_integration_have_a_moderate_pmi() -> None:
    channel = Channel(Inputs(1), Linear(examples.UNIT), Additive(examples.NORMAL, 0.01))
    x = np.array([[6.0], [8.0], [1e3]])
    pmi = channel.pmi(x, channel.latent(x)[:, None])
    assert (pmi < 30.0).all()


@pytest.mark.parametrize(
    "build",
    [
        lambda: Inputs(2, "cauchy"),
        lambda: Inputs(2, "uniform", np.eye(2)),
        lambda: Inputs(3, "normal", np.eye(2)),
        lambda: random_signal(np.random.default_rng(0), "loud", 2),
        lambda: random_response(np.random.default_rng(0), "loud", 1.0),
        lambda: random_response(np.random.default_rng(0), "normal", 0.0),
        lambda: Additive(examples.NORMAL, -1.0),
        lambda: responses.StandardStudent(2.0),
        lambda: Poisson(0.0, 1.0),
        lambda: Binomial(0, 0.0, 1.0),
        lambda: Channel(Inputs(1), Linear(np.zeros(1)), Binomial(1, 0.0, 1.0)),
    ],
)
def test_nonsense_is_refused(build: Callable[[], object]) -> None:
    with pytest.raises(InvalidInput):
        build()
