"""How methods and suites are called in tables and pictures, and where a suite stands in them.

A new suite is one entry of SUITES: the README, the pages and the pictures take it from there.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple


class SuiteEntry(NamedTuple):
    """A suite of problems as the tables show it.

    Attributes:
        title: its name for a reader.
        by_rows: whether the table of errors has a row for every range of n, or else one for the whole suite.
        max_rows: the largest n, where the last range would say more; None leaves the range as it is.
        rows: the range of n of a suite that has only one, say "100-5000".
        coverage: whether it stands in the table of coverage.
        named: whether its families are named where their interval is too narrow.
    """

    title: str
    by_rows: bool = False
    max_rows: int | None = None
    rows: str | None = None
    coverage: bool = True
    named: bool = False


METHODS: Final[Mapping[str, str]] = {
    "mizzle": "mizzle",
    "ksg-1": "KSG (k = 1)",
    "ksg": "KSG (k = 3)",
    "ksg-5": "KSG (k = 5)",
    "mixed-ksg": "mixed KSG",
    "sklearn": "scikit-learn",
    "ennemi": "ennemi",
    "copula": "Gaussian copula",
    "copula-shrunk": "Gaussian copula, shrunk",
    "cca": "CCA",
    "mine": "MINE",
    "infonce": "InfoNCE",
    "mist": "MIST's network",
}
SUITES: Final[Mapping[str, SuiteEntry]] = {
    "mist-seen": SuiteEntry("MIST's generator, seen families", by_rows=True, max_rows=500),
    "mist-unseen": SuiteEntry("MIST's generator, unseen combinations", by_rows=True, max_rows=500),
    "bmi": SuiteEntry("40 tasks of BMI", by_rows=True, named=True),
    "mixtures": SuiteEntry("mixtures of BMI, version 2", rows="1000-5000", named=True),
    "prior": SuiteEntry("fresh draws of the training distribution", by_rows=True, named=True),
    "held-out-any-n": SuiteEntry("families and maps held out of training", rows="100-5000", named=True),
    "held-out-n1000": SuiteEntry("families and maps held out of training", rows="1000", coverage=False),
    "real looks": SuiteEntry(
        "as real tables have them: few causes, many columns", rows="300-4000", named=True
    ),
    "real looks, other kinds": SuiteEntry("the same, further kinds", rows="300-4000", named=True),
    "real rotated": SuiteEntry("normals rotated inside a side", rows="300-4000", named=True),
    "real heavy tails": SuiteEntry("heavy-tailed noise", rows="300-4000", named=True),
    "real rare": SuiteEntry("rare classes and events", rows="300-4000", named=True),
    "real labels": SuiteEntry("labels, one-hot and renamed", rows="300-4000", named=True),
    "real bends": SuiteEntry("strong dependence behind bends", rows="300-4000", named=True),
    "real thin": SuiteEntry("signal spread thinly over columns", rows="300-4000", named=True),
    "real embeddings": SuiteEntry("components of pictures of digits", rows="300-4000", named=True),
}
