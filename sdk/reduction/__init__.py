"""Fewer columns for a side that has more than the model covers; see `mizzle.estimate(.., reduce=)`."""
