"""Tables as they come with scikit-learn: nothing in them asks for anything, so nothing is shown."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from sklearn import datasets

import mizzle
from mizzle.types import FACTS


def numbers(name: str) -> dict[str, np.ndarray]:
    """Up to eight columns of a table, and its target."""
    data = getattr(datasets, f"load_{name}")()
    columns = dict(zip(map(str, data.feature_names), data.data.T[:8], strict=False))
    return {**columns, "target": data.target}


def labelled(name: str) -> dict[str, Any]:
    data = getattr(datasets, f"load_{name}")()
    return {**numbers(name), "target": [str(data.target_names[i]) for i in data.target]}


def birds() -> dict[str, Any]:
    """Sorted by species, measured in whole grams and tenths of millimetres; sexes come in turn."""
    rng = np.random.default_rng(0)
    species = np.repeat(np.arange(3), [150, 70, 120])
    sex = np.arange(340) % 2
    size = species + 0.5 * sex + rng.normal(size=340) * 0.4
    return {
        "species": np.array(["Adelie", "Chinstrap", "Gentoo"])[species].tolist(),
        "bill": (38 + 4 * size + rng.normal(size=340)).round(1),
        "mass": (3000 + 25 * (20 * size + 5 * rng.normal(size=340)).round()),
        "flipper": (190 + 10 * size + rng.normal(size=340) * 3).round(),
        "sex": np.array(["female", "male"])[sex].tolist(),
        "year": (2007 + rng.integers(3, size=340)).astype(float),
    }


CLEAN: dict[str, Mapping[str, Any]] = {
    **{name: numbers(name) for name in ("iris", "wine", "diabetes", "breast_cancer")},
    **{f"{name} with labels": labelled(name) for name in ("iris", "wine", "breast_cancer")},
    "birds": birds(),
}


@pytest.mark.parametrize("name", CLEAN)
def test_a_clean_table_shows_no_notice(name: str) -> None:
    table = CLEAN[name]
    target = "species" if name == "birds" else "target"
    for result in (
        mizzle.matrix(table, progress=False),
        mizzle.rank(table, target, progress=False),
    ):
        for pair in result:
            assert set(pair.codes) <= set(FACTS), (pair.x, pair.y)
            assert pair.severest() == []
            assert pair.estimate is not None
            assert pair.estimate.in_range


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer"])
def test_a_clean_sample_yields_none(name: str) -> None:
    *columns, target = numbers(name).values()
    for column in columns:
        assert mizzle.estimate(column, target).warnings == ()
