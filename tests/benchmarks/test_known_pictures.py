"""Pictures tell their latents, resampling is what its name says, and goals follow from results."""

import goals
import images
import intervals
import numpy as np
import pytest
from goals import Goal
from questions_verdict import area

from mizzle.model import Estimator


@pytest.mark.parametrize("picture", images.PICTURES)
@pytest.mark.parametrize("pixels", images.PIXELS)
def test_a_picture_moves_with_each_latent(picture: str, pixels: int) -> None:
    k, draw = images.PICTURES[picture]
    z = np.random.default_rng(1).standard_normal((50, k))
    moved = draw(pixels, z)
    assert moved.shape == (50, pixels**2)
    assert 0.0 <= moved.min() < moved.max() <= 1.0
    for i in range(k):
        step = np.zeros(k)
        step[i] = 1e-3
        assert (np.abs(draw(pixels, z + step) - moved).max(axis=1) > 1e-6).all()


def test_components_hold_the_largest_part_first() -> None:
    side = np.random.default_rng(2).standard_normal((200, 40)) * np.arange(1, 41)
    found = images._components(side)
    assert found.shape == (200, 32)
    spread = found.std(axis=0)
    assert (np.diff(spread) <= 1e-9).all()
    whole = np.linalg.svd(side - side.mean(axis=0), compute_uv=False)[:32]
    np.testing.assert_allclose(spread * np.sqrt(200), whole)


def test_scores_count_what_lies_above_unflagged_and_leave_large_truths_out_of_the_error() -> None:
    few = [
        images.Answer("blobs", 16, 1000, "mizzle, pixels", 1.0, 1.5, 1.2, 1.8, True),
        images.Answer("blobs", 16, 1000, "mizzle, pixels", 1.0, 1.5, 1.2, 1.8, False),
        images.Answer("blobs", 16, 1000, "mizzle, pixels", 10.0, 4.0, 3.0, 5.0, True),
    ]
    [row] = images._scores(few)
    assert (row["mae"], row["coverage"], row["above"], row["number"]) == (0.5, 0.0, 1, 3)


def test_resampled_intervals_are_of_whole_and_of_half_samples() -> None:
    copies = intervals._resamples(np.random.default_rng(3), 40)
    assert all(len(rows) == 40 for rows in copies["bootstrap"])
    assert all(len(set(rows.tolist())) == len(rows) == 20 for rows in copies["half-samples"])
    assert any(len(set(rows.tolist())) < 40 for rows in copies["bootstrap"])


def test_every_way_has_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intervals, "COPIES", 5)
    rows = list(intervals._rows(Estimator.load(threads=1), "normal pairs", 50, 2))
    assert [row["way"] for row in rows] == list(intervals.WAYS)
    assert all(row["width"] > 0.0 and row["coverage"] in (0.0, 0.5, 1.0) for row in rows)


def test_the_area_is_the_share_of_pairs_in_order() -> None:
    assert area(np.array([2.0, 1.0]), np.array([0.0, 1.0])) == (1 + 1 + 1 + 0.5) / 4
    assert area(np.array([]), np.array([0.0])) is None


def test_a_goal_says_how_many_of_its_values_are_within() -> None:
    said = [Goal("g", values, [(0.0, 1.0), (0.0, 1.0)]).row()[-1] for values in ([0, 1], [0, 2], [2, 2])]
    assert said == ["yes", "1 of 2", "no"]


def test_goals_of_pictures_and_verdicts_need_their_results() -> None:
    assert not list(goals._of_images({})) + list(goals._of_verdicts({}))
    row = {"method": "mizzle, 8 components", "mae": 0.2, "above": 1}
    error, above = goals._of_images({"scores": [row, {**row, "mae": 0.4, "above": 2}, {"method": "KSG"}]})
    assert error.values == pytest.approx([0.3])
    assert above.values == [3]
    [seen] = goals._of_verdicts({"verdict": [{"group": "all real kinds", "area": 0.9}, {"group": "looks"}]})
    assert seen.row()[-1] == "yes"
