"""What people ask once they have a number: whether it is chance, whether it holds, whether to believe it."""
