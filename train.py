"""Train the estimator on a stream of data sets that know their own mutual information.

    python train.py --out runs/first --steps 5000

Worker processes draw data sets and summarise them; this process fits the network. Batch t depends on seed and
t alone, so a run that was stopped and resumed is the run that never stopped. `OUT/mizzle.safetensors` is
calibrated and evaluated on draws that training never saw. Importing does nothing.
"""

import argparse
import hashlib
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from mizzle.machine import machine
from mizzle.metadata_gen import dataset, prior
from mizzle.model import torch_weights
from mizzle.model.calibrate import Calibration
from mizzle.model.novelty import Novelty
from mizzle.model.preprocess import prepare
from mizzle.model.statistics import registry
from mizzle.model.training import flags
from mizzle.model.training.chunks import (
    Chunk,
    Use,
    fresh,
    read,
    summarised,
    uses,
    write,
)
from mizzle.model.training.evaluate import Draws, table
from mizzle.model.training.fitting import Fit, FitConfig, stop_signal
from mizzle.model.weights import Header, NetConfig

log = logging.getLogger("train")

# In the folder of a run
CHECKPOINT = "checkpoint.safetensors"
STARTED = "start.safetensors"  # what it went on from; shipping overwrites the original
WAITING = "batches"  # those used again, about 3 MB each: at most (passes - 1) * lag of them


@dataclass(frozen=True)
class TrainConfig:
    """A whole run; each plain field is a command-line flag of the same name.

    Attributes:
        out: folder of checkpoint, journal, weights and final table.
        seed: of the training stream; seed + 1 sets the input scales, + 2 the calibration, + 3 the evaluation.
        batch: data sets in each optimizer step.
        passes, lag: how often a batch is used, and how many new ones come between; it waits in OUT/batches.
        workers: processes that make data sets.
        checkpoint: steps between checkpoints.
        start: weights to go on from with data sets of another seed, or none.
        blend: share of the way from these to the fitted network that is taken.
        calibrate, evaluate: held-out data sets for the level map and for the final table.
        name, release: what the weights will call themselves.
    """

    out: Path = Path("runs/latest")
    seed: int = 21
    batch: int = 128
    passes: int = 5
    lag: int = 400
    workers: int = 2
    checkpoint: int = 100
    start: str = ""
    blend: float = 1.0
    calibrate: int = 20_480
    evaluate: int = 10_240
    name: str = "mizzle-base"
    release: str = "1"
    fit: FitConfig = field(default_factory=FitConfig)
    net: NetConfig = field(default_factory=NetConfig)

    @property
    def stream(self) -> dict[str, Any]:
        """What a resumed run must share with the run that wrote the checkpoint."""
        names = ("seed", "batch", "passes", "lag", *(("start",) if self.start else ()))
        parts = {"fit": asdict(self.fit), "net": asdict(self.net), "prior": prior.describe()}
        return {**{name: getattr(self, name) for name in names}, **parts}


class Stream(Dataset[list[Chunk]]):
    """Batch t of a seed: data sets t * batch .. (t + 1) * batch - 1, summarised; kept in `folder`, if any.

    Files lie in a sub-folder named after all that they depend on, so that no run reads those of another.
    """

    def __init__(self, seed: int, batch: int, folder: Path | None = None) -> None:
        self.seed, self.batch, self.folder = seed, batch, folder
        if folder is not None:
            widths = {token: registry.widths(token) for token in (registry.OVERALL, *registry.kinds())}
            about = [seed, batch, prior.describe(), registry.settings(), widths]
            self.folder = folder / hashlib.sha256(json.dumps(about).encode()).hexdigest()[:12]
            self.folder.mkdir(parents=True, exist_ok=True)

    def __getitem__(self, t: int) -> list[Chunk]:
        if self.folder is None:
            return self._make(t)
        if not self.path(t).exists():
            write(self.path(t), self._make(t))
        return read(self.path(t))

    def path(self, t: int) -> Path:
        """Where batch t lies."""
        assert self.folder is not None
        return self.folder / f"{t}.safetensors"

    def _make(self, t: int) -> list[Chunk]:
        sets = [dataset(self.seed, t * self.batch + i) for i in range(self.batch)]
        tables = [prepare(data.x, data.y) for data in sets]
        return summarised(tables, [data.truth.nats for data in sets], [data.family for data in sets])


def batches(config: TrainConfig, stream: Stream, order: Sequence[int]) -> DataLoader[list[Chunk]]:
    """Batches of a stream in this order, made ahead by the worker processes."""
    return DataLoader(
        stream,
        batch_size=None,
        sampler=order,
        num_workers=config.workers,
        prefetch_factor=4 if config.workers else None,
        multiprocessing_context="spawn" if config.workers else None,
        worker_init_fn=_ignore_interrupt if config.workers else None,
    )


def _ignore_interrupt(_: int) -> None:
    """Signals reach the whole process group; only the trainer may decide when to stop."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def train(config: TrainConfig) -> Path:
    """Train, calibrate, evaluate and write the weights; goes on from a checkpoint in `config.out`.

    Returns:
        path of the weights file.

    Raises:
        KeyboardInterrupt: stopped by SIGINT or SIGTERM, after writing a checkpoint.
        ValueError: the checkpoint in `config.out` belongs to a run with other settings.
    """
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # AdamW's second moments decay into denormals, ten times as slow
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # for the workers: small matrices, one core each
    config.out.mkdir(parents=True, exist_ok=True)
    fit = Fit(config.net, config.fit, config.seed)
    if (config.out / CHECKPOINT).exists():
        fit.restore(config.out / CHECKPOINT, config.stream)
        log.info("going on from step %d of %d", fit.step, config.fit.steps)
    else:
        _begin(fit, config)
    _fit(fit, config)
    if config.start:
        fit.interpolate(torch_weights.extended(config.out / STARTED), config.blend)
    return _finish(fit, config)


def _begin(fit: Fit, config: TrainConfig) -> None:
    """The first step's network: weights that are there, or new ones with input scales from the stream."""
    fit.origin = _commit()  # now: the tree may change while this runs
    if config.start:
        fit.load_weights_from(torch_weights.extended(Path(config.start)))
        shutil.copyfile(config.start, config.out / STARTED)
        if fit.net.has_input_scales:
            return
    stream = Stream(config.seed + 1, config.batch)
    fit.fit_inputs([chunk.tokens for t in range(8) for chunk in stream[t]], only_new=bool(config.start))


def _fit(fit: Fit, config: TrainConfig) -> None:
    """Run the remaining steps, with a bar, a journal and checkpoints."""
    steps = config.fit.steps
    started = time.monotonic() - fit.seconds
    bar = tqdm(total=steps * config.batch, initial=fit.step * config.batch, unit="set", smoothing=0.02)
    recent: list[float] = []
    stream = Stream(config.seed, config.batch, config.out / WAITING if config.passes > 1 else None)
    with bar, stop_signal() as stopped, (config.out / "journal.jsonl").open("a") as journal:
        for use, chunks in _batches_to_fit(fit, config, stream):
            recent = [*recent[-99:], fit.update([(c.tokens, c.truth) for c in chunks])]
            fit.seconds = time.monotonic() - started
            loss = sum(recent) / len(recent)
            bar.update(config.batch)
            bar.set_postfix(loss=f"{loss:.4f}", refresh=False)
            ends = fit.step == steps or stopped.is_set()
            if ends or fit.step % config.checkpoint == 0:
                fit.save(config.out / CHECKPOINT, config.stream)
                line = {"step": fit.step, "loss": round(loss, 5), "seconds": round(fit.seconds)}
                print(json.dumps(line), file=journal, flush=True)
            if use.last and config.passes > 1:
                stream.path(use.batch).unlink(missing_ok=True)
            if stopped.is_set():
                raise KeyboardInterrupt
    shutil.rmtree(config.out / WAITING, ignore_errors=True)


def _batches_to_fit(fit: Fit, config: TrainConfig, stream: Stream) -> Iterator[tuple[Use, list[Chunk]]]:
    """The uses of batches that remain, each with its batch: new from the workers, others as kept."""
    order = list(islice(uses(config.passes, config.lag), fit.step, config.fit.steps))
    new = iter(batches(config, stream, [use.batch for use in order if use.first]))
    for use in order:
        yield use, next(new) if use.first else stream[use.batch]


def _finish(fit: Fit, config: TrainConfig) -> Path:
    """Calibrate and evaluate on draws of other seeds, and write the weights and the table."""
    draws = _held_out(fit, config, config.seed + 2, config.calibrate)
    calibration = Calibration.fit(draws.values, draws.truth, draws.n, draws.columns)
    novelty = Novelty.fit(draws.features, draws.n, draws.columns)
    path = config.out / "mizzle.safetensors"
    torch_weights.save(path, fit.averaged, calibration, novelty, _header(fit, config))
    draws = _held_out(fit, config, config.seed + 3, config.evaluate)
    text = table(*draws.answered(calibration, novelty))
    (config.out / "evaluation.txt").write_text(text + "\n")
    print(text)
    return path


def _held_out(fit: Fit, config: TrainConfig, seed: int, count: int) -> Draws:
    """The averaged network's answers on fresh data sets of another seed."""
    draws = []
    stream = batches(config, Stream(seed, config.batch), range(max(1, count // config.batch)))
    for chunks in tqdm(stream, unit="batch", desc=f"held out, seed {seed}"):
        with torch.no_grad():
            for c in chunks:
                values, features = fit.averaged(c.tokens), fit.averaged.features(c.tokens)
                draws.append(Draws(values, c.truth, c.n, c.columns, c.family, features))
    return Draws.joined(draws)


def _header(fit: Fit, config: TrainConfig) -> Header:
    configs, defaults = ((c, c.fit, c.net) for c in (config, TrainConfig()))
    training = {
        "command": "python train.py" + flags.differing(configs, defaults, but="out"),
        "data_sets": config.batch * fresh(config.passes, config.lag, fit.step),
        "minutes": round(fit.seconds / 60, 1),
        **machine(),
        "finished": datetime.now(UTC).date().isoformat(),
        "commit": fit.origin,
        "package": version("mizzle"),
        **config.stream,
    }
    del training["prior"], training["net"]
    if config.start:
        training["started_from"] = torch_weights.training(config.out / STARTED)
    return Header(
        name=config.name,
        version=config.release,
        net=config.net,
        rows=prior.ROWS,
        columns=prior.COLUMNS,
        prior=prior.describe(),
        training=training,
    )


def _commit() -> str:
    """Commit of the code that trained, marked where the tree differs from it."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def parse(arguments: list[str]) -> TrainConfig:
    """Flags from the fields of TrainConfig, FitConfig and NetConfig."""
    parser = argparse.ArgumentParser(description="Train mizzle's network.")
    groups: dict[str, Any] = {"": TrainConfig(), "fit": FitConfig(), "net": NetConfig()}
    chosen = flags.parsed(parser, arguments, groups)
    return TrainConfig(**chosen[""], fit=FitConfig(**chosen["fit"]), net=NetConfig(**chosen["net"]))


def main() -> int:
    """Command line; 130 after Ctrl-C with a checkpoint to go on from."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    config = parse(sys.argv[1:])
    try:
        path = train(config)
    except KeyboardInterrupt:
        log.info("stopped; the same command goes on from %s", config.out / CHECKPOINT)
        return 130
    log.info("weights: %s (copy to model/weights/ to ship them)", path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
