"""Labels without an order: what their counts say of each other and of numbers, whatever their names."""
