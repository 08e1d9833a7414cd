"""All commands as one, as typer reads them: the names, the way they end, and nothing of what they do."""

import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Annotated

import typer

import mizzle
from mizzle.cli.terminal import say
from mizzle.wire import printable

ENDS = (
    "Ends with 0: done; 1: our fault or the installation's, or a check that failed; 2: bad input or usage; "
    "130: interrupted; 141: nobody reads the output any more."
)
COMMANDS = {  # name: the module that has a function, or a typer.Typer, of this name
    "estimate": "mizzle.cli.estimate",
    "check": "mizzle.cli.significance",
    "matrix": "mizzle.cli.estimate",
    "rank": "mizzle.cli.estimate",
    "test": "mizzle.cli.significance",
    "lagged": "mizzle.cli.questions",
    "difference": "mizzle.cli.questions",
    "adapt": "mizzle.cli.adaptation",
    "assess": "mizzle.cli.adaptation",
    "jobs": "mizzle.cli.jobs",
    "serve": "mizzle.cli.service",
    "info": "mizzle.cli.info",
    "doctor": "mizzle.cli.info",
    "key": "mizzle.cli.service",
    "healthcheck": "mizzle.cli.service",
}


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code, which is what the command returns, or 0 for None.

    Raises:
        MizzleError: what the command raised.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    # Only what is needed is imported: a container asks for its health twice a minute.
    named = words[:1] if words and words[0] in COMMANDS else list(COMMANDS)
    command = typer.main.get_command(_app(named))
    try:
        code: int = command.main(words, prog_name="mizzle", standalone_mode=False) or 0
        return code
    except typer.TyperException as error:
        path = getattr(getattr(error, "ctx", None), "command_path", "mizzle")
        say(f"mizzle: error: {printable(error.format_message())}\ntry: {path} --help")
        return error.exit_code


def _app(names: Iterable[str]) -> typer.Typer:
    app = typer.Typer(
        help="Mutual information with calibrated intervals: of files, here or at a service.",
        epilog=ENDS,
        context_settings={"help_option_names": ["-h", "--help"]},
        pretty_exceptions_enable=False,
    )
    app.callback()(_main)
    for name in names:
        command = getattr(import_module(COMMANDS[name]), name)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name, epilog=ENDS)
        else:
            app.command(name, epilog=ENDS)(command)
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"mizzle {mizzle.__version__}")
        raise typer.Exit


def _main(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """What comes before the command."""
