"""Invertible maps of a side, which change its look and not its mutual information."""
