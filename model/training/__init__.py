"""Fitting the network and judging it; nothing at inference imports this."""
