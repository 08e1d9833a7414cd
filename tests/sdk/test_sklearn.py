"""The doors to scikit-learn keep its laws and the selector's own."""

import math
import os
import pickle
import subprocess
import sys
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import FakeEstimator
from scipy import sparse
from sklearn.base import clone
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import mizzle
from mizzle.backends.pairs import Errors, Pair
from mizzle.errors import InvalidInput, InvalidLevel, MissingExtra, QueueFull
from mizzle.progress import Wanted
from mizzle.sklearn import MutualInfoSelector, mi_score
from mizzle.types import Estimate

REDUNDANCY = (None, "mrmr", "jmi")
CELLS = Path(__file__).parents[2] / "examples" / "breast_cancer.csv"
# A skipped check is a warning, and so an error. Some of the checks' data are noise, of which nothing is kept.
CHECKS = """
import warnings
from sklearn.utils.estimator_checks import check_estimator
from mizzle.sklearn import MutualInfoSelector
warnings.simplefilter("error")
warnings.filterwarnings("ignore", "No features were selected")
for redundancy in (None, "mrmr", "jmi"):
    found = check_estimator(MutualInfoSelector(redundancy=redundancy, threshold=0.0))
    print(len(found), {one["status"] for one in found})
"""


class Gaussian:
    """A backend by a formula that is exact for normal columns, which remembers how often it was asked."""

    def __init__(self) -> None:
        self.questions: list[int] = []

    def estimate_many(
        self, pairs: Iterable[Pair], *, progress: Wanted = None, errors: Errors = "raise"
    ) -> list[Estimate]:
        fake, pairs = FakeEstimator(), list(pairs)
        self.questions.append(len(pairs))
        return fake.run([fake.prepare(x, y) for x, y in pairs])


class Busy:
    """A backend that refuses."""

    def estimate_many(
        self, pairs: Iterable[Pair], *, progress: Wanted = None, errors: Errors = "raise"
    ) -> list[QueueFull]:
        return [QueueFull("too much is waiting") for _ in pairs]


def table(n: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A signal, nearly the same, noise, a weak signal, a constant; and a target of the two signals."""
    rng = np.random.default_rng(seed)
    signal, weak, noise = rng.standard_normal((3, n))
    copy_of_signal = signal + 0.2 * rng.standard_normal(n)
    y = signal + 0.7 * weak + 0.5 * rng.standard_normal(n)
    return np.column_stack([signal, copy_of_signal, noise, weak, np.full(n, 3.0)]), y


def cells() -> tuple[np.ndarray, np.ndarray]:
    """Eight measures of the example's cells, and whether the mass is benign."""
    rows = np.genfromtxt(CELLS, delimiter=",", skip_header=1)
    return rows[:300, :8], rows[:300, -1].astype(int)


def test_every_check_of_scikit_learn_passes_and_none_is_skipped() -> None:
    environment = {
        **os.environ,
        "SCIPY_ARRAY_API": "1",
    }  # read when scipy is imported; else a check is skipped
    command = [sys.executable, "-c", CHECKS]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(REDUNDANCY)
    assert all(line.endswith("{'passed'}") and int(line.split()[0]) > 40 for line in lines)


@pytest.mark.parametrize("discrete", [False, True])
def test_a_score_is_the_estimate_of_the_column(discrete: bool) -> None:
    X, y = table(100)
    y = np.digitize(y, [-1, 1]) if discrete else y
    alone = [estimate.mi for estimate in mizzle.estimate_many([(x, y) for x in X.T])]
    np.testing.assert_allclose(mi_score(X, y), alone, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("labels", [[-7, 0, 9], [0.5, 1.5, 99.0]])
def test_labels_count_by_their_order_alone(labels: list[Any]) -> None:
    X, y = table(100)
    codes = np.digitize(y, [-1, 1])
    assert mi_score(X, np.array(labels)[codes]) == pytest.approx(mi_score(X, codes))
    assert mi_score(X, codes > 1) == pytest.approx(mi_score(X, (codes > 1).astype(int)))


def test_names_of_labels_do_not_count() -> None:
    X, y = table(100)
    codes = np.digitize(y, [-1, 0.5])
    assert len(set(np.bincount(codes))) == 3
    one, other = (mi_score(X, np.array(names)[codes]) for names in (["a", "b", "c"], ["q", "p", "b"]))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("form", ["csr_matrix", "csc_array", "coo_matrix", "coo_array"])
def test_sparse_counts_are_scored_and_selected_as_dense_ones(form: str) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 200)
    words = rng.poisson(np.where(y, 2.0, 0.1)[:, None] * np.array([1.0, 0.2, 0.2]))
    held = getattr(sparse, form)(words)
    np.testing.assert_array_equal(mi_score(held, y), mi_score(words, y))
    selector = MutualInfoSelector(max_features=1).fit(held, y)
    assert selector.get_support().tolist() == [True, False, False]
    np.testing.assert_array_equal(selector.transform(held).toarray(), words[:, :1])


def test_sparse_counts_that_do_not_fit_are_refused_with_their_size() -> None:
    with pytest.raises(ValueError, match=r"X is sparse, and would have 1\.5 GiB"):
        mi_score(sparse.csr_matrix((100_000, 2000)), np.arange(100_000))


def test_labels_may_be_a_list_or_a_column_of_objects() -> None:
    X, y = table(100)
    words = np.where(y > 0, "up", "down")
    expected = mi_score(X, words)
    assert mi_score(X.tolist(), words.tolist()) == pytest.approx(expected)
    assert mi_score(X, words.astype(object)) == pytest.approx(expected)


def test_the_best_columns_inside_a_pipeline_and_cross_validation() -> None:
    X, y = cells()
    best = make_pipeline(SelectKBest(mi_score, k=3), StandardScaler(), LogisticRegression())
    assert cross_val_score(best, X, y, cv=3).min() > 0.8
    X, y = table()
    best = make_pipeline(SelectKBest(mi_score, k=2), Ridge())
    assert cross_val_score(best, X, y, cv=3).min() > 0.3


def test_the_selector_inside_a_search() -> None:
    X, y = cells()
    pipeline = make_pipeline(MutualInfoSelector(), StandardScaler(), LogisticRegression())
    search = GridSearchCV(pipeline, {"mutualinfoselector__redundancy": REDUNDANCY}, cv=2).fit(X, y)
    assert search.best_score_ > 0.8


@pytest.mark.parametrize("redundancy", REDUNDANCY)
def test_only_columns_that_surely_say_something_are_kept(redundancy: Any) -> None:
    X, y = table()
    result = MutualInfoSelector(redundancy=redundancy).fit(X, y)
    sure = result.intervals_[:, 0] > result.threshold
    assert not (result.get_support() & ~sure).any()
    assert result.get_support()[0]
    assert not result.get_support()[[2, 4]].any()
    assert result.scores_[4] == 0
    if redundancy is None:
        assert (result.get_support() == sure).all()


def test_what_is_said_of_each_column_is_its_estimate() -> None:
    X, y = table(100)
    result = MutualInfoSelector(level=0.5, unit="bits").fit(X, y)
    for j, estimate in enumerate(result.estimates_):
        assert estimate.unit == "bits"
        assert result.scores_[j] == estimate.mi
        assert tuple(result.intervals_[j]) == estimate.interval(0.5)
    assert result.scores_ * math.log(2) == pytest.approx(mi_score(X, y))


@pytest.mark.parametrize("redundancy", ["mrmr", "jmi"])
def test_a_column_that_is_nearly_another_is_left_out(redundancy: Any) -> None:
    X, y = table()
    assert MutualInfoSelector().fit(X, y).get_support()[:2].all()
    selected = MutualInfoSelector(redundancy=redundancy, threshold=0.05).fit(X, y).get_support()
    assert selected[:2].sum() == 1
    assert selected[3]


@pytest.mark.parametrize("redundancy", ["mrmr", "jmi"])
def test_a_gain_is_the_formula_of_the_docstring(redundancy: Any) -> None:
    X, y = table()
    backend = Gaussian()
    result = MutualInfoSelector(redundancy=redundancy, threshold=-0.0, backend=backend).fit(X, y)
    first, second, *_ = result.order_
    assert result.gains_[0] == result.scores_[first] == result.scores_.max()
    fake = FakeEstimator()
    if redundancy == "jmi":
        gain = fake.estimate(X[:, [second, first]], y[:, None]).mi - result.scores_[first]
    else:
        gain = result.scores_[second] - fake.estimate(X[:, [second]], X[:, [first]]).mi
    assert result.gains_[1] == pytest.approx(gain)
    assert (result.gains_[1:] > 0).all()


@pytest.mark.parametrize("redundancy", ["mrmr", "jmi"])
def test_the_gain_over_several_columns_is_a_mean(redundancy: Any) -> None:
    rng = np.random.default_rng(1)
    X = rng.standard_normal((300, 4))
    y = X @ [1.0, 0.8, 0.6, 0.4] + 0.1 * rng.standard_normal(300)
    backend, fake = Gaussian(), FakeEstimator()
    result = MutualInfoSelector(redundancy=redundancy, threshold=0.0, backend=backend).fit(X, y)
    a, b, c = result.order_[:3]

    def over(s: int) -> float:
        if redundancy == "jmi":
            return fake.estimate(X[:, [c, s]], y[:, None]).mi - fake.estimate(X[:, [s]], y[:, None]).mi
        return fake.estimate(X[:, [c]], y[:, None]).mi - fake.estimate(X[:, [c]], X[:, [s]]).mi

    assert result.gains_[2] == pytest.approx((over(a) + over(b)) / 2)
    assert backend.questions[:2] == [4, 3]
    assert sum(backend.questions) <= 4 + 3 + 2 + 1


@pytest.mark.parametrize("redundancy", REDUNDANCY)
def test_at_most_so_many_are_kept(redundancy: Any) -> None:
    X, y = table()
    backend = Gaussian()
    all_of_them = MutualInfoSelector(redundancy=redundancy, backend=backend).fit(X, y)
    for limit in (1, 2, 9):
        result = MutualInfoSelector(redundancy=redundancy, max_features=limit, backend=backend).fit(X, y)
        assert result.order_.tolist() == all_of_them.order_[:limit].tolist()
        assert result.gains_.tolist() == all_of_them.gains_[:limit].tolist()
        assert sorted(result.order_) == result.get_support(indices=True).tolist()


def test_nothing_is_kept_of_noise() -> None:
    X = np.random.default_rng(0).standard_normal((60, 3))
    result = MutualInfoSelector(redundancy="jmi").fit(X, np.zeros(60))
    assert result.scores_.tolist() == [0, 0, 0]
    with pytest.warns(UserWarning, match="No features were selected"):
        assert result.transform(X).shape == (60, 0)


@pytest.mark.parametrize("value", ["address", "client"])
def test_a_service_answers_in_the_place_of_this_process(served: str, value: str) -> None:
    X, y = table(50)
    expected = MutualInfoSelector(redundancy="jmi", backend=Gaussian()).fit(X, y)
    with mizzle.Client(served) as client:
        backend = served if value == "address" else client
        result = MutualInfoSelector(redundancy="jmi", backend=backend).fit(X, y)
        assert mi_score(X, y, backend=backend) == pytest.approx(expected.scores_)
    assert result.order_.tolist() == expected.order_.tolist()
    assert result.gains_ == pytest.approx(expected.gains_)


def test_a_local_client_is_this_process() -> None:
    X, y = table(50)
    assert mi_score(X, y, backend=mizzle.Client.local()) == pytest.approx(mi_score(X, y))


def test_clones_share_the_client_and_keep_their_output(served: str) -> None:
    with mizzle.Client(served) as client:
        selector = MutualInfoSelector(backend=client, threshold=0.1).set_output(transform="pandas")
        cloned = clone(selector)
        assert cloned.backend is selector.backend is client
        assert cloned is not selector
        assert cloned.threshold == 0.1
        assert list(cloned.fit_transform(*table(50)).columns) == ["x0", "x1"]


def test_asker_goes_on_working_and_warns() -> None:
    X, y = table(50)
    backend = Gaussian()
    with pytest.warns(DeprecationWarning, match="asker= is now backend="):
        selector = MutualInfoSelector(asker=backend)  # type: ignore[call-arg]
    assert selector.backend is backend
    with pytest.warns(DeprecationWarning, match="asker= is now backend="):
        assert mi_score(X, y, asker=backend) == pytest.approx(selector.fit(X, y).scores_)  # type: ignore[call-arg]
    with pytest.warns(DeprecationWarning, match="asker= is now backend="):
        assert selector.set_params(asker=None, level=0.5) is selector
    assert selector.get_params()["backend"] is None
    assert selector.level == 0.5
    with pytest.warns(DeprecationWarning, match="asker is now backend"):
        assert selector.asker is None
    with pytest.raises(TypeError, match="both asker= and backend="):
        mi_score(X, y, asker=backend, backend=backend)  # type: ignore[call-arg]
    with pytest.raises(AttributeError, match="nonsense"):
        _ = selector.nonsense


def test_a_selector_that_0_9_pickled_goes_on_working() -> None:
    old = MutualInfoSelector(threshold=0.1)
    old.__dict__["asker"] = old.__dict__.pop("backend")
    loaded = pickle.loads(pickle.dumps(old))
    assert loaded.get_params() == MutualInfoSelector(threshold=0.1).get_params()
    assert loaded.fit(*table(50)).scores_[4] == 0


def test_an_address_travels_to_other_processes() -> None:
    selector = MutualInfoSelector(backend="http://localhost:1")
    assert pickle.loads(pickle.dumps(selector)).backend == selector.backend


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"threshold": -1}, "threshold"),
        ({"threshold": "much"}, "threshold"),
        ({"unit": "bans"}, "unit"),
        ({"redundancy": "cmim"}, "redundancy"),
        ({"max_features": 0}, "max_features"),
        ({"max_features": 1.5}, "max_features"),
        ({"max_features": True}, "max_features"),
        ({"backend": object()}, "backend"),
        ({"backend": "no address"}, "url"),
    ],
)
def test_what_cannot_be_used_is_said_by_fit(parameters: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        MutualInfoSelector(**parameters).fit(*table(50))


def test_an_asynchronous_client_is_refused() -> None:
    with pytest.raises(InvalidInput, match="backend"):
        mi_score(*table(50), backend=mizzle.AsyncClient("http://localhost:1"))  # type: ignore[arg-type]


def test_a_level_beyond_the_model_is_refused() -> None:
    with pytest.raises(InvalidLevel):
        MutualInfoSelector(level=0.999).fit(*table(50))


@pytest.mark.parametrize("spoil", ["few", "nan", "text", "lengths"])
def test_arrays_that_cannot_be_used_are_value_errors(spoil: str) -> None:
    X, y = table(50)
    X = X.astype(object) if spoil == "text" else X
    X[0, 0] = {"nan": np.nan, "text": "a"}.get(spoil, X[0, 0])
    X, y = (X[:9], y[:9]) if spoil == "few" else (X, y[1:] if spoil == "lengths" else y)
    for ask in (mi_score, MutualInfoSelector().fit):
        with pytest.raises(ValueError, match=r"\w"):
            ask(X, y)


def test_a_refusal_is_raised() -> None:
    with pytest.raises(QueueFull):
        mi_score(*table(50), backend=Busy())


def test_without_scikit_learn_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.base", None)
    monkeypatch.delitem(sys.modules, "mizzle.sklearn")
    with pytest.raises(MissingExtra, match=r"pip install 'mizzle\[sklearn\]'"):
        import_module("mizzle.sklearn")
