"""Optional parts of the package: what is said where one is not installed."""

from importlib import import_module
from typing import Any

from mizzle.errors import MissingExtra


def missing(error: ModuleNotFoundError, purpose: str, remedy: str) -> MissingExtra:
    """The error for a library that could not be imported.

    Args:
        purpose: what needs it; remedy: what to do, from a command on.

    Raises:
        ModuleNotFoundError: what is missing is a part of mizzle: a broken installation, and no missing extra.
    """
    library = (error.name or "").partition(".")[0]
    if library == "mizzle":
        raise error
    return MissingExtra(f"{library} is not installed, and {purpose} needs it: run {remedy}")


def load(library: str, command: str) -> Any:
    """An optional library, imported when it is wanted.

    Args:
        command: that installs it.

    Raises:
        MissingExtra: it is not installed; the message says the command.
    """
    try:
        return import_module(library)
    except ModuleNotFoundError:
        raise MissingExtra(f"{library.partition('.')[0]} is not installed: run {command}") from None
