"""What answers ranked problems: the compiled engine on CPUs, torch on GPUs for batches and otherwise."""

import ctypes
import os
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mizzle import cost, extras
from mizzle.errors import ModelUnavailable
from mizzle.model import native, weights
from mizzle.model.preprocess import Table
from mizzle.model.weights import Header
from mizzle.types import ModelInfo

ENGINES = ("auto", "native", "torch")
_VARIABLE = "MIZZLE_ENGINE"  # which engine answers, where the caller leaves it open
_DRIVERS = ("nvcuda.dll",) if sys.platform == "win32" else ("libcuda.so.1",)
_NEEDED = ("torch", "jaxtyping")  # by torch as an engine
_FEW_CELLS = 200_000  # that a core answers in the 30 ms in which a GPU begins (devices.py, engine_speed.py)
_REMEDY = "pip install 'mizzle[local]', or ask a service with mizzle.Client(url)"
Loaded = tuple["Engine", Header, ModelInfo]


@runtime_checkable
class Engine(Protocol):
    """A network with its calibration. No call changes it, so that threads may share one."""

    @property
    def name(self) -> str:
        """Which one it is: "native" or "torch"."""

    @property
    def device(self) -> str:
        """Where it computes: "cpu" or "cuda"."""

    @property
    def threads(self) -> int:
        """Threads that may call `run` side by side, at most."""

    def enter_thread(self) -> None:
        """Called once in every new thread that will call `run`."""

    def groups(self, tables: list[Table], workers: int) -> Iterable[list[int]]:
        """Positions in `tables` of problems to answer together; all together they cover them once."""

    def canonical_order(self, table: Table) -> NDArray[np.integer[Any]]:
        """The rows in an order that their content decides, whatever their order; shape (n,)."""

    def run(self, tables: list[Table]) -> native.Answers:
        """Answers to problems whose sides vary, NaN where the network gave what is not finite."""


class BesideCpu:
    """A GPU's engine for batches, and the compiled one for what a core has answered before a GPU has begun.

    Whether a GPU answers one problem or hundreds, it takes some 30 ms to launch what they need. Both engines
    agree to 3e-5 in log(1 + nats).
    """

    def __init__(self, gpu: Engine, cpu: Engine) -> None:
        self._gpu, self._cpu = gpu, cpu
        self.name, self.device, self.threads = gpu.name, gpu.device, gpu.threads
        self.groups, self.canonical_order = gpu.groups, cpu.canonical_order

    def enter_thread(self) -> None:
        """As both need."""
        self._gpu.enter_thread()
        self._cpu.enter_thread()

    def run(self, tables: list[Table]) -> native.Answers:
        """Answers by the one or the other, by the cells of all tables."""
        cells = sum(cost.cells(table.n, len(table.x), len(table.y)) for table in tables)
        return (self._cpu if cells <= _FEW_CELLS else self._gpu).run(tables)


def load(path: Path, device: str, threads: int | None, engine: str, sha256: str | None = None) -> Loaded:
    """An engine on a weights file.

    Args:
        device: "cpu", "cuda", or "auto" for CUDA where there is any.
        threads: that may share the work; of torch they are those of the whole process. None leaves them as
            they are.
        engine: one of `ENGINES`; "auto" is what the variable MIZZLE_ENGINE says, or else the compiled one on
            CPUs if it was built, torch for batches on GPUs, and torch otherwise.
        sha256: that the file must have.

    Raises:
        ModelUnavailable: the file is absent, damaged, or of another format; or there is no such engine or
            device here.
        MissingExtra: there is no compiled engine, and torch is not installed.
    """
    engine = _chosen(engine)
    if engine == "torch":
        return _torch(path, device, threads, sha256, "the engine torch")
    on_cpu = device in ("cpu", "auto")
    if engine == "native" and not on_cpu:
        raise ModelUnavailable(f"the compiled engine has no device {device}; choose cpu, or the engine torch")
    if engine == "auto" and (not on_cpu or (device == "auto" and _has_gpu())):
        loaded = _torch(path, device, threads, sha256, f"the device {device}")
        return _beside_cpu(path, loaded) if native.available() else loaded
    if native.available():
        return _native(path, threads, sha256)
    if engine == "native":
        remedy = "install mizzle where there is a C++ compiler, or choose the engine auto or torch"
        raise ModelUnavailable(f"{native.reason()}; {remedy}")
    purpose = f"estimating on this machine, where {native.reason()},"
    return _torch(path, device, threads, sha256, purpose)


def _chosen(engine: str) -> str:
    if engine == "auto":
        engine = os.environ.get(_VARIABLE) or "auto"
    if engine not in ENGINES:
        raise ModelUnavailable(f"there is no engine {engine}; choose {', '.join(ENGINES)}")
    return engine


def _beside_cpu(path: Path, loaded: Loaded) -> Loaded:
    """The engine of a GPU with the compiled one beside it; as it was where torch found none after all."""
    gpu, header, info = loaded
    return loaded if gpu.device == "cpu" else (BesideCpu(gpu, _native(path, 1, info.sha256)[0]), header, info)


def _native(path: Path, threads: int | None, sha256: str | None) -> Loaded:
    with weights.refused_in_one_sentence(path):
        read = weights.load(path, native.settings(), sha256)
        return native.Engine(read.about, read.tensors, threads), read.header, read.info


def _torch(path: Path, device: str, threads: int | None, sha256: str | None, purpose: str) -> Loaded:
    try:
        from mizzle.model import torch_engine
    except ModuleNotFoundError as error:
        raise extras.missing(error, purpose, _REMEDY) from None
    return torch_engine.load(path, device, threads, sha256)


def _has_gpu() -> bool:
    """Whether torch has a GPU; it is loaded only where it can be and there is the driver of one."""
    if not (all(map(find_spec, _NEEDED)) and _has_driver()):
        return False
    from mizzle.model import torch_engine

    return torch_engine.has_cuda()


def _has_driver() -> bool:
    """Whether a driver of Nvidia or of AMD, whose GPUs torch calls CUDA, too, is there."""
    return Path("/dev/kfd").exists() or any(map(_loads, _DRIVERS))


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
