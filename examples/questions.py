"""The real data set of the examples, and what is asked of it."""

from pathlib import Path

import numpy as np

from mizzle.table import read_columns

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


def pairs() -> list[tuple[np.ndarray, np.ndarray]]:
    """One (x, y) per question, with the target as y."""
    y = read_columns(FILE, TARGET)
    return [(read_columns(FILE, names), y) for names in QUESTIONS]
