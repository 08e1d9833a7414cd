"""Data sets on disk: built, packed, read, counted and drawn."""
