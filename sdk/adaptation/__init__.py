"""Weights for data of one's own kind: maps fitted to rows, problems through the maps, a network."""
