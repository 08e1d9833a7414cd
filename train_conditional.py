"""Train the small network of conditional information on triples that know their own I(X;Y|Z).

    python train_conditional.py --out runs/conditional --draws 30000 --seed 91

Processes draw samples, estimate both problems of each, and keep the answers in OUT, so that a run that was
stopped goes on; then the network is fitted, checked on draws of its own, and written to
OUT/conditional.safetensors.
"""

import argparse
import logging
import multiprocessing
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.conditional_problems import conditional_problem
from mizzle.model import Estimator
from mizzle.model.conditional.answers import KIND, ROWS, summary
from mizzle.model.conditional.triples import Triple, prepare
from mizzle.model.training import labels as fitting

log = logging.getLogger("train_conditional")

CHUNK = 500  # draws that one file holds
HELD_OUT = 0.1  # of the draws


@cache
def estimator() -> Estimator:
    """The shipped one, of one thread, in each process."""
    return Estimator.load(threads=1)


def make_chunk(job: tuple[int, int, Path]) -> Path:
    """The file of one chunk, drawn unless it is there."""
    seed, i, folder = job
    path = folder / f"conditional-{seed}-{i}.npz"
    if path.exists():
        return path
    rng = np.random.default_rng([seed, i])
    drawn: dict[str, list[object]] = {}
    while len(drawn.get("n", ())) < CHUNK:
        for name, value in one_draw(rng).items():
            drawn.setdefault(name, []).append(value)
    part = path.with_suffix(".part.npz")
    arrays: dict[str, Any] = {name: np.array(values) for name, values in drawn.items()}
    np.savez(part, **arrays)
    part.rename(path)
    return path


def one_draw(rng: np.random.Generator) -> dict[str, object]:
    """A triple in numbers, the quantiles of both estimates, and I(X;Y|Z); nothing of one that needs none."""
    problem, n = conditional_problem(rng), int(np.exp(rng.uniform(*np.log(ROWS))))
    triple = prepare(*problem.sample(rng, n))
    if len(triple.problems) < 2:
        return {}
    model = estimator()
    joint, condition = model.run([model.prepare(*pair) for pair in triple.problems])
    quantiles = {"joint": joint.values, "given": condition.values}
    parts = {"numbers": triple.numbers, "guesses": triple.guesses, "bound": triple.bound}
    return {**quantiles, **parts, "nats": problem.nats, "n": n, "kind": problem.name}


def draws_of(files: list[Path]) -> fitting.Draws:
    """What the network learns from."""
    summaries, nats, rows = [], [], []
    for file in map(np.load, files):
        parts = {name: file[name] for name in file.files}
        for i, n in enumerate(parts["n"]):
            numbers, guesses, bound = (parts[name][i] for name in ("numbers", "guesses", "bound"))
            triple = Triple((), numbers, guesses, float(bound), int(n), (1, 1, 1), ())
            summaries.append(summary(triple, parts["joint"][i], parts["given"][i]))
        nats.append(parts["nats"])
        rows.append(parts["n"])
    features = np.array([s.features for s in summaries], np.float32)
    base, scale, bound = np.array([(s.base, s.scale, s.bound) for s in summaries]).T
    return fitting.Draws(features, base, scale, bound, np.concatenate(nats), np.concatenate(rows))


def main() -> None:
    """Draw, fit, check, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("runs/conditional"))
    parser.add_argument("--draws", type=int, default=30_000)
    parser.add_argument("--seed", type=int, default=91)
    parser.add_argument("--steps", type=int, default=12_000)
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if chosen.draws < CHUNK:
        raise InvalidInput(f"draws is {chosen.draws}; at least {CHUNK} are needed")
    chosen.out.mkdir(parents=True, exist_ok=True)
    with multiprocessing.get_context("spawn").Pool(chosen.workers) as pool:
        jobs = [(chosen.seed, i, chosen.out) for i in range(chosen.draws // CHUNK)]
        files = pool.map(make_chunk, jobs, chunksize=1)
    log.info("%d draws", CHUNK * len(files))
    fitted = fitting.fit(*draws_of(files).split(HELD_OUT), chosen.steps, chosen.seed, log.info)
    fitting.write(chosen.out / "conditional.safetensors", {KIND: fitted}, vars(chosen) | {"rows": ROWS})


if __name__ == "__main__":
    main()
