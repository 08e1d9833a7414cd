"""MINE and InfoNCE, as BMI implements them, on exported data sets.

    python benchmarks/neural_peers.py [--reduced] [--export STEM ...] [--limit N]
    python benchmarks/neural_peers.py --time NxD [NxD ...]

Makes BMI's environment and runs there. Each problem trains both networks, which takes seconds, so they
see a part of an export only: BMI at seed 0, and a fixed sample of 40 problems of MIST. Writes
`neural-STEM.json` beside the export after every problem; a second run goes on where the first stopped.
Estimates are in nats and raw: as lower bounds on held-out rows they may be negative, and
`exports.neural` clips them.
"""

import argparse
import json
import math
import sys
import time
from pathlib import Path
from typing import Any

import environments
import numpy as np
from exports import CACHE, Case, Export, neural_path, read_export, sha256, write_json

REDUCED = ("bmi-n1000", "mist-seen-seed90")
STEMS = (*REDUCED, "bmi-n5000", "mist-unseen-seed90")
SAMPLE = 40
# BMI's own defaults, but for two: a batch may not exceed the half of the rows that trains, and the steps
# end where one problem of 1000 rows has taken about ten seconds on a core (BMI's default: 10,000).
# Training stops before that once two tests in a row have not improved; the best test is the estimate.
COMMON = {
    "learning_rate": 0.1, "hidden_layers": [16, 8], "train_test_split": 0.5,
    "test_every_n_steps": 250, "standardize": True, "seed": 42,
}  # fmt: skip
SETTINGS: dict[str, dict[str, Any]] = {
    "mine": COMMON | {"max_n_steps": 5000, "smoothing_alpha": 0.9},
    "infonce": COMMON | {"max_n_steps": 1500},
}
MAX_BATCH = 256


def main() -> None:
    """Trains what is missing, one export after the other."""
    options = _options()
    if not environments.inside("bmi"):
        raise SystemExit(environments.run_inside("bmi", __file__, sys.argv[1:]))
    if options.time:
        print(json.dumps([timed(*map(int, size.split("x"))) for size in options.time]))
        return
    for stem in options.export or (REDUCED if options.reduced else STEMS):
        path = options.cache / f"{stem}.safetensors"
        if not path.exists():
            raise SystemExit(f"{path.name} is not there; run export_{stem.partition('-')[0]}.py first")
        complete(path, options.limit)


def complete(path: Path, limit: int | None) -> None:
    """Adds the missing estimates of one export to its record, at most `limit` problems."""
    export = read_export(path)
    out = neural_path(export.stem, path.parent)
    record = _record(path, out)
    missing = [i for i in chosen(export) if str(i) not in record["estimates"]["infonce"]]
    for done, index in enumerate(missing[:limit], start=1):
        for name in SETTINGS:
            nats, seconds = estimate(name, export.cases[index])
            record["estimates"][name][str(index)] = nats
            record["seconds"][name][str(index)] = round(seconds, 2)
        write_json(out, record)
        print(f"{out.name}: {done} of {len(missing)}", flush=True)


def chosen(export: Export) -> list[int]:
    """The problems of an export that are worth the time."""
    count = len(export.cases)
    if export.suite == "bmi":
        return [i for i in range(count) if export.cases[i].seed == 0]
    sample = np.random.default_rng(0).choice(count, min(SAMPLE, count), replace=False)
    return sorted(int(i) for i in sample)


def estimate(name: str, case: Case) -> tuple[float, float]:
    """One estimate in nats, and the seconds it took."""
    from bmi.estimators.neural import InfoNCEEstimator, MINEEstimator  # type: ignore[import-not-found]

    kind = {"mine": MINEEstimator, "infonce": InfoNCEEstimator}[name]
    batch = min(MAX_BATCH, len(case.x) // 2)
    start = time.perf_counter()
    nats = float(kind(batch_size=batch, verbose=False, **SETTINGS[name]).estimate(case.x, case.y))
    return nats, time.perf_counter() - start


def timed(rows: int, columns: int) -> dict[str, float]:
    """Seconds that each takes for y = x / 2 + noise, compiling included, as for every sample anew."""
    x, noise = np.random.default_rng(0).standard_normal((2, rows, columns))
    case = Case(x, 0.5 * x + noise, math.nan, "", "", 0)
    return {"n": rows, "dim": columns, **{name: estimate(name, case)[1] for name in SETTINGS}}


def _record(path: Path, out: Path) -> dict[str, Any]:
    """What is there already if export and settings are the same, else an empty record."""
    fresh: dict[str, Any] = {
        "export": path.stem,
        "sha256": sha256(path),
        "unit": "nats",
        "settings": SETTINGS | {"batch_size": f"min({MAX_BATCH}, rows // 2)"},
        "estimates": {name: {} for name in SETTINGS},
        "seconds": {name: {} for name in SETTINGS},
    }
    if not out.exists():
        return fresh
    there: dict[str, Any] = json.loads(out.read_text())
    same = all(there[key] == fresh[key] for key in ("sha256", "settings"))
    return there if same else fresh


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--reduced", action="store_true", help=f"only {' and '.join(REDUCED)}")
    parser.add_argument("--export", nargs="+", metavar="STEM", help=f"default: {' '.join(STEMS)}")
    parser.add_argument("--limit", type=int, help="at most so many problems of each export")
    parser.add_argument(
        "--time", nargs="+", metavar="NxD", help="only time one problem of N rows and D + D columns, each"
    )
    parser.add_argument("--cache", type=Path, default=CACHE)
    return parser.parse_args()


if __name__ == "__main__":
    main()
