"""Tests of independence: what p-values promise, every way to ask, and what is refused."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from backend_fixtures import ASGI, LOCAL, SOCKET, opened
from fakes import FakeEstimator

import mizzle
from mizzle.errors import InvalidInput, TooManyColumns
from mizzle.questions.significance import benjamini_hochberg, pvalue


def ask(model: FakeEstimator, x: object, y: object, **options):
    return mizzle.Client.local(model).test(x, y, **options)


def series(rng: np.random.Generator, rows: int = 500, phi: float = 0.95) -> np.ndarray:
    """A stationary autoregressive series of order 1."""
    noise = rng.normal(size=rows)
    values = [noise[0] / (1 - phi**2) ** 0.5]
    for step in noise[1:]:
        values.append(phi * values[-1] + step)
    return np.array(values)


def rejected(model: FakeEstimator, kind: str, samples: int, draw) -> float:
    """Share of samples that are called dependent at 5 %."""
    pvalues = [
        ask(model, *draw(np.random.default_rng([3, i])), kind=kind, n=19, rng=i).pvalue
        for i in range(samples)
    ]
    return float(np.mean(np.array(pvalues) <= 0.05))


def test_independent_rows_are_called_dependent_as_often_as_said(fake) -> None:
    """Exact for shuffles: 5 %, within 4 standard errors of 300 samples, 4 sqrt(.05 .95 / 300) = .050."""
    for kind in ("shuffle", "shift", "block"):
        share = rejected(fake, kind, 300, lambda rng: (rng.normal(size=60), rng.normal(size=60)))
        assert share <= 0.10, kind


def test_shifts_and_blocks_are_right_for_series_and_shuffles_are_not(fake) -> None:
    """3 to 8 % for shifts and blocks, within 4 standard errors of 200 samples, .077."""
    for kind in ("shift", "block"):
        share = rejected(fake, kind, 200, lambda rng: (series(rng), series(rng)))
        assert share <= 0.08 + 0.077, kind
    assert rejected(fake, "shuffle", 40, lambda rng: (series(rng), series(rng))) > 0.5


def test_dependence_is_seen(fake) -> None:
    rng = np.random.default_rng(0)
    x = series(rng)
    for kind in ("shuffle", "shift", "block"):
        assert ask(fake, x, x + 0.5 * series(rng), kind=kind).pvalue == 1 / 200, kind


def test_the_pvalue_counts_ties_and_rounding_as_no_smaller() -> None:
    assert pvalue(0.5, [0.1] * 19) == 1 / 20
    assert pvalue(0.5, [0.5, 0.5 - 1e-9, *[0.1] * 17]) == 3 / 20
    assert pvalue(0.0, [0.0] * 19) == 1.0


def test_a_constant_side_has_a_pvalue_of_one() -> None:
    test = mizzle.test(np.ones(60), np.arange(60.0) % 7, n=19)
    assert test.statistic == 0.0
    assert test.pvalue == 1.0
    assert "constant_x" in {notice.code for notice in test.warnings}


def test_ties_keep_pvalues_valid() -> None:
    """Few labels give few different answers: at 5 %, within 4 standard errors of 40 samples, .05 + .138."""
    rng = np.random.default_rng(0)
    pairs = [(rng.integers(0, 2, 60), rng.integers(0, 2, 60)) for _ in range(40)]
    tests = mizzle.test_many(pairs, n=19)
    assert np.mean([test.pvalue <= 0.05 for test in tests]) <= 0.05 + 0.138


@pytest.mark.parametrize("shape", [(80, 1, 1), (80, 3, 2)])
@pytest.mark.parametrize("labels", [False, True])
def test_reordered_ranks_are_those_of_the_reordered_array(shape, labels) -> None:
    """The null is what `estimate_many` says of the surrogates, to the last bit."""
    n, dx, dy = shape
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(n, dx)), rng.normal(size=(n, dy))
    y = np.rint(y) if labels else y
    draws = np.random.default_rng(7)
    null = mizzle.test(x, y, n=19, rng=np.random.default_rng(7)).null
    orders = [draws.permutation(n) for _ in range(19)]
    estimates = mizzle.estimate_many([(x, y[order]) for order in orders])
    assert null.tolist() == [estimate.mi for estimate in estimates]


def test_the_same_rng_gives_the_same_answer(fake, draw) -> None:
    x, y = draw()
    first, second, other = (ask(fake, x, y, rng=seed, n=39) for seed in (1, 1, 2))
    assert first.null.tolist() == second.null.tolist()
    assert first.null.tolist() != other.null.tolist()


def test_the_test_in_bits_is_the_test(fake, draw) -> None:
    x, y = draw()
    nats, bits = (ask(fake, x, y, unit=unit, n=19) for unit in ("nats", "bits"))
    assert bits.pvalue == nats.pvalue
    assert bits.statistic == pytest.approx(nats.statistic / np.log(2))
    assert bits.null == pytest.approx(nats.null / np.log(2))


def test_a_test_says_what_it_is(fake, draw) -> None:
    test = ask(fake, *draw(), kind="block", n=39)
    assert repr(test).startswith("Test(")
    assert "39 surrogates (block), 50 rows, warnings: block_length" in repr(test)
    record = json.loads(json.dumps(test.to_dict(), allow_nan=False))
    assert record["pvalue"] == test.pvalue
    assert len(record["null"]) == record["n"] == 39
    with pytest.raises(ValueError, match="read-only"):
        test.null[0] = 1.0


def test_a_test_draws_itself(fake, draw) -> None:
    axes = ask(fake, *draw(), n=39).plot().axes[0]
    assert axes.get_xlabel() == "mutual information (nats)"
    assert (
        "p = " in axes.get_legend().get_texts()[-1].get_text() + axes.get_legend().get_texts()[0].get_text()
    )


def test_progress_is_reported_up_to_the_end(fake, draw) -> None:
    reports: list[tuple[int, int]] = []
    ask(fake, *draw(), n=299, progress=lambda done, total: reports.append((done, total)))
    assert reports == [(256, 299), (299, 299)]


def test_missing_rows_are_dropped_and_said(fake, draw) -> None:
    x, y = draw(n=70)
    x[3] = np.nan
    test = ask(fake, x, y, missing="drop", n=19)
    assert test.estimate.n == 69
    assert "dropped" in {notice.code for notice in test.warnings}
    with pytest.raises(InvalidInput, match="NaN"):
        ask(fake, x, y, n=19)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "19 to 99,999"),
        ({"n": 1_000_000}, "19 to 99,999"),
        ({"kind": "permute"}, "'shuffle', 'shift', 'block' or 'local'"),
        ({"kind": "block", "block": 400}, "block is 400 rows and the sample has 60"),
        ({"block": 5}, "leave it out"),
        ({"rng": "0"}, "rng is"),
        ({"unit": "bans"}, "'nats' or 'bits'"),
    ],
)
def test_wrong_arguments_are_refused_in_one_sentence(fake, draw, options, message) -> None:
    with pytest.raises(InvalidInput, match=message):
        ask(fake, *draw(n=60), **options)


def test_samples_that_cannot_be_tested_are_refused(fake, draw) -> None:
    x, y = draw(n=60)
    with pytest.raises(InvalidInput, match="at least 50"):
        ask(fake, x[:49], y[:49])
    with pytest.raises(InvalidInput, match="row i of x"):
        ask(fake, x, y[:59])
    with pytest.raises(TooManyColumns):
        mizzle.test(np.random.default_rng(0).normal(size=(60, 65)), y)


def test_an_interruption_comes_through(fake, draw) -> None:
    def interrupted(estimate):
        raise KeyboardInterrupt

    fake.distort = interrupted
    with pytest.raises(KeyboardInterrupt):
        ask(fake, *draw())


# Many


def test_many_tests_come_in_order_with_their_errors(fake, draw) -> None:
    client = mizzle.Client.local(fake)
    x, y = draw(n=60)
    pairs = [(x, y), (x, y[:3]), (x[:20], y[:20]), (x, x)]
    outcomes = client.test_many(pairs, n=19, errors="return")
    assert [type(outcome).__name__ for outcome in outcomes] == [
        "Test",
        "LengthMismatch",
        "TooFewSamples",
        "Test",
    ]
    with pytest.raises(InvalidInput, match="pair 1 "):
        client.test_many(pairs, n=19)
    assert client.test_many([]) == []
    with pytest.raises(InvalidInput, match=r"pair 0 .* not a pair"):
        client.test_many([3])


def test_many_keep_what_was_said_of_their_samples(fake, draw) -> None:
    x, y = draw(n=70)
    x[3] = np.nan
    [test] = mizzle.Client.local(fake).test_many([(x, y)], n=19, missing="drop")
    assert isinstance(test, mizzle.Test)
    assert "dropped" in {notice.code for notice in test.warnings}


def test_adjusted_pvalues_are_those_of_benjamini_and_hochberg() -> None:
    assert benjamini_hochberg([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.5])
    assert benjamini_hochberg([]) == []
    assert benjamini_hochberg([0.9, 1.0]) == [1.0, 1.0]


# Every way to ask


@pytest.fixture(
    scope="module",
    params=[(where, blocking) for where in (LOCAL, ASGI, SOCKET) for blocking in (True, False)],
    ids=lambda way: f"{way[0]}, {'blocking' if way[1] else 'asynchronous'}",
)
def backend(request: pytest.FixtureRequest, new_fake: type[FakeEstimator], serve_here) -> Iterator[Any]:
    where, blocking = request.param
    with opened(where, blocking, new_fake(), serve_here) as one_way:
        yield one_way


def test_every_way_gives_the_same_test(backend, draw) -> None:
    x, y = draw()
    result = backend.ask(lambda client: client.test(x, y, kind="shift", n=19))
    direct = ask(backend.model, x, y, kind="shift", n=19)
    assert result.to_dict() == direct.to_dict()
    [many] = backend.ask(lambda client: client.test_many([(x, y)], n=39))
    assert many.n == 39
    with pytest.raises(InvalidInput, match="99,999"):
        backend.ask(lambda client: client.test(x, y, n=5))


# Tables


def test_tables_have_pvalues_where_they_are_wanted(fake) -> None:
    rng = np.random.default_rng(0)
    frame = {"a": rng.normal(size=80), "b": rng.normal(size=80)}
    frame["c"] = frame["a"] + 0.3 * rng.normal(size=80)
    client = mizzle.Client.local(fake)
    result = client.matrix(frame, pvalues=99)
    assert result["a", "c"].pvalue == 0.01
    assert result["a", "c"].pvalue_bh == pytest.approx(0.03)
    records = result.to_frame()
    assert list(records.columns[-2:]) == ["pvalue", "pvalue_bh"]
    assert result.head()["surrogates"] == {"kind": "shuffle", "n": 99}
    assert "pvalue,pvalue_bh,unit" in result.to_csv().splitlines()[0]
    assert "p=0.01 (BH 0.03)" in str(result)
    assert "p (BH)" in result.to_html()
    ranking = client.rank(frame, "a", pvalues=99, kind="shift")
    assert [pair.x for pair in ranking] == ["c", "b"]
    assert ranking.pairs[0].pvalue is not None
    assert 1 / 100 < ranking.pairs[0].pvalue < 1 / 60  # the smallest, of all shifts that there are
    assert "pvalue" not in client.matrix(frame).to_csv()


def test_pvalues_of_a_table_come_besides_a_checkpoint(fake, tmp_path) -> None:
    rng = np.random.default_rng(0)
    frame = {name: rng.normal(size=80) for name in "abc"}
    client = mizzle.Client.local(fake)
    first = client.matrix(frame, checkpoint=tmp_path / "file", pvalues=19)
    again = client.matrix(frame, checkpoint=tmp_path / "file", pvalues=19)
    assert first.records() == again.records()


def test_a_pair_that_cannot_be_tested_says_so(fake) -> None:
    rng = np.random.default_rng(0)
    frame = {"a": rng.normal(size=30), "b": rng.normal(size=30)}
    [pair] = mizzle.Client.local(fake).matrix(frame, pvalues=19)
    assert pair.estimate is not None
    assert pair.pvalue is None
    assert "untested" in pair.codes
    with pytest.raises(InvalidInput, match="pvalues is 5"):
        mizzle.matrix(frame, pvalues=5)
