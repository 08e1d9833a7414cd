"""The options of the commands: their names, forms and words, each in one place."""

import csv
import io
from pathlib import Path
from typing import Annotated, Literal

import typer

from mizzle.data.names import quoted_name
from mizzle.errors import InvalidInput
from mizzle.files.markers import DEFAULT_MARKERS, Markers
from mizzle.files.reader import Format
from mizzle.questions.surrogates import Kind

URL = "MIZZLE_BASE_URL"
_TABLE, _OUTPUT = "The table", "The output"

File = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="CSV, TSV, Parquet, Arrow (Feather), npy or npz, also packed (.gz, .zst, .bz2, .xz, .zip); "
        "- for standard input.",
        show_default=False,
    ),
]
FileFormat = Annotated[
    Format | None,
    typer.Option("--format", help="Of the file, where its suffix does not say so.", rich_help_panel=_TABLE),
]
X = Annotated[str, typer.Option("--x", metavar="A,B", help="Columns of the one side.", show_default=False)]
Y = Annotated[str, typer.Option("--y", metavar="C,D", help="Columns of the other side.", show_default=False)]
Conditions = Annotated[
    str | None,
    typer.Option(
        "--given",
        metavar="E,F",
        help="Columns that are known: what x and y still share then, I(X;Y|Z).",
        show_default=False,
    ),
]
Target = Annotated[
    str,
    typer.Option("--target", metavar="T", help="The column or group to compare with.", show_default=False),
]
Columns = Annotated[
    str | None,
    typer.Option(
        "--columns", metavar="A,B", help="Which columns; all unless told otherwise.", rich_help_panel=_TABLE
    ),
]
Groups = Annotated[
    list[str] | None,
    typer.Option(
        "--group",
        metavar="NAME=A,B",
        help="Columns that count as one variable; may be given several times.",
        rich_help_panel=_TABLE,
    ),
]
Labels = Annotated[
    str | None,
    typer.Option(
        "--labels",
        metavar="A,B",
        help="Columns of CSV and TSV that hold labels, whatever they look like.",
        rich_help_panel=_TABLE,
    ),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="A,B",
        help="Columns to leave out, unread; may be given several times.",
        rich_help_panel=_TABLE,
    ),
]
Separator = Annotated[
    str | None,
    typer.Option(
        "--sep",
        metavar="MARK",
        help="Between the cells of CSV, or tab or space; commas, semicolons, tabs and spaces are found.",
        rich_help_panel=_TABLE,
    ),
]
Decimal = Annotated[
    Literal[".", ","],
    typer.Option("--decimal", help="Before the decimals of numbers in CSV.", rich_help_panel=_TABLE),
]
Thousands = Annotated[
    str | None,
    typer.Option(
        "--thousands",
        metavar="MARK",
        help="Between groups of digits in CSV, as the comma in 1,234,567.",
        rich_help_panel=_TABLE,
    ),
]
NaValues = Annotated[
    list[str] | None,
    typer.Option(
        "--na-value",
        metavar="TEXT",
        help="Stands for a missing cell of CSV, too, say -999; may be given several times. An empty cell and "
        f"{' '.join(DEFAULT_MARKERS)} do by themselves, among numbers and text alike.",
        rich_help_panel=_TABLE,
    ),
]
NoDefaultNa = Annotated[
    bool,
    typer.Option(
        "--no-default-na",
        help="Of CSV, only empty cells and those of --na-value are missing; NA or None is a label then.",
        rich_help_panel=_TABLE,
    ),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict",
        help="Refuse columns that cannot be used, such as free text, in place of leaving them out.",
        rich_help_panel=_TABLE,
    ),
]
Missing = Annotated[
    Literal["raise", "drop"],
    typer.Option(
        "--missing",
        help="Refuse missing values, or leave their rows out, pair by pair, and count them.",
        rich_help_panel=_TABLE,
    ),
]
Reduce = Annotated[
    Literal["auto", "pca", "none"],
    typer.Option(
        "--reduce",
        help="More columns than the model covers: reduce such sides, or both by principal components.",
        rich_help_panel=_TABLE,
    ),
]
Level = Annotated[float, typer.Option("--level", metavar="P", help="Probability of the interval.")]
Unit = Annotated[Literal["nats", "bits"], typer.Option("--unit", help="Of all numbers.")]
Threshold = Annotated[
    float,
    typer.Option(
        "--threshold", metavar="I", help="Say how probable less information than this is; in the unit."
    ),
]
Deduplicate = Annotated[
    bool,
    typer.Option(
        "--deduplicate",
        help="Take each different row once, and say how many were left out.",
        rich_help_panel=_TABLE,
    ),
]
Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        envvar=URL,
        help="Ask the service at this address, with the key in MIZZLE_API_KEY; else estimate here.",
    ),
]
Weights = Annotated[
    Path | None,
    typer.Option(
        "--weights",
        metavar="FILE",
        help="Estimate here with these weights, say of mizzle adapt, not with those that ship.",
    ),
]
Checkpoint = Annotated[
    Path | None,
    typer.Option(
        "--checkpoint",
        metavar="FILE",
        help="Keep the answers in this file; the same command goes on from there.",
    ),
]
Folder = Annotated[
    Path | None,
    typer.Option(
        "--folder",
        metavar="DIR",
        help="Keep the answers in this folder, a Parquet file a tile; the same command goes on from there.",
    ),
]
Executor = Annotated[
    Literal["local", "ray"] | None,
    typer.Option(
        "--executor",
        help="Who works: a process on each core, or a cluster of Ray (RAY_ADDRESS); else this process.",
        show_default=False,
    ),
]
Screen = Annotated[
    str | None,
    typer.Option(
        "--screen",
        metavar="auto|K",
        help="Estimate only pairs that a cheap pass chooses, say the best K partners of each column.",
    ),
]
Rows = Annotated[
    int | None,
    typer.Option("--rows", metavar="N", help="That the cheap pass reads of more; 10,000 if left out."),
]
PValues = Annotated[
    int | None,
    typer.Option(
        "--pvalues",
        metavar="N",
        help="Test each pair by so many surrogates, say 199: columns pvalue and pvalue_bh.",
        show_default=False,
    ),
]
Surrogates = Annotated[
    Kind | None,
    typer.Option(
        "--kind",
        help="Of surrogates: shuffle for rows without an order, shift or block for series; with --given "
        "always local, among rows of nearly the same columns given.",
        show_default=False,
    ),
]
Seed = Annotated[int, typer.Option("--seed", metavar="S", help="Of what is drawn at random.")]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE",
        help="Write to a file, whose suffix is .csv, .parquet, .json, .png or .html.",
        rich_help_panel=_OUTPUT,
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite the file of --out.", rich_help_panel=_OUTPUT)]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object instead of text.", rich_help_panel=_OUTPUT)
]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet",
        "-q",
        help="No progress bar, and no word on how the file was read; with --out, print nothing at all.",
        rich_help_panel=_OUTPUT,
    ),
]


def names(text: str | None, option: str) -> list[str]:
    """Column names between commas; a name with a comma goes in double quotes, as in CSV.

    Raises:
        InvalidInput: there is none, or an empty one.
    """
    if text is None:
        return []
    try:
        parsed = [name.strip() for name in next(csv.reader([text], skipinitialspace=True, strict=True), [])]
    except csv.Error:
        parsed = []
    if not parsed or not all(parsed):
        raise InvalidInput(
            f"{option} needs column names separated by commas, those with commas in double quotes"
        )
    return parsed


def excluded(texts: list[str] | None) -> list[str]:
    """Column names of all options --exclude.

    Raises:
        InvalidInput: one of them has none.
    """
    return [name for text in texts or [] for name in names(text, "--exclude")]


def separator(text: str | None) -> str | None:
    """One character that may stand between cells.

    Raises:
        InvalidInput: it is none.
    """
    mark = {"tab": "\t", "\\t": "\t", "space": " "}.get(text or "", text)
    if mark is not None and (len(mark) != 1 or mark.isalnum() or mark in '"\r\n.'):
        raise InvalidInput(
            "--sep needs the one character between cells, say ';' in quotes, or the word tab or space"
        )
    return mark


def thousands(text: str | None, decimal: str) -> str | None:
    """One character that may stand between groups of digits.

    Raises:
        InvalidInput: it is none, or stands before the decimals.
    """
    if text is None:
        return None
    if len(text) != 1 or text.isalnum() or text in '"+-\r\n' or text == decimal:
        hint = "; --decimal , makes the comma that of decimals" if text == decimal == "." else ""
        raise InvalidInput(f"--thousands needs one mark that is not that of decimals, say ','{hint}")
    return text


def markers(texts: list[str] | None, no_default: bool) -> Markers:
    """What stands for a missing cell."""
    return Markers(tuple(texts or ()), not no_default)


def groups(texts: list[str] | None) -> dict[str, list[str]]:
    """Groups by name, each given as NAME=A,B.

    Raises:
        InvalidInput: one is not of this form, or a name comes twice.
    """
    parsed: dict[str, list[str]] = {}
    for text in texts or []:
        name, equals, columns = text.partition("=")
        name = name.strip()
        if not equals or not name:
            raise InvalidInput("--group needs a name and columns, as NAME=A,B")
        if name in parsed:
            raise InvalidInput(f"group {quoted_name(name)} is given twice; name each group once")
        parsed[name] = names(columns, "--group")
    return parsed


def joined(listed: list[str]) -> str:
    """Names as `names` reads them: different lists give different texts."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(listed)
    return out.getvalue()
