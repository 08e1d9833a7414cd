"""One suite for every backend: in this process, over ASGI and a socket, each blocking and asynchronous."""

import asyncio
import datetime
import gc

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from backend_fixtures import ASGI, LOCAL, SOCKET, opened
from fakes import FakeEstimator

import mizzle
from mizzle import estimator as estimators
from mizzle.backends import local
from mizzle.service.inference.engine import Engine

TOLERANCE = 1e-5
_SOON = 0.06  # seconds


@pytest.fixture(
    scope="module",
    params=[(where, blocking) for where in (LOCAL, ASGI, SOCKET) for blocking in (True, False)],
    ids=lambda way: f"{way[0]}, {'blocking' if way[1] else 'asynchronous'}",
)
def shared_backend(request: pytest.FixtureRequest, new_fake: type[FakeEstimator], serve_here):
    where, blocking = request.param
    with opened(where, blocking, new_fake(), serve_here) as backend:
        yield backend


@pytest.fixture
def backend(shared_backend):
    shared_backend.waits.clear()
    return shared_backend


def _direct(model, x, y):
    """The model's own answer."""
    return model.estimate(np.array(x, float), np.array(y, float))


def _close(result, wanted) -> None:
    numbers = [(result.mi, wanted.mi), *zip(result.values, wanted.values, strict=True)]
    assert all(abs(a - b) <= TOLERANCE for a, b in numbers)
    for name in ("levels", "n", "dim_x", "dim_y", "in_range", "warnings", "model", "unit"):
        assert getattr(result, name) == getattr(wanted, name)


# What goes through


def test_the_estimate_is_the_models(backend, draw) -> None:
    x, y = draw(n=40, dx=3, dy=2)
    result = backend.ask(lambda client: client.estimate(x, y))
    _close(result, _direct(backend.model, x, y))
    assert result == _direct(backend.model, x, y)  # over the wire to the last bit


def test_units_intervals_and_quantiles_agree(backend, draw) -> None:
    x, y = draw()
    result = backend.ask(lambda client: client.estimate(x, y)).to("bits")
    wanted = _direct(backend.model, x, y).to("bits")
    assert result.interval(0.9) == wanted.interval(0.9)
    assert result.quantile(0.3) == wanted.quantile(0.3)
    assert result.quantile(np.float32(0.5)) == wanted.median  # any real number, not Python's alone
    assert repr(result) == repr(wanted)


def test_columns_are_reduced_by_whoever_estimates(backend, draw) -> None:
    """As in this process: the maps are fitted here, and what they leave is estimated there."""
    x, y = draw(n=90, dx=80, dy=70)
    result = backend.ask(lambda client: client.estimate(x, y, reduce="auto"))
    with mizzle.Client.local(backend.model) as client:
        wanted = client.estimate(x, y, reduce="auto")
    _close(result, wanted)
    assert result.reduced == wanted.reduced
    assert result.reduced is not None
    assert (result.dim_x, result.dim_y, result.n) == (80, 70, 90)
    assert result.warnings[-1].code == "reduced"


def test_what_fails_while_columns_are_reduced_is_raised(backend, draw, poison) -> None:
    y, x = draw(n=90, dx=80, dy=2)
    broken = np.full_like(x, poison(x)[0, 0])
    with pytest.raises(mizzle.InferenceFailed) as failure:
        backend.ask(lambda client: client.estimate(broken, y, reduce="auto"))
    assert not str(failure.value).startswith("pair")


def test_many_of_ragged_shapes_keep_their_order(backend, draw) -> None:
    """More of them than a request takes."""
    pairs = [draw(n=20 + 7 * i % 50, dx=1 + i % 3, dy=1 + i % 2, seed=i) for i in range(300)]
    result = backend.ask(lambda client: client.estimate_many(iter(pairs)))
    for item, pair in zip(result, pairs, strict=True):
        _close(item, _direct(backend.model, *pair))


def test_none_of_many_is_an_empty_list(backend) -> None:
    for errors in ("raise", "return"):
        assert backend.ask(lambda client, errors=errors: client.estimate_many([], errors=errors)) == []


def test_warnings_travel(backend, draw) -> None:
    x, _ = draw()
    flat = x, np.ones(len(x))
    item = backend.ask(lambda client: client.estimate(*flat))
    [many, beyond] = backend.ask(lambda client: client.estimate_many([flat, draw(n=1500)]))
    assert item == many
    assert [w.code for w in item.warnings] == ["constant_y"]
    assert (item.mi, item.below(0.02)) == (0.0, 1.0)
    assert not beyond.in_range


FORMS = {
    "lists": (lambda x: x.tolist(), lambda y: y[:, 0].tolist()),
    "float32": (lambda x: x.astype(np.float32).astype(float), lambda y: y.astype(np.float32)),
    "pandas": (pd.DataFrame, lambda y: pd.Series(y[:, 0])),
    "polars": (pl.DataFrame, lambda y: pl.Series(y[:, 0])),
    "pyarrow": (
        lambda x: pa.table({str(j): column for j, column in enumerate(x.T)}),
        lambda y: pa.array(y[:, 0]),
    ),
    "torch": (torch.from_numpy, torch.from_numpy),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_library_goes_in(backend, draw, form: str) -> None:
    x, y = (side.astype(np.float32).astype(float) for side in draw())
    left, right = FORMS[form]
    assert backend.ask(lambda client: client.estimate(left(x), right(y))) == _direct(backend.model, x, y)


WORDS = ["ctl", "trt", "ctl"] * 4
DAYS = [datetime.date(2020, 1, 1 + i) for i in range(12)]
GAPS = [None, *range(11)]


def test_labels_and_times_go_in_and_are_noticed(backend) -> None:
    x = pd.DataFrame({"group": WORDS, "day": DAYS})
    codes = [[float(word == "trt"), 86400.0 * i] for i, word in enumerate(WORDS)]
    wanted = _direct(backend.model, codes, np.c_[range(12)])
    one = backend.ask(lambda client: client.estimate(x, range(12)))
    [many] = backend.ask(lambda client: client.estimate_many([(x, range(12))]))
    assert one == many
    assert one.mi == wanted.mi
    assert [warning.code for warning in one.warnings[:2]] == ["coded", "time"]
    assert one.warnings[2:] == wanted.warnings


def test_missing_cells_may_be_dropped_and_numbers_be_bits(backend) -> None:
    options = {"missing": "drop", "unit": "bits"}
    y = [i % 5 for i in range(12)]
    wanted = _direct(backend.model, np.c_[GAPS[1:]], np.c_[y[1:]]).to("bits")
    one = backend.ask(lambda client: client.estimate(GAPS, y, **options))
    pairs = [(GAPS, y), (y, y), (GAPS, ["free"] + ["text"] * 10)]
    [many, whole, wrong] = backend.ask(lambda client: client.estimate_many(pairs, errors="return", **options))
    assert one == many
    assert (one.mi, one.unit, one.n) == (wanted.mi, "bits", 11)
    assert one.warnings[0] == ("dropped", "1 of 12 rows were left out, in which a value is missing")
    assert (whole.n, whole.unit) == (12, "bits")
    assert type(wrong) is mizzle.LengthMismatch
    with pytest.raises(mizzle.NotNumeric, match=r"x row 0, column 0 .* is null; missing='drop'"):
        backend.ask(lambda client: client.estimate(GAPS, y))


@pytest.mark.parametrize("options", [{"missing": "skip"}, {"unit": "hartley"}])
def test_words_are_checked(backend, options) -> None:
    for ask in (lambda client: client.estimate([], [], **options), lambda c: c.estimate_many([], **options)):
        with pytest.raises(mizzle.InvalidInput, match="it must be"):
            backend.ask(ask)


def test_extreme_floats_survive(backend) -> None:
    x = np.array([1e-320, 5e-324, 1.7e308, -1.7e308, 0.1, 1 / 3, 2.0**53, 0.0, -0.0, 1, 2, 3])[:, None]
    pair = x * 1e-160, x[::-1] * 1e-160
    assert backend.ask(lambda client: client.estimate(*pair)) == _direct(backend.model, *pair)
    assert backend.ask(lambda client: client.estimate_many([pair])) == [_direct(backend.model, *pair)]


# What is refused

BROKEN = [
    (lambda x, y: (x[:5], y[:5]), mizzle.TooFewSamples, "at least 10"),
    (lambda x, y: (x, y[:-1]), mizzle.LengthMismatch, "50 rows and y has 49"),
    (lambda x, y: (x, [None] * 50), mizzle.NotNumeric, "y row 0"),
    (lambda x, y: (x * np.nan, y), mizzle.NotFinite, "x row 0"),
    (lambda x, y: (x, [[1, 2]] * 49 + [[1]]), mizzle.InvalidShape, "y row 49"),
    (lambda x, y: (np.zeros((50, 65)), y), mizzle.TooManyColumns, "65 columns"),
]


@pytest.mark.parametrize(("break_it", "error", "words"), BROKEN, ids=[e.__name__ for _, e, _ in BROKEN])
def test_refusals_have_one_class_and_the_same_words(backend, draw, break_it, error, words: str) -> None:
    good, broken = draw(), break_it(*draw())

    async def all_of_it(client):
        await _refused(client.estimate(*broken), error, words)
        await _refused(client.estimate_many([good, broken]), error, f"pair 1 .*{words}")
        return await client.estimate_many([good, broken, good], errors="return")

    def one_after_another(client):
        with pytest.raises(error, match=words):
            client.estimate(*broken)
        with pytest.raises(error, match=f"pair 1 .*{words}"):
            client.estimate_many([good, broken])
        return client.estimate_many([good, broken, good], errors="return")

    result = backend.ask(one_after_another if backend.blocking else all_of_it)
    assert result[0] == result[2]
    assert type(result[1]) is error
    assert "pair" not in str(result[1])


async def _refused(question, error, words) -> None:
    with pytest.raises(error, match=words):
        await question


def test_what_fails_inside_is_the_error_of_its_item(backend, draw, poison) -> None:
    good, bad = draw(), draw()
    bad = poison(bad[0]), bad[1]
    result = backend.ask(lambda client: client.estimate_many([good, bad, good], errors="return"))
    assert [getattr(item, "code", "estimate") for item in result] == [
        "estimate",
        "inference_failed",
        "estimate",
    ]
    assert "secret" not in str(result[1])
    with pytest.raises(mizzle.InferenceFailed):
        backend.ask(lambda client: client.estimate(*bad))


def test_what_is_no_pair_is_named(backend, draw) -> None:
    with pytest.raises(mizzle.InvalidInput, match=r"pair 1 .*not a pair"):
        backend.ask(lambda client: client.estimate_many([draw(), (1, 2, 3)]))


def test_a_problem_too_large_for_a_service_is_an_error_of_its_item(backend, draw) -> None:
    """The services of this test take 200,000 bytes; in this process there is no such limit."""
    large = draw(n=5000, dx=5)
    result = backend.ask(lambda client: client.estimate_many([draw(), large], errors="return"))
    if backend.where == LOCAL:
        assert result[1] == _direct(backend.model, *large)
        return
    assert [type(item) for item in result] == [mizzle.Estimate, mizzle.TooLarge]
    with pytest.raises(mizzle.TooLarge):
        backend.ask(lambda client: client.estimate(*large))


# What is said of itself


def test_limits_model_and_readiness(backend) -> None:
    limits = backend.ask(lambda client: client.limits())
    card = backend.ask(lambda client: client.info())
    assert (limits.min_rows, limits.max_columns, limits.levels) == (10, 64, (0.005, 0.995))
    assert limits.max_body_bytes == (None if backend.where == LOCAL else 200_000)
    assert (card.info, card.levels) == (backend.model.info, backend.model.levels)
    assert (card.rows, card.columns) == ((10, 1000), (1, 64))
    assert (card.device, card.threads, card.training) == ("cpu", 1, {"seed": 0})
    assert backend.ask(lambda client: client.ready()) is True


def test_progress_reaches_the_end(backend, draw) -> None:
    reported = []
    pairs = [draw(n=20, seed=i) for i in range(30)] + [([1.0], [1.0])]
    backend.ask(
        lambda client: client.estimate_many(
            pairs, errors="return", progress=lambda *now: reported.append(now)
        )
    )
    assert reported[-1] == (31, 31)
    assert [done for done, _ in reported] == sorted(done for done, _ in reported)


# The moment


def _busy(monkeypatch, times) -> None:
    """A service that has no room at first, whoever runs it."""
    original, left = Engine.check_capacity, [None] * times

    def check_capacity(self, caller, **more) -> None:
        if left:
            left.pop()
            error = mizzle.QueueFull("too much work is waiting")
            error.retry_after = _SOON
            raise error
        original(self, caller, **more)

    monkeypatch.setattr(Engine, "check_capacity", check_capacity)


def test_a_busy_service_is_asked_again_when_it_says(backend, draw, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = [] if backend.where == LOCAL else [_SOON] * 4
    _busy(monkeypatch, 4)
    assert backend.ask(lambda client: client.estimate(*draw())).n == 50
    assert backend.waits == wanted
    _busy(monkeypatch, 4)
    assert len(backend.ask(lambda client: client.estimate_many([draw()] * 3))) == 3
    assert backend.waits == wanted * 2


def test_a_service_that_stays_busy_is_a_typed_error(backend, draw, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here the wait is longer than the deadline."""
    _busy(monkeypatch, 10)
    if backend.where == LOCAL:
        assert backend.ask(lambda client: client.estimate(*draw())).n == 50
        return
    with pytest.raises(mizzle.QueueFull) as caught:
        backend.ask(lambda client: client.estimate(*draw()), timeout=_SOON)
    assert caught.value.retry_after == _SOON
    assert caught.value.request_id
    assert backend.waits == []


# The event loop


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("where", [LOCAL, SOCKET])
def test_one_async_client_serves_two_loops_in_turn(
    where, fake: FakeEstimator, draw, request: pytest.FixtureRequest
) -> None:
    here = where == LOCAL
    client = mizzle.AsyncClient.local(fake) if here else mizzle.AsyncClient(request.getfixturevalue("served"))
    pairs = [draw(seed=i) for i in range(4)]

    async def last():
        result = await client.estimate_many(pairs)
        await client.aclose()
        return result

    assert asyncio.run(client.estimate_many(pairs)) == asyncio.run(last())
    gc.collect()  # the lost connections complain here, where that is expected


# The functions of the package


def test_the_functions_are_a_backend_too(fake: FakeEstimator, draw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_shared", None)
    monkeypatch.setattr(estimators, "load", lambda: fake)
    x, y = draw()
    assert mizzle.estimate(x, y) == mizzle.Client.local().estimate(x, y) == fake.estimate(x, y)
    result = mizzle.estimate_many([(x, y), ([1.0], [1.0])], errors="return", progress=False)
    assert [getattr(item, "code", None) for item in result] == [None, "too_few_samples"]
    with pytest.raises(mizzle.TooFewSamples, match="pair 0"):
        mizzle.estimate_many([([1.0], [1.0])])
    assert repr(mizzle.Client.local()) == "Client('in this process')"


def test_without_a_model_nothing_is_ready_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise mizzle.ModelUnavailable("the weights are missing")

    monkeypatch.setattr(local, "_shared", None)
    monkeypatch.setattr(estimators, "load", missing)
    assert mizzle.Client.local().ready() is False
    with pytest.raises(mizzle.ModelUnavailable):
        mizzle.Client.local().estimate_many([(range(20), range(20))], errors="return")
