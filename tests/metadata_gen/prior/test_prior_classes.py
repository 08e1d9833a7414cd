"""What the prior draws of tables, rare classes, labels and embeddings."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from mizzle.metadata_gen.families.classes import ClassPair
from mizzle.metadata_gen.family import Family, Rng
from mizzle.metadata_gen.prior import meta_distribution
from mizzle.metadata_gen.prior.contingency import any_table, binary_table, embeddings
from mizzle.metadata_gen.prior.elliptical import heavy
from mizzle.metadata_gen.prior.mixtures import labels, rare, rare_weights
from mizzle.metadata_gen.prior.ranges import Limits


def rng() -> Rng:
    return np.random.default_rng(21)


def test_binary_tables_are_rare_and_even_and_of_both_signs() -> None:
    drawing = rng()
    tables = np.array([binary_table(drawing).probabilities for _ in range(600)])
    rarest = np.minimum(tables.sum(axis=2).min(axis=1), tables.sum(axis=1).min(axis=1))
    excess = tables[:, 1, 1] - tables[:, 1].sum(axis=1) * tables[:, :, 1].sum(axis=1)
    assert rarest.min() < 0.006
    assert np.mean(rarest < 0.05) > 0.25
    assert np.mean(rarest > 0.1) > 0.25
    assert 0.25 < np.mean(excess > 0.0) < 0.75


def test_half_of_the_tables_have_two_levels_on_a_side() -> None:
    drawing = rng()
    shapes = [any_table(drawing).probabilities.shape for _ in range(600)]
    assert np.mean([shape == (2, 2) for shape in shapes]) > 0.4
    assert np.mean([2 in shape for shape in shapes]) > 0.55
    assert max(max(shape) for shape in shapes) > 15


@pytest.mark.parametrize("k", [2, 3, 20])
def test_rare_weights_have_a_rare_one(k: int) -> None:
    drawing = rng()
    shares = np.array([rare_weights(drawing, k) for _ in range(300)])
    assert shares.sum(axis=1) == pytest.approx(1.0)
    assert 0.0 < shares.min() < 0.003
    assert shares.min(axis=1).max() <= 0.1
    assert len(set(shares.argmin(axis=1))) > 1


@pytest.mark.parametrize("columns", [1, 2, 32, 64])
@pytest.mark.parametrize("build", [labels, embeddings, rare, heavy])
def test_sides_stay_within_their_columns(build: Callable[[Rng, int, int], Family], columns: int) -> None:
    drawing = rng()
    families = [build(drawing, columns, columns) for _ in range(150)]
    assert max(max(f.dim_x, f.dim_y) for f in families) <= columns
    assert all(f.mi().stderr <= max(0.002, 0.005 * f.mi().nats) for f in families)


def test_labels_reach_fifty_columns_a_side() -> None:
    drawing = rng()
    widths = np.array([(f.dim_x, f.dim_y) for f in (labels(drawing, 64, 64) for _ in range(1000))])
    assert widths.max() >= 45
    assert widths.min(axis=1).max() >= 25
    assert (widths == 1).any(axis=1).mean() > 0.3


def test_embeddings_tell_no_more_than_their_classes() -> None:
    drawing = rng()
    for _ in range(100):
        family = embeddings(drawing, 64, 64)
        pair = family if isinstance(family, ClassPair) else family.base  # type: ignore[attr-defined]
        fewest = min(pair.side_x.classes, pair.side_y.classes)
        assert 0.0 <= family.mi().nats <= math.log(fewest) + 1e-9


def test_both_kinds_are_problems_of_their_own() -> None:
    """They may use all columns that the limits leave, whatever the shape of other problems."""
    drawing, limits = rng(), Limits(columns=48)
    for kind in ("labels", "embeddings"):
        families = [meta_distribution._wide(drawing, kind, limits) for _ in range(150)]
        assert 30 < max(max(f.dim_x, f.dim_y) for f in families) <= 48
