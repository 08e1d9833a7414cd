"""Angles: one that another follows around the circle, shown as numbers or as their cosine and sine."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

import numpy as np

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.family import Array, Family, Rng, Truth, closed_form

TURN: Final = 2.0 * math.pi
SMALLEST_WIDTH: Final = 0.02  # radians, of which the grid has twenty steps
_POINTS: Final = 8192
_GRID: Final = np.asarray(np.arange(_POINTS) * (TURN / _POINTS), np.float64)
Kind = Literal["normal", "cauchy", "uniform"]


@dataclass(frozen=True)
class Wrapped:
    """A law on the circle about 0: a normal, Cauchy or uniform one, modulo a turn.

    Attributes:
        width: standard deviation, scale, or half width, in radians.
    """

    kind: Kind
    width: float

    def sample(self, rng: Rng, n: int) -> Array:
        """Angles, shape (n,), not yet modulo a turn."""
        if self.kind == "uniform":
            return np.asarray(self.width * rng.uniform(-1.0, 1.0, n))
        drawn = rng.standard_normal(n) if self.kind == "normal" else rng.standard_cauchy(n)
        return np.asarray(self.width * drawn)

    def density(self, angles: Array) -> Array:
        """Per radian, of angles of any size."""
        within = np.mod(angles + math.pi, TURN) - math.pi
        if self.kind == "uniform":
            return np.asarray((np.abs(within) <= self.width) / (2.0 * self.width))
        if self.kind == "cauchy":
            return np.asarray(math.sinh(self.width) / (math.cosh(self.width) - np.cos(within)) / TURN)
        places = within[..., None] + TURN * np.arange(-4, 5)
        mass = np.exp(-0.5 * (places / self.width) ** 2).sum(axis=-1)
        return np.asarray(mass / (self.width * math.sqrt(TURN)))


class Phases(Family):
    """Y = m X + E modulo a turn: I = h(Y) - h(E), by sums over a grid of the circle.

    Args:
        law: of X about 0; None for an even one.
        noise: of E.
        turns: m, a whole number of turns of Y for one of X.
        origins: where the two circles are cut, in radians.
        form: as "angles", or as "circles": cosine and sine of either.

    Raises:
        InvalidInput: a law is narrower than the grid can show, or a uniform one wider than the circle.
    """

    def __init__(
        self,
        law: Wrapped | None,
        noise: Wrapped,
        turns: int = 1,
        origins: tuple[float, float] = (0.0, 0.0),
        form: Literal["angles", "circles"] = "angles",
    ) -> None:
        columns = 1 if form == "angles" else 2
        super().__init__("phases", columns, columns)
        for width in [noise.width, *([law.width] if law else [])]:
            if width < SMALLEST_WIDTH:
                raise InvalidInput(f"a law is {width} radians wide; at least {SMALLEST_WIDTH} are needed")
        if noise.kind == "uniform" and noise.width > math.pi:
            raise InvalidInput(f"uniform noise is {noise.width} radians wide; at most pi are a circle")
        self.law, self.noise, self.turns, self.origins, self.form = law, noise, turns, origins, form

    def sample(self, rng: Rng, n: int) -> tuple[Array, Array]:
        x = rng.uniform(0.0, TURN, n) if self.law is None else self.law.sample(rng, n)
        y = self.turns * x + self.noise.sample(rng, n)
        return self._columns(x, self.origins[0]), self._columns(y, self.origins[1])

    def mi(self) -> Truth:
        step = TURN / _POINTS
        of_y, of_noise = self._density_of_y, self._density_of_noise
        return closed_form(float(step * (_xlogx(of_noise).sum() - _xlogx(of_y).sum())))

    def pmi(self, x: Array, y: Array) -> Array:
        """log p(y | x) / p(y)."""
        of_x, of_y = self._angles(x, self.origins[0]), self._angles(y, self.origins[1])
        marginal = np.interp(np.mod(of_y, TURN), _GRID, self._density_of_y, period=TURN)
        with np.errstate(divide="ignore"):
            noise = np.asarray(of_y - self.turns * of_x, np.float64)
            return np.asarray(np.log(self.noise.density(noise) / marginal))

    @cached_property
    def _density_of_noise(self) -> Array:
        density = self.noise.density(_GRID)
        return np.asarray(density / (density.sum() * (TURN / _POINTS)))

    @cached_property
    def _density_of_y(self) -> Array:
        """The law of m X folded onto the circle, and the noise, convolved."""
        if self.law is None:
            return np.full(_POINTS, 1.0 / TURN)
        mass = self.law.density(_GRID)
        folded = np.bincount(np.arange(_POINTS) * self.turns % _POINTS, mass, minlength=_POINTS)
        both = np.fft.irfft(np.fft.rfft(folded) * np.fft.rfft(self._density_of_noise), _POINTS)
        both = np.maximum(both, 0.0)
        return np.asarray(both / (both.sum() * (TURN / _POINTS)))

    def _columns(self, angles: Array, origin: float) -> Array:
        within = np.mod(angles - origin, TURN)
        if self.form == "angles":
            return np.asarray(within[:, None])
        return np.column_stack([np.cos(within), np.sin(within)])

    def _angles(self, columns: Array, origin: float) -> Array:
        within = columns[:, 0] if self.form == "angles" else np.arctan2(columns[:, 1], columns[:, 0])
        return np.asarray(within + origin)


def _xlogx(density: Array) -> Array:
    return np.asarray(density * np.log(np.maximum(density, 1e-300)))
