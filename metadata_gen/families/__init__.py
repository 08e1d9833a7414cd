"""Distributions that know their own mutual information: one group of families a file."""
