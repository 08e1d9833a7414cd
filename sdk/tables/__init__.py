"""Whole tables: every pair of variables, or each against a target."""

from mizzle.tables.api import matrix, rank

__all__ = ["matrix", "rank"]
