"""The command `mizzle`: one module a group of commands, and what they share."""

from mizzle.cli.entry import main

__all__ = ["main"]
