"""What each part of the network buys, what was tried beside it, and what more data and parameters do.

    python benchmarks/designs.py [--quick] [--real-tables] [--batches FOLDER] [--seed S] [--only NAME ...]

Every design is fitted to the same batches of the training stream with the same steps, some of them under
several seeds, and judged on fresh draws of the prior, on families that no training sees and on BMI's tasks
where they were exported. With a share of the data, the same steps see it more often. AdamW fits all: Muon
takes minutes more, and has a comparison of its own (decision 10). Pinball loss is in log(1 + nats), `five` is
the one at MIST's levels, errors are in nats.

Two processes take 10 to 30 minutes to make the data, and one 2 to 8 to fit a design. Batches (3 GB) and rows
are kept in FOLDER: a run goes on where another was stopped. Choose another FOLDER where the code of the
network has changed. With --real-tables the designs are those without a statistic of neighbourhoods or a group
of the prior, by the best AdamW. Prints a table and writes results/designs-YYYY-MM-DD.json, or with
--real-tables results/designs-real-tables-YYYY-MM-DD.json.
"""

import argparse
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import candidates
import held_out
import numpy as np
import real_laws
import torch
from exports import CACHE, Case, read_export, write_json
from results import RESULTS, Row, print_table, result_name, write_result
from safetensors.torch import load_file, save_file

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import train
from mizzle.metadata_gen import dataset
from mizzle.model import posterior, quantiles
from mizzle.model.preprocess import prepare
from mizzle.model.quantiles import LEVELS
from mizzle.model.statistics import registry
from mizzle.model.statistics.tokens import Masked, Tokens
from mizzle.model.training.chunks import Chunk, summarised
from mizzle.model.training.fitting import Fit, FitConfig
from mizzle.model.weights import NetConfig

BATCH = 128
COUNT, REAL_COUNT = 576, 288  # batches that are fitted to; for the designs of real tables
PASSES = 3
SEEDS = (1, 2, 3)
VALIDATION = 24  # batches, of another seed
HELD_OUT = 40  # problems of each label
BMI = "bmi-n1000"
ADAMW = FitConfig(matrices=0.0)
FIVE = (0.05, 0.25, 0.5, 0.75, 0.95)
LOOKS_EACH, LOOKS_SEED = 2, 1  # problems of each other kind of look and number of rows in `real_laws`
NEIGHBOURHOODS = ("local information", "geometry")
GROUPS = {  # of families of the prior, by the starts of their labels; "plain" are all others
    "looks": ("looks",),
    "rotated": ("normal-rotated",),
    "bends": ("normal-bends",),
    "thin": ("thin",),
    "tails and labels": ("heavy", "rare", "event", "label", "contingency table", "embeddings"),
}


class Design(NamedTuple):
    """A network and how it is fitted, on a share of the batches, under several seeds.

    Attributes:
        share: of the batches, each of which is then seen more often.
        without: names of the statistics that it does not see.
        unfitted: groups of families that it is not fitted to.
        wider: whether it sees the tables of `candidates`.
    """

    name: str
    net: NetConfig = NetConfig()
    seeds: Sequence[int] = SEEDS[:1]
    share: float = 1.0
    config: FitConfig = ADAMW
    fit: type[Fit] = Fit
    without: tuple[str, ...] = ()
    unfitted: tuple[str, ...] = ()
    wider: bool = False


class Plan(NamedTuple):
    """How much of everything, and where it is kept."""

    seed: int
    batches: int
    validation: int
    each: int
    folder: Path

    def fitted(self, share: float) -> int:
        """Batches that a design with this share of the data is fitted to."""
        return max(1, int(share * self.batches))


def designs() -> list[Design]:
    """The whole and its parts, then other inputs, losses, optimizers, sizes and amounts of data."""
    parts = [Design(f"without {axis}", NetConfig(axes=_all_but(axis))) for axis in registry.kinds()]
    whole = [
        Design("all axes", seeds=SEEDS),
        Design("statistics alone", NetConfig(axes=""), SEEDS),
        Design("without nonlinear correlations", without=("nonlinear",)),
    ]
    others = [
        Design("quantiles of I", fit=candidates.Plain),
        Design("quantiles of its root", fit=candidates.Root),
        Design("nine levels", fit=candidates.FewLevels),
        Design("weights root of 1 + I", fit=candidates.Halfway),
        Design("last weights, no average", fit=candidates.Last),
        Design("rate falls from the start", config=replace(ADAMW, cooldown=1.0)),
        Design("five blocks", NetConfig(blocks=5)),
        *(Design(f"width {width}", NetConfig(width=width)) for width in (96, 192)),
        *(Design(f"{share} of the data", share=share) for share in (0.0625, 0.25)),
        Design("weights 1 + I", fit=candidates.Nats),
        Design("raw cells beside", fit=candidates.CellsFit, wider=True),
        Design("table of column pairs beside", fit=candidates.PairsFit, wider=True),
    ]
    return [*whole, *parts, *others]


def of_real_tables() -> list[Design]:
    """What statistics of neighbourhoods and groups of the prior buy."""
    base = Design("schedule-free AdamW", fit=candidates.ScheduleFree)
    statistics = {
        **{f"without {name}": (name,) for name in NEIGHBOURHOODS},
        "without neighbourhoods": NEIGHBOURHOODS,
    }
    groups: dict[str, tuple[str, ...]] = {f"not fitted to {group}": (group,) for group in GROUPS}
    groups["fitted to plain families"] = plain = tuple(GROUPS)
    return [
        base._replace(seeds=SEEDS[:2]),  # how far seeds lie apart
        *(base._replace(name=name, without=without) for name, without in statistics.items()),
        *(base._replace(name=name, unfitted=unfitted) for name, unfitted in groups.items()),
        base._replace(
            name="fitted to plain families, without neighbourhoods",
            without=NEIGHBOURHOODS,
            unfitted=plain,
        ),
    ]


def main() -> None:
    """Fits every design in two processes, prints how they did and writes the result."""
    options = _options()
    count = REAL_COUNT if options.real_tables else COUNT
    sizes = (8, 1, 4) if options.quick else (count, VALIDATION, HELD_OUT)
    plan = Plan(options.seed, *sizes, options.batches)
    candidates.check_libraries()
    available = of_real_tables() if options.real_tables else designs()
    chosen = [design for design in available if not options.only or design.name in options.only]
    jobs = [(design, seed, plan) for design in chosen for seed in design.seeds]
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(2, mp_context=get_context("spawn"), initializer=_alone) as pool:
        list(pool.map(_make, *zip(*_places(plan, chosen), strict=True)))
        rows = list(pool.map(_judged, jobs))
    print_table("designs", rows)
    part = options.quick or bool(options.only)  # no measurement that others may quote
    payload = {
        "quick": part, "seed": options.seed, "data_sets": plan.batches * BATCH, "passes": PASSES,
        "validation": plan.validation * BATCH, "designs": rows,
    }  # fmt: skip
    kind = "designs-real-tables" if options.real_tables else "designs"
    print(f"written: {write_result(result_name(kind, part), payload, options.out).name}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--quick", action="store_true", help="a few batches: tries the program, tells nothing"
    )
    parser.add_argument("--real-tables", action="store_true", help="the designs of real tables instead")
    parser.add_argument("--batches", type=Path, default=CACHE / "batches")
    parser.add_argument("--seed", type=int, default=train.TrainConfig().seed)
    names = [design.name for design in (*designs(), *of_real_tables())]
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help="; ".join(names))
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser.parse_args()


def _alone() -> None:
    """A worker's settings: one thread, and no denormals (AdamW's moments decay into them)."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)


# What is fitted to and judged


def _places(plan: Plan, chosen: list[Design]) -> Iterable[tuple[Plan, int, int, bool]]:
    """Every batch that is needed, by seed and number, and whether a design wants its tables."""
    wider = any(design.wider for design in chosen)
    for t in range(plan.validation):
        yield plan, held_out.PRIOR_SEED, t, wider
    for t in range(max(plan.fitted(design.share) for design in chosen)):
        yield plan, plan.seed, t, wider


def _make(plan: Plan, seed: int, t: int, wider: bool) -> None:
    """Makes batch t of a seed and its tables, where they are not kept yet."""
    _batch(Design("", wider=wider), plan, seed, t)


def _batch(design: Design, plan: Plan, seed: int, t: int) -> list[Chunk]:
    """A batch as the design sees it."""
    stream = _stream(seed, plan.folder)
    chunks = stream[t]
    if design.wider:
        return candidates.widened(chunks, _tables(stream, t))
    return _without(design, chunks)


@cache
def _stream(seed: int, folder: Path) -> train.Stream:
    return train.Stream(seed, BATCH, folder)


def _judges(design: Design, plan: Plan) -> dict[str, list[Chunk]]:
    """What the design is judged on."""
    fresh = [_batch(design, plan, held_out.PRIOR_SEED, t) for t in range(plan.validation)]
    drawn = [chunk for chunks in fresh for chunk in chunks]
    groups = {name: _of_group(drawn, name) for name in (*GROUPS, "plain")}
    others = {name: _without(design, chunks) for name, chunks in _summarised(plan.each, design.wider).items()}
    return {"validation": drawn, **groups, **others}


def _of_group(chunks: list[Chunk], group: str) -> list[Chunk]:
    """The problems of one group of families."""
    picked = [_selected(chunk, [_group(label) == group for label in chunk.family]) for chunk in chunks]
    return [chunk for chunk in picked if chunk.family]


def _group(label: str) -> str:
    return next((group for group, starts in GROUPS.items() if label.startswith(starts)), "plain")


def _selected(chunk: Chunk, which: list[bool]) -> Chunk:
    """Some of the problems of a chunk."""
    mask = torch.tensor(which)
    tokens = Tokens.of({name: tensor[mask] for name, tensor in chunk.tokens.named().items()})
    family = [label for label, chosen in zip(chunk.family, which, strict=True) if chosen]
    return Chunk(tokens, chunk.truth[mask], chunk.n[mask], chunk.columns[mask], family)


@cache
def _summarised(each: int, wider: bool) -> dict[str, list[Chunk]]:
    """Held-out families, and BMI's tasks where they were exported."""
    cases = {"held_out": held_out.held_out_at_fixed_rows(each).cases, "looks_held_out": _held_out_looks()}
    exported = CACHE / f"{BMI}.safetensors"
    if exported.exists():
        cases["bmi"] = read_export(exported).cases
    return {name: _of_cases(own, wider) for name, own in cases.items()}


def _held_out_looks() -> list[Case]:
    """Looks of kinds that no training sees."""
    rng = np.random.default_rng(LOOKS_SEED)
    kinds = [kind for kind in real_laws.KINDS if kind.group == "looks, other kinds"]
    drawn = [(kind.name, kind.draw(rng, n)) for kind in kinds for n in kind.rows for _ in range(LOOKS_EACH)]
    return [Case(own.x, own.y, own.nats, name, name, LOOKS_SEED) for name, own in drawn]


def _tables(stream: train.Stream, t: int) -> dict[str, torch.Tensor]:
    """The tables of a batch, kept beside it."""
    path = stream.path(t).with_suffix(".tables")
    if not path.exists():
        drawn = (dataset(stream.seed, t * BATCH + i) for i in range(BATCH))
        partial = path.with_suffix(f".{os.getpid()}")
        save_file(candidates.tables_of([prepare(data.x, data.y) for data in drawn]), partial)
        partial.replace(path)
    return load_file(path)


def _without(design: Design, chunks: list[Chunk]) -> list[Chunk]:
    """The chunks with the channels at 0 that the design does not see."""
    return [chunk._replace(tokens=_hidden(chunk.tokens, design.without)) for chunk in chunks]


def _hidden(tokens: Tokens, names: Sequence[str]) -> Tokens:
    if not names:
        return tokens
    kinds = {
        kind: Masked(_zeroed(values, kind, names), mask) for kind, (values, mask) in tokens.kinds.items()
    }
    return Tokens(_zeroed(tokens.overall, registry.OVERALL, names), kinds)


def _zeroed(values: torch.Tensor, token: str, names: Sequence[str]) -> torch.Tensor:
    places = registry.places(token)
    values = values.clone()
    for name in set(names) & set(places):
        values[..., places[name]] = 0
    return values


def _without_tables(tokens: Tokens) -> Tokens:
    return tokens._replace(kinds={kind: tokens.kinds[kind] for kind in registry.kinds()})


def _of_cases(cases: list[Case], wider: bool) -> list[Chunk]:
    tables = [prepare(case.x, case.y) for case in cases]
    chunks = summarised(tables, [case.mi for case in cases], [case.label for case in cases])
    return candidates.widened(chunks, candidates.tables_of(tables)) if wider else chunks


def _all_but(axis: str) -> str:
    return " ".join(name for name in registry.kinds() if name != axis)


# Fitting and judging


def _judged(job: tuple[Design, int, Plan]) -> Row:
    """One design, fitted and judged, or as kept."""
    design, seed, plan = job
    place = hashlib.sha256(repr((design, seed, plan._replace(folder=Path()))).encode()).hexdigest()[:12]
    path = _stream(plan.seed, plan.folder).path(0).with_name(f"{place}.json")
    if not path.exists():
        write_json(path, _measured(design, plan, seed))
    row: Row = json.loads(path.read_text())
    print(f"{design.name}, seed {seed}: {row['validation_pinball']:.5f}", flush=True)
    return row


def _measured(design: Design, plan: Plan, seed: int) -> Row:
    fit, cost = _fit(design, plan, seed)
    row: Row = {"design": design.name, "seed": seed, "share": design.share}
    row["data_sets"] = plan.fitted(design.share) * BATCH
    row["parameters"] = sum(parameter.numel() for parameter in fit.net.parameters())
    row["ms_per_use"] = cost
    for name, chunks in _judges(design, plan).items():
        row |= {f"{name}_{key}": value for key, value in _scores(fit, chunks).items()}
    return row


def _fit(design: Design, plan: Plan, seed: int) -> tuple[Fit, float]:
    """The finished fit, and milliseconds of one core for every use of a data set."""
    count = plan.fitted(design.share)
    steps = PASSES * plan.batches
    fit = design.fit(design.net, replace(design.config, steps=steps, average=0.995), seed)
    first = _batch(design, plan, plan.seed, 0)
    fit.fit_inputs([_without_tables(chunk.tokens) for chunk in first])
    rng = np.random.default_rng(seed)
    order = [t for _ in range(-(-steps // count)) for t in rng.permutation(count).tolist()]
    seconds = 0.0
    for t in order[:steps]:
        chunks = _fitted(design, _batch(design, plan, plan.seed, t))
        start = time.process_time()
        fit.update([(chunk.tokens, chunk.truth) for chunk in chunks])
        seconds += time.process_time() - start
    return fit, 1000 * seconds / (steps * BATCH)


def _fitted(design: Design, chunks: list[Chunk]) -> list[Chunk]:
    """What is left of a batch without the groups that the design is not fitted to."""
    if not design.unfitted:
        return chunks
    wanted = [[_group(label) not in design.unfitted for label in chunk.family] for chunk in chunks]
    picked = [_selected(chunk, which) for chunk, which in zip(chunks, wanted, strict=True)]
    return [chunk for chunk in picked if chunk.family]


@torch.no_grad()
def _scores(fit: Fit, chunks: list[Chunk]) -> dict[str, float]:
    net, logs = fit.averaged, candidates.logs(type(fit))
    values = torch.cat([logs(net(chunk.tokens)) for chunk in chunks])
    truth = torch.cat([chunk.truth for chunk in chunks])
    means = quantiles.mean(posterior.to_nats(values.double()).numpy())
    error = torch.from_numpy(means) - torch.expm1(truth.double())
    values = values.clamp_min(0)
    five = posterior.pinball(values[:, [LEVELS.index(level) for level in FIVE]], truth, FIVE)
    loss = posterior.pinball(values, truth)
    return {"pinball": float(loss.mean()), "five": float(five.mean()), "mae": float(error.abs().mean())}


if __name__ == "__main__":
    main()
