"""Estimators for worker processes: the fake, and fakes that misbehave on a marked sample."""

import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fakes import FakeEstimator, FakeTable

from mizzle.errors import ModelUnavailable
from mizzle.types import Estimate, Notice

KILL, HANG, STOP, EXIT, RAISE, OOM = 1001.0, 1002.0, 1003.0, 1004.0, 1005.0, 1006.0
SPIN, STUTTER = 1007.0, 1008.0


class OutOfMemoryError(RuntimeError):
    """Named as torch's."""


class Misbehaving(FakeEstimator):
    """Does what the first number of a sample says."""

    def run(self, tables: list[FakeTable]) -> list[Estimate]:
        for table in tables:
            _do(table.x[0, 0], len(tables))
        return super().run(tables)


def _do(mark: float, together: int) -> None:
    if mark == KILL:
        os.kill(os.getpid(), signal.SIGKILL)
    elif mark == STOP:
        os.kill(os.getpid(), signal.SIGSTOP)
    elif mark == HANG:
        time.sleep(3600)
    elif mark == SPIN:
        while True:
            pass
    elif mark == STUTTER:  # the first two bytes of an answer, and no more
        os.write(int(sys.argv[1]), bytes(2))
        os.kill(os.getpid(), signal.SIGSTOP)
    elif mark == EXIT:
        sys.exit(3)
    elif mark == RAISE:
        raise RuntimeError("poison in /a/secret/path")
    elif mark == OOM and together > 1:
        raise OutOfMemoryError


def fake(path: Path | None = None, device: str = "cpu", threads: int = 1) -> FakeEstimator:
    """The fake as it is."""
    return FakeEstimator()


def misbehaving(path: Path | None = None, device: str = "cpu", threads: int = 1) -> Misbehaving:
    """The fake that obeys marks."""
    return Misbehaving()


def missing(path: Path | None = None, device: str = "cpu", threads: int = 1) -> NoReturn:
    """No model."""
    raise ModelUnavailable("the weights are missing")


def threads_as_warnings(path: Path | None = None, device: str = "cpu", threads: int = 1) -> Any:
    """The real estimator on torch; its answers warn of the threads that torch had meanwhile."""
    import torch

    from mizzle.model import Estimator, torch_engine
    from mizzle.model.statistics.tokens import tokenise as computed

    class Watched(Estimator):
        def _answer(self, *arguments: Any) -> Estimate:
            threads = Notice("threads", str(counts[-1]))
            return replace(super()._answer(*arguments), warnings=(threads,))

    def tokenise(batch: Any) -> Any:
        counts.append(torch.get_num_threads())
        return computed(batch)

    counts: list[int] = []
    vars(torch_engine)["tokenise"] = tokenise
    return Watched.load(path, device, threads, "torch")


def broken(path: Path | None = None, device: str = "cpu", threads: int = 1) -> NoReturn:
    """A bug while loading."""
    raise OSError("/a/secret/path")


def stopping(
    path: Path | None = None, device: str = "cpu", threads: int = 1, once: str = ""
) -> FakeEstimator:
    """The fake; the second process that loads it stops before it is there. `once` is a file to count by."""
    with open(once, "a+") as starts:
        starts.write("x")
        second = starts.tell() == 2
    if second:
        os.kill(os.getpid(), signal.SIGSTOP)
    return FakeEstimator()


def dying(path: Path | None = None, device: str = "cpu", threads: int = 1) -> NoReturn:
    """A process that ends before it can say anything."""
    os._exit(7)
