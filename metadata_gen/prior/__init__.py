"""The meta-distribution: which problems the network is trained on."""

from mizzle.metadata_gen.prior.meta_distribution import HELD_OUT, describe, draw, draw_held_out, draw_rows
from mizzle.metadata_gen.prior.ranges import COLUMNS, ROWS

__all__ = ["COLUMNS", "HELD_OUT", "ROWS", "describe", "draw", "draw_held_out", "draw_rows"]
