"""The sizes of a sample, which say how far each of the other statistics may be trusted."""

import torch
from jaxtyping import Float32
from torch import Tensor

from mizzle.model.statistics.statistic import EVERY, Context, Statistic


def logs(context: Context) -> Float32[Tensor, "b 1 e"]:
    """Log n and the logs of the smaller and larger side: the same for all tokens."""
    low, high = context.batch.dims.aminmax(dim=-1)
    return torch.stack([context.batch.n, low, high], -1).float().log()[:, None]


def ratios(context: Context) -> Float32[Tensor, "b e"]:
    """Sizes as logs and as the ratios that sampling noise depends on."""
    n = context.batch.n.double()
    low, high = context.batch.dims.double().sort(dim=-1).values.unbind(-1)
    logs = [n.log(), low.log(), high.log()]
    ratios = [(low + high) / n, low * high / n, 1 / n]
    return torch.stack([*logs, *ratios], -1).float()


SIZES = Statistic(
    name="sizes",
    about="log n and the logs of the smaller and of the larger side; in the global token also (dx + dy) / n, "
    "dx dy / n and 1 / n",
    token=EVERY,
    channels={"logs": 3},
    compute=logs,
    pooled={"logs": 3, "ratios": 3},
    pool=ratios,
)
