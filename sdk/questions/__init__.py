"""What comes after the number: is it chance, does it hold given others, at which lag, can it be trusted."""
