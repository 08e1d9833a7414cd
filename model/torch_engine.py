"""Torch as an engine: for GPUs, and where the compiled engine was not built."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Int64
from numpy.typing import NDArray
from torch import Tensor

from mizzle.errors import ModelUnavailable
from mizzle.model import posterior, quantiles, torch_weights
from mizzle.model.batch import CACHE_CELLS, DEVICE_CELLS, Batch, collate, grouped
from mizzle.model.calibrate import Calibration
from mizzle.model.native import Answers
from mizzle.model.net import Net
from mizzle.model.novelty import Novelty, stretch
from mizzle.model.preprocess import Table
from mizzle.model.statistics.queries import canonical_order
from mizzle.model.statistics.tokens import tokenise
from mizzle.model.threads import single_thread, use_single_thread
from mizzle.model.weights import Header
from mizzle.types import ModelInfo

_BEYOND_ROWS = 1.5  # times as wide, for an n outside the trained range


class TorchEngine:
    """A network with its calibration; see `engines.Engine`. No call changes it.

    Args:
        rows: smallest and largest n of the training.
        device: "cpu" or "cuda".
    """

    name = "torch"

    def __init__(
        self,
        net: Net,
        calibration: Calibration,
        novelty: Novelty,
        rows: tuple[int, int],
        device: str = "cpu",
    ) -> None:
        self.device = device
        self._net = net.to(device)
        self._calibration = calibration
        self._novelty = novelty
        self._rows = rows

    @property
    def threads(self) -> int:
        """Threads that torch is set to."""
        return torch.get_num_threads()

    def enter_thread(self) -> None:
        """Let the calling thread compute alone from now on."""
        use_single_thread()

    def groups(self, tables: list[Table], workers: int) -> Iterable[list[int]]:
        """Positions of tables of similar shape, which are padded to the same."""
        return grouped(tables, CACHE_CELLS if self.device == "cpu" else DEVICE_CELLS)

    def canonical_order(self, table: Table) -> NDArray[np.int64]:
        """As the compiled engine's."""
        with single_thread(), torch.inference_mode():
            order: NDArray[np.int64] = canonical_order(collate([table]))[0].numpy()
        return order

    def run(self, tables: list[Table]) -> Answers:
        """One padded pass, on one thread, whatever number of threads torch is set to.

        An operation is too small to gain from a second one, and waits for it where the processor has other
        work, 736 ms in place of 24. Afterwards torch's setting is what it was; other threads never see
        another.
        """
        with single_thread(), torch.inference_mode():
            return self._answers(collate(tables), torch.from_numpy(np.stack([t.ceiling for t in tables])))

    def _answers(self, batch: Batch, ceiling: Tensor) -> Answers:
        columns = batch.dims.sum(-1)
        raw, features = self._raw(batch)
        values = self._calibration.apply(raw, batch.n, columns)
        excess = self._novelty.excess(features, batch.n, columns)
        mean = quantiles.mean(posterior.to_nats(values.double()).minimum(ceiling).numpy())
        values = stretch(values, excess.maximum(self._beyond(batch.n)))
        nats = posterior.to_nats(values.double()).minimum(ceiling)
        return Answers(mean, nats.numpy(), excess.double().numpy())

    def _raw(self, batch: Batch) -> tuple[Float32[Tensor, "b q"], Float32[Tensor, "b g"]]:
        """Quantiles before calibration and the features of novelty: the part that the device does."""
        if self.device == "cpu":
            tokens = tokenise(batch)
            return self._net(tokens), self._net.features(tokens)
        with torch.device(self.device):  # what the statistics create lies there, too
            tokens = tokenise(batch.to(self.device))
            return self._net(tokens).cpu(), self._net.features(tokens).cpu()

    def _beyond(self, n: Int64[Tensor, " b"]) -> Float32[Tensor, " b"]:
        """How much wider the interval becomes for an n outside the trained range."""
        low, high = self._rows
        return torch.where((n < low) | (n > high), _BEYOND_ROWS, 0.0)


def load(
    path: Path, device: str, threads: int | None, sha256: str | None = None
) -> tuple[TorchEngine, Header, ModelInfo]:
    """The engine on a weights file.

    Args:
        device: "cpu", "cuda", or "auto" for CUDA where there is any.
        threads: of torch in the whole process from now on; None leaves them as they are.
        sha256: that the file must have.

    Raises:
        ModelUnavailable: the file is absent, damaged, or of another format; or there is no such device.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    device = _existing(device)
    net, calibration, novelty, header, info = torch_weights.load(path, sha256)
    return TorchEngine(net, calibration, novelty, header.rows, device), header, info


def has_cuda() -> bool:
    """Whether torch can use a GPU here."""
    return torch.cuda.is_available()


def _existing(device: str) -> str:
    if device == "auto":
        return "cuda" if has_cuda() else "cpu"
    if device.startswith("cuda") and not has_cuda():
        raise ModelUnavailable(f"there is no device {device} here; choose cpu or auto")
    return device
