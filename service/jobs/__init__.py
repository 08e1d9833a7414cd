"""Whole tables as jobs: submitted once, kept in a database, done in the background, fetched later."""
