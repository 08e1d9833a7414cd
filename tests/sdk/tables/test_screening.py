"""The cheap pass keeps what is strong, says how much it missed, and is the same wherever it runs."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from tabled import frame

from mizzle import Matrix, errors
from mizzle.tables import matrix, plan, scoring, screening, tiles
from mizzle.tables.variables import variables

ROWS, COLUMNS = 150, 60


def factors(p: int = COLUMNS, seed: int = 3) -> np.ndarray:
    """Columns that share a few factors, as genes do."""
    rng = np.random.default_rng(seed)
    loads = rng.normal(size=(9, p)) * (rng.random((9, p)) < 0.2)
    table: np.ndarray = rng.normal(size=(ROWS, 9)) @ loads + rng.normal(size=(ROWS, p))
    return table


def chosen(table: Any, k: int, **options: Any) -> screening.Choice:
    return screening.chosen(
        plan.Plan.all_pairs(variables(table, missing="drop", **options)), screening.Pass(k), None
    )


def all_scores(table: Any, **options: Any) -> np.ndarray:
    planned = plan.Plan.all_pairs(variables(table, missing="drop", **options))
    every = range(len(planned.variables))
    return scoring.scores(scoring.columns(planned, 10_000), (every, every))


LAWS = {
    "line": lambda x, e: x + 0.3 * e,
    "parabola": lambda x, e: x**2 + 0.3 * e,
    "wave": lambda x, e: np.sin(4 * x) + 0.2 * e,
    "sign": lambda x, e: np.sign(x) * np.abs(e),
    "spread": lambda x, e: np.exp(x) * e,
    "mostly zero": lambda x, e: np.where(x > 0.8, x + 0.1 * e, 0.0),
    "two labels": lambda x, e: (x + 0.3 * e > 0).astype(float),
}


@pytest.mark.parametrize("law", LAWS)
def test_every_kind_of_dependence_scores_above_chance(law: str) -> None:
    """The pair that depends beats all of 435 pairs of noise, of 400 rows."""
    rng = np.random.default_rng(1)
    table = rng.normal(size=(400, 31))
    table[:, 1] = LAWS[law](table[:, 0], rng.normal(size=400))
    scores = all_scores(table)
    noise = scores[2:, 2:][np.triu_indices(29, 1)]
    assert scores[0, 1] > noise.max()


def test_scores_are_near_the_truth_of_a_normal_pair() -> None:
    """The third guess is at most above it by log(2 pi e) / 2 - 3 / 2 + 0.5772 / 2 = 0.21."""
    rng = np.random.default_rng(2)
    for r in (0.0, 0.5, 0.9, 0.99, 0.999):
        x, e = rng.normal(size=(2, 5000))
        scores = all_scores(np.column_stack([x, r * x + np.sqrt(1 - r**2) * e]))
        truth = -np.log(1 - r**2) / 2
        error = 4 * min(max(r, 0.1) / (1 - r**2), 1.0) / np.sqrt(5000)
        assert truth - error <= scores[0, 1] <= truth + (0.21 if r else 0.0) + error


def nearness(x: np.ndarray, y: np.ndarray) -> float:
    """The third guess alone, without what is taken off for chance."""
    planned = plan.Plan.all_pairs(variables(np.column_stack([x, y]), missing="drop"))
    arrays = scoring.columns(planned, 10_000)
    return float(scoring._of_neighbours(arrays, slice(0, 1), slice(1, 2)).item() + 0.9 / np.sqrt(len(x)))


def errors_of(n: int) -> float:
    """Four standard errors of the third guess, each 0.45 / sqrt(n)."""
    return float(4 * 0.45 / np.sqrt(n))


def zeros(n: int, seed: int, elsewhere: np.ndarray, fill: float = 0.0) -> np.ndarray:
    """A column that is the same but elsewhere."""
    column = np.full(n, fill)
    column[elsewhere] = np.random.default_rng(seed).normal(3.0, 1.0, elsewhere.sum())
    return column


@pytest.mark.parametrize("fill", [0.0, np.nan])
def test_ties_and_gaps_in_the_order_of_rows_are_no_dependence(fill: float) -> None:
    """One column has values in the first fifth of the rows, the other in each fifth row: independent."""
    rows = np.arange(1000)
    x, y = zeros(1000, 0, rows < 200, fill), zeros(1000, 1, rows % 5 == 0, fill)
    assert abs(nearness(x, y)) < errors_of(1000)


def test_values_in_the_same_rows_are_as_much_dependence_as_they_are() -> None:
    """Zero or not is all that the columns share: the entropy of one in five, 0.5004 nats."""
    there = np.arange(1000) < 200
    x, y = zeros(1000, 0, there), zeros(1000, 1, there)
    truth = -0.2 * np.log(0.2) - 0.8 * np.log(0.8)
    assert nearness(x, y) == pytest.approx(truth, abs=errors_of(1000))
    gaps = (np.where(there, column, np.nan) for column in (x, y))  # of which nothing can be told
    assert abs(nearness(*gaps)) < errors_of(1000)


def test_the_mean_of_the_third_guess_is_0_at_any_size() -> None:
    """And its standard error 0.45 / sqrt(n), by 1,225 pairs: so the mean's is a 35th of it."""
    for n in (20, 700):
        table = np.random.default_rng(n).normal(size=(n, 50))
        arrays = scoring.columns(plan.Plan.all_pairs(variables(table)), n)
        every = scoring._of_neighbours(arrays, slice(0, 50), slice(0, 50)) + 0.9 / np.sqrt(n)
        pairs = every[np.triu_indices(50, 1)]
        assert abs(pairs.mean()) < errors_of(n) / 35
        assert pairs.std() * np.sqrt(n) == pytest.approx(0.45, rel=0.1)


def test_too_few_rows_for_neighbours_say_nothing() -> None:
    places = np.array([[0, 1, 2], [2, 1, 0]], np.uint8)
    guess = scoring._of_neighbours({"places": places}, slice(0, 1), slice(0, 2))
    assert guess.tolist() == [[0.0, 0.0]]
    places = np.array([[0, 1, 2, 3], [3, 2, 1, 0]], np.uint8)
    guess = scoring._of_neighbours({"places": places}, slice(0, 1), slice(0, 2))
    assert guess[0] == pytest.approx(np.log([1, 2, 3]) @ [3, 2, 1] / 6 - np.log(6) / 3 - 0.45, abs=1e-6)


def residuals(n: int = 700, p: int = 50, seed: int = 11) -> np.ndarray:
    """Logarithms of sparse counts less two covariates, as of genes: curves, of which zeros are one."""
    rng = np.random.default_rng(seed)
    depth, share = np.exp(rng.normal(0.0, 0.4, n)), rng.beta(2.0, 40.0, n)
    means = np.exp(rng.normal(-1.5, 1.2, p)) * depth[:, None]
    table = np.log1p(rng.poisson(means * rng.gamma(2.0, 0.5, (n, p))))
    known = np.column_stack([np.ones(n), depth, share])
    rest: np.ndarray = table - known @ np.linalg.lstsq(known, table, rcond=None)[0]
    return rest


def test_curves_that_few_classes_do_not_tell_apart_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 1,225 pairs the 60 strongest, in the tenth that scores highest."""
    table = residuals()
    upper = np.triu_indices(table.shape[1], 1)
    strongest = set(np.argsort(-matrix(table).values[upper])[:60].tolist())

    def kept() -> float:
        return len(strongest & set(np.argsort(-all_scores(table)[upper])[:122].tolist())) / 60

    assert kept() > 0.7
    monkeypatch.setattr(scoring, "_of_neighbours", scoring._of_counts)
    assert kept() < 0.6


def test_missing_cells_are_no_class() -> None:
    table = frame(400, 5)
    whole = all_scores(table)
    table["f"] = table["b"].copy()
    table["f"][::3] = np.nan
    scores = all_scores(table)
    assert scores[:5, :5] == pytest.approx(whole, abs=1e-6)
    assert scores[5, 1] > 1.0


def test_a_group_scores_as_its_best_column() -> None:
    scores = all_scores(frame(300, 5), groups={"u": ["a", "b"], "v": ["c", "d"]})
    single = all_scores(frame(300, 5))
    assert scores[1, 2] == pytest.approx(single[:2, 2:4].max(), abs=1e-6)
    assert scores[0, 1] == pytest.approx(single[4, :2].max(), abs=1e-6)


def test_chosen_are_the_best_of_each_and_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screening, "_SIDE", 16)  # several tiles
    table, k = factors(), 4
    scores = all_scores(table)
    np.fill_diagonal(scores, -np.inf)
    choice = chosen(table, k)
    selected = set(choice.places) - choice.sample
    best = {(min(i, j), max(i, j)) for i, row in enumerate(scores) for j in np.argsort(-row)[:k].tolist()}
    rows, places = np.triu_indices(COLUMNS, 1)
    order = np.argsort(-scores[rows, places])[: 3 * COLUMNS * k // 2]
    overall = set(zip(rows[order].tolist(), places[order].tolist(), strict=True))
    assert len(selected ^ (best | overall)) <= 2  # sums of other tiles differ in their last digits
    assert choice.others == COLUMNS * (COLUMNS - 1) // 2 - len(selected)
    assert len(choice.sample) == 200
    assert choice.places == tuple(sorted(choice.places))


def test_the_strongest_pairs_are_kept() -> None:
    whole, some = matrix(factors()), matrix(factors(), screen=4)
    assert len(some) < len(whole) / 3
    names = {(pair.x, pair.y) for pair in some}
    strongest = whole.strongest()[:20]
    assert sum((pair.x, pair.y) in names for pair in strongest) >= 19
    assert all(pair == whole[pair.x, pair.y] for pair in some)
    assert np.isnan(some.values).sum() == COLUMNS**2 - 2 * len(some)
    lost = next((pair.x, pair.y) for pair in whole if (pair.x, pair.y) not in names)
    with pytest.raises(errors.MissingColumn, match="screened out"):
        some[lost]


def test_it_says_what_it_missed() -> None:
    some = matrix(factors(), screen=4)
    report = some.screened
    assert report
    [notice] = some.notices
    assert notice.code == "screened"
    assert report.answered + report.sampled == len(some)
    assert report.answered + report.others == COLUMNS * (COLUMNS - 1) // 2
    assert 0 <= report.missed <= report.missed_at_most < 1
    assert f"{len(some):,} of 1,770 pairs" in notice.message


def test_the_report_counts_what_a_sample_shows() -> None:
    places = [(0, j) for j in range(1, 301)]
    choice = screening.Choice(tuple(places), frozenset(places[200:]), 5000)
    mis = [(place, float(300 - k)) for k, place in enumerate(places)]
    mis[250] = (places[250], 295.0)
    report = screening.screened(mis, choice)
    assert report[:6] == (200, 100, 5000, 20, 281.0, 1)
    assert report.missed == pytest.approx(50 / 70)
    assert report.missed_at_most == pytest.approx(1 - 1 / (1 + 0.0466 * 250), abs=0.002)


@pytest.mark.parametrize(("hits", "count"), [(0, 100), (1, 100), (5, 50), (40, 3000), (9, 9)])
def test_the_bound_is_that_of_clopper_and_pearson(hits: int, count: int) -> None:
    bound = stats.beta.ppf(0.95, hits + 1, count - hits) if hits < count else 1.0
    assert screening.upper_bound(hits, count) == pytest.approx(bound, abs=1e-9)


def test_it_is_the_same_elsewhere_and_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "_SHORTEST", 0.0)
    table = factors(30)
    alone = matrix(table, screen=3)
    with ThreadPoolExecutor(2) as pool:
        assert matrix(table, screen=3, executor=pool) == alone
        stored = matrix(table, screen=3, executor=pool, folder=tmp_path / "f")
    assert stored == alone
    assert stored.to_json() == alone.to_json()
    assert Matrix.open(tmp_path / "f") == alone
    pair = alone.pairs[20]
    assert stored[pair.y, pair.x] == pair
    monkeypatch.setattr(scoring, "scores", None)  # an earlier choice is taken as it is
    assert matrix(table, screen=3, folder=tmp_path / "f") == alone
    with pytest.raises(errors.InvalidFile, match=r"_mizzle-screen\.npz belongs to another table"):
        matrix(table, screen=4, folder=tmp_path / "f")


def test_rows_limit_the_cheap_pass_and_nothing_else(tmp_path: Path) -> None:
    table = factors(30)
    default, fewer = matrix(table, screen=3), matrix(table, screen=3, rows=100)
    assert {(pair.x, pair.y) for pair in fewer} != {(pair.x, pair.y) for pair in default}
    whole = matrix(table)
    assert all(pair == whole[pair.x, pair.y] for pair in fewer)
    assert matrix(table, screen=3, rows=ROWS) == default  # all of them
    assert matrix(table, screen=3, rows=10**6) == default
    assert matrix(table, screen=3, rows=100, folder=tmp_path / "f") == fewer
    assert matrix(table, screen=3, rows=100, folder=tmp_path / "f") == fewer
    assert Matrix.open(tmp_path / "f").screened == fewer.screened
    with pytest.raises(errors.InvalidFile, match=r"_mizzle-screen\.npz belongs to another table"):
        matrix(table, screen=3, folder=tmp_path / "f")


def test_a_choice_of_the_default_has_the_key_that_it_had_before_rows() -> None:
    planned = plan.Plan.all_pairs(variables(factors(30)))
    for rows, key in ((None, "hash 3"), (ROWS, "hash 3"), (10_000, "hash 3"), (120, "hash 3 120")):
        by = screening.Pass.of(3, rows, planned)
        assert by is not None
        assert by.key("hash") == key


@pytest.mark.parametrize("rows", [99, 10**6 + 1, 0, -5, 500.0, "all", True])
def test_what_is_no_number_of_rows_is_refused(rows: Any) -> None:
    with pytest.raises(errors.InvalidInput, match="rows must be a whole number from 100 to 1,000,000, or"):
        matrix(frame(), screen=2, rows=rows)


def test_rows_need_a_screen() -> None:
    with pytest.raises(errors.InvalidInput, match=r"rows= is of the pass .* add screen='auto'"):
        matrix(frame(), rows=500)


def test_small_tables_are_not_screened() -> None:
    assert matrix(frame(), screen="auto") == matrix(frame())
    assert screening.partners("auto", 765) == 15
    assert screening.partners("auto", 20_000) == 100
    assert screening.partners(None, 20_000) is None


@pytest.mark.parametrize("screen", [0, -3, 1.5, True, "some"])
def test_what_is_no_screen_is_refused(screen: Any) -> None:
    with pytest.raises(errors.InvalidInput, match="screen must be 'auto', None, or how many partners"):
        matrix(frame(), screen=screen)
