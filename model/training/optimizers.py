"""Two optimizers under one roof: Muon for the matrices inside the network, AdamW for all else.

Muon (Jordan et al. 2024) makes the singular values of a matrix' step equal, so that directions that are rare
in the data are learned as fast as common ones. With as many data sets it gets a tenth further here, for twice
the cost of a step; see docs/decisions/0010-muon.md.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mizzle.model.net import Net


class Optimizers:
    """Steps of both, with rates that rise and fall together.

    Args:
        net: the network whose parameters are stepped.
        matrices, rest: peak learning rates of Muon and of AdamW; without the first, AdamW steps everything.
        decay: weight decay of both.
    """

    def __init__(self, net: Net, matrices: float, rest: float, decay: float) -> None:
        inside = inner_matrices(net) if matrices else []
        muon_ids = {id(matrix) for matrix in inside}
        others = [parameter for parameter in net.parameters() if id(parameter) not in muon_ids]
        self.parts: list[torch.optim.Optimizer] = [torch.optim.AdamW(others, lr=rest, weight_decay=decay)]
        self.peaks = [rest]
        if inside:
            like_adamw = "match_rms_adamw"  # so that one scale of rates serves both
            muon = torch.optim.Muon(inside, lr=matrices, weight_decay=decay, adjust_lr_fn=like_adamw)
            self.parts.append(muon)
            self.peaks.append(matrices)

    def step(self, share: float) -> None:
        """One step at this share of the peak rates, then forget the gradients."""
        for part, peak in zip(self.parts, self.peaks, strict=True):
            for group in part.param_groups:
                group["lr"] = share * peak
            part.step()
            part.zero_grad()

    def state(self) -> dict[str, Tensor]:
        """All moments, by part, parameter and name."""
        return {
            f"{i}.{j}.{key}": tensor
            for i, part in enumerate(self.parts)
            for j, slot in part.state_dict()["state"].items()
            for key, tensor in slot.items()
        }

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` gave."""
        slots: list[dict[int, dict[str, Tensor]]] = [{} for _ in self.parts]
        for name, tensor in state.items():
            i, j, key = name.split(".")
            slots[int(i)].setdefault(int(j), {})[key] = tensor
        for part, moments in zip(self.parts, slots, strict=True):
            part.load_state_dict({**part.state_dict(), "state": moments})


def inner_matrices(net: Net) -> list[nn.Parameter]:
    """Matrices between hidden layers: not those that inputs enter by or answers leave by, nor small ones."""
    least = min(net.config.width, net.config.channels)
    inside = [*net.trunk.parameters(), *net.axes.parameters()]
    return [parameter for parameter in inside if parameter.ndim == 2 and min(parameter.shape) >= least]
