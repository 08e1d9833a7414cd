"""The machine that something was measured or trained on."""

import os
import platform
from pathlib import Path


def machine() -> dict[str, str | int]:
    """Processor model and cores, and no more: results and weights are public."""
    model = platform.processor() or "unknown"
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [s.split(":", 1)[1] for s in info.read_text().splitlines() if "model name" in s]
        model = names[0].strip() if names else model
    return {"processor": model, "cores": cores()}


def cores() -> int:
    """Cores this process may use, which in a container are fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
