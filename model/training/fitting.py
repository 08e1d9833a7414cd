"""Fitting: network, optimizer, moving average, and the checkpoint that lets a stopped run go on unchanged."""

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from mizzle.model import posterior
from mizzle.model.net import Net
from mizzle.model.statistics.tokens import Tokens, repad
from mizzle.model.training.optimizers import Optimizers
from mizzle.model.weights import NetConfig

_WARM_UP = 200  # steps


@dataclass(frozen=True)
class FitConfig:
    """What the fit itself depends on.

    Attributes:
        steps: optimizer steps of the whole run.
        cooldown: share of the steps over which the learning rate falls to zero; before, it stands still, so
            that runs of several lengths may part from one (Hu et al. 2024).
        rate, matrices: peak learning rates of AdamW, and of Muon, which steps the matrices inside; 0 leaves
            them to AdamW.
        decay, average: weight decay, decay of the weights' moving average.
    """

    steps: int = 30_000
    cooldown: float = 0.4
    rate: float = 1.5e-3
    matrices: float = 3e-3
    decay: float = 0.02
    average: float = 0.998

    def __post_init__(self) -> None:
        if not 0.0 < self.cooldown <= 1.0:
            raise ValueError(f"cooldown is {self.cooldown}; it must be above 0 and at most 1")


class Fit:
    """A network being fitted.

    Attributes:
        network: the kind of network.
        step, seconds: optimizer steps and time spent so far, over all sessions.
        origin: the commit that the run started from.
    """

    network: type[Net] = Net

    def __init__(self, net: NetConfig, config: FitConfig, seed: int) -> None:
        torch.manual_seed(seed)
        self.config = config
        self.net = self.network(net)
        self.step, self.seconds, self.origin = 0, 0.0, "unknown"
        self._start()

    def _start(self) -> None:
        self.ema = AveragedModel(self.net, multi_avg_fn=get_ema_multi_avg_fn(self.config.average))
        self.optimizers = Optimizers(self.net, self.config.matrices, self.config.rate, self.config.decay)

    def fit_inputs(self, sample: list[Tokens], only_new: bool = False) -> None:
        """Freeze the input statistics on a sample of the stream; `only_new`: those that have none yet."""
        self.net.fit_inputs(repad([data_set for tokens in sample for data_set in tokens.unbind()]), only_new)
        self._start()  # the average copies the frozen statistics

    def load_weights_from(self, net: Net) -> None:
        """Go on from this network, input statistics included."""
        self.net.load_state_dict(net.state_dict())
        self._start()

    def update(self, parts: list[tuple[Tokens, Tensor]]) -> float:
        """One optimizer step on a batch that comes in parts.

        Args:
            parts: tokens with the true log(1 + I) of each data set.

        Returns:
            mean pinball loss in log(1 + nats).
        """
        count = sum(len(truth) for _, truth in parts)
        total = 0.0
        for tokens, truth in parts:
            values = self.net(tokens)
            (self.objective(values, truth).sum() / count).backward()
            total += posterior.pinball(values.detach(), truth).sum().item() / count
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimizers.step(schedule(self.step, self.config))
        self.ema.update_parameters(self.net)
        self.step += 1
        return total

    def objective(self, values: Tensor, truth: Tensor) -> Tensor:
        """What is minimised, of every data set."""
        return posterior.pinball(values, truth)

    @property
    def averaged(self) -> Net:
        """The network with averaged weights: the one that is evaluated and shipped."""
        net = self.ema.module
        assert isinstance(net, Net)
        return net.eval()

    def interpolate(self, start: Net, share: float) -> None:
        """Let the average be this share of the way from another network to itself."""
        interpolate(self.averaged, start, share)

    def save(self, path: Path, about: dict[str, Any]) -> None:
        """Write a checkpoint atomically; `about` says which run it belongs to."""
        done = {"step": self.step, "seconds": self.seconds, "origin": self.origin}
        partial = path.with_suffix(".partial")
        save_file(self._tensors(), partial, metadata={"fit": json.dumps({**done, "about": about})})
        partial.replace(path)

    def restore(self, path: Path, about: dict[str, Any]) -> None:
        """Continue from a checkpoint; to another length too, while the learning rate has not begun to fall.

        Raises:
            ValueError: the checkpoint belongs to another run.
        """
        with safe_open(path, framework="pt") as file:
            header = json.loads(file.metadata()["fit"])
        before, now = header["about"], json.loads(json.dumps(about))
        same = before == now or (
            _but_length(before) == _but_length(now)
            and all(_on_plateau(header["step"], run["fit"]) for run in (before, now))
        )
        if not same:
            raise ValueError(f"{path} belongs to a run with other settings: {before}")
        self._load(load_file(path))
        self.step, self.seconds, self.origin = header["step"], header["seconds"], header["origin"]

    def _tensors(self) -> dict[str, Tensor]:
        flat = {f"optimizers.{key}": t for key, t in self.optimizers.state().items()}
        flat |= {f"net.{key}": t for key, t in self.net.state_dict().items()}
        return flat | {f"ema.{key}": t for key, t in self.ema.state_dict().items()}

    def _load(self, tensors: dict[str, Tensor]) -> None:
        self.net.load_state_dict(_under(tensors, "net"))
        self.ema.load_state_dict(_under(tensors, "ema"))
        self.optimizers.load(_under(tensors, "optimizers"))


@torch.no_grad()
def interpolate(net: Net, start: Net, share: float) -> None:
    """Let a network be this share of the way from another one to itself.

    Between the ends of a fine-tuning lies what both have learnt (Wortsman et al. 2022).
    """
    before = dict(start.named_parameters())
    for name, parameter in net.named_parameters():
        parameter.lerp_(before[name], 1.0 - share)


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    cut = len(prefix) + 1
    return {name[cut:]: t for name, t in tensors.items() if name.startswith(f"{prefix}.")}


def _but_length(about: dict[str, Any]) -> dict[str, Any]:
    fit = {name: value for name, value in about["fit"].items() if name not in ("steps", "cooldown")}
    return {**about, "fit": fit}


def _on_plateau(step: int, fit: dict[str, Any]) -> bool:
    return bool(step <= fit["steps"] * (1 - fit["cooldown"]))


def schedule(step: int, config: FitConfig) -> float:
    """Share of the peak learning rate: linear warm-up, a plateau, then a straight line to zero."""
    left = 1.0 - step / config.steps
    return min((step + 1) / _WARM_UP, 1.0, left / config.cooldown)


@contextmanager
def stop_signal() -> Iterator[threading.Event]:
    """Set by SIGINT and SIGTERM, so that work is saved before the program ends; a second one ends it."""
    stopped = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return

    def stop(number: int, _: object) -> None:
        if stopped.is_set():
            signal.signal(number, before[number])
            signal.raise_signal(number)
        stopped.set()

    before: dict[int, Any] = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for number in before:
            signal.signal(number, stop)
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
