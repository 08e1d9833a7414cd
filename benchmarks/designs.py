"""What each part of the network buys, what was tried beside it, and what more data and parameters do.

    python benchmarks/designs.py [--quick] [--batches FOLDER] [--seed S] [--only NAME ...]

Every design is fitted to the same batches of the training stream with the same steps, some of them under
several seeds, and judged on fresh draws of the prior, on families that no training sees and on BMI's tasks
where they were exported. With a share of the data, the same steps see it more often. Batches are kept in
FOLDER. AdamW fits all: Muon takes minutes more, and has a comparison of its own (decision 10). Pinball loss
is in log(1 + nats), `five` is the one at MIST's five levels, errors are in nats. Prints a table and writes
results/designs-YYYY-MM-DD.json.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import candidates
import held_out
import numpy as np
import torch
from exports import CACHE, Case, read_export
from results import RESULTS, Row, print_table, result_name, write_result
from safetensors.torch import load_file, save_file

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import train
from mizzle.metadata_gen import dataset
from mizzle.model import nonlinear, quantiles
from mizzle.model.chunks import Chunk, summarised
from mizzle.model.fitting import Fit, FitConfig
from mizzle.model.net import AXES, NetConfig
from mizzle.model.preprocess import prepare
from mizzle.model.quantiles import LEVELS
from mizzle.model.tokens import Tokens

BATCH = 128
COUNT = 72  # batches that are fitted to
PASSES = 4
SEEDS = (1, 2, 3)
VALIDATION = 12  # batches, of another seed
HELD_OUT = 40  # problems of each label
BMI = "bmi-n1000"
ADAMW = FitConfig(matrices=0.0)
FIVE = (0.05, 0.25, 0.5, 0.75, 0.95)


class Design(NamedTuple):
    """A network and how it is fitted, on a share of the batches, under several seeds.

    Attributes:
        blind: whether it goes without nonlinear canonical correlations.
        wider: whether it sees the tables of `candidates`.
    """

    name: str
    net: NetConfig = NetConfig()
    seeds: Sequence[int] = SEEDS[:1]
    share: float = 1.0
    config: FitConfig = ADAMW
    fit: type[Fit] = Fit
    blind: bool = False
    wider: bool = False


class Sets(NamedTuple):
    """Batches to fit to, and what is judged."""

    fitted: list[list[Chunk]]
    judged: dict[str, list[Chunk]]


class Plan(NamedTuple):
    """How much of everything, and where it is kept."""

    seed: int
    batches: int
    validation: int
    each: int
    folder: Path


def designs() -> list[Design]:
    """The whole and its parts, then other inputs, losses, optimizers, sizes and amounts of data."""
    parts = [Design(f"without {axis}", NetConfig(axes=_all_but(axis))) for axis in AXES]
    whole = [
        Design("all axes", seeds=SEEDS),
        Design("statistics alone", NetConfig(axes=""), SEEDS),
        Design("without nonlinear correlations", seeds=SEEDS, blind=True),
    ]
    others = [
        Design("raw cells beside", fit=candidates.CellsFit, wider=True),
        Design("table of column pairs beside", fit=candidates.PairsFit, wider=True),
        Design("quantiles of I", fit=candidates.Plain),
        Design("quantiles of its root", fit=candidates.Root),
        Design("nine levels", fit=candidates.FewLevels),
        Design("even weights", fit=candidates.Even),
        Design("weights 1 + I", fit=candidates.Nats),
        Design("last weights, no average", fit=candidates.Last),
        Design("schedule-free AdamW", fit=candidates.ScheduleFree),
        Design("rate falls from the start", config=replace(ADAMW, cooldown=1.0)),
        Design("rate 3e-3", config=replace(ADAMW, rate=3e-3)),
        Design("five blocks", NetConfig(blocks=5)),
        *(Design(f"width {width}", NetConfig(width=width)) for width in (96, 192)),
        *(Design(f"{share:g} of the data", share=share) for share in (0.25, 0.5)),
    ]
    return [*whole, *parts, *others]


def main() -> None:
    """Fits every design in two processes, prints how they did and writes the result."""
    options = _options()
    plan = Plan(
        options.seed, *((8, 1, 4) if options.quick else (COUNT, VALIDATION, HELD_OUT)), options.batches
    )
    candidates.check_libraries()
    chosen = [design for design in designs() if not options.only or design.name in options.only]
    jobs = [(design, seed, plan) for design in chosen for seed in design.seeds]
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(2, mp_context=get_context("spawn"), initializer=_alone) as pool:
        fresh = [(plan, held_out.PRIOR_SEED, t) for t in range(plan.validation)]
        list(pool.map(_make, fresh + [(plan, plan.seed, t) for t in range(plan.batches)]))
        rows = list(pool.map(_judged, jobs))
    print_table("designs", rows)
    part = options.quick or bool(options.only)  # no measurement that others may quote
    payload = {
        "quick": part, "seed": options.seed, "data_sets": plan.batches * BATCH, "passes": PASSES,
        "validation": plan.validation * BATCH, "designs": rows,
    }  # fmt: skip
    print(f"written: {write_result(result_name('designs', part), payload, options.out).name}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--quick", action="store_true", help="a few batches: tries the program, tells nothing"
    )
    parser.add_argument("--batches", type=Path, default=CACHE / "batches")
    parser.add_argument("--seed", type=int, default=train.TrainConfig().seed)
    names = [design.name for design in designs()]
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help="; ".join(names))
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser.parse_args()


def _alone() -> None:
    """A worker's settings: one thread, and no denormals (AdamW's moments decay into them)."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)


# What is fitted to and judged


def _make(place: tuple[Plan, int, int]) -> None:
    """Makes batch t of a seed and its tables, where they are not kept yet."""
    _seen(designs()[0]._replace(wider=True), *place)


def _sets(plan: Plan, design: Design) -> Sets:
    fitted = [_seen(design, plan, plan.seed, t) for t in range(max(1, int(design.share * plan.batches)))]
    fresh = [_seen(design, plan, held_out.PRIOR_SEED, t) for t in range(plan.validation)]
    judged = {"validation": [chunk for chunks in fresh for chunk in chunks]}
    judged["held_out"] = _summarised(design, held_out.held_out_at_fixed_rows(plan.each).cases)
    exported = CACHE / f"{BMI}.safetensors"
    if exported.exists():
        judged["bmi"] = _summarised(design, read_export(exported).cases)
    return Sets(fitted, judged)


def _seen(design: Design, plan: Plan, seed: int, t: int) -> list[Chunk]:
    """What the design gets to see of a batch."""
    stream = train.Stream(seed, BATCH, plan.folder)
    chunks = stream[t]
    if design.wider:
        return candidates.widened(chunks, _tables(stream, t))
    return _blinded(design, chunks)


def _tables(stream: train.Stream, t: int) -> dict[str, torch.Tensor]:
    """The tables of a batch, kept beside it."""
    path = stream.kept(t).with_suffix(".tables")
    if not path.exists():
        drawn = (dataset(stream.seed, t * BATCH + i) for i in range(BATCH))
        partial = path.with_suffix(f".{os.getpid()}")
        save_file(candidates.tables_of([prepare(one.x, one.y) for one in drawn]), partial)
        partial.replace(path)
    return load_file(path)


def _blinded(design: Design, chunks: list[Chunk]) -> list[Chunk]:
    return [chunk._replace(tokens=_blind(chunk.tokens)) for chunk in chunks] if design.blind else chunks


def _blind(tokens: Tokens) -> Tokens:
    overall, spectrum = tokens.overall.clone(), tokens.spectrum.clone()
    overall[:, -nonlinear.GLOBAL_CHANNELS :] = 0
    spectrum[..., -nonlinear.SPECTRUM_CHANNELS :] = 0
    return tokens._replace(overall=overall, spectrum=spectrum)


def _summarised(design: Design, cases: list[Case]) -> list[Chunk]:
    tables = [prepare(case.x, case.y) for case in cases]
    chunks = summarised(tables, [case.mi for case in cases], [case.label for case in cases])
    if design.wider:
        return candidates.widened(chunks, candidates.tables_of(tables))
    return _blinded(design, chunks)


def _all_but(axis: str) -> str:
    return " ".join(name for name in AXES if name != axis)


# Fitting and judging


def _judged(job: tuple[Design, int, Plan]) -> Row:
    design, seed, plan = job
    sets = _sets(plan, design)
    fit, cost = _fit(design, sets.fitted, seed, PASSES * plan.batches)
    row: Row = {"design": design.name, "seed": seed, "share": design.share}
    row["parameters"] = sum(parameter.numel() for parameter in fit.net.parameters())
    row["ms_per_use"] = cost
    for name, chunks in sets.judged.items():
        row |= {f"{name}_{key}": value for key, value in _scores(fit, chunks).items()}
    print(f"{design.name}, seed {seed}: {row['validation_pinball']:.5f}", flush=True)
    return row


def _fit(design: Design, batches: list[list[Chunk]], seed: int, steps: int) -> tuple[Fit, float]:
    """The finished fit, and milliseconds of one core for every use of a data set."""
    fit = design.fit(design.net, replace(design.config, steps=steps, average=0.995), seed)
    usual = [Tokens(*(getattr(chunk.tokens, name) for name in Tokens._fields)) for chunk in batches[0]]
    fit.fit_inputs(usual)
    rng = np.random.default_rng(seed)
    order = [t for _ in range(-(-steps // len(batches))) for t in rng.permutation(len(batches)).tolist()]
    start = time.process_time()
    for t in order[:steps]:
        fit.update([(chunk.tokens, chunk.truth) for chunk in batches[t]])
    return fit, 1000 * (time.process_time() - start) / (steps * BATCH)


@torch.no_grad()
def _scores(fit: Fit, chunks: list[Chunk]) -> dict[str, float]:
    net, logs = fit.averaged, candidates.logs(type(fit))
    values = torch.cat([logs(net(chunk.tokens)) for chunk in chunks])
    truth = torch.cat([chunk.truth for chunk in chunks])
    error = quantiles.mean(quantiles.to_nats(values.double())) - torch.expm1(truth.double())
    values = values.clamp_min(0)
    five = quantiles.pinball(values[:, [LEVELS.index(level) for level in FIVE]], truth, FIVE)
    loss = quantiles.pinball(values, truth)
    return {"pinball": float(loss.mean()), "five": float(five.mean()), "mae": float(error.abs().mean())}


if __name__ == "__main__":
    main()
