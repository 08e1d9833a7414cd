"""Looks by random networks: hidden units of the latents, mixed, with a linear part that keeps them apart.

z has shape (n, k), weights (k, units), bias (units,), outer (units, d) and linear (k, d).
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np
from scipy.special import expit  # type: ignore[import-untyped]

from mizzle.metadata_gen.family import Array

Layer = tuple[Array, Array]  # weights and bias


def decoded(
    z: Array, activation: Callable[[Array], Array], layers: Sequence[Layer], outer: Array, linear: Array
) -> Array:
    """h outer + z linear, with h the activation of h weights + bias, layer by layer from h = z on."""
    h = z
    for weights, bias in layers:
        h = activation(h @ weights + bias)
    return np.asarray(h @ outer + z @ linear)


def residual(z: Array, start: Array, blocks: Sequence[tuple[Array, Array, Array]]) -> Array:
    """h = z start, and then h + tanh(h weights + bias) outer for every block."""
    h = z @ start
    for weights, bias, outer in blocks:
        h = h + np.tanh(h @ weights + bias) @ outer
    return np.asarray(h)


def gated(z: Array, gate: Layer, value: Layer, linear: Array) -> Array:
    """(z V + c) / (1 + exp(-(z W + b))) + z linear: linear units behind gates."""
    opened = expit(z @ gate[0] + gate[1])
    return np.asarray((z @ value[0] + value[1]) * opened + z @ linear)


def cosines(z: Array, weights: Array, bias: Array) -> Array:
    """cos(z weights + bias): random Fourier features (Rahimi & Recht 2007)."""
    return np.asarray(np.cos(z @ weights + bias))


def with_graph(z: Array, activation: Callable[[Array], Array], weights: Array, bias: Array) -> Array:
    """The latents, and units of them: a graph over the latents' plane."""
    return np.hstack([z, activation(z @ weights + bias)])


def leaky(u: Array) -> Array:
    """u where it is positive, and else u / 10."""
    return np.maximum(u, 0.1 * u)


def elu(u: Array) -> Array:
    """u where it is positive, and else exp(u) - 1."""
    return np.where(u > 0.0, u, np.expm1(np.minimum(u, 0.0)))


def softplus(u: Array) -> Array:
    """log(1 + exp(u))."""
    return np.asarray(np.logaddexp(0.0, u))


def swish(u: Array) -> Array:
    """u / (1 + exp(-u))."""
    return np.asarray(u * expit(u))


def cubic(u: Array) -> Array:
    """u - u^3 / 6, and linear from |u| = 3 on."""
    inside = np.clip(u, -3.0, 3.0)
    return np.asarray(inside - inside**3 / 6.0 - 3.5 * (u - inside))


ACTIVATIONS: Final[Mapping[str, Callable[[Array], Array]]] = MappingProxyType(
    {
        "tanh": np.tanh,
        "logistic": expit,
        "softplus": softplus,
        "relu": leaky,
        "sine": np.sin,
        "elu": elu,
        "swish": swish,
        "absolute": np.abs,
        "cubic": cubic,
    }
)
