"""What methods and suites are called in tables and pictures."""

from collections.abc import Mapping
from typing import Final

METHODS: Final[Mapping[str, str]] = {
    "mizzle": "mizzle",
    "ksg-1": "KSG (k = 1)",
    "ksg": "KSG (k = 3)",
    "ksg-5": "KSG (k = 5)",
    "mixed-ksg": "mixed KSG",
    "sklearn": "scikit-learn",
    "copula": "Gaussian copula",
    "copula-shrunk": "Gaussian copula, shrunk",
    "cca": "CCA",
    "mine": "MINE",
    "infonce": "InfoNCE",
    "mist": "MIST's network",
}
SUITES: Final[Mapping[str, str]] = {
    "mist-seen": "MIST's generator, seen families",
    "mist-unseen": "MIST's generator, unseen combinations",
    "bmi": "40 tasks of BMI",
    "prior": "fresh draws of the training distribution",
    "held-out-any-n": "families and maps held out of training",
    "held-out-n1000": "families and maps held out of training",
}
