"""I(X;Y|Z) from two estimates made together: which two, and what a small network makes of their answers."""
