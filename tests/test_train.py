"""The training program: stopped and resumed equals straight, whatever the workers; nothing at import."""

import contextlib
import dataclasses
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import train
from mizzle.metadata_gen.prior.ranges import ROWS
from mizzle.model import Estimator
from mizzle.model.statistics.tokens import Tokens
from mizzle.model.training import flags
from mizzle.model.training.chunks import fresh, uses
from mizzle.model.training.fitting import Fit, FitConfig, schedule
from mizzle.model.weights import NetConfig

Parts = list[tuple[Tokens, torch.Tensor]]
SMALL = train.TrainConfig(
    seed=5,
    batch=8,
    passes=2,
    lag=1,
    workers=0,
    checkpoint=2,
    calibrate=8,
    evaluate=8,
    fit=FitConfig(steps=4),
    net=NetConfig(width=16, channels=8, heads=2, rounds=1, blocks=2),
)


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a run that never stopped."""
    return train.train(dataclasses.replace(SMALL, out=tmp_path_factory.mktemp("straight")))


def same(left: Path, right: Path) -> None:
    a, b = load_file(left), load_file(right)
    assert a.keys() == b.keys()
    for name, tensor in a.items():
        assert torch.equal(tensor, b[name]), name


def test_stopped_and_resumed_is_the_straight_run(
    straight: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signal arrives during step 3, between two checkpoints."""
    config = dataclasses.replace(SMALL, out=tmp_path)
    update = Fit.update

    def interrupted(fit: Fit, parts: Parts) -> float:
        if fit.step == 2:
            signalled.set()
        return update(fit, parts)

    signalled = threading.Event()
    with monkeypatch.context() as patch:
        patch.setattr(train, "stop_signal", lambda: contextlib.nullcontext(signalled))
        patch.setattr(Fit, "update", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train.train(config)
    assert not (tmp_path / "mizzle.safetensors").exists()
    same(train.train(config), straight)


def test_worker_processes_do_not_matter(straight: Path, tmp_path: Path) -> None:
    same(train.train(dataclasses.replace(SMALL, out=tmp_path, workers=2)), straight)


def test_another_configuration_does_not_resume(straight: Path) -> None:
    config = dataclasses.replace(SMALL, out=straight.parent, seed=6)
    with pytest.raises(ValueError, match="other settings"):
        train.train(config)


def test_the_weights_answer_and_say_how_they_were_made(straight: Path) -> None:
    estimator = Estimator.load(straight)
    rng = np.random.default_rng(0)
    estimate = estimator.estimate(rng.normal(size=100), rng.normal(size=100))
    assert estimate.mi >= 0
    assert estimator.header.training["data_sets"] == 24
    assert estimator.header.training["seed"] == 5
    assert "--seed 5 --batch 8" in estimator.header.training["command"]
    assert estimator.header.rows == ROWS


def test_the_final_table_lists_n_and_families(straight: Path) -> None:
    lines = (straight.parent / "evaluation.txt").read_text().splitlines()
    assert lines[0].split() == ["sets", "MAE", "MSE", "bias", "pinball", "cover", "90"]
    assert lines[1].startswith("all")
    counted = {line[:24].strip(): int(line[24:31]) for line in lines[1:]}
    assert counted.pop("all") == 8
    assert sum(c for name, c in counted.items() if name.startswith("n ")) == 8
    assert sum(c for name, c in counted.items() if name.startswith("columns ")) == 8
    assert sum(c for name, c in counted.items() if name.startswith("truth ")) == 8
    kinds = ("n ", "columns ", "truth ")
    assert sum(c for name, c in counted.items() if not name.startswith(kinds)) == 8


def test_loss_falls_on_a_batch_seen_again() -> None:
    chunks = train.Stream(1, 32)[0]
    fit = Fit(SMALL.net, FitConfig(steps=120, rate=5e-3), seed=0)
    fit.fit_inputs([c.tokens for c in chunks])
    losses = [fit.update([(c.tokens, c.truth) for c in chunks]) for _ in range(120)]
    assert losses[-1] < 0.5 * losses[0]


def test_learning_rate_warms_up_stands_still_and_ends_at_zero() -> None:
    config = FitConfig(steps=1000, cooldown=0.5)
    assert schedule(0, config) < 0.02
    assert schedule(300, config) == schedule(500, config) == 1.0
    assert schedule(750, config) == pytest.approx(0.5)
    assert schedule(1000, config) == 0.0


def test_batches_come_back_after_the_lag() -> None:
    order = list(islice(uses(passes=3, lag=2), 12))
    assert [use.batch for use in order] == [0, 1, 2, 0, 3, 1, 4, 2, 0, 5, 3, 1]
    assert [use.batch for use in order if use.first] == [0, 1, 2, 3, 4, 5]
    assert [use.batch for use in order if use.last] == [0, 1]
    assert fresh(passes=3, lag=2, steps=12) == 6


def test_a_batch_on_disk_is_the_batch(tmp_path: Path) -> None:
    made, folder = train.Stream(3, 8)[2], train.Stream(3, 8, tmp_path)
    for again in (folder[2], folder[2]):
        for left, right in zip(made, again, strict=True):
            assert left.family == right.family
            assert all(map(torch.equal, left[1:4], right[1:4]))
            tensors = right.tokens.named()
            assert left.tokens.named().keys() == tensors.keys()
            assert all(torch.equal(tensor, tensors[name]) for name, tensor in left.tokens.named().items())


def test_a_batch_is_forgotten_after_its_last_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four steps: batches 0, 1, 0, 2. What waits at the end goes with the folder."""
    waiting: list[str] = []
    monkeypatch.setattr(
        shutil, "rmtree", lambda path, **_: waiting.extend(p.stem for p in path.rglob("*.safetensors"))
    )
    train.train(dataclasses.replace(SMALL, out=tmp_path))
    assert sorted(waiting) == ["1", "2"]


def test_a_longer_run_parts_from_a_shorter_one(tmp_path: Path) -> None:
    """Up to the plateau's end they are the same run."""
    long = FitConfig(steps=6, cooldown=0.5)
    whole = train.train(dataclasses.replace(SMALL, out=tmp_path / "whole", fit=long))
    first = dataclasses.replace(SMALL, out=tmp_path / "parted", fit=FitConfig(steps=4, cooldown=0.25))
    fit = Fit(first.net, first.fit, first.seed)
    step = fit.update

    def stop_after_three(fit: Fit, parts: Parts) -> float:
        loss = step.__func__(fit, parts)  # type: ignore[attr-defined]
        if fit.step == 3:
            signal.raise_signal(signal.SIGINT)
        return float(loss)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Fit, "update", stop_after_three)
        with pytest.raises(KeyboardInterrupt):
            train.train(first)
    same(train.train(dataclasses.replace(first, fit=long)), whole)
    with pytest.raises(ValueError, match="other settings"):
        train.train(first)


def test_flags_are_the_fields() -> None:
    config = train.parse(["--out", "somewhere", "--steps", "7", "--width", "32", "--batch", "4"])
    assert (config.out, config.fit.steps, config.net.width, config.batch) == (Path("somewhere"), 7, 32, 4)


def test_the_recorded_command_makes_the_same_configuration() -> None:
    """Axes too, whose names have spaces between them."""
    config = dataclasses.replace(SMALL, net=dataclasses.replace(SMALL.net, axes="rows columns"))
    given, usual = ((c, c.fit, c.net) for c in (config, train.TrainConfig()))
    recorded = shlex.split(flags.differing(given, usual, but="out"))
    assert "--blocks" in recorded
    assert train.parse(recorded) == config


def test_batches_of_another_run_are_not_read(tmp_path: Path) -> None:
    one, other = train.Stream(5, 2, tmp_path), train.Stream(6, 2, tmp_path)
    first = one[0]
    assert one.path(0).exists()
    assert not other.path(0).exists()
    assert torch.equal(one[0][0].tokens.overall, first[0].tokens.overall)


def test_a_kill_between_checkpoints_costs_steps_and_nothing_else(straight: Path, tmp_path: Path) -> None:
    """Step 4 fails after batch 0 was used for the last time and deleted: it is made again."""
    config = dataclasses.replace(SMALL, out=tmp_path)
    update = Fit.update

    def killed(fit: Fit, parts: Parts) -> float:
        if fit.step == 3:
            raise RuntimeError("killed")
        return update(fit, parts)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Fit, "update", killed)
        with pytest.raises(RuntimeError, match="killed"):
            train.train(config)
    same(train.train(config), straight)


def test_a_run_may_start_from_weights_and_says_so(straight: Path, tmp_path: Path) -> None:
    """With no steps to speak of they stay nearly what they were, input statistics exactly."""
    config = dataclasses.replace(SMALL, seed=6, start=str(straight), fit=FitConfig(steps=1, rate=1e-6))
    path = train.train(dataclasses.replace(config, out=tmp_path))
    before, after = load_file(straight), load_file(path)
    assert torch.equal(after["standardise.mean"], before["standardise.mean"])
    torch.testing.assert_close(after["head.weight"], before["head.weight"], atol=1e-5, rtol=0)
    training = Estimator.load(path).header.training
    assert training["started_from"]["data_sets"] == 24
    assert training["data_sets"] == 8


def test_a_blend_lies_between_the_start_and_the_end(straight: Path, tmp_path: Path) -> None:
    config = dataclasses.replace(SMALL, seed=6, start=str(straight), fit=FitConfig(steps=2))
    names = {0.0: "start", 0.25: "between", 1.0: "end"}
    found = {
        share: load_file(train.train(dataclasses.replace(config, blend=share, out=tmp_path / name)))
        for share, name in names.items()
    }
    start, between, end = (found[share]["trunk.0.up.weight"] for share in names)
    assert torch.equal(start, load_file(straight)["trunk.0.up.weight"])
    assert not torch.equal(start, end)
    torch.testing.assert_close(between, 0.75 * start + 0.25 * end)


def test_a_run_keeps_what_it_started_from(straight: Path, tmp_path: Path) -> None:
    """Shipping replaces the weights that a run began with; finished once more, it gives the same."""
    start = tmp_path / "shipped.safetensors"
    start.write_bytes(straight.read_bytes())
    config = dataclasses.replace(SMALL, seed=6, start=str(start), blend=0.5, fit=FitConfig(steps=2))
    config = dataclasses.replace(config, out=tmp_path / "run")
    first = load_file(train.train(config))
    start.write_bytes(b"others")
    again = train.train(config)
    assert all(torch.equal(tensor, first[name]) for name, tensor in load_file(again).items())
    assert Estimator.load(again).header.training["started_from"]["data_sets"] == 24


def test_no_batches_are_left(straight: Path) -> None:
    assert not (straight.parent / "batches").exists()


def test_nothing_happens_at_import(tmp_path: Path) -> None:
    code = "import train; print(sorted(p.name for p in __import__('pathlib').Path('.').iterdir()))"
    root = Path(train.__file__).parent
    done = subprocess.run(
        [sys.executable, "-B", "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_a_real_signal_stops_with_a_checkpoint_and_restores_the_handlers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = signal.getsignal(signal.SIGINT)
    update = Fit.update

    def interrupting(fit: Fit, parts: Parts) -> float:
        signal.raise_signal(signal.SIGINT)
        return update(fit, parts)

    monkeypatch.setattr(Fit, "update", interrupting)
    with pytest.raises(KeyboardInterrupt):
        train.train(dataclasses.replace(SMALL, out=tmp_path))
    assert (tmp_path / "checkpoint.safetensors").exists()
    assert signal.getsignal(signal.SIGINT) is handler
