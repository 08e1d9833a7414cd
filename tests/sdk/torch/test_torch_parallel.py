"""Data-parallel training: two processes, whose gradients torch averages."""

from pathlib import Path

import torch
from torch import Tensor, distributed, nn
from torch.multiprocessing import spawn  # type: ignore[attr-defined]
from torch.nn.parallel import DistributedDataParallel

from mizzle.torch import MutualInformation


class Model(nn.Module):
    """An encoder whose information with y is the loss."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.encoder, self.mi = nn.Linear(3, 1), MutualInformation()

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        loss: Tensor = -self.mi(self.encoder(x), y)
        return loss


def sample(rank: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(rank)
    x = torch.randn(50, 3, generator=generator)
    return x, x[:, :1] + torch.randn(50, 1, generator=generator)


def train(rank: int, folder: str) -> None:
    """One step of one of two processes; saves the gradient that it has afterwards."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    model = DistributedDataParallel(Model())
    model(*sample(rank)).backward()
    torch.save(model.module.encoder.weight.grad, f"{folder}/{rank}.pt")
    distributed.destroy_process_group()


def test_two_processes_have_the_mean_of_their_gradients(tmp_path: Path) -> None:
    spawn(train, (str(tmp_path),), nprocs=2)
    both = [torch.load(tmp_path / f"{rank}.pt") for rank in range(2)]
    own = []
    for rank in range(2):
        model = Model()
        model(*sample(rank)).backward()
        assert model.encoder.weight.grad is not None
        own.append(model.encoder.weight.grad)
    mean = (own[0] + own[1]) / 2
    for gradient in both:  # sums in single precision, on other threads
        torch.testing.assert_close(gradient, mean, rtol=1e-3, atol=1e-4 * float(mean.abs().max()))
    assert not torch.allclose(own[0], own[1])
