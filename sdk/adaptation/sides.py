"""One injective map per side: exactly normal latents in, rows like those of the data out."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from mizzle.adaptation import columns, flows
from mizzle.adaptation.columns import Columns
from mizzle.adaptation.dimension import intrinsic
from mizzle.data.arrays import FloatArray

_SMALLEST = 1e-4  # of the largest variance of a principal component; below, columns are sums of others
_FEWER = 0.67  # of the components, below which the intrinsic dimension calls for an autoencoder
_EXPLAINED = 0.95  # of the variance that an autoencoder must give back, or components are kept
_RETURNED = 0.98  # of the variance of its latents, which must come back if the map is to be injective
_AT_ONCE = 8192  # rows, whose splines then stay in a cache


@dataclass(frozen=True)
class FittedSide:
    """A map of latents to rows.

    Attributes:
        columns: the rows that it was fitted to.
        latents: standard normal columns that it takes; 0 where every column is discrete.
        dimension: intrinsic dimension of the continuous columns, nan without any.
        way: "components" or "autoencoder".
        levels, edges: of every discrete column.
        is_cut: whether time was over before the fit was.
    """

    columns: Columns
    latents: int
    dimension: float
    way: str
    levels: tuple[FloatArray, ...]
    edges: tuple[FloatArray, ...]
    is_cut: bool
    _axes: FloatArray
    _centre: FloatArray
    _decoder: Any
    _scale: tuple[FloatArray, FloatArray]
    _flow: Any

    def rows(self, z: FloatArray, u: FloatArray) -> FloatArray:
        """Rows of normal latents z, shape (n, k), and of uniforms u, one for each discrete column."""
        out = np.empty((len(z), len(self.columns.names)))
        if self.latents:
            out[:, ~self.columns.discrete] = self.scores(z)
        bins = zip(self.levels, self.edges, u.T, strict=True)
        for place, (levels, edges, column) in zip(np.flatnonzero(self.columns.discrete), bins, strict=True):
            out[:, place] = levels[np.searchsorted(edges, column)]
        return out

    def scores(self, z: FloatArray) -> FloatArray:
        """Normal scores of the continuous columns, as the data's are, of latents of shape (n, k)."""
        with torch.no_grad():
            back = self._flow().transform.inv
            inner = torch.cat([back(part) for part in torch.from_numpy(z.astype(np.float32)).split(_AT_ONCE)])
            inner = (
                inner * torch.from_numpy(self._scale[1]).float() + torch.from_numpy(self._scale[0]).float()
            )
            if self._decoder is not None:
                inner = self._decoder.decode(inner)
        return np.asarray(inner.double().numpy() @ self._axes.T + self._centre)


def fit(side: Columns, rng: np.random.Generator, passes: int, stopped: flows.Stop) -> FittedSide:
    """The map of a side, fitted to its rows, which must come in random order."""
    levels, edges = tuple(b[0] for b in side.bins), tuple(b[1] for b in side.bins)
    if side.discrete.all():
        nothing = np.empty((0, 0))
        return FittedSide(
            side, 0, np.nan, "none", levels, edges, False, nothing, nothing, None, (nothing, nothing), None
        )
    scores = columns.normal_scores(side.continuous, rng)
    centre, axes = _components(scores)
    inner = (scores - centre) @ np.linalg.pinv(axes).T
    dimension, seed = intrinsic(inner), int(rng.integers(2**31))
    decoder, decoder_is_cut = _decoder(inner, dimension, seed, passes, stopped)
    if decoder is not None:
        with torch.no_grad():
            inner = decoder.encode(torch.from_numpy(inner).float()).double().numpy()
    scale = inner.mean(0), inner.std(0)
    flow, flow_is_cut = flows.flow((inner - scale[0]) / scale[1], seed, passes, stopped)
    way = "components" if decoder is None else "autoencoder"
    about = side, inner.shape[1], dimension, way, levels, edges, decoder_is_cut or flow_is_cut
    return FittedSide(*about, axes, centre, decoder, scale, flow)


def _components(scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Centre, and the axes of all components that vary, each as long as its standard deviation."""
    centre = scores.mean(0)
    values, axes = np.linalg.eigh(np.cov(scores.T, bias=True).reshape(2 * (scores.shape[1],)))
    varying = values > _SMALLEST * values[-1]
    return centre, np.asarray(axes[:, varying] * np.sqrt(values[varying]))


def _decoder(
    inner: FloatArray, dimension: float, seed: int, passes: int, stopped: flows.Stop
) -> tuple[flows.Autoencoder | None, bool]:
    """An autoencoder, where rows lie on fewer dimensions and one gives them back injectively; whether cut."""
    latents = max(1, int(np.ceil(dimension - 0.3)))
    if latents > _FEWER * inner.shape[1]:
        return None, False
    model, is_cut = flows.autoencoder(inner, latents, seed, 2 * passes, stopped)
    with torch.no_grad():
        rows = torch.from_numpy(inner[round(0.85 * len(inner)) :]).float()
        z = model.encode(rows)
        back = model.decode(z)
        again = model.encode(back)
        explained = 1.0 - (back - rows).square().mean() / rows.var(0).mean()
        returned = 1.0 - ((again - z).square().mean(0) / z.var(0)).max()
    return model if explained >= _EXPLAINED and returned >= _RETURNED else None, is_cut
