"""Distributions that know their own mutual information."""
