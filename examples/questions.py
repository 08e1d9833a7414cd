"""The real data set of the examples, and what is asked of it."""

from pathlib import Path

import numpy as np

from mizzle.files import reader

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
    table = reader.read(str(FILE)).frame
    y, *sides = (np.column_stack([table[name] for name in names]) for names in (TARGET, *QUESTIONS))
    return [(x, y) for x in sides]
