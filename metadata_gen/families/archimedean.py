"""Archimedean copulas: Clayton, Gumbel, Frank and Joe.

An Archimedean copula is C(u,v) = psi(phi(u) + phi(v)) with psi = phi^-1 (Nelsen 2006, table 4.1). Everything
is written in terms of log t, t = phi(u), so that rounding spoils neither end of (0, 1).
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final, Self

import numpy as np
from scipy.optimize import brentq  # type: ignore[import-untyped]
from scipy.special import digamma, expit, polygamma  # type: ignore[import-untyped]

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.families.copulas import EDGE, Copula, Nodes, open_interval
from mizzle.metadata_gen.family import Array, Rng, Truth, closed_form
from mizzle.metadata_gen.montecarlo import open_uniforms

STEP: Final = 0.4  # in logit u; the trapezoidal rule errs by about exp(-pi^2 / STEP) = 2e-11
LOGITS: Final = np.arange(-34.0, 34.2, STEP)  # beyond lies exp(-34) of the mass
TINY: Final = -36.0  # log x of which log(1 - exp(-x)) = log x to the last digit
GAUSS: Final = np.polynomial.legendre.leggauss(40)


@dataclass(frozen=True)
class Generator(ABC):
    """phi of an Archimedean copula, and its inverse psi, for which psi' < 0 < psi''.

    Attributes:
        theta: the parameter; larger is more dependent.
        name: say "clayton".
        least: the theta of independence, which is excluded.

    Raises:
        InvalidInput: theta is not finite, or not above `least`.
    """

    theta: float
    name: ClassVar[str]
    least: ClassVar[float]  # the theta of independence

    def __post_init__(self) -> None:
        if not self.least < self.theta < math.inf:
            raise InvalidInput(f"theta of {self.name} is {self.theta}; it must be finite, above {self.least}")

    @classmethod
    def from_tau(cls, tau: float) -> Self:
        """The generator with this Kendall's tau.

        Raises:
            InvalidInput: tau is outside [0.0001, 0.98].
        """
        if not 1e-4 <= tau <= 0.98:
            raise InvalidInput(
                f"tau is {tau}; it must lie in [0.0001, 0.98], and a rotation makes it negative"
            )
        return cls(cls._theta_of(tau))

    @staticmethod
    @abstractmethod
    def _theta_of(tau: float) -> float: ...

    @abstractmethod
    def log_phi(self, u: Array) -> Array:
        """log t of t = phi(u), u in (0, 1)."""

    @abstractmethod
    def psi(self, log_t: Array) -> Array:
        """u = psi(t), from log t."""

    @abstractmethod
    def log_slope(self, log_t: Array) -> Array:
        """log(-psi'(t))."""

    @abstractmethod
    def log_bend(self, log_t: Array) -> Array:
        """log psi''(t)."""

    @abstractmethod
    def log_radius(self, rng: Rng, n: int) -> Array:
        """n draws of log T with T = phi(U) + phi(V), which has the density t psi''(t)."""


class Clayton(Generator):
    """psi(t) = (1 + theta t)^(-1/theta), theta > 0; dependence is strongest where both are small.

    tau = theta / (theta + 2) (Clayton 1978; Nelsen 2006, 4.2.1).
    """

    name, least = "clayton", 0.0

    @staticmethod
    def _theta_of(tau: float) -> float:
        return 2.0 * tau / (1.0 - tau)

    def log_phi(self, u: Array) -> Array:
        """phi(u) = (u^-theta - 1) / theta."""
        x = -self.theta * np.log(u)
        return np.asarray(x + np.log(-np.expm1(-x) / self.theta))

    def psi(self, log_t: Array) -> Array:
        return np.exp(-self._log_base(log_t) / self.theta)

    def log_slope(self, log_t: Array) -> Array:
        """-psi'(t) = (1 + theta t)^(-1 - 1/theta)."""
        return -(1.0 + 1.0 / self.theta) * self._log_base(log_t)

    def log_bend(self, log_t: Array) -> Array:
        """psi''(t) = (1 + theta) (1 + theta t)^(-2 - 1/theta)."""
        return math.log1p(self.theta) - (2.0 + 1.0 / self.theta) * self._log_base(log_t)

    def log_radius(self, rng: Rng, n: int) -> Array:
        """theta T is a ratio of gammas of shapes 2 and a = 1/theta; the latter is Gamma(1 + a) U^(1/a)."""
        a = 1.0 / self.theta
        top, bottom = rng.standard_gamma(2.0, n), rng.standard_gamma(1.0 + a, n)
        return np.asarray(np.log(top / (bottom * self.theta)) + rng.standard_exponential(n) / a)

    def _log_base(self, log_t: Array) -> Array:
        return np.logaddexp(0.0, math.log(self.theta) + log_t)


class Gumbel(Generator):
    """psi(t) = exp(-s), s = t^(1/theta), theta > 1; dependence is strongest where both are large.

    tau = 1 - 1 / theta (Gumbel 1960; Nelsen 2006, 4.2.4).
    """

    name, least = "gumbel", 1.0

    @staticmethod
    def _theta_of(tau: float) -> float:
        return 1.0 / (1.0 - tau)

    def log_phi(self, u: Array) -> Array:
        """phi(u) = (-log u)^theta."""
        return np.asarray(self.theta * np.log(-np.log(u)))

    def psi(self, log_t: Array) -> Array:
        return np.exp(-np.exp(log_t / self.theta))

    def log_slope(self, log_t: Array) -> Array:
        """-psi'(t) = s exp(-s) / (theta t)."""
        log_s = log_t / self.theta
        return log_s - log_t - np.exp(log_s) - math.log(self.theta)

    def log_bend(self, log_t: Array) -> Array:
        """psi''(t) = s exp(-s) (theta - 1 + s) / (theta t)^2."""
        log_s = log_t / self.theta
        s = np.exp(log_s)
        return log_s - 2.0 * log_t - s + np.log((self.theta - 1.0 + s) / self.theta**2)

    def log_radius(self, rng: Rng, n: int) -> Array:
        """S = T^(1/theta) has the density (1 - a + a s) exp(-s), a = 1/theta.

        That is a gamma of shape 2 with probability a, and of shape 1 otherwise.
        """
        second = rng.random(n) * self.theta < 1.0
        s = rng.standard_exponential(n) + second * rng.standard_exponential(n)
        return np.asarray(self.theta * np.log(s))


class Frank(Generator):
    """psi(t) = -log(1 - (1 - exp(-theta)) exp(-t)) / theta, theta > 0; the same at both ends.

    tau = 1 - 4 (1 - D(theta)) / theta with Debye's D (Frank 1979; Nelsen 2006, 4.2.5).
    """

    name, least = "frank", 0.0

    @staticmethod
    def _theta_of(tau: float) -> float:
        return _solve(_frank_tau, tau, 1e-6, 400.0)

    def log_phi(self, u: Array) -> Array:
        """phi(u) = -log((exp(-theta u) - 1) / (exp(-theta) - 1))."""
        rest = np.expm1(-self.theta * (1.0 - u)) / np.expm1(-self.theta * u)
        return np.log(np.log1p(np.exp(-self.theta * u) * rest))

    def psi(self, log_t: Array) -> Array:
        return np.asarray(np.log1p(self._mass / self._gap(log_t)) / self.theta)

    def log_slope(self, log_t: Array) -> Array:
        """-psi'(t) = m / (theta g), m = 1 - exp(-theta) and g = exp(t) - m."""
        return np.asarray(np.log(self._mass / self.theta / self._gap(log_t)))

    def log_bend(self, log_t: Array) -> Array:
        """psi''(t) = m exp(t) / (theta g^2), m and g as in `log_slope`."""
        return np.asarray(np.exp(log_t) + math.log(self._mass / self.theta) - 2.0 * np.log(self._gap(log_t)))

    def log_radius(self, rng: Rng, n: int) -> Array:
        """phi(U) plus phi(V), where V is drawn by inverting P(V <= v | U)."""
        u, q = open_uniforms(rng, (2, n))
        other = np.log1p(np.exp(-self.theta * u) * (1.0 - q) / q)
        return np.asarray(np.log(np.exp(self.log_phi(u)) + other))

    @property
    def _mass(self) -> float:
        return -math.expm1(-self.theta)

    def _gap(self, log_t: Array) -> Array:
        """exp(t) - 1 + exp(-theta)."""
        return np.asarray(np.expm1(np.exp(log_t)) + math.exp(-self.theta))


class Joe(Generator):
    """psi(t) = 1 - m^(1/theta), m = 1 - exp(-t), theta > 1; close to Clayton's copula rotated by 180 degrees.

    tau has a closed form in digamma functions, see `_joe_tau` (Joe 1993; Nelsen 2006, 4.2.6).
    """

    name, least = "joe", 1.0

    @staticmethod
    def _theta_of(tau: float) -> float:
        return _solve(_joe_tau, tau, 1.0 + 1e-9, 400.0)

    def log_phi(self, u: Array) -> Array:
        """phi(u) = -log(1 - (1 - u)^theta)."""
        return _log_t(self.theta * np.log1p(-u))

    def psi(self, log_t: Array) -> Array:
        return np.asarray(-np.expm1(_log_m(log_t) / self.theta))

    def log_slope(self, log_t: Array) -> Array:
        """-psi'(t) = m^(1/theta - 1) exp(-t) / theta."""
        log_m = _log_m(log_t)
        return log_m / self.theta - log_m - np.exp(log_t) - math.log(self.theta)

    def log_bend(self, log_t: Array) -> Array:
        """psi''(t) = m^(1/theta - 2) exp(-t) (theta - exp(-t)) / theta^2."""
        log_m, t = _log_m(log_t), np.exp(log_t)
        return log_m / self.theta - 2.0 * log_m - t + np.log((self.theta - np.exp(-t)) / self.theta**2)

    def log_radius(self, rng: Rng, n: int) -> Array:
        """Given phi(U), P(T > t) is a product, so T is the smaller of two draws; m = 1 - exp(-T)."""
        log_m, first, second = rng.standard_exponential((3, n)) * np.array([[-self.theta], [1.0], [1.0]])
        inverted = np.log1p(np.expm1(log_m) * np.exp(-first))
        other = log_m + second * self.theta / (self.theta - 1.0)
        return _log_t(np.minimum(np.minimum(inverted, other), -EDGE))


GENERATORS: Final[dict[str, type[Generator]]] = {g.name: g for g in (Clayton, Gumbel, Frank, Joe)}


class ArchimedeanCopula(Copula):
    """C(u,v) = psi(phi(u) + phi(v)) of a generator (Nelsen 2006, ch. 4); MI by a one-dimensional integral.

    Clayton's is log(1 + theta) - theta / (1 + theta) nats.
    """

    def __init__(self, generator: Generator) -> None:
        super().__init__(generator.name)
        self.generator = generator

    @classmethod
    def from_tau(cls, name: str, tau: float) -> Self:
        """The copula of this generator, say "clayton", and this Kendall's tau in [0.0001, 0.98].

        Raises:
            InvalidInput: there is no such generator, or tau is out of range.
        """
        if name not in GENERATORS:
            raise InvalidInput(f"there is no copula {name!r}; known are {', '.join(GENERATORS)}")
        return cls(GENERATORS[name].from_tau(tau))

    def pairs(self, rng: Rng, n: int) -> tuple[Array, Array]:
        """phi(U) = S T and phi(V) = (1 - S) T with S ~ U(0, 1) independent of T (Genest & Rivest 1993)."""
        log_t, s = self.generator.log_radius(rng, n), open_uniforms(rng, (n,))
        return self.generator.psi(log_t + np.log(s)), self.generator.psi(log_t + np.log1p(-s))

    def mi(self) -> Truth:
        """I = E log psi''(T) + 2 int_0^1 log|phi'(u)| du nats, by the trapezoidal rule in logit u.

        psi(T) has the Kendall density t psi''(t) / |psi'(t)| at t = phi(u), and phi' = 1 / psi'.
        """
        log_t = self.generator.log_phi(expit(LOGITS))
        slope, bend = self.generator.log_slope(log_t), self.generator.log_bend(log_t)
        values = np.exp(log_t + bend - slope) * bend - 2.0 * slope
        return closed_form(float(STEP * (expit(LOGITS) * expit(-LOGITS) * values).sum()))

    def log_density(self, u: Array, v: Array) -> Array:
        """log of psi''(phi(u) + phi(v)) phi'(u) phi'(v)."""
        g, log_u, log_v = self.generator, self.generator.log_phi(u), self.generator.log_phi(v)
        return g.log_bend(np.logaddexp(log_u, log_v)) - g.log_slope(log_u) - g.log_slope(log_v)

    def cdf(self, u: Array, v: Array) -> Array:
        """psi(phi(u) + phi(v))."""
        return self.generator.psi(np.logaddexp(self.generator.log_phi(u), self.generator.log_phi(v)))

    def given_y(self, u: Array, v: Array) -> Array:
        """psi'(phi(u) + phi(v)) / psi'(phi(v))."""
        log_v = self.generator.log_phi(v)
        log_t = np.logaddexp(self.generator.log_phi(u), log_v)
        return np.exp(self.generator.log_slope(log_t) - self.generator.log_slope(log_v))

    def nodes(self, p: Array) -> Nodes:
        """psi(T) = p[:, 0], weighted by its density, and S = p[:, 1], S as in `pairs`."""
        w, s = p.T
        log_t = self.generator.log_phi(w)
        density = np.exp(log_t + self.generator.log_bend(log_t) - self.generator.log_slope(log_t))
        u, v = (open_interval(self.generator.psi(log_t + np.log(part))) for part in (s, 1.0 - s))
        return u, v, density


def _log1mexp(x: Array) -> Array:
    """log(1 - exp(-x)), x > 0, without cancellation at either end (Maechler 2012)."""
    far = np.maximum(x, 0.7)
    return np.where(x < 0.7, np.log(-np.expm1(-x)), np.log1p(-np.exp(-far)))


def _log_m(log_t: Array) -> Array:
    """log(1 - exp(-t))."""
    return _log1mexp(np.exp(np.maximum(log_t, TINY))) + np.minimum(log_t - TINY, 0.0)


def _log_t(log_m: Array) -> Array:
    """log(-log(1 - m)), the inverse of `_log_m`."""
    return np.log(-_log1mexp(-np.maximum(log_m, TINY))) + np.minimum(log_m - TINY, 0.0)


def _solve(tau_of: Callable[[float], float], tau: float, low: float, high: float) -> float:
    return float(brentq(lambda theta: tau_of(theta) - tau, low, high, xtol=1e-9))


def _frank_tau(theta: float) -> float:
    """1 - 4 (1 - D) / theta, D = int_0^theta t / (exp(t) - 1) dt / theta (Nelsen 2006, example 5.1)."""
    half = min(theta, 60.0) / 2.0
    t = half * (1.0 + GAUSS[0])
    debye = half * float(GAUSS[1] @ (t / np.expm1(t))) / theta
    return 1.0 - 4.0 * (1.0 - debye) / theta


def _joe_tau(theta: float) -> float:
    """1 - x (digamma(1 + x) - digamma(2)) / (x - 1), x = 2 / theta."""
    x = 2.0 / theta
    slope = polygamma(1, 2.0) if x == 1.0 else (digamma(1.0 + x) - digamma(2.0)) / (x - 1.0)
    return 1.0 - x * float(slope)
