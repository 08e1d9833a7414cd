"""Slopes of the answer in the raw values: soft twins of the statistics that are steps, for the way back."""
