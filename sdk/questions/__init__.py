"""What comes after the number: could it be chance, under which conditions, at which lag, how sure."""
