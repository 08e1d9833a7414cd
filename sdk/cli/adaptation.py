"""The commands that make weights for data of one's own kind, and say how good the shipped ones are for it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from mizzle.cli import options
from mizzle.cli.output import Output, check_place
from mizzle.cli.source import Sides, Source, only_pair
from mizzle.cli.terminal import say
from mizzle.data.arrays import FloatArray
from mizzle.data.names import quoted_name
from mizzle.errors import InvalidInput
from mizzle.wire import printable

_SUFFIX = ".safetensors"
Columns = Mapping[str, FloatArray]
Minutes = Annotated[
    float, typer.Option("--minutes", metavar="M", help="For all of it, 1 to 1440; 0 only calibrates.")
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="Of all randomness.", min=0)]
Out = Annotated[
    Path,
    typer.Option("--out", metavar="FILE", help="For the weights; ends in .safetensors.", show_default=False),
]
Name = Annotated[
    str | None,
    typer.Option(
        "--name", metavar="NAME", help="Of the model, by which a service knows it; mizzle-base-adapted."
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite the file of --out.")]


def adapt(
    file: options.File,
    x: options.X,
    y: options.Y,
    out: Out,
    minutes: Minutes = 5.0,
    seed: Seed = 0,
    name: Name = None,
    kind: options.FileFormat = None,
    labels: options.Labels = None,
    missing: options.Missing = "raise",
    sep: options.Separator = None,
    decimal: options.Decimal = ".",
    thousands: options.Thousands = None,
    na_value: options.NaValues = None,
    no_default_na: options.NoDefaultNa = False,
    force: Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Weights for data like these columns, and how much better they are; Ctrl-C keeps what there is."""
    import mizzle

    _check(out, force)
    source = Source(file, kind, labels, missing, sep, decimal, thousands, na_value, no_default_na)
    x_rows, y_rows = _sides(source, Output(None, False, as_json, quiet), x, y)
    bar = False if quiet else None
    adapted = mizzle.adapt(x_rows, y_rows, minutes=minutes, rng=seed, progress=bar, name=name)
    adapted.save(out)
    _print(adapted.report, as_json)
    if not quiet:
        say(f"written to {printable(str(out))}; use them with mizzle estimate --weights")


def assess(
    file: options.File,
    x: options.X,
    y: options.Y,
    seed: Seed = 0,
    kind: options.FileFormat = None,
    labels: options.Labels = None,
    missing: options.Missing = "raise",
    sep: options.Separator = None,
    decimal: options.Decimal = ".",
    thousands: options.Thousands = None,
    na_value: options.NaValues = None,
    no_default_na: options.NoDefaultNa = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """How good the shipped weights are on problems of known information that look like these columns."""
    import mizzle

    source = Source(file, kind, labels, missing, sep, decimal, thousands, na_value, no_default_na)
    x_rows, y_rows = _sides(source, Output(None, False, as_json, quiet), x, y)
    _print(mizzle.assess(x_rows, y_rows, rng=seed, progress=False if quiet else None), as_json)


def _sides(source: Source, output: Output, x: str, y: str) -> tuple[Columns, Columns]:
    """Columns of both sides by name, once what was assumed of the file is said."""
    sides = Sides.read(source, output, x, y)
    plan = sides.plan(source.missing)
    output.note([notice.message for notice in plan.notes(plan.places[0])])
    named = (sides.table.columns_of(options.names(*side)) for side in ((x, "--x"), (y, "--y")))
    left, right = (
        dict(zip(names, side.T, strict=True)) for names, side in zip(named, only_pair(plan), strict=True)
    )
    return left, right


def _print(report: Any, as_json: bool) -> None:
    print(json.dumps(report.to_dict(), allow_nan=False) if as_json else printable(str(report)))


def _check(out: Path, force: bool) -> None:
    """Before any work: whether the file can be written.

    Raises:
        InvalidInput: its suffix is another; it is there, or has no folder.
    """
    if out.suffix != _SUFFIX:
        raise InvalidInput(f"--out {quoted_name(str(out))} must end in {_SUFFIX}")
    check_place(out, force)
