"""Looks as courses over time, or along a line: the latents are amplitudes, shifts, rates and widths.

z has shape (n, k), k from 1 to 4, and times (d,); what has no latent stays at its middle.
"""

import numpy as np
from scipy.special import expit  # type: ignore[import-untyped]

from mizzle.metadata_gen.family import Array
from mizzle.metadata_gen.maps.looks import latent, squashed


def sawtooth(z: Array, times: Array, ratio: float) -> Array:
    """A soft sawtooth sum_h ratio^h sin(h (t + phase)) / h of one period: phase, amplitude, level, trend."""
    moved = times + 0.85 * np.pi * squashed(latent(z, 0), 2.0)
    course = np.arctan2(ratio * np.sin(moved), 1.0 - ratio * np.cos(moved))
    return _finished(z, course, times / np.pi - 1.0)


def clipped_wave(z: Array, times: Array, gain: float) -> Array:
    """tanh(gain sin(t + phase)) over one period, a rounded square wave: phase, amplitude, level, trend."""
    phase = 0.85 * np.pi * squashed(latent(z, 0), 2.0)
    return _finished(z, np.tanh(gain * np.sin(times + phase)), times / np.pi - 1.0)


def decays(z: Array, times: Array, rate: float) -> Array:
    """A decay exp(-r t) from an amplitude to a level: rate, amplitude, level, and a slower second decay."""
    fast = rate * np.exp(0.5 * latent(z, 0))
    course = np.exp(0.4 * latent(z, 1)) * np.exp(-fast * times) + 0.5 * latent(z, 2)
    return np.asarray(course + 0.5 * latent(z, 3) * np.exp(-0.25 * rate * times))


def templates(z: Array, times: Array, waves: Array, stretch: float) -> Array:
    """One course g, which is shifted, stretched, scaled and lifted: a g(exp(s) t + shift) + level.

    Args:
        waves: amplitude, frequency and phase of the sines that g is the sum of, shape (waves, 3).
    """
    moved = np.exp(stretch * latent(z, 1)) * times + 0.4 * latent(z, 0)
    amplitude, frequency, phase = waves.T
    # The straight part keeps shifts apart that the sines alone might take for each other.
    course = moved + (amplitude * np.sin(moved[..., None] * frequency + phase)).sum(axis=2)
    return np.asarray(np.exp(0.3 * latent(z, 2)) * course + 0.5 * latent(z, 3))


def power_laws(z: Array, times: Array, spread: float) -> Array:
    """a t^b + c + d / t: log b, log a, c and d."""
    course = np.exp(0.4 * latent(z, 1)) * times ** np.exp(spread * latent(z, 0))
    return np.asarray(course + 0.5 * latent(z, 2) + 0.5 * latent(z, 3) / times)


def plateau(z: Array, times: Array, soft: float) -> Array:
    """A course that goes up and down again: middle, width, height, level; times from -1 to 1."""
    middle, width = 0.5 * squashed(latent(z, 0), 2.0), 0.4 * np.exp(0.4 * squashed(latent(z, 1), 1.5))
    course = expit((times - middle + width) / soft) * expit((middle + width - times) / soft)
    return np.asarray(np.exp(0.4 * latent(z, 2)) * course + 0.4 * latent(z, 3))


def broken_line(z: Array, times: Array, soft: float) -> Array:
    """A line with a soft bend: place of the bend, slope after it, level and slope before it."""
    bend = 0.6 * squashed(latent(z, 0), 2.0)
    after = (1.0 + 0.5 * squashed(latent(z, 1), 1.0)) * 2.0 * soft * np.logaddexp(0.0, (times - bend) / soft)
    return np.asarray(after + 0.7 * latent(z, 2) + 0.7 * latent(z, 3) * times)


def _finished(z: Array, course: Array, trend: Array) -> Array:
    """The course with an amplitude exp(0.4 z_2), a level and a trend."""
    return np.asarray(np.exp(0.4 * latent(z, 1)) * course + 0.5 * latent(z, 2) + 0.5 * latent(z, 3) * trend)
