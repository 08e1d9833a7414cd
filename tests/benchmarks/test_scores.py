"""Laws of the scores, on answers whose calibration is known."""

import json
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from accuracy import neural_rows
from results import newest, result_name, write_result
from scipy.special import ndtri
from score_tables import groupings, score_rows
from scores import (
    INTERVALS,
    LEVELS,
    RELIABILITY_LEVELS,
    Answers,
    coverage,
    peer_scores,
    pinball,
    point_scores,
    posterior_scores,
    ratio_of_sums,
    reliability,
)
from suites import Run

COUNT = 20_000


def calibrated(shift: float = 0.0) -> Answers:
    """Posteriors N(m, 1) with truths drawn from them; `shift` moves the answers."""
    rng = np.random.default_rng(0)
    mean = 10.0 + rng.standard_normal(COUNT)
    truth = mean + rng.standard_normal(COUNT)
    return Answers(truth, mean + shift, (mean + shift)[:, None] + ndtri(LEVELS))


def noise(share: float) -> float:
    """Five standard deviations of the share of COUNT problems."""
    return 5 * math.sqrt(share * (1 - share) / COUNT)


def a_run(truth: np.ndarray) -> Run:
    """Answers of a made-up estimator and one peer that misses every third problem."""
    count = len(truth)
    rng = np.random.default_rng(1)
    quantiles = np.maximum(0.0, truth[:, None] + 0.1 * ndtri(LEVELS))
    guess = np.where(np.arange(count) % 3 == 0, np.nan, truth + 0.5)
    return Run(
        suite="held-out-any-n",
        stems=np.array(["one", "two"])[np.arange(count) % 2],
        labels=np.array(["a", "b", "c"])[np.arange(count) % 3],
        names=np.array(["name"] * count),
        rows=rng.integers(10, 5000, count),
        columns=rng.integers(2, 128, count),
        seeds=np.arange(count),
        answers=Answers(truth, truth, quantiles),
        guesses={"peer": guess},
        refused=Counter(),
        warned=Counter(),
    )


@pytest.mark.parametrize("name", INTERVALS)
def test_calibrated_answers_cover_as_they_say(name: str) -> None:
    nominal = int(name) / 100
    assert coverage(calibrated(), *INTERVALS[name]) == pytest.approx(nominal, abs=noise(nominal))


def test_calibrated_answers_lie_on_the_diagonal() -> None:
    shares = reliability(calibrated())
    for level, share in zip(RELIABILITY_LEVELS, shares, strict=True):
        assert share == pytest.approx(level, abs=noise(level))


def test_answers_that_are_too_low_lie_below_the_diagonal() -> None:
    shares = reliability(calibrated(shift=-1.0))
    for level, share in zip(RELIABILITY_LEVELS, shares, strict=True):
        assert share is not None
        assert share < level


def test_zeros_met_by_zeros_are_spread_evenly() -> None:
    """Where all quantiles up to p are 0 and the truth is 0, level t counts t / p."""
    quantiles = np.where(np.array(LEVELS) <= 0.5, 0.0, 1.0)[None]
    shares = reliability(Answers(np.zeros(1), np.zeros(1), quantiles))
    assert shares == pytest.approx([min(1.0, level / 0.5) for level in RELIABILITY_LEVELS])


def test_zero_below_every_quantile_counts_as_below() -> None:
    shares = reliability(Answers(np.zeros(1), np.ones(1), np.ones((1, len(LEVELS)))))
    assert shares == [1.0] * len(RELIABILITY_LEVELS)


def test_zero_at_the_edge_is_covered() -> None:
    edge = Answers(np.zeros(3), np.zeros(3), np.zeros((3, len(LEVELS))))
    assert coverage(edge, 0.05, 0.95) == 1.0


def test_pinball_of_a_point_is_half_its_distance_at_the_median() -> None:
    answers = Answers(np.array([1.0, 4.0]), np.full(2, 2.0), np.full((2, len(LEVELS)), 2.0))
    assert pinball(answers, [0.5]) == pytest.approx(0.5 * (1.0 + 2.0) / 2)


def test_the_unanswered_do_not_count() -> None:
    whole = calibrated()
    mean = whole.mean.copy()
    mean[::2] = np.nan
    halved = Answers(whole.truth, mean, np.where(np.isnan(mean)[:, None], np.nan, whole.quantiles))
    keep = np.arange(COUNT) % 2 == 1
    assert posterior_scores(halved) == posterior_scores(whole.pick(keep))
    assert point_scores(whole.truth, mean)["answered"] == COUNT // 2


def test_a_peer_is_compared_on_what_it_answered() -> None:
    answers = Answers(np.array([1.0, 1.0]), np.array([2.0, 9.0]), np.ones((2, len(LEVELS))))
    row = peer_scores(answers, np.array([4.0, np.nan]))
    assert (row["answered"], row["mae"], row["ours_mae"]) == (1, 3.0, 1.0)


def test_ratio_of_sums_is_exact_for_multiples() -> None:
    below = np.array([1.0, 2.0, 5.0])
    assert ratio_of_sums(2.0 * below, below) == (2.0, 0.0)


def test_ratio_of_sums_has_the_spread_it_claims() -> None:
    rng = np.random.default_rng(2)
    below = rng.uniform(1.0, 3.0, (2000, 50))
    ratios, errors = np.transpose([ratio_of_sums(b * rng.normal(1.5, 0.3, 50), b) for b in below])
    # The sample deviation of 2000 ratios is known to 1/sqrt(4000); five of these.
    assert errors.mean() == pytest.approx(ratios.std(), rel=5 / math.sqrt(4000))


def test_every_problem_is_in_one_group_of_each_grouping() -> None:
    run = a_run(np.random.default_rng(3).choice([0.0, 0.01, 0.05, 0.3, 2.0, 9.0], 300))
    for by, groups in groupings(run):
        counts = np.sum([keep for _, keep in groups], axis=0)
        assert (counts == 1).all(), by


def test_score_rows_are_marked_and_complete() -> None:
    run = a_run(np.linspace(0.1, 3.0, 300))
    rows = score_rows([run])
    assert all(row["held_out"] for row in rows)
    (peer,) = [row for row in rows if row["by"] == "all" and row["method"] == "peer"]
    assert (peer["answered"], peer["mae"]) == (200, pytest.approx(0.5))
    assert {row["by"] for row in rows} == {"all", "export", "n", "columns", "family", "truth"}


def test_a_result_reads_back_as_written(tmp_path: Path) -> None:
    payload = {"rows": [{"a": 1.25, "b": None}, {"a": 2, "b": "x"}], "empty": {}, "deep": {"c": [[1], []]}}
    path = write_result("accuracy", payload, tmp_path)
    read = json.loads(path.read_text())
    assert {key: read[key] for key in payload} == payload
    assert {"date", "commit", "machine"} <= set(read)


def test_a_reduced_run_is_no_full_result(tmp_path: Path) -> None:
    assert newest("accuracy", tmp_path) is None
    full = write_result(result_name("accuracy", quick=False), {}, tmp_path)
    older = tmp_path / "accuracy-2001-01-01.json"
    older.write_text("{}")
    write_result(result_name("accuracy", quick=True), {}, tmp_path)
    assert newest("accuracy", tmp_path) == full


def test_scores_of_trained_networks_are_taken_over_while_exports_stay() -> None:
    """Of suites whose files are the same, where they were not measured again."""
    row = {"suite": "bmi", "method": "mine", "mae": 0.1}
    other = {"suite": "mist-seen", "method": "infonce", "mae": 0.2}
    ours = {"suite": "bmi", "method": "mizzle", "mae": 0.0}
    exports = {"bmi-n100.safetensors": "a", "bmi-n200.safetensors": "b", "mist-seen-seed1.safetensors": "c"}
    before = {"scores": [row, other, ours], "exports": exports}
    assert neural_rows(before, exports, [ours]) == [row, other]
    assert neural_rows(before, exports, [row]) == [other]
    assert neural_rows(before, {**exports, "bmi-n200.safetensors": "new"}, []) == [other]
    assert neural_rows(before, {"bmi-n100.safetensors": "a", "bmi-n200.safetensors": "b"}, []) == [row]
    assert neural_rows(before, {}, []) == []
    assert neural_rows({}, exports, []) == []
