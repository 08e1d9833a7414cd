"""What the cheap pass of `matrix(screen="auto")` keeps of the strongest pairs, and what it costs.

    python benchmarks/screening.py [--quick] [--columns 300] [--rows 700] [--only NAME ...]

Tables of columns like genes, drawn here: logarithms of sparse counts of cells of eight types, as they are and
less two covariates; columns that share a few causes; and, where scanpy is installed (pip install scanpy), the
765 genes of 700 cells that it ships, which no score was chosen by. Each table is answered whole and screened,
by one process. Minutes a table; genes half an hour. Prints a table and writes
results/screening-YYYY-MM-DD.json.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from results import RESULTS, Row, is_installed, print_table, result_name, write_result
from tables_speed import columns

from mizzle.estimator import load
from mizzle.tables import matrix, plan, screening
from mizzle.tables.results import Matrix
from mizzle.tables.variables import variables

Table = NDArray[np.float64]
SEED = 31
QUICK = (80, 200)
TYPES = 8  # of cells
STRONGEST = 292  # one in so many pairs: 1,000 of 765 genes


def main() -> None:
    """Answers every table twice, prints a row for each, and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--columns", type=int, default=300)
    parser.add_argument("--rows", type=int, default=700)
    parser.add_argument("--only", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--quick", action="store_true", help="{} columns of {} rows, no genes".format(*QUICK))
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    p, n = QUICK if options.quick else (options.columns, options.rows)
    names = [name for name in options.only if name != "genes" or _has_genes(options.quick)]
    rows = [row(name, TABLES[name](p, n)) for name in names]
    print_table("screened tables", rows)
    head = {"seed": SEED, "quick": options.quick, "weights": load().info._asdict()}
    path = write_result(result_name("screening", options.quick), {**head, "tables": rows}, options.out)
    print(f"\nwritten: {path.name}")


def _has_genes(quick: bool) -> bool:
    there = is_installed("scanpy")
    if not (there or quick):
        print("the genes are left out: pip install scanpy")
    return there and not quick


def row(name: str, table: Table) -> Row:
    """A table answered whole and screened."""
    whole, seconds = timed(lambda: matrix(table, progress=False))
    some, seconds_screened = timed(lambda: matrix(table, progress=False, screen="auto"))
    chosen, seconds_pass = timed(lambda: choice(table))
    assert isinstance(whole, Matrix)
    assert isinstance(some, Matrix)
    assert isinstance(chosen, screening.Choice)
    assert some.screened is not None
    count = len(whole) // STRONGEST
    return {
        "table": name,
        "columns": table.shape[1],
        "pairs": len(whole),
        "answered": len(some) / len(whole),
        "strongest": count,
        "kept": kept(whole, chosen, count),
        "missed (report)": some.screened.missed,
        "at most (report)": some.screened.missed_at_most,
        "seconds": seconds,
        "seconds screened": seconds_screened,
        "seconds of the pass": seconds_pass,
        "share of time": seconds_screened / seconds,
    }


def timed(work: Callable[[], object]) -> tuple[object, float]:
    """What a function returns, and its seconds."""
    start = time.perf_counter()
    return work(), time.perf_counter() - start


def choice(table: Table) -> screening.Choice:
    """The pairs that the pass chooses.

    Raises:
        ValueError: the table is too small to be screened.
    """
    planned = plan.Plan.all_pairs(variables(table))
    by = screening.Pass.of("auto", None, planned)
    if by is None:
        raise ValueError(f"{len(planned.variables)} columns are not screened; take more")
    return screening.chosen(planned, by, None)


def kept(whole: Matrix, chosen: screening.Choice, count: int) -> float:
    """The share of the strongest pairs that were chosen, and not by chance."""
    upper = np.triu_indices(len(whole.values), 1)
    order = np.argsort(-whole.values[upper], kind="stable")[:count]
    strongest = zip(upper[0][order].tolist(), upper[1][order].tolist(), strict=True)
    return len(set(strongest) & (set(chosen.places) - chosen.sample)) / count


def counts(p: int, n: int) -> tuple[Table, Table]:
    """Logarithms of shares of sparse counts, and two covariates of each cell with a constant."""
    rng = np.random.default_rng(SEED)
    types, depth = rng.integers(TYPES, size=n), np.exp(rng.normal(0.0, 0.4, n))
    markers = np.exp(rng.normal(0.0, 0.8, (TYPES, p)) * (rng.random((TYPES, p)) < 0.3))
    means = np.exp(rng.normal(-1.5, 1.2, p)) * markers[types] * depth[:, None]
    drawn = rng.poisson(means * rng.gamma(2.0, 0.5, (n, p)))
    shares = 100 * drawn / means.sum(1, keepdims=True)
    return np.log1p(shares), np.column_stack([np.ones(n), depth, rng.beta(2.0, 40.0, n)])


def residuals(p: int, n: int) -> Table:
    """The same, less what the covariates tell."""
    table, known = counts(p, n)
    rest: Table = table - known @ np.linalg.lstsq(known, table, rcond=None)[0]
    return rest


def genes(p: int, n: int) -> Table:
    """Those of scanpy, whatever size is wanted."""
    import scanpy

    return np.asarray(scanpy.datasets.pbmc68k_reduced().X, np.float64)


TABLES: dict[str, Callable[[int, int], Table]] = {
    "counts": lambda p, n: counts(p, n)[0],
    "residuals": residuals,
    "causes": columns,
    "genes": genes,
}

if __name__ == "__main__":
    main()
