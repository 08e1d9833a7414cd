"""The real data set of the examples, and what is asked of it."""

import csv
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("breast_cancer.csv")
TARGET = ("worst_area",)
QUESTIONS: tuple[tuple[str, ...], ...] = (
    ("mean_area",),
    ("mean_radius", "mean_perimeter"),
    ("mean_concave_points",),
    ("mean_concavity", "mean_compactness"),
    ("mean_texture",),
    ("mean_symmetry",),
    ("mean_smoothness",),
    ("texture_error",),
)


def columns(names: tuple[str, ...]) -> np.ndarray:
    """The named columns of the file, shape (n, len(names))."""
    with FILE.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return np.array([[float(row[name]) for name in names] for row in rows])


def pairs() -> list[tuple[np.ndarray, np.ndarray]]:
    """One (x, y) per question, with the target as y."""
    y = columns(TARGET)
    return [(columns(names), y) for names in QUESTIONS]
