"""`mizzle.adapt`, `mizzle.assess` and `mizzle.load`, on a plan that takes seconds."""

import copy
import json
import signal
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import mizzle
from mizzle import errors
from mizzle.adaptation import fitting, running
from mizzle.adaptation.adapted import Adapted
from mizzle.adaptation.problems import GROUP
from mizzle.model.training.fitting import stop_signal
from mizzle.model.weights import SHIPPED


def rows(n: int = 260) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    a = rng.standard_normal((n, 3))
    frame = pd.DataFrame(
        {"height": a[:, 0], "weight": a[:, 0] ** 2 + a[:, 1], "home": rng.choice(["n", "s"], n)}
    )
    return frame, rng.standard_normal((n + 40, 2))


def adapt(seed: int = 1, **options: Any) -> Adapted:
    return mizzle.adapt(*rows(), minutes=8, rng=seed, **options)


@pytest.fixture(scope="module")
def adapted() -> Adapted:
    return adapt()


@pytest.fixture(scope="module")
def file(adapted: Adapted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return adapted.save(tmp_path_factory.mktemp("weights") / "own.safetensors")


def test_the_same_seed_gives_the_same_weights(adapted: Adapted) -> None:
    again = adapt()
    assert again.info.sha256 == adapted.info.sha256
    assert again.report == adapted.report
    assert adapted.report.steps == 1
    assert adapted.report.stopped is None


def test_report(adapted: Adapted) -> None:
    report = adapted.report
    assert report.x.names == ("height", "weight", "home")
    assert report.x.discrete == ("home",)
    assert report.y.names == ("y0", "y1")
    assert (report.x.latents, report.y.latents) == (2, 2)
    assert any("home" in text or "column 2" in text for text in report.x.notices)  # labels became numbers
    assert report.before.problems == 32
    assert json.loads(json.dumps(report.to_dict(), allow_nan=False))["seed"] == 1
    text = str(report)
    assert "before" in text
    assert "after" in text


def test_a_picture_of_real_and_imitated_rows(adapted: Adapted, file: Path) -> None:
    assert len(adapted.report.plot().axes) == 4
    with pytest.raises(errors.InvalidInput, match="keeps no rows"):
        mizzle.load(file).report.plot()


def test_a_file_gives_the_same_estimator(adapted: Adapted, file: Path) -> None:
    loaded = mizzle.load(file)
    assert loaded.report == adapted.report
    assert loaded.info == adapted.info
    x, y = np.random.default_rng(1).standard_normal((2, 200, 2))
    assert loaded.estimate(x, y) == adapted.estimate(x, y)
    assert adapted.estimate_many([(x, y)]) == [adapted.estimate(x, y)]
    assert adapted.estimate(x, y).model == adapted.info


def test_a_file_keeps_no_data(adapted: Adapted, file: Path) -> None:
    header = mizzle.load(file).estimator.card["training"]["adapted"]
    assert set(header) == {"parent", "seed", "minutes", "modality", "report"}
    assert header["modality"]["x"]["names"] == ["height", "weight", "home"]
    assert len(json.dumps(header)) < 4000


@pytest.mark.parametrize("place", [0.0, 0.001, 0.5, 0.999])
def test_a_torn_file_is_refused(file: Path, tmp_path: Path, place: float) -> None:
    content = file.read_bytes()
    torn = tmp_path / "torn.safetensors"
    torn.write_bytes(content[: int(place * len(content))])
    with pytest.raises(errors.ModelUnavailable, match="damaged"):
        mizzle.load(torn)


def test_a_file_with_one_other_bit_is_refused(file: Path, tmp_path: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    other = tmp_path / "other.safetensors"
    other.write_bytes(content)
    with pytest.raises(errors.ModelUnavailable, match="damaged"):
        mizzle.load(other)


def test_other_parents_are_refused(tmp_path: Path) -> None:
    start = fitting.parent()
    same = fitting.Fitted(start.net, start.calibration, start.novelty)
    path = tmp_path / "orphan.safetensors"
    fitting.write(same, {"parent": "0" * 64}, None, path)
    with pytest.raises(errors.ModelUnavailable, match=r"adapted from other weights.*adapt again"):
        mizzle.load(path)


def test_weights_that_were_not_adapted_are_no_adapted_estimator() -> None:
    with pytest.raises(errors.ModelUnavailable, match="not adapted"):
        mizzle.load(SHIPPED)


@pytest.mark.parametrize("after", [1, 100])
def test_ctrl_c_keeps_what_there_is(after: int) -> None:
    """Once while problems are calibrated on, once while problems are fitted to."""

    def interrupt(done: int, total: int) -> None:
        if done >= after and not interrupted:
            interrupted.append(done)
            signal.raise_signal(signal.SIGINT)

    interrupted: list[int] = []
    stopped = adapt(progress=interrupt)
    assert stopped.report.stopped is not None
    assert stopped.report.stopped.startswith("interrupted")
    assert stopped.report.after is not None
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert 0.0 <= stopped.estimate(*np.random.default_rng(0).standard_normal((2, 100))).mi < 1.0


def test_a_second_signal_ends_a_run() -> None:
    with stop_signal() as stopped:
        signal.raise_signal(signal.SIGINT)
        assert stopped.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_no_minutes_calibrate_alone() -> None:
    x, y = rows()
    report = mizzle.adapt(x, y, minutes=0, rng=1).report
    assert report.steps == 0
    assert report.stopped is None


def test_a_report_warns_of_what_grew(adapted: Adapted) -> None:
    before = replace(adapted.report.before, error=0.2, score=0.9)
    for error, score, said in (
        (0.3, 0.8, "error 0.200 before, 0.300 after"),
        (0.1, 0.8, ""),
        (0.2, 1.0, "score"),
    ):
        report = replace(adapted.report, before=before, after=replace(before, error=error, score=score))
        warning = report.warning or ""
        assert said in warning
        assert bool(warning) == bool(said) == ("warning: worse than" in str(report))
    assert replace(adapted.report, after=None).warning is None


def test_assess_is_the_first_half(adapted: Adapted) -> None:
    x, y = rows()
    report = mizzle.assess(x, y, rng=1)
    assert report.after is None
    assert report.before == adapted.report.before


NORMALS = np.random.default_rng(0).standard_normal((300, 2))
HALF_ZERO = np.where(np.arange(1000) % 2, np.random.default_rng(0).standard_normal(1000), 0.0)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (NORMALS[:150], NORMALS, "x has 150 rows.*at least 200"),
        (NORMALS, NORMALS * [1.0, 0.0], "y has constant columns.*y1.*leave them out"),
        (np.ones((300, 65)), NORMALS, "x has 65 columns.*at most 64"),
        (np.ones((2_000_001, 2)), NORMALS, "at most 4,000,000 are read"),
        (NORMALS, HALF_ZERO, "column y0 of y has one value in 50%.*group them"),
        (np.where(NORMALS > 2.0, np.nan, NORMALS), NORMALS, "x"),
    ],
)
def test_bad_rows_are_one_clear_error(x: Any, y: Any, message: str) -> None:
    for ask in (mizzle.adapt, mizzle.assess):
        with pytest.raises(errors.InvalidInput, match=message):
            ask(x, y)


RARE = (np.arange(300) % 100 == 0).astype(float)  # three ones


@pytest.mark.parametrize("side", [RARE, np.column_stack([RARE, NORMALS])], ids=["alone", "beside others"])
def test_a_rare_level_that_no_map_may_see(side: np.ndarray) -> None:
    report = mizzle.assess(side, NORMALS, rng=1)
    assert report.before.problems == running._JUDGED
    assert report.x.discrete == ("x0",)


def test_a_column_that_nearly_is_constant_is_refused() -> None:
    with pytest.raises(
        errors.InvalidInput, match=r"column x0 of x is constant but for 3 of 1,000 rows.*0\.5%"
    ):
        mizzle.assess(np.arange(1000) < 3, NORMALS)


def test_columns_of_a_dict_are_read_one_by_one() -> None:
    x, y = rows()
    as_dict = mizzle.assess({name: x[name].tolist() for name in x}, y, rng=1)
    assert as_dict.before == mizzle.assess(x, y, rng=1).before
    assert as_dict.x.discrete == ("home",)
    for wrong, message in (
        ({"a": NORMALS[:, 0], "b": NORMALS[:200, 0]}, "equally many rows; they have: 'a' 300, 'b' 200"),
        ({"a": NORMALS}, "'a' has several"),
        ({}, "x"),
    ):
        with pytest.raises(errors.InvalidInput, match=message):
            mizzle.assess(wrong, NORMALS)


def test_a_callers_random_numbers_stay() -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state()
    mizzle.assess(NORMALS, NORMALS, rng=1)
    assert torch.equal(torch.get_rng_state(), before)


def test_what_time_cut_short_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_MAPS_END", 0.0)
    monkeypatch.setattr(running, "_MAPS", (2, 2, 2))
    report = mizzle.adapt(*rows(), minutes=1, rng=1).report
    assert "the minutes were over" in str(report.stopped)
    assert "3 of 6 pairs of maps were fitted, 6 of their maps cut short" in str(report.stopped)
    assert "2 of 3 pairs" in str(mizzle.assess(*rows(), rng=1).stopped)


def test_progress_ends_at_its_total() -> None:
    seen: list[tuple[int, int]] = []
    report = adapt(progress=lambda *counts: seen.append(counts)).report
    assert report.stopped is None
    assert seen[-1][0] == seen[-1][1]
    assert all(done <= total for done, total in seen)


@pytest.mark.parametrize("count", [1, 32, 40, 96])
def test_what_is_replayed_is_counted(count: int) -> None:
    def group(own: int) -> list[Any]:
        return [None] * own

    groups = [partial(group, min(GROUP, count - start)) for start in range(0, count, GROUP)]
    assert fitting.with_replays(count) == sum(len(own()) for own in fitting.replayed(groups, 0))


def test_no_stream_is_another_one_nor_a_trainings() -> None:
    seeds = [number for seed in (0, 1, 68, 2**63 - 1) for number in running._Seeds.of(seed)]
    assert len(set(seeds)) == len(seeds)
    assert all(2**20 < number < 2**63 for number in seeds)


@pytest.mark.parametrize("rng", [2**63, -1, True, "1"])
def test_what_is_no_seed_is_refused_at_once(rng: Any) -> None:
    with pytest.raises(errors.InvalidInput, match="rng is"):
        mizzle.adapt(NORMALS, NORMALS, rng=rng)


@pytest.mark.parametrize("name", ["", "team/x", "..", "a\nb", "a" * 101])
def test_names_that_no_request_could_carry(name: str) -> None:
    with pytest.raises(errors.InvalidInput, match="no / and not dots alone"):
        mizzle.adapt(NORMALS, NORMALS, name=name)


@pytest.mark.parametrize("minutes", [-1, 0.5, float("nan"), 1441])
def test_bad_minutes(minutes: float) -> None:
    with pytest.raises(errors.InvalidInput, match="0, which only calibrates"):
        mizzle.adapt(NORMALS, NORMALS, minutes=minutes)


def test_repeated_values_among_many_are_said() -> None:
    rounded = np.concatenate([np.zeros(20), np.random.default_rng(0).standard_normal(480)])
    from mizzle.adaptation import columns

    side = columns.read(rounded[:, None], ("rain",), "x")
    assert not side.discrete.any()
    assert "rain" in side.notices[0]


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zuko", None)
    with pytest.raises(errors.MissingExtra, match=r"zuko.*mizzle\[adapt\]"):
        mizzle.adapt(NORMALS, NORMALS)


def test_held_out_problems_choose_how_far_the_weights_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Losses (2 - s) / 2 of one kind and 1 + s^2 / 2 of the other have the least sum at s = 1/2."""
    start = fitting.parent().net
    name, before = next(iter(start.named_parameters()))
    net = copy.deepcopy(start)
    with torch.no_grad():
        net.get_parameter(name).add_(1.0)

    def loss(own: Any, problems: Any) -> float:
        share = float((own.get_parameter(name) - before).detach().mean())
        return 2.0 - share if problems == "own" else 4.0 + 2.0 * share**2

    monkeypatch.setattr(fitting, "_loss", loss)
    held_out: Any = ("own", "ordinary")
    share, best = fitting._on_the_way(net, *held_out)
    assert share == 0.5
    torch.testing.assert_close(best.get_parameter(name), before + 0.5)
    assert fitting._on_the_way(start, *held_out) == (0.0, start)
    monkeypatch.setattr(fitting, "_loss", lambda own, _: 1.0 + (own is not start))
    assert fitting._on_the_way(net, *held_out) == (0.0, start)


def test_a_name_that_cannot_be_shown_is_refused() -> None:
    with pytest.raises(errors.InvalidInput, match="printable"):
        adapt(name="two\nlines")
