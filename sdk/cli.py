"""The command `mizzle`: estimate from a CSV file, here or at a service; serve, make keys, check health.

Exit codes: 0 done, 1 our fault or the installation's, 2 bad input or usage, 130 interrupted,
141 nobody reads the output any more.
"""

import argparse
import csv
import json
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import mizzle
from mizzle import wire
from mizzle.errors import InvalidInput, MissingExtra, MizzleError
from mizzle.types import Estimate, interval_levels

_URL = "MIZZLE_BASE_URL"
_PORT = "MIZZLE_PORT"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.command(options)
        sys.stdout.flush()
        return code
    except MizzleError as error:
        print(f"mizzle: error: {error}", file=sys.stderr)
        return 2 if isinstance(error, InvalidInput) else 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The interpreter flushes stdout once more on its way out: give it somewhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _parser() -> argparse.ArgumentParser:
    about = (mizzle.__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(prog="mizzle", description=about)
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(title="commands", required=True)
    _add_estimate(commands.add_parser("estimate", help="from columns of a CSV file"))
    _add_serve(commands.add_parser("serve", help="answer over HTTP"))
    _add_key(commands.add_parser("key", help="make an API key for a service"))
    _add_healthcheck(commands.add_parser("healthcheck", help="whether the service on this machine is ready"))
    return parser


def _add_estimate(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("file", type=Path, help="CSV file in UTF-8 with a line of column names")
    add("--x", required=True, type=_names, metavar="A,B", help="columns of the one side")
    add("--y", required=True, type=_names, metavar="C,D", help="columns of the other side")
    add("--level", type=float, default=0.9, help="probability of the interval (default 0.9)")
    add("--unit", choices=("nats", "bits"), default="nats", help="default nats")
    add("--json", action="store_true", help="print the answer as the service would send it")
    add("--url", help=f"ask the service at this address; default {_URL}, else estimate here")
    parser.set_defaults(command=_estimate)


def _add_serve(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--host", help="address to listen on (default MIZZLE_HOST or 127.0.0.1)")
    add("--port", type=int, help="port to listen on, 0 for any (default MIZZLE_PORT or 8000)")
    add(
        "--device",
        choices=("auto", "cpu", "cuda"),
        help="where to run (default MIZZLE_DEVICE or auto)",
    )
    parser.set_defaults(command=_serve)


def _add_key(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="of the key, in logs and quotas")
    parser.set_defaults(command=_key)


def _add_healthcheck(parser: argparse.ArgumentParser) -> None:
    port = os.environ.get(_PORT) or "8000"
    parser.add_argument("--port", type=int, default=port, help=f"where it listens (default {_PORT} or 8000)")
    parser.set_defaults(command=_healthcheck)


class _Version(argparse.Action):
    """Looks the version up when it is asked for, not at every start."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(f"mizzle {mizzle.__version__}")
        parser.exit()


def _names(text: str) -> list[str]:
    """Column names between commas; a name with a comma goes in double quotes, as in the file."""
    names = [name.strip() for name in next(csv.reader([text], skipinitialspace=True), [])]
    if not names or not all(names):
        raise argparse.ArgumentTypeError("give column names separated by commas")
    return names


def _estimate(options: argparse.Namespace) -> int:
    from mizzle.table import read_columns

    names = [*options.x, *options.y]
    _refuse_repeats(names)
    table = read_columns(options.file, names)
    x, y = table[:, : len(options.x)], table[:, len(options.x) :]
    estimate = _ask(x, y, options.url or os.environ.get(_URL)).to(options.unit)
    interval = estimate.interval(options.level)
    if options.json:
        print(json.dumps(wire.answer(estimate, _levels(options.level)), allow_nan=False))
    else:
        print(_report(estimate, options, interval))
    return 0


def _refuse_repeats(names: list[str]) -> None:
    """A column on both sides makes the information infinite; twice on one side adds nothing."""
    for name in names:
        if names.count(name) > 1:
            raise InvalidInput(f"column {name!r} is named twice; each column may be used once")


def _ask(x: object, y: object, url: str | None) -> Estimate:
    if not url:
        return mizzle.estimate(x, y)
    with mizzle.Client(url) as client:
        return client.estimate(x, y)


def _levels(level: float) -> list[float]:
    """The default quantiles and the two ends of the interval."""
    return sorted({*wire.DEFAULT_LEVELS, *interval_levels(level)})


def _report(e: Estimate, options: argparse.Namespace, interval: tuple[float, float]) -> str:
    low, high = interval
    lines = [
        f"I({', '.join(options.x)}; {', '.join(options.y)}) = {e.mi:.4g} {e.unit}",
        f"  {100 * options.level:g}% interval  {low:.4g} to {high:.4g} {e.unit}",
        f"  sample        {e.n} rows, {e.dim_x} + {e.dim_y} columns",
        f"  model         {e.model.name} {e.model.version}",
    ]
    if not e.in_range:
        lines.append("  out of range  the model was not trained on samples like this one")
    lines += [f"  warning       {notice.message}" for notice in e.warnings]
    return "\n".join(lines)


def _serve(options: argparse.Namespace) -> int:
    settings, server = _of_service("settings"), _of_service("server")
    given = {name: getattr(options, name) for name in ("host", "port", "device")}
    chosen = settings.read(**{name: value for name, value in given.items() if value is not None})
    code: int = server.serve(chosen)
    return code


def _key(options: argparse.Namespace) -> int:
    key, line = _of_service("auth").new_key(options.name)
    print(f"key, for the caller:         {key}\nline, for the file of keys:  {line}")
    return 0


def _of_service(name: str) -> Any:
    """A module of the service, which needs an extra.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        return import_module(f"mizzle.service.{name}")
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing == "mizzle":  # a broken installation, not a missing extra
            raise
        raise MissingExtra(
            f"{missing} is not installed, and serving needs it: run pip install 'mizzle[service]'"
        ) from None


def _healthcheck(options: argparse.Namespace) -> int:
    from mizzle import healthcheck

    healthcheck.check(options.port)
    print("ready")
    return 0
