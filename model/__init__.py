"""Arrays to calibrated intervals of mutual information."""

from mizzle.model.estimator import Estimator
from mizzle.model.preprocess import Table

__all__ = ["Estimator", "Table"]
