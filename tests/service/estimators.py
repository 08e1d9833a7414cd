"""Estimators for worker processes: the fake, and fakes that misbehave on a marked sample."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fakes import FakeEstimator, FakeTable

from mizzle.errors import ModelUnavailable
from mizzle.types import Estimate

KILL, HANG, STOP, EXIT, RAISE, OOM = 1001.0, 1002.0, 1003.0, 1004.0, 1005.0, 1006.0


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


def broken(path: Path | None = None, device: str = "cpu", threads: int = 1) -> NoReturn:
    """A bug while loading."""
    raise OSError("/a/secret/path")


def dying(path: Path | None = None, device: str = "cpu", threads: int = 1) -> NoReturn:
    """A process that ends before it can say anything."""
    os._exit(7)
