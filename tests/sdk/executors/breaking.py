"""Work that kills or fails its worker; in a module of its own, from which new processes import it."""

import os
import signal
from pathlib import Path
from typing import Any


def die_once(arrays: Any, task: tuple[str, int]) -> int:
    """The task's number; but the first process that has number 2 is killed."""
    folder, number = task
    marker = Path(folder) / "killed"
    if number == 2 and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    (Path(folder) / f"{number}.{os.getpid()}").touch()
    return number


def die(arrays: Any, task: Any) -> None:
    """No result, ever."""
    os.kill(os.getpid(), signal.SIGKILL)


def fail(arrays: Any, task: Any) -> None:
    """An error of no kind of ours."""
    raise RuntimeError("a first line\nno luck")
