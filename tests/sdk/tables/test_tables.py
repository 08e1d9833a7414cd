"""Laws of whole tables: they say what single estimates say, however the table is laid out."""

import signal
import threading
from typing import Any

import numpy as np
import pytest
from tabled import FakeBackend, frame

import mizzle
from mizzle import errors
from mizzle.backends.shared_ranks import SharedRanks
from mizzle.estimator import load
from mizzle.tables import matrix, plan, rank

CLOSE: dict[str, Any] = {"rel": 1e-4, "abs": 1e-5}  # batches of other sizes are summed in another order


@pytest.fixture(scope="module")
def sides() -> SharedRanks:
    return SharedRanks(load())


def numbers(estimate: Any) -> list[float]:
    return [estimate.mi, *estimate.values]


def test_a_matrix_is_the_estimate_of_each_pair(sides: SharedRanks) -> None:
    columns = frame(p=5)
    found = matrix(columns, backend=sides)
    assert [(pair.x, pair.y) for pair in found] == [
        (x, y) for i, x in enumerate(columns) for y in list(columns)[i + 1 :]
    ]
    for pair in found:
        alone = mizzle.estimate(columns[pair.x], columns[pair.y])
        assert numbers(pair.estimate) == pytest.approx(numbers(alone), **CLOSE)
        assert pair.estimate
        assert pair.estimate.warnings == alone.warnings


def test_without_a_backend_this_process_answers(sides: SharedRanks) -> None:
    assert matrix(frame(p=2)) == matrix(frame(p=2), backend=sides)


@pytest.mark.parametrize("ask", [matrix, lambda columns, **options: rank(columns, "c", **options)])
def test_the_old_name_of_the_backend_works_and_warns(ask) -> None:
    backend = FakeBackend()
    with pytest.warns(DeprecationWarning, match="asker= is now backend=") as caught:
        old = ask(frame(), asker=backend)
    assert [warning.filename for warning in caught] == [__file__]
    assert old == ask(frame(), backend=FakeBackend())
    assert backend.pairs
    with pytest.raises(TypeError, match="both asker= and backend="):
        ask(frame(), asker=backend, backend=backend)


def test_a_matrix_is_symmetric_without_a_diagonal(sides: SharedRanks) -> None:
    values = matrix(frame(), backend=sides).values
    np.testing.assert_array_equal(values, values.T)
    np.testing.assert_array_equal(np.isnan(values), np.eye(6, dtype=bool))


def test_a_ranking_is_a_row_of_the_matrix_in_falling_order(sides: SharedRanks) -> None:
    columns = frame()
    whole, ranked = matrix(columns, backend=sides), rank(columns, "c", backend=sides)
    assert ranked.target == "c"
    assert sorted(pair.x for pair in ranked) == ["a", "b", "d", "e", "f"]
    assert [pair.mi for pair in ranked] == sorted((pair.mi for pair in ranked), reverse=True)
    for pair in ranked:
        assert pair.y == "c"
        assert numbers(pair.estimate) == pytest.approx(numbers(whole[pair.x, "c"].estimate), **CLOSE)


def test_the_order_of_columns_does_not_matter(sides: SharedRanks) -> None:
    columns = frame()
    turned = dict(reversed(columns.items()))
    one, other = matrix(columns, backend=sides), matrix(turned, backend=sides)
    for pair in one:
        assert numbers(pair.estimate) == pytest.approx(numbers(other[pair.x, pair.y].estimate), **CLOSE)


def test_a_group_is_its_columns_side_by_side(sides: SharedRanks) -> None:
    columns = frame()
    found = matrix(columns, groups={"g": ["a", "b"], "h": ["c", "d"]}, backend=sides)
    assert found.names == ("e", "f", "g", "h")
    g, h = (np.column_stack([columns[a], columns[b]]) for a, b in ("ab", "cd"))
    assert numbers(found["g", "h"].estimate) == pytest.approx(numbers(mizzle.estimate(g, h)), **CLOSE)
    alone = mizzle.estimate(columns["e"], g)
    assert numbers(found["e", "g"].estimate) == pytest.approx(numbers(alone), **CLOSE)


@pytest.mark.parametrize("same", [False, True], ids=["every column its own", "one pattern"])
def test_dropping_is_dropping_by_hand(sides: SharedRanks, same: bool) -> None:
    columns, rng = frame(p=4), np.random.default_rng(1)
    absent = {name: rng.random(60) < 0.2 for name in "abc"}
    for name in "abc":
        columns[name][absent["a" if same else name]] = np.nan
    found = matrix(columns, missing="drop", backend=sides)
    for pair in found:
        keep = ~(np.isnan(columns[pair.x]) | np.isnan(columns[pair.y]))
        alone = mizzle.estimate(columns[pair.x][keep], columns[pair.y][keep])
        assert numbers(pair.estimate) == pytest.approx(numbers(alone), **CLOSE)
        assert pair.estimate
        assert pair.dropped == (~keep).sum() == 60 - pair.estimate.n


def test_a_constant_column_has_exactly_nothing_to_say(sides: SharedRanks) -> None:
    found = matrix({**frame(p=3), "k": np.full(60, 7.5)}, backend=sides)
    for pair in found:
        constant = "k" in (pair.x, pair.y)
        assert ("constant" in pair.codes) is constant
        if constant:
            assert set(numbers(pair.estimate)) == {0.0}


def test_a_column_constant_where_the_other_has_values_is_constant_there(sides: SharedRanks) -> None:
    columns = frame(p=2)
    columns["a"][:20], columns["b"][20:] = np.nan, np.nan
    columns["a"][30:], columns["b"][30:] = 1.0, np.arange(30)
    columns["a"][20:30] = np.arange(10)
    [pair] = matrix(columns, missing="drop", backend=sides)
    assert pair.mi == 0.0
    assert "constant" not in [note.code for note in pair.notes]
    assert "constant_x" in pair.codes


def test_pairs_with_too_few_common_rows_have_an_error_and_are_not_asked() -> None:
    columns, backend = frame(p=3), FakeBackend()
    columns["a"][:40], columns["b"][25:] = np.nan, np.nan
    found = matrix(columns, missing="drop", backend=backend)
    pair = found["a", "b"]
    assert isinstance(pair.error, errors.TooFewSamples)
    assert pair.estimate is None
    assert "'a' and 'b' have values in 0 of 60 rows" in str(pair.error)
    assert pair.dropped == 60
    assert len(backend.pairs) == 2
    assert np.isnan(found.values[0, 1])


def test_an_array_is_prepared_once(sides: SharedRanks, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    side = sides._model.side
    monkeypatch.setattr(sides._model, "side", lambda values: asked.append(values) or side(values))
    matrix(frame(p=8, seed=5), backend=sides)
    assert len(asked) == 8


@pytest.mark.parametrize("most", [1, 4, 512])
def test_chunks_cover_every_pair_once(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(plan, "_MAX_PAIRS", most)
    backend, told = FakeBackend(), []
    found = matrix(frame(), backend=backend, progress=lambda done, total: told.append((done, total)))
    assert len(found) == len(backend.pairs) == sum(backend.chunks) == 15
    assert max(backend.chunks) == min(most, 15)
    assert told[-1] == (15, 15)
    assert told == sorted(told)


def test_chunks_hold_a_bounded_number_of_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "MAX_CHUNK_CELLS", 500)  # four pairs of 60 rows
    backend = FakeBackend()
    matrix(frame(), backend=backend)
    assert max(backend.chunks) == 4


def test_units_change_numbers_and_nothing_else(sides: SharedRanks) -> None:
    nats = matrix(frame(p=3), backend=sides)
    bits = matrix(frame(p=3), backend=sides, unit="bits", threshold=0.02 / np.log(2))
    for one, other in zip(nats.records(), bits.records(), strict=True):
        assert one["below"] == pytest.approx(other["below"])
        for key in ("mi", "low", "high", "median"):
            assert one[key] / np.log(2) == pytest.approx(other[key])


def test_the_level_sets_the_interval(sides: SharedRanks) -> None:
    found = matrix(frame(p=2), backend=sides, level=0.5)
    [record], [pair] = found.records(), found.pairs
    assert pair.estimate
    assert (record["low"], record["high"]) == pair.estimate.interval(0.5)


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"level": 1.5}, errors.InvalidLevel),
        ({"level": 0.999}, errors.InvalidLevel),  # beyond the model's own levels
        ({"unit": "hartleys"}, errors.InvalidInput),
        ({"threshold": -1}, errors.InvalidInput),
        ({"threshold": float("nan")}, errors.InvalidInput),
        ({"missing": "impute"}, errors.InvalidInput),
        ({"columns": ["a"]}, errors.InvalidInput),
        ({"columns": "ab"}, errors.InvalidInput),
        ({"columns": ["a", "a"]}, errors.InvalidInput),
        ({"columns": ["a", "z"]}, errors.MissingColumn),
        ({"groups": {"g": ["a", "z"]}}, errors.MissingColumn),
        ({"groups": {"g": []}}, errors.InvalidInput),
        ({"groups": {"c": ["a", "b"]}}, errors.InvalidInput),
    ],
)
def test_arguments_are_refused_before_the_table_is_asked(options, kind) -> None:
    backend = FakeBackend()
    with pytest.raises(kind):
        matrix(frame(), backend=backend, **options)
    assert len(backend.pairs) <= (15 if options.get("level") == 0.999 else 0)


def test_a_target_that_is_not_there_is_refused() -> None:
    with pytest.raises(errors.MissingColumn, match="did you mean 'target'"):
        rank({"target": range(20), "other": range(20)}, "targte", backend=FakeBackend())


def test_a_target_may_be_a_group() -> None:
    found = rank(frame(), "g", groups={"g": ["a", "b"]}, backend=FakeBackend())
    assert sorted(pair.x for pair in found) == ["c", "d", "e", "f"]
    assert {pair.estimate and pair.estimate.dim_y for pair in found} == {2}


def test_an_error_of_one_pair_is_its_answer(sides: SharedRanks) -> None:
    columns = frame(p=3)
    wide = {f"w{j}": np.random.default_rng(j).normal(size=60) for j in range(sides._model.max_columns + 1)}
    found = matrix({**columns, **wide}, groups={"wide": list(wide)}, backend=sides)
    for pair in found:
        if "wide" in (pair.x, pair.y):
            assert isinstance(pair.error, errors.TooManyColumns)
        else:
            assert pair.error is None


@pytest.mark.parametrize("kind", [errors.ServiceUnreachable, errors.Unauthorized, errors.QueueFull])
def test_where_nobody_answers_the_error_is_raised(kind) -> None:
    backend = FakeBackend()
    backend.meddle = lambda place, answer: kind("no")
    with pytest.raises(kind):
        matrix(frame(), backend=backend)


def test_other_weights_in_the_middle_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "_MAX_PAIRS", 4)
    backend = FakeBackend()
    backend.estimator.distort = lambda e: (
        e if len(backend.chunks) < 3 else type(e)(**{**vars(e), "model": e.model._replace(version="2")})
    )
    with pytest.raises(errors.InvalidFile, match="other weights"):
        matrix(frame(), backend=backend)


def test_ctrl_c_leaves_no_thread_behind(sides: SharedRanks) -> None:
    before = set(threading.enumerate())  # another test's may be about to end
    with pytest.raises(KeyboardInterrupt):
        matrix(
            frame(p=10),
            backend=sides,
            progress=lambda done, total: done and signal.raise_signal(signal.SIGINT),
        )
    assert not [t for t in set(threading.enumerate()) - before if t.name.startswith("mizzle")]


def test_a_fault_of_one_pair_is_its_answer_and_spares_the_others(
    sides: SharedRanks, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, model = sides._model.run, sides._model
    spoilt = matrix(frame(p=4), backend=sides)["a", "b"].mi

    def failing(tables):
        answers = run(tables)
        if any(answer.mi == pytest.approx(spoilt, **CLOSE) for answer in answers):
            raise RuntimeError("a secret")
        return answers

    monkeypatch.setattr(model, "run", failing)
    found = matrix(frame(p=4), backend=sides)
    assert isinstance(found["a", "b"].error, errors.InferenceFailed)
    assert "secret" not in str(found["a", "b"].error)
    assert sum(pair.error is not None for pair in found) == 1
