"""Networks that imitate rows: a neural spline flow, and an autoencoder for rows on fewer dimensions."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mizzle import extras
from mizzle.data.arrays import FloatArray

_BATCH = 256
_PATIENCE = 12  # passes without a better held-out loss after which a fit ends
_HELD_OUT = 0.15
_UNITS = (64, 64)
_LAYERS, _BINS = 4, 8
Stop = Callable[[], bool]


def flow(rows: FloatArray, seed: int, passes: int, stopped: Stop) -> tuple[Any, bool]:
    """A neural spline flow (Durkan et al. 2019) of coupling layers, fitted to rows of shape (n, k).

    Its splines act on [-5, 5], so rows come standardised. The weights are those of the best held-out loss.

    Returns:
        the flow, and whether time was over before the fit was.
    """
    torch.manual_seed(seed)
    model = _coupling(rows.shape[1])
    return model, _fit(model, lambda x: -model().log_prob(x), rows, passes, 3e-3, stopped)


def _coupling(columns: int) -> Any:
    """Each layer bends one half of the columns, as the other half says; a single column has but splines.

    Half of the columns in one pass: an autoregressive flow of equal likelihood takes four times as long to
    invert.
    """
    zuko = extras.load("zuko", "pip install 'mizzle[adapt]'")
    if columns == 1:
        return zuko.flows.NSF(1, transforms=1, hidden_features=_UNITS)
    splines: dict[str, Any] = {
        "univariate": zuko.transforms.MonotonicRQSTransform,
        "shapes": [(_BINS,), (_BINS,), (_BINS - 1,)],
        "hidden_features": _UNITS,
    }
    layers = [
        zuko.flows.GeneralCouplingTransform(columns, mask=mask, **splines)
        for _ in range(_LAYERS // 2)
        for half in (torch.randperm(columns) < columns // 2,)
        for mask in (half, ~half)
    ]
    base = zuko.lazy.UnconditionalDistribution(
        zuko.distributions.DiagNormal, torch.zeros(columns), torch.ones(columns), buffer=True
    )
    return zuko.lazy.Flow(layers, base)


class Autoencoder(nn.Module):
    """k latents of d columns and back; both ways have a linear part beside the units."""

    def __init__(self, columns: int, latents: int) -> None:
        super().__init__()
        self.encoder, self.decoder = _perceptron(columns, latents), _perceptron(latents, columns)
        self.encoder_linear, self.decoder_linear = nn.Linear(columns, latents), nn.Linear(latents, columns)

    def encode(self, x: Tensor) -> Tensor:
        """Shapes (n, d) and (n, k)."""
        z: Tensor = self.encoder(x) + self.encoder_linear(x)
        return z

    def decode(self, z: Tensor) -> Tensor:
        """Shapes (n, k) and (n, d)."""
        x: Tensor = self.decoder(z) + self.decoder_linear(z)
        return x


def autoencoder(
    rows: FloatArray, latents: int, seed: int, passes: int, stopped: Stop
) -> tuple[Autoencoder, bool]:
    """Fitted to rows of shape (n, d); latents are asked to come back, too, as injectivity wants.

    Returns:
        the autoencoder, and whether time was over before the fit was.
    """
    torch.manual_seed(seed)
    model = Autoencoder(rows.shape[1], latents)

    def loss(x: Tensor) -> Tensor:
        z = model.encode(x)
        shaken = z + 0.1 * z.detach().std(0) * torch.randn_like(z)
        again = (model.encode(model.decode(shaken)) - shaken).square().mean(1)
        return (model.decode(z) - x).square().mean(1) + 0.1 * again

    return model, _fit(model, loss, rows, passes, 3e-3, stopped)


def _perceptron(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, outputs)
    )


def _fit(
    model: nn.Module,
    loss: Callable[[Tensor], Tensor],
    rows: FloatArray,
    passes: int,
    rate: float,
    stopped: Stop,
) -> bool:
    """Adam with early stopping on the last rows, which must come in random order; whether time ended it."""
    data = torch.from_numpy(np.ascontiguousarray(rows, np.float32))
    cut = round(len(data) * (1.0 - _HELD_OUT))
    train, held_out = data[:cut], data[cut:]
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, passes, rate / 20)
    best, best_state, since, is_cut = float("inf"), copy.deepcopy(model.state_dict()), 0, False
    for _ in range(passes):
        for batch in _batches(train):
            optimizer.zero_grad()
            loss(batch).mean().backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
        schedule.step()
        with torch.no_grad():
            now = loss(held_out).mean().item()
        since += 1
        if now < best:
            best, best_state, since = now, copy.deepcopy(model.state_dict()), 0
        if since >= _PATIENCE or (is_cut := stopped()):
            break
    model.load_state_dict(best_state)
    model.eval().requires_grad_(False)
    return is_cut


def _batches(train: Tensor) -> Iterator[Tensor]:
    yield from train[torch.randperm(len(train))].split(_BATCH)
