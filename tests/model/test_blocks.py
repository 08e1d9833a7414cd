"""More rows than the model was trained on: answered in blocks, which are pooled."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import mizzle
from mizzle.model import Estimator, blocks, native
from mizzle.model.native import Answers
from mizzle.model.preprocess import Table, prepare
from mizzle.model.quantiles import LEVELS
from mizzle.types import Estimate

Pair = tuple[np.ndarray, np.ndarray]
TRAINED = 10_000
ENGINES = ["torch", *(["native"] if native.available() else [])]


def normal(seed: int, n: int, rho: float, dim: int = 1) -> Pair:
    x, noise = np.random.default_rng(seed).normal(size=(2, n, dim))
    return x, rho * x + np.sqrt(1 - rho**2) * noise


def information(rho: float) -> float:
    return float(-np.log1p(-(rho**2)) / 2)


def flags(seed: int, n: int, rate: float, share: float) -> Pair:
    """An event at a rate, and another that follows it with a share, and comes at half the rate by itself."""
    u, v = np.random.default_rng(seed).random((2, n, 1))
    x = (u < rate).astype(float)
    return x, ((v < share) * x + (v < rate / 2) * (1 - x)).astype(float)


def codes(estimate: Estimate) -> list[str]:
    return [notice.code for notice in estimate.warnings]


@pytest.fixture(scope="module", params=ENGINES)
def model(request: pytest.FixtureRequest) -> Estimator:
    return Estimator.load(engine=request.param)


def split(model: Estimator, table: Table) -> list[Table]:
    total = blocks.count(table, TRAINED)
    return list(blocks.split(table, model._engine.canonical_order(table), TRAINED, total))


@pytest.mark.parametrize("n", [10_001, 20_000, 34_567])
def test_blocks_are_of_the_trained_size_and_share_all_rows_evenly(model: Estimator, n: int) -> None:
    table = prepare(*normal(0, n, 0.5))
    order = model._engine.canonical_order(table)
    parts = split(model, table)
    assert len(parts) == -(-n // TRAINED)
    assert {(part.n, part.x.shape, part.y.shape) for part in parts} == {(TRAINED, (1, TRAINED), (1, TRAINED))}
    total = len(parts) * TRAINED
    uses = np.bincount(order[np.arange(total) * n // total], minlength=n)
    assert uses.min() == 1
    assert uses.max() <= 2


def test_copies_spread_evenly_over_the_blocks(model: Estimator) -> None:
    """Each block of a table of few different rows has as many of each as any other, but for one."""
    table = prepare(*flags(0, 30_000, 0.3, 0.8))
    for side in ("x", "y"):
        smaller = [(getattr(part, side)[0] < 0).sum() for part in split(model, table)]
        assert np.ptp(smaller) <= 4


@pytest.mark.skipif(not native.available(), reason="the compiled engine was not built")
@pytest.mark.parametrize("dim", [1, 3])
def test_the_order_of_rows_changes_nothing_nor_does_the_engine(dim: int) -> None:
    """Nor do exchanged sides, other units and reversed columns."""
    n = 25_000
    x, y = normal(1, n, 0.6, dim)
    y = y.round(1)
    rows = np.random.default_rng(2).permutation(n)
    compiled, torch = (Estimator.load(engine=name) for name in ("native", "torch"))
    expected = compiled.estimate(x, y)
    for pair in ((x[rows], y[rows]), (y, x), (np.exp(x), -y)):
        np.testing.assert_allclose(compiled.estimate(*pair).values, expected.values, rtol=2e-4, atol=1e-5)
    other = torch.estimate(-y[rows], np.exp(x[rows]))
    np.testing.assert_allclose(other.values, expected.values, rtol=2e-4, atol=1e-5)


def mirrored(n: int) -> Pair:
    """Two balanced flags, whose table is its own mirror image."""
    x = np.arange(n)[:, None] % 2.0
    return x, np.where(np.arange(n)[:, None] % 10 < 2, 1 - x, x)


def curve(n: int) -> Pair:
    grid = np.linspace(-1, 1, n)[:, None]
    return grid, (grid**3).round(2)


@pytest.mark.parametrize("make", [mirrored, curve])
def test_the_order_of_rows_changes_nothing_where_the_data_are_their_own_mirror_image(
    model: Estimator, make: Callable[[int], Pair]
) -> None:
    x, y = make(30_000)
    rows = np.random.default_rng(2).permutation(len(x))
    for one, other in zip(split(model, prepare(x, y)), split(model, prepare(x[rows], y[rows])), strict=True):
        assert (one.x == other.x).all()
        assert (one.y == other.y).all()


@pytest.mark.skipif(not native.available(), reason="the compiled engine was not built")
@pytest.mark.parametrize("make", [mirrored, curve, partial(flags, 0, rate=0.3, share=0.8)])
def test_engines_make_the_same_blocks(make: Callable[..., Pair]) -> None:
    table = prepare(*make(n=30_000))
    compiled, torch = (split(Estimator.load(engine=name), table) for name in ("native", "torch"))
    for one, other in zip(compiled, torch, strict=True):
        assert (one.x == other.x).all()
        assert (one.y == other.y).all()


@pytest.mark.parametrize("n", [30_000, 100_000])
def test_it_says_what_was_done_and_is_in_range(n: int) -> None:
    estimate = mizzle.estimate(*normal(3, n, 0.5))
    assert estimate.in_range
    assert codes(estimate) == ["blocks"]
    assert f"n = {n:,} rows were answered as {n // TRAINED} blocks of 10,000" in estimate.warnings[0].message


def test_beyond_what_was_measured_it_is_out_of_range(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "LARGEST_ROWS", 15_000)
    estimate = mizzle.estimate(*normal(3, 15_001, 0.5))
    assert not estimate.in_range
    assert codes(estimate) == ["blocks", "rows_out_of_range"]
    assert "15,001 is more than the 15,000 rows" in estimate.warnings[1].message


@pytest.mark.parametrize("rho", [0.2, 0.5, 0.9])
def test_more_rows_answer_better(rho: float) -> None:
    """Errors fall, and so do widths; the sampling error of 100,000 rows is a third of that of 10,000."""
    model, truth, errors, widths = Estimator.load(), information(rho), [], []
    for n in (TRAINED, 10 * TRAINED):
        estimates = model.estimate_many([normal(seed, n, rho) for seed in range(12)])
        errors.append(np.abs([e.mi - truth for e in estimates]))
        widths.append(np.mean([np.ptp(e.interval()) for e in estimates]))
        held = [low <= truth <= high for low, high in (e.interval() for e in estimates)]
        assert sum(held) >= 10
    uncertain = errors[0].std(ddof=1) / np.sqrt(len(errors[0]))
    assert errors[1].mean() < errors[0].mean() + uncertain / 2
    assert widths[1] < 0.85 * widths[0]


def test_a_million_independent_rows_are_no_signal() -> None:
    estimate = mizzle.estimate(*normal(4, 1_000_000, 0.0))
    assert estimate.in_range
    assert estimate.mi < 0.002
    assert estimate.quantile(0.05) == 0
    assert estimate.below(0.02) > 0.95


def test_a_million_correlated_rows_are_right_within_two_percent() -> None:
    estimate = mizzle.estimate(*normal(5, 1_000_000, 0.5))
    assert estimate.in_range
    assert estimate.mi == pytest.approx(information(0.5), rel=0.02)


@pytest.mark.parametrize(("dim", "most"), [(1, 32), (8, 13), (32, 4), (64, 2)])
def test_wide_tables_have_fewer_blocks(dim: int, most: int) -> None:
    ranks = np.zeros((dim, 1), np.int64)
    table = Table(ranks, ranks, 1_000_000, dim, dim)
    assert blocks.count(table, TRAINED) == most
    [notice] = blocks.notices(table, TRAINED)
    assert f"{most} blocks of 10,000" in notice.message
    assert f"{most * TRAINED:,} rows, chosen by their content" in notice.message
    assert blocks.count(replace(table, n=15_000), TRAINED) == 2


def test_rare_events_are_counted_on_all_rows() -> None:
    """A thousand events, of which a block has a hundred."""
    x, y = flags(6, 100_000, 0.01, 0.1)
    estimate, labels = mizzle.estimate(x, y), prepare(x, y).labels
    assert labels is not None
    counted = labels.quantiles()
    assert counted is not None
    assert "blocks" not in codes(estimate)
    assert estimate.in_range
    assert estimate.values == tuple(counted)


@pytest.mark.parametrize("events", [1, 12])
def test_a_column_that_varies_in_no_block_or_in_some(events: int) -> None:
    y = np.random.default_rng(7).normal(size=(100_000, 1))
    x = (np.arange(len(y)) < events).astype(float)[:, None]
    estimate = mizzle.estimate(x, y)
    assert 0 <= estimate.mi < 1e-3
    assert estimate.values[-1] <= prepare(x, y).ceiling[-1] * (1 + 1e-9)


def test_no_block_that_varies_says_nothing() -> None:
    table = prepare(*normal(0, 20_000, 0.5))
    assert not blocks.pool(table, TRAINED, []).nats.any()


def test_an_answer_at_its_limit_stays_there() -> None:
    """The entropy of twenty labels: all blocks say the limit, which is that of all rows."""
    labels, noise = (
        np.random.default_rng(8).integers(0, 20, 40_000),
        np.random.default_rng(9).normal(size=40_000),
    )
    estimate = mizzle.estimate(labels, labels + 0.01 * noise)
    assert estimate.mi == pytest.approx(np.log(20), rel=1e-3)
    assert "limited_by_entropy" in codes(estimate)


def test_a_block_that_is_not_finite_is_not_hidden() -> None:
    table = prepare(*normal(0, 20_000, 0.5))
    nats = np.full((2, len(LEVELS)), 0.1)
    nats[1] = np.nan
    assert np.isnan(blocks.pool(table, TRAINED, [Answers(nats[:, 0], nats, nats[:, 0])]).mean).all()


def test_a_table_of_many_rows_in_one_call() -> None:
    """All pairs as by themselves, in range."""
    rng = np.random.default_rng(10)
    flag = (rng.random(30_000) < 0.3).astype(float)
    number = flag + rng.normal(size=30_000)
    table = {"flag": flag, "number": number, "other": number + rng.normal(size=30_000)}
    records = mizzle.matrix(table, progress=False).records()
    assert [record["error"] for record in records] == [None] * 3
    for record in records:
        alone = mizzle.estimate(table[record["x"]], table[record["y"]])
        assert record["mi"] == pytest.approx(alone.mi, rel=1e-4)
        assert record["in_range"]
