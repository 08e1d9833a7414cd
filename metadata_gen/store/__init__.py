"""Data sets on disk: made, packed, counted and drawn."""
