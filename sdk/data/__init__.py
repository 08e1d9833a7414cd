"""Arrays, lists and frames of any library, read as checked tables and columns of floats."""
