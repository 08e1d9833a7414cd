"""How a benchmark ends: a dated JSON file with what is needed to repeat it, and plain tables."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"
_DIGITS = 6  # significant digits of a stored number

Row = dict[str, Any]
Rows = list[Row]


def write_result(name: str, payload: Mapping[str, Any], folder: Path = RESULTS) -> Path:
    """Writes `NAME-YYYY-MM-DD.json`; a second run of the same day replaces the first."""
    from mizzle.machine import machine  # not above: `speed.py` measures the import of the package

    today = date.today().isoformat()
    head = {"date": today, "commit": git_commit(), "machine": machine()}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{today}.json"
    path.write_text(_text({**head, **payload}) + "\n")
    return path


def result_name(kind: str, quick: bool) -> str:
    """A reduced run has a name of its own: it must not replace a full run of the same day."""
    return f"{kind}-quick" if quick else kind


def newest(kind: str, folder: Path = RESULTS) -> Path | None:
    """The latest full result of a kind ("accuracy", "consistency", "speed"), if there is one."""
    # Dates sort as text, and the digit keeps "accuracy-quick-..." out.
    return max(folder.glob(f"{kind}-[0-9]*.json"), default=None)


def read_newest(kind: str, folder: Path = RESULTS) -> Row:
    """Its content, with the file's name under "file"; empty where there is none."""
    path = newest(kind, folder)
    return {} if path is None else {"file": path.name, **json.loads(path.read_text())}


def git_commit() -> str:
    """The commit, with `+changes` if tracked files differ from it, or "unknown"."""
    try:
        commit = _git("rev-parse", "HEAD")
        return commit + ("+changes" if _git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def is_installed(package: str) -> bool:
    """Whether a peer can be imported."""
    return find_spec(package) is not None


def peer_versions(packages: Sequence[str]) -> dict[str, str]:
    """The versions of peers; "not installed" of those whose rows a result lacks."""
    return {name: version(name) if is_installed(name) else "not installed" for name in packages}


def one_core() -> None:
    """Stay on one core from now on, children included, where the system can hold a process there."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def peak_mib() -> float:
    """Peak resident memory of this process."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not getrusage: its peak survives exec and would include the parent's memory.
        lines = [s for s in status.read_text().splitlines() if s.startswith("VmHWM")]
        return int(lines[0].split()[1]) / 2**10
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


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


def _text(value: Any, indent: str = "") -> str:
    """JSON with one line for every container that holds no other, so that a row is a line."""
    inside = list(value.values()) if isinstance(value, Mapping) else value
    if not isinstance(inside, list) or not any(isinstance(part, Mapping | list) for part in inside):
        return json.dumps(_rounded(value))
    parts = [_text(part, indent + "  ") for part in inside]
    if isinstance(value, Mapping):
        parts = [f"{json.dumps(key)}: {part}" for key, part in zip(value, parts, strict=True)]
    start, end = "{}" if isinstance(value, Mapping) else "[]"
    return f"{start}\n{indent}  " + f",\n{indent}  ".join(parts) + f"\n{indent}{end}"


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=RESULTS.parent, capture_output=True, text=True, check=True)
    return done.stdout.strip()
