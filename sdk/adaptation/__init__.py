"""Weights for data of one's own kind: maps fitted to rows, problems through them, a network fitted to those."""
