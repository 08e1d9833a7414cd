"""The verdict on an estimate: variants that keep the information, evidence, sentences, and every door."""

import asyncio
import json
from typing import Any

import backend_fixtures
import numpy as np
import pytest

import mizzle
from mizzle import errors
from mizzle.model import Estimator
from mizzle.questions import neighbours, reliability, rule
from mizzle.questions.variants import variants


def normals(n: int, columns: int = 2, r: float = 0.7, seed: int = 1) -> tuple[Any, Any]:
    """Pairs of normals of correlation r, each side rotated; I = -columns / 2 log(1 - r^2)."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, columns))
    y = r * x + np.sqrt(1 - r**2) * rng.standard_normal((n, columns))
    turn = [np.linalg.qr(rng.standard_normal((columns, columns)))[0] for _ in range(2)]
    return x @ turn[0], y @ turn[1]


@pytest.fixture(scope="module")
def check() -> mizzle.Check:
    return mizzle.check(*normals(1000))


def test_of_normals_is_reliable_and_says_why(check: mizzle.Check) -> None:
    assert check.reliable
    assert check.score <= rule.LIMIT
    assert all(evidence.agrees for evidence in check.evidence), check.evidence
    assert repr(check).startswith("Check(reliable: 0.6")
    assert "estimates that hold" in check.reasons[0]
    assert any(" of 13 comparisons agree" in reason for reason in check.reasons)
    assert check.estimate == mizzle.estimate(*normals(1000))


def test_as_plain_values(check: mizzle.Check) -> None:
    content = json.loads(json.dumps(check.to_dict(), allow_nan=False))
    assert content["reliable"] is True
    assert content["unit"] == "nats"
    assert len(content["evidence"]) == len(check.evidence)
    assert content["interval"] == list(check.estimate.interval())


def test_every_number_is_in_the_unit(check: mizzle.Check) -> None:
    bits = mizzle.check(*normals(1000), unit="bits")
    assert bits.score == pytest.approx(check.score)
    for ours, theirs in zip(check.evidence, bits.evidence, strict=True):
        assert theirs.estimate == pytest.approx(ours.estimate / np.log(2))
        assert theirs.agrees == ours.agrees
    assert "bits" in " ".join(bits.reasons)


def test_the_same_by_every_door_and_from_the_same_seed(check: mizzle.Check) -> None:
    x, y = normals(1000)
    assert mizzle.Client.local().check(x, y) == check
    assert asyncio.run(mizzle.AsyncClient.local().check(x, y)) == check
    assert mizzle.check(x, y, rng=np.random.default_rng(0)) == check
    assert mizzle.check(x, y, rng=1).evidence != check.evidence


@pytest.mark.parametrize("blocking", [True, False])
def test_the_same_by_a_service(blocking: bool) -> None:
    x, y = normals(300)
    with backend_fixtures.opened(backend_fixtures.ASGI, blocking, Estimator.load(), None) as backend:
        assert backend.ask(lambda client: client.check(x, y)) == mizzle.check(x, y)


def test_a_picture_of_the_evidence(check: mizzle.Check) -> None:
    pytest.importorskip("matplotlib")
    [axes] = check.plot().axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [e.what for e in check.evidence]


def test_variants_keep_what_they_say_they_keep() -> None:
    x, y = normals(400, 3)
    changed = variants(x, y, np.random.default_rng(0))
    by_name: dict[str, list[Any]] = {}
    for variant in changed:
        by_name.setdefault(variant.name, []).append(variant)
    assert len(changed) <= 30
    assert sum(len(v.x) for v in by_name["half"]) == sum(len(v.x) for v in by_name["quarter"]) == 400
    scaled = (x - x.mean(axis=0)) / x.std(axis=0)
    for variant in by_name["rotated"]:
        np.testing.assert_allclose((variant.x**2).sum(axis=1), (scaled**2).sum(axis=1))
    for variant in by_name["whitened"]:
        np.testing.assert_allclose(np.cov(variant.x.T), np.eye(3), atol=1e-8)
    [functions] = by_name["functions"]
    np.testing.assert_allclose(functions.x[:, :3], scaled)
    [noise] = by_name["noise"]
    np.testing.assert_array_equal(noise.y[:, :3], y)
    [permuted] = by_name["permuted"]
    np.testing.assert_array_equal(np.sort(permuted.y, axis=0), np.sort(y, axis=0))
    assert by_name["components 0.5"][0].x.shape == (400, 2)


def test_labels_are_never_rotated() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 3, (300, 2)).astype(float)
    names = {variant.name for variant in variants(x, rng.permutation(x), rng)}
    assert names == {"half", "quarter", "noise", "permuted"}


@pytest.mark.parametrize(("n", "names"), [(99, False), (100, True)])
def test_quarters_need_rows(n: int, names: bool) -> None:
    kinds = {variant.name for variant in variants(*normals(n), np.random.default_rng(0))}
    assert ("quarter" in kinds) == names


def test_neighbours_know_normals_and_dimensions() -> None:
    """KSG at n = 2000 has a standard error of about .04 over 256 queries."""
    x, y = normals(2000, 2)
    second = neighbours.opinion(x, y, np.random.default_rng(0))
    truth = -np.log(1 - 0.7**2)
    assert second.close == pytest.approx(truth, abs=0.16)
    assert second.gaussian == pytest.approx(truth, abs=0.08)
    assert second.dimensions == pytest.approx((2, 2), abs=0.4)
    angle = np.random.default_rng(1).uniform(0, 6, 2000)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    curved = neighbours.opinion(circle, y, np.random.default_rng(0))
    assert curved.dimensions[0] < 1.4


def test_a_constant_side_has_exactly_nothing() -> None:
    result = mizzle.check(np.ones(50), np.arange(50.0))
    assert result.reliable
    assert result.estimate.mi == 0.0
    assert "constant" in result.reasons[0]


@pytest.mark.parametrize(
    ("n", "options", "refusal", "words"),
    [
        (19, {}, errors.TooFewSamples, "at least 20"),
        (50, {"rng": -1}, errors.InvalidInput, "rng is -1"),
        (50, {"rng": "x"}, errors.InvalidInput, "rng is 'x'"),
        (50, {"unit": "bans"}, errors.InvalidInput, "unit is 'bans'"),
        (50, {"missing": "?"}, errors.InvalidInput, "missing is"),
    ],
)
def test_what_cannot_be_checked(n: int, options: Any, refusal: type[Exception], words: str) -> None:
    with pytest.raises(refusal, match=words):
        mizzle.check(*normals(n), **options)


def test_too_many_columns_are_refused_before_any_work() -> None:
    with pytest.raises(errors.TooManyColumns):
        mizzle.check(np.zeros((50, 65)), np.arange(50.0))


def test_of_many_rows_some_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reliability, "LARGEST", 500)
    result = mizzle.check(*normals(1500))
    assert (result.rows, result.estimate.n) == (500, 1500)
    assert result.evidence[0].what == "a sample of the rows"


def test_progress_counts_estimates_and_an_interruption_passes() -> None:
    counts: list[tuple[int, int]] = []
    mizzle.check(*normals(100), progress=lambda done, total: counts.append((done, total)))
    assert counts[-1][0] == counts[-1][1] <= 30

    def interrupted(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mizzle.check(*normals(100), progress=interrupted)


def test_few_false_alarms_on_normals() -> None:
    """40 samples; at a rate of 5 %, 7 or more alarms come in 1 of 400 runs."""
    alarms = sum(not mizzle.check(*normals(300, 2, 0.6, seed)).reliable for seed in range(40))
    assert alarms <= 6
