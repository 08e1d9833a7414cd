"""Looks: injective maps that have no inverse here, and the scaling of columns that comes before them."""

from collections.abc import Callable
from functools import partial

import numpy as np

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.family import Array
from mizzle.metadata_gen.maps.side_map import Injection

Function = Callable[[Array], Array]  # (n, k) -> (n, d)


class Look(Injection):
    """A function of the latents of a row that tells different ones apart.

    Args:
        function: takes rows of shape (n, k) to rows of shape (n, d), each on its own.
        dim_in: k.

    Raises:
        InvalidInput: k is below 1.
    """

    def __init__(self, function: Function, dim_in: int) -> None:
        super().__init__(dim_in, function(np.zeros((1, max(dim_in, 1)))).shape[1])
        self.function = function

    def forward(self, x: Array) -> Array:
        return self.function(x)

    def __repr__(self) -> str:
        return f"{_name(self.function)}({self.dim_in} -> {self.dim_out})"


class Scaled(Injection):
    """Every column z = (x - center) / scale becomes limit arctan(z / limit), within +-pi/2 limit.

    For a large limit that is z, for a small one it shortens long tails.

    Args:
        center, scale, limit: one number per column, shape (k,); scale and limit are positive.

    Raises:
        InvalidInput: a scale or limit is not positive.
    """

    def __init__(self, center: Array, scale: Array, limit: Array) -> None:
        super().__init__(len(center), len(center))
        if not (np.all(scale > 0.0) and np.all(limit > 0.0)):
            raise InvalidInput(f"scales {scale} and limits {limit} must be positive")
        self.center, self.scale, self.limit = center, scale, limit

    def forward(self, x: Array) -> Array:
        return np.asarray(self.limit * np.arctan((x - self.center) / (self.scale * self.limit)))


def projected(z: Array, function: Function, center: Array, directions: Array) -> Array:
    """(f(z) - center) directions, as by principal components: shapes (d,) and (d, components)."""
    return np.asarray((function(z) - center) @ directions)


def squashed(z: Array, scale: float) -> Array:
    """z / sqrt(scale^2 + z^2), onto (-1, 1); its tails are long, so that it does not saturate."""
    return np.asarray(z / np.sqrt(scale**2 + np.square(z)))


def latent(z: Array, i: int) -> Array:
    """Latent i of every row, shape (n, 1); one that is not there stays at 0."""
    return z[:, i : i + 1] if i < z.shape[1] else np.zeros((len(z), 1))


def _name(function: Function) -> str:
    if not isinstance(function, partial):
        return getattr(function, "__name__", "look")
    inner = function.keywords.get("function")
    return function.func.__name__ if inner is None else f"projected {_name(inner)}"
