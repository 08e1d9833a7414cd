"""Train the two small networks for labels without an order on draws that know their own mutual information.

    python train_labels.py --out runs/labels --draws 200000 --seed 81

Two processes draw samples and keep their summaries in OUT, so that a run that was stopped goes on; then two
networks are fitted, checked on draws of their own, and written to OUT/labels.safetensors.
"""

import argparse
import logging
import multiprocessing
from collections.abc import Callable
from pathlib import Path

import numpy as np

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.label_problems import MAX_LEVELS, label_table, labelled_numbers
from mizzle.model.labels import numbers, tables
from mizzle.model.labels.network import KINDS
from mizzle.model.labels.summary import Summary
from mizzle.model.preprocess import side
from mizzle.model.training import labels as fitting

log = logging.getLogger("train_labels")

CHUNK = 2000  # draws that one file holds
HELD_OUT = 0.1  # of the draws
ROWS = {"tables": (10, 1_000_000), "numbers": (10, 10_000)}
DISCRETE = 0.2  # levels, as a share of the rows, up to which a side counts as discrete
Drawn = tuple[Summary, float, int]


def drawn_table(rng: np.random.Generator) -> Drawn | None:
    """Two labels: a summary, I and n; None where they would not be counted as labels."""
    family, n = label_table(rng), _rows(rng, "tables")
    counts = rng.multinomial(n, family.probabilities.ravel()).reshape(family.probabilities.shape)
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    if min(counts.shape) < 2 or max(counts.shape) > DISCRETE * n:
        return None
    x, y = np.nonzero(counts)
    times = counts[x, y]
    return tables.summary(np.repeat(x, times), np.repeat(y, times)), family.mi().nats, n


def drawn_numbers(rng: np.random.Generator) -> Drawn | None:
    """A label beside numbers, as `drawn_table`."""
    family, n = labelled_numbers(rng), _rows(rng, "numbers")
    label, column = map(side, family.sample(rng, n))
    if not label.discrete or min(label.distinct[0], column.distinct[0]) < 2:
        return None
    return numbers.summary(label.rows, column.ranks[0]), family.mi().nats, n


DRAWS: dict[str, Callable[[np.random.Generator], Drawn | None]] = {
    "tables": drawn_table,
    "numbers": drawn_numbers,
}


def _rows(rng: np.random.Generator, kind: str) -> int:
    low, high = np.log(ROWS[kind])
    return int(np.exp(rng.uniform(low, high)))


def make_chunk(job: tuple[str, int, int, Path]) -> Path:
    """The file of one chunk, drawn unless it is there."""
    kind, seed, i, folder = job
    path = folder / f"{kind}-{seed}-{i}.npz"
    if path.exists():
        return path
    rng = np.random.default_rng([seed, i, list(KINDS).index(kind)])
    drawn_samples: list[Drawn] = []
    while len(drawn_samples) < CHUNK:
        drawn = DRAWS[kind](rng)
        if drawn is not None:
            drawn_samples.append(drawn)
    part = path.with_suffix(".part.npz")
    np.savez(
        part,
        features=np.array([s.features for s, _, _ in drawn_samples], np.float32),
        places=np.array([(s.base, s.scale, s.bound, nats, n) for s, nats, n in drawn_samples]),
    )
    part.rename(path)
    return path


def main() -> None:
    """Draw, fit, check, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("runs/labels"))
    parser.add_argument("--draws", type=int, default=200_000, help="of either kind")
    parser.add_argument("--seed", type=int, default=81)
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if chosen.draws < CHUNK:
        raise InvalidInput(f"draws is {chosen.draws}; at least {CHUNK} are needed")
    chosen.out.mkdir(parents=True, exist_ok=True)
    fitted = {}
    with multiprocessing.get_context("spawn").Pool(chosen.workers) as pool:
        for kind in KINDS:
            jobs = [(kind, chosen.seed, i, chosen.out) for i in range(chosen.draws // CHUNK)]
            files = pool.map(make_chunk, jobs, chunksize=1)
            log.info("%s: %d draws", kind, CHUNK * len(files))
            draws = fitting.read(files)
            fitted[kind] = fitting.fit(*draws.split(HELD_OUT), chosen.steps, chosen.seed, log.info)
    fitting.write(chosen.out / "labels.safetensors", fitted, vars(chosen) | {"levels": MAX_LEVELS})


if __name__ == "__main__":
    main()
