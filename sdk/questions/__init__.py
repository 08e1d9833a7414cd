"""What comes after the number: could it be chance, does it hold under conditions, at which lag, can it be trusted."""
