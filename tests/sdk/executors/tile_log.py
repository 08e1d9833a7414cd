"""Work that says what it does: how often each tile was computed, and in which process."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mizzle.tables import shared_plan


def work(folder: Path, kill: bool = False, seconds: float = 0.0) -> Callable[[Any, Any], Any]:
    """What workers do with a task, and a file for each time that they have done so.

    Args:
        kill: whether the first worker to come is killed with its work half done.
        seconds: that each task takes longer.
    """
    answer = shared_plan.answer

    def logged(arrays: Any, task: Any) -> Any:
        begun = folder / "killed"
        if kill and not begun.exists():
            begun.touch()
            time.sleep(0.3)
            os.kill(os.getpid(), signal.SIGKILL)
        result = answer(arrays, task)
        time.sleep(seconds)
        first = "-".join(map(str, task[1][0].tolist()))
        (folder / f"{first}.{os.getpid()}.{time.time_ns()}").touch()
        return result

    return logged


def computed(folder: Path) -> Counter[str]:
    """How often each tile was computed, by its first pair."""
    return Counter(path.name.partition(".")[0] for path in folder.iterdir() if path.name != "killed")
