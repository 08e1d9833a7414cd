"""What people ask once they have a number: p-values, conditions, lags, differences, verdicts.

    python benchmarks/all_questions.py [--quick] [--only significance ..]

Runs the figures of every `questions_*.py`, which say what they draw. The whole takes a good part of an hour;
the part `speed` takes a minute, and its times are valid on an idle machine alone. Needs `pip install ennemi
tigramite infomeasure` for the peers, and says which of them are missing. Prints tables and writes
results/questions-PART-YYYY-MM-DD.json for each part.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import questions_conditional
import questions_lags
import questions_memory
import questions_significance
import questions_verdict
from results import RESULTS, Row, Rows, peer_versions, print_table, result_name, write_result

from mizzle.model import Estimator

LAGS_SEED = 20_261
PEERS = ("ennemi", "infomeasure", "tigramite")


def _conditional(quick: bool) -> dict[str, Rows]:
    estimator = Estimator.load()
    count = questions_conditional.QUICK if quick else questions_conditional.COUNT
    return {
        "conditional": questions_conditional.rows(estimator, count),
        "conditional_peers": questions_conditional.peer_rows(estimator),
    }


def _lags(quick: bool) -> dict[str, Rows]:
    draws = 60 if quick else 560
    return {
        "difference": questions_lags.coverage(draws, LAGS_SEED),
        "couplings": questions_lags.couplings(draws // 6, LAGS_SEED),
        "rejections": questions_lags.rejections(draws // 3, LAGS_SEED),
    }


def _speed(_: bool) -> dict[str, Rows]:
    return {
        "significance_speed": questions_significance.speed(),
        "given_speed": questions_significance.conditional_speed(),
        "lags_speed": [questions_lags.speed()],
    }


PARTS: dict[str, Callable[[bool], dict[str, Rows]]] = {
    "significance": questions_significance.measured,
    "conditional": _conditional,
    "lags": _lags,
    "verdict": lambda quick: {"verdict": questions_verdict.verdicts(quick)},
    "memory": lambda quick: {"memory": questions_memory.measured(quick)},
    "speed": _speed,
}


def main() -> None:
    """Runs the parts one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="few draws: tries the program, tells little")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    peers = peer_versions(PEERS)
    print("peers:", ", ".join(f"{name} {found}" for name, found in peers.items()))
    weights = Estimator.load().info._asdict()
    head: Row = {"quick": options.quick, "weights": weights, "peers": peers}
    for part in options.only:
        start = time.perf_counter()
        tables = PARTS[part](options.quick)
        for title, rows in tables.items():
            print_table(title, rows)
        payload = {**head, "seconds": round(time.perf_counter() - start), **tables}
        path = write_result(result_name(f"questions-{part}", options.quick), payload, options.out)
        print(f"\nwritten: {path.name}")


if __name__ == "__main__":
    main()
