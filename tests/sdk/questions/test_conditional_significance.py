"""Tests of conditional independence: what is given is no reason to reject, and what is shared besides is."""

import asyncio
from typing import Any

import numpy as np
import pytest

import mizzle
from mizzle.errors import InvalidInput, TooFewSamples

ROWS, SAMPLES = 150, 60


def confounded(seed: int, rows: int = ROWS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x and y that share z and nothing else."""
    rng = np.random.default_rng([5, seed])
    z = rng.standard_normal(rows)
    return z + 0.5 * rng.standard_normal(rows), z + 0.5 * rng.standard_normal(rows), z


def test_what_is_given_is_not_rejected_as_often_as_said() -> None:
    """At 5 %, within 4 standard errors of 60 samples: .05 + 4 sqrt(.05 .95 / 60) = .163; shuffles do."""
    rejected = []
    for seed in range(SAMPLES):
        x, y, z = confounded(seed)
        rejected.append(mizzle.test(x, y, given=z, n=19, rng=seed).pvalue <= 0.05)
    assert np.mean(rejected) <= 0.163
    x, y, _ = confounded(0)
    assert mizzle.test(x, y, n=19).pvalue == 1 / 20


def test_what_is_shared_besides_is_seen() -> None:
    x, y, z = confounded(0, 300)
    test = mizzle.test(x, x + y, given=z, n=39)
    assert test.pvalue == 1 / 40
    assert (test.kind, test.n, test.length) == ("local", 39, 1)
    assert test.statistic == mizzle.estimate(x, x + y, given=z).mi
    assert test.estimate.dim_z == 1
    assert test.to_dict()["kind"] == "local"
    assert test.null.shape == (39,)


def test_labels_are_given() -> None:
    rng = np.random.default_rng(4)
    z = rng.integers(0, 3, 200)
    x, y = z + 0.4 * rng.standard_normal((2, 200))
    assert mizzle.test(x, y, given=z, n=19).pvalue > 0.05
    assert mizzle.test(x, x + y, given=z, n=19).pvalue == 1 / 20


def test_all_doors_agree(fake, served: str) -> None:
    x, y, z = confounded(1, 80)
    expected = mizzle.Client.local(fake).test(x, y, given=z, n=19).to_dict()
    with mizzle.Client(served) as remote:
        assert remote.test(x, y, given=z, n=19).to_dict() == expected
    assert asyncio.run(mizzle.AsyncClient.local(fake).test(x, y, given=z, n=19)).to_dict() == expected


def test_a_generator_and_a_seed_choose_the_surrogates() -> None:
    x, y, z = confounded(2, 80)
    first, again, other = (mizzle.test(x, y, given=z, n=19, rng=seed).null for seed in (1, 1, 2))
    assert first.tolist() == again.tolist() != other.tolist()


def test_a_ranking_is_tested_with_what_is_given() -> None:
    x, y, z = confounded(3, 300)
    frame = {"x": x, "shared": x + y, "y": x + 0.1 * y, "z": z}
    ranking = mizzle.rank(frame, "y", given=["z"], pvalues=19)
    assert ranking.surrogates == ("local", 19)
    assert {pair.x: pair.pvalue for pair in ranking.pairs} == {"x": 0.05, "shared": 0.05}
    frame["y"] = y
    frame.pop("shared")
    [pair] = mizzle.rank(frame, "y", given=["z"], pvalues=19).pairs
    assert pair.pvalue is not None
    assert pair.pvalue > 0.05


@pytest.mark.parametrize("kind", ["shuffle", "shift", "block"])
def test_kinds_that_would_reject_what_is_given_are_refused(kind: Any) -> None:
    with pytest.raises(InvalidInput, match="kind='local'"):
        mizzle.test(*confounded(0)[:2], given=confounded(0)[2], kind=kind)


def test_local_permutations_need_something_given() -> None:
    with pytest.raises(InvalidInput, match="needs given"):
        mizzle.test(*confounded(0)[:2], kind="local")
    with pytest.raises(InvalidInput, match="needs given"):
        mizzle.matrix({"a": [1.0, 2.0], "b": [2.0, 1.0]}, pvalues=19, kind="local")


def test_too_few_rows_are_refused() -> None:
    x, y, z = confounded(0, 49)
    with pytest.raises(TooFewSamples, match="49 rows; a test needs at least 50"):
        mizzle.test(x, y, given=z)


def test_what_leaves_nothing_to_test_is_said() -> None:
    x, y, _ = confounded(0)
    determined = mizzle.test(x, y, given=x, n=19)
    assert (determined.statistic, determined.pvalue) == (0.0, 1.0)
    assert "determined" in {notice.code for notice in determined.warnings}
    constant = mizzle.test(x, y, given=np.ones(ROWS), n=19)
    assert constant.pvalue == 1 / 20
    assert "constant_given" in {notice.code for notice in constant.warnings}
