"""Train the small network of conditional information on triples that know their own I(X;Y|Z).

    python train_conditional.py --out runs/conditional --draws 40000 --seed 93

Processes draw samples, estimate both problems of each, and keep the answers in OUT, so that a run that was
stopped goes on; then the network is fitted, stretched until its intervals hold on kinds that a fit without
them never saw (docs/decisions/0025), and written to OUT/conditional.safetensors.
"""

import argparse
import logging
import multiprocessing
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.conditional_problems import conditional_problem
from mizzle.model import Estimator
from mizzle.model.conditional.answers import KIND, ROWS, summary
from mizzle.model.conditional.triples import Triple, prepare
from mizzle.model.labels.network import Network
from mizzle.model.training import labels as fitting

log = logging.getLogger("train_conditional")

CHUNK = 500  # draws that one file holds
HELD_OUT = 0.1  # of the draws
EPOCHS, NOISE = 30, 0.2  # more of the one, or less of the other, knows the training's kinds by heart
FOLDS = 5  # of the kinds
STRATA = (50, 350, 2000, 10_001)  # rows, to look at


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


def draws_of(files: list[Path]) -> tuple[fitting.Draws, np.ndarray]:
    """What the network learns from, and the kind of each draw."""
    summaries, others = [], {name: list[np.ndarray]() for name in ("nats", "n", "kind")}
    for file in map(np.load, files):
        parts = {name: file[name] for name in file.files}
        for i, n in enumerate(parts["n"]):
            numbers, guesses, bound = (parts[name][i] for name in ("numbers", "guesses", "bound"))
            triple = Triple((), numbers, guesses, float(bound), int(n), (1, 1, 1), ())
            summaries.append(summary(triple, parts["joint"][i], parts["given"][i]))
        for name, values in others.items():
            values.append(parts[name])
    features = np.array([s.features for s in summaries], np.float32)
    base, scale, bound = np.array([(s.base, s.scale, s.bound) for s in summaries]).T
    nats, rows, kinds = (np.concatenate(values) for values in others.values())
    return fitting.Draws(features, base, scale, bound, nats, rows), kinds


def unseen_stretches(draws: fitting.Draws, kinds: np.ndarray, steps: int, seed: int) -> np.ndarray:
    """The stretch that each draw needs of a network that never saw its kind, shape (m,)."""
    names = np.random.default_rng(seed).permutation(np.unique(kinds))
    needed = np.empty(len(kinds))
    for fold in range(FOLDS):
        apart = np.isin(kinds, names[fold::FOLDS])
        network = fitting.fit_plain(draws.where(~apart), steps, seed, lambda *_: None, NOISE)
        needed[apart] = fitting.stretches(network, draws.where(apart))
    return needed


def fit(draws: fitting.Draws, kinds: np.ndarray, seed: int) -> Network:
    """The network of all draws but the last, of which it says how it does, and a stretch for unseen kinds."""
    train, held_out = draws.split(HELD_OUT)
    steps = EPOCHS * len(train.n) // fitting.BATCH
    needed = unseen_stretches(draws, kinds, steps, seed)
    for low, high in pairwise(STRATA):
        rows = (low <= draws.n) & (draws.n < high)
        log.info("rows %d to %d: stretch %.3f", low, high, fitting.even_share(needed[rows], kinds[rows]))
    plain = fitting.fit_plain(train, steps, seed, log.info, NOISE)
    network = replace(plain, stretch=fitting.even_share(needed, kinds))
    own = np.quantile(fitting.stretches(plain, held_out), fitting.SHARE)
    log.info("%d steps; of its own kinds %.3f, of unseen ones %.3f", steps, own, network.stretch)
    log.info("coverage, error, width of its own kinds: %s", fitting.coverage(network, held_out))
    for kind in np.unique(kinds):
        log.info("%s, unseen: %.3f", kind, (needed[kinds == kind] <= network.stretch).mean())
    return network


def main() -> None:
    """Draw, fit, check, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("runs/conditional"))
    parser.add_argument("--draws", type=int, default=40_000)
    parser.add_argument("--seed", type=int, default=93)
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
    fitted = fit(*draws_of(files), chosen.seed)
    fitting.write(chosen.out / "conditional.safetensors", {KIND: fitted}, vars(chosen) | {"rows": ROWS})


if __name__ == "__main__":
    main()
