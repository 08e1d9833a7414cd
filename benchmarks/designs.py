"""What each part of the network buys, and what more data sets and more parameters do.

    python benchmarks/designs.py [--quick] [--batches FOLDER] [--seed S]

Every design is fitted to the same batches of the training stream with the same steps, some of them under
several seeds, and judged on fresh draws of the prior and on families that no training sees. With a share of
the data, the same steps see it more often. Batches are kept in FOLDER. Pinball loss is in
log(1 + nats), errors are in nats. Prints a table and writes results/designs-YYYY-MM-DD.json.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import held_out
import numpy as np
import torch
from exports import CACHE
from results import RESULTS, Row, Rows, print_table, result_name, write_result

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import train
from mizzle.model import quantiles
from mizzle.model.chunks import Chunk, summarised
from mizzle.model.fitting import Fit, FitConfig
from mizzle.model.net import AXES, Net, NetConfig
from mizzle.model.preprocess import prepare

BATCH = 128
COUNT = 216  # batches that are fitted to
PASSES = 4
SEEDS = (1, 2, 3)
VALIDATION = 48  # batches, of another seed
HELD_OUT = 40  # problems of each label


class Design(NamedTuple):
    """A network and how it is fitted, on a share of the batches, under several seeds."""

    name: str
    net: NetConfig
    seeds: Sequence[int] = SEEDS[:1]
    share: float = 1.0
    fit: FitConfig = FitConfig()


class Sets(NamedTuple):
    """Batches to fit to, and what is judged: draws of the prior and held-out families."""

    fitted: list[list[Chunk]]
    validation: list[Chunk]
    held_out: list[Chunk]


def designs() -> list[Design]:
    """The whole and its parts, then the optimizer, widths, and amounts of data."""
    parts = [Design(f"without {axis}", NetConfig(axes=_all_but(axis))) for axis in AXES]
    whole = [Design("all axes", NetConfig(), SEEDS), Design("statistics alone", NetConfig(axes=""), SEEDS)]
    others = [
        Design("AdamW alone", NetConfig(), fit=FitConfig(matrices=0.0)),
        *(Design(f"width {width}", NetConfig(width=width)) for width in (96, 192)),
        *(Design(f"{share:g} of the data", NetConfig(), share=share) for share in (0.25, 0.5)),
    ]
    return [*whole, *parts, *others]


def main() -> None:
    """Fits every design, prints how it did and writes the result."""
    options = _options()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    count = 8 if options.quick else COUNT
    sets = _sets(options, count)
    rows = [row for design in designs() for row in _fitted(design, sets)]
    print_table("designs", rows)
    payload = {
        "quick": options.quick, "seed": options.seed, "data_sets": count * BATCH, "passes": PASSES,
        "validation": sum(len(c.truth) for c in sets.validation), "designs": rows,
    }  # fmt: skip
    print(f"written: {write_result(result_name('designs', options.quick), payload, options.out).name}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--quick", action="store_true", help="a few batches: tries the program, tells nothing"
    )
    parser.add_argument("--batches", type=Path, default=CACHE / "batches")
    parser.add_argument("--seed", type=int, default=train.TrainConfig().seed)
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser.parse_args()


def _sets(options: argparse.Namespace, count: int) -> Sets:
    stream = train.Stream(options.seed, BATCH, options.batches)
    fresh = train.Stream(held_out.PRIOR_SEED, BATCH)
    kept = [chunk for t in range(1 if options.quick else VALIDATION) for chunk in fresh[t]]
    return Sets([stream[t] for t in range(count)], kept, _held_out(4 if options.quick else HELD_OUT))


def _held_out(each: int) -> list[Chunk]:
    cases = held_out.held_out_at_fixed_rows(each).cases
    tables = [prepare(case.x, case.y) for case in cases]
    return summarised(tables, [case.mi for case in cases], [case.label for case in cases])


def _all_but(axis: str) -> str:
    return " ".join(name for name in AXES if name != axis)


def _fitted(design: Design, sets: Sets) -> Rows:
    batches, steps = sets.fitted[: int(design.share * len(sets.fitted))], PASSES * len(sets.fitted)
    return [_judged(design, seed, *_fit(design, batches, seed, steps), sets) for seed in design.seeds]


def _fit(design: Design, batches: list[list[Chunk]], seed: int, steps: int) -> tuple[Net, float]:
    """The averaged network, and milliseconds for every use of a data set."""
    fit = Fit(design.net, replace(design.fit, steps=steps, average=0.995), seed)
    fit.fit_inputs([chunk.tokens for chunk in batches[0]])
    rng = np.random.default_rng(seed)
    order = [t for _ in range(-(-steps // len(batches))) for t in rng.permutation(len(batches)).tolist()]
    start = time.process_time()
    for t in order[:steps]:
        fit.update([(chunk.tokens, chunk.truth) for chunk in batches[t]])
    return fit.averaged, 1000 * (time.process_time() - start) / (steps * BATCH)


def _judged(design: Design, seed: int, net: Net, cost: float, sets: Sets) -> Row:
    row: Row = {"design": design.name, "seed": seed, "share": design.share}
    row["parameters"] = sum(parameter.numel() for parameter in net.parameters())
    row["ms_per_use"] = cost
    for name, chunks in (("validation", sets.validation), ("held_out", sets.held_out)):
        row |= {f"{name}_{key}": value for key, value in _scores(net, chunks).items()}
    print(f"{design.name}, seed {seed}: {row['validation_pinball']:.5f}", flush=True)
    return row


@torch.no_grad()
def _scores(net: Net, chunks: list[Chunk]) -> dict[str, float]:
    values = torch.cat([net(chunk.tokens) for chunk in chunks])
    truth = torch.cat([chunk.truth for chunk in chunks])
    error = quantiles.mean(quantiles.to_nats(values.double())) - torch.expm1(truth.double())
    loss = quantiles.pinball(values.clamp_min(0), truth)
    return {"pinball": float(loss.mean()), "mae": float(error.abs().mean())}


if __name__ == "__main__":
    main()
