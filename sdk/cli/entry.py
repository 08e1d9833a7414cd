"""The command `mizzle`: estimates from files, here or at a service; serves, makes keys, checks.

Exit codes: 0 done, 1 our fault or the installation's, 2 bad input or usage, 130 interrupted,
141 nobody reads the output any more.
"""

import io
import os
import sys
from collections.abc import Sequence
from typing import Any

from mizzle import extras
from mizzle.errors import InvalidInput, MizzleError


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code.

    Args:
        arguments: those of the process when left out.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names of columns may hold what a terminal cannot show
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _run(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        pass
    except SystemExit as error:  # what rich and typer make of the same
        if not isinstance(error.__context__, BrokenPipeError):
            raise
    _mute()
    return 141


def _run(arguments: Sequence[str] | None) -> int:
    try:
        code: int = _commands().run(arguments)
        return code
    except MizzleError as error:
        print(f"mizzle: error: {error}", file=sys.stderr)
        return 2 if isinstance(error, InvalidInput) else 1
    except KeyboardInterrupt:
        return 130


def _mute() -> None:
    """The interpreter flushes both streams once more on its way out: gives them somewhere to go."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())


def _commands() -> Any:
    """The commands, which typer reads.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        from mizzle.cli import app
    except ModuleNotFoundError as error:
        remedy = "pip install 'mizzle[cli]' (mizzle[service] has it, too)"
        raise extras.missing(error, "the command", remedy) from None
    return app
