"""How a benchmark ends: a dated JSON file with what is needed to repeat it, and plain tables."""

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"


def write_result(name: str, payload: Mapping[str, Any], folder: Path = RESULTS) -> Path:
    """Writes `NAME-YYYY-MM-DD.json`; a second run of the same day replaces the first."""
    today = date.today().isoformat()
    head = {"date": today, "commit": git_commit(), "machine": machine()}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{today}.json"
    path.write_text(json.dumps({**head, **payload}, indent=2) + "\n")
    return path


def machine() -> dict[str, Any]:
    """Processor model and cores, and no more: results are public."""
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


def git_commit() -> str:
    """The commit, with `+changes` if tracked files differ from it, or "unknown"."""
    try:
        commit = _git("rev-parse", "HEAD")
        return commit + ("+changes" if _git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def print_table(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Prints rows of equal keys as aligned columns."""
    print(f"\n{title}")
    if not rows:
        print("  (nothing)")
        return
    columns = list(dict.fromkeys(key for row in rows for key in row))
    cells = [columns] + [[_cell(row.get(c)) for c in columns] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    for line in cells:
        print("  " + "  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True)))


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=RESULTS.parent, capture_output=True, text=True, check=True)
    return done.stdout.strip()
