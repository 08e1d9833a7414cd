"""Invertible maps of one side or one column, none of which changes the mutual information."""
