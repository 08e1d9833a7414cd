"""What people bring, arrays and frames of any library, as checked columns of floats."""
