"""Binned copulas and contingency tables for the laws that hold for every family; their columns have ties."""

import numpy as np
from copula_families import COPULAS

from mizzle.metadata_gen.families.binned import Binned
from mizzle.metadata_gen.families.contingency import ContingencyTable
from mizzle.metadata_gen.family import Array, Family
from mizzle.metadata_gen.label_problems import LabelledNumbers, label_table, labelled_numbers
from mizzle.metadata_gen.prior.contingency import random_table
from mizzle.metadata_gen.prior.pairs import random_edges

RNG = np.random.default_rng(5)


def equal(levels: int) -> Array:
    return np.arange(1, levels) / levels


FAMILIES: dict[str, Family] = {
    "x in two": Binned(COPULAS["clayton 0.5"], equal(2), None),
    "y in three": Binned(COPULAS["clayton at 90"], None, equal(3)),
    "x in fifty": Binned(COPULAS["joe 0.9"], equal(50), None),
    "y in uneven bins": Binned(COPULAS["gumbel at 180"], None, random_edges(RNG, 12, 0.5)),
    "weak x in four": Binned(COPULAS["frank 0.01"], equal(4), None),
    "both in two": Binned(COPULAS["normal copula"], equal(2), equal(2)),
    "both uneven": Binned(COPULAS["joe at 270"], random_edges(RNG, 3, 1.0), random_edges(RNG, 20, 1.0)),
    "both in fifty": Binned(COPULAS["sharp normal copula"], equal(50), equal(50)),
    "binned cross": Binned(COPULAS["cross"], equal(5), equal(7)),
    "binned line in noise": Binned(COPULAS["line in noise"], None, equal(6)),
    "independent table": ContingencyTable(np.outer([0.2, 0.8], [0.5, 0.3, 0.2])),
    "diagonal table": ContingencyTable(np.eye(5) / 5.0),
    "table": ContingencyTable(np.array([[0.3, 0.1, 0.0], [0.05, 0.25, 0.3]])),
    **{f"random table {i}": random_table(RNG, 2 + i, 20 - 3 * i, 0.5 + i, 0.7) for i in range(6)},
}

LABELS: dict[str, Family] = {
    "labelled counts": LabelledNumbers(np.array([0.2, 0.8]), np.array([[0.5, 0.3, 0.2], [0.1, 0.4, 0.5]])),
    **{f"label table {i}": label_table(RNG) for i in range(4)},
    **{f"random labelled numbers {i}": labelled_numbers(RNG) for i in range(4)},
}
