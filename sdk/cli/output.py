"""Where an answer goes: a file in the format of its suffix, JSON or text on stdout."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mizzle.cli.terminal import is_terminal, say, table
from mizzle.data.names import quoted_name
from mizzle.errors import InvalidFile, InvalidInput, MissingExtra
from mizzle.extras import load
from mizzle.tables.results import Matrix, PairResult, Ranking
from mizzle.types import FACTS
from mizzle.wire import printable

_NEEDED = {".parquet": ("pyarrow", "cli"), ".png": ("matplotlib", "plot")}
_DOTS_PER_INCH = 150
_MAX_LINES = 40  # of pairs on a terminal


def check_place(file: Path, force: bool) -> None:
    """Whether a file of --out can be written where it is to be.

    Raises:
        InvalidInput: it is there, and `force` is not said; it is a folder, or has none.
    """
    name = quoted_name(str(file))
    if file.is_dir() or not file.absolute().parent.is_dir():
        raise InvalidInput(f"--out {name} is a folder, or in a folder that does not exist")
    if file.exists() and not force:
        raise InvalidInput(f"--out {name} exists already; name another, or say --force to overwrite it")


@dataclass(frozen=True)
class Output:
    """How an answer is to be given.

    Attributes:
        file: to write to, or None.
        force: whether a file that is there may be overwritten.
        as_json: whether stdout gets JSON.
        quiet: whether stdout stays empty where there is a file.
    """

    file: Path | None
    force: bool
    as_json: bool
    quiet: bool

    def check(self, *others: str | Path | None) -> None:
        """Before any work: whether the file can be written.

        Args:
            others: files that it must not be.

        Raises:
            InvalidInput: its suffix names no format; it is there, or one of the others, or has no folder.
            MissingExtra: its format needs a library that is not installed.
        """
        if self.file is None:
            return
        name = quoted_name(str(self.file))
        suffix = self.file.suffix.lower()
        if suffix not in _SUFFIXES:
            raise InvalidInput(f"--out {name} must end in one of {', '.join(_SUFFIXES)}")
        if any(_same(self.file, other) for other in others):
            raise InvalidInput(f"--out {name} is a file that this command reads; name another")
        check_place(self.file, self.force)
        library, extra = _NEEDED.get(suffix, ("", ""))
        if library and find_spec(library) is None:
            raise MissingExtra(f"{suffix} needs {library}: run pip install 'mizzle[{extra}]'")

    def note(self, notes: Sequence[str]) -> None:
        """Say in one line on stderr what was assumed to read a file."""
        if notes and not self.quiet:
            say(f"mizzle: {printable('; '.join(notes))}")

    def give(
        self, result: Matrix | Ranking, as_json: str, report: Callable[[], None], summary: str = ""
    ) -> None:
        """Write the file, then print.

        Args:
            as_json: for a file of JSON, and for stdout if that is to be JSON.
            report: prints what a person reads.
            summary: what a person reads on stderr in its place where there is a file; "" for the report.
        """
        if self.file is not None:
            suffix = self.file.suffix.lower()
            self._write(as_json.encode() if suffix == ".json" else _WRITERS[suffix](result))
        if self.file is not None and self.quiet:
            return
        if self.as_json:
            print(as_json)
        elif self.file is None or not summary:
            report()
        if self.file is not None:
            say(f"written to {printable(str(self.file))}{printable(f': {summary}') if summary else ''}")

    def _write(self, content: bytes) -> None:
        assert self.file is not None
        try:
            with self.file.open("wb" if self.force else "xb") as file:
                file.write(content)
        except FileExistsError:
            name = quoted_name(str(self.file))
            raise InvalidFile(f"{name} has come into being meanwhile, and was left alone") from None
        except OSError as error:
            raise InvalidFile(f"{quoted_name(str(self.file))} cannot be written: {error.strerror}") from None


def print_pairs(result: Matrix | Ranking) -> None:
    """The pairs, strongest first; the first of many on a terminal."""
    pairs = result.strongest()
    strongest = pairs[:_MAX_LINES] if is_terminal() else pairs
    interval, below = f"{100 * result.level:g}% interval", f"below {result.threshold:g}"
    numbers = (result.unit, interval, below, "rows", *(("p", "p (BH)") if result.surrogates else ()))
    names = ("x",) if isinstance(result, Ranking) else ("x", "y")
    table((*names, *numbers, "noticed"), (_line(result, pair) for pair in strongest), numbers)
    _explain(strongest)
    if len(strongest) < len(pairs):
        print(f"and {len(pairs) - len(strongest)} weaker pairs; --out FILE.csv or --json gives all")


def _explain(strongest: Sequence[PairResult]) -> None:
    """Every kind of notice of these pairs in a sentence on stderr: what to do, and what was done."""
    messages: dict[str, str] = {}
    for pair in strongest:
        for notice in pair.notices:
            if notice.code in FACTS or notice.code in pair.severest():
                messages.setdefault(notice.code, notice.message)
    for code, message in messages.items():
        say(f"{code}: {printable(message)}")


def _line(result: Matrix | Ranking, pair: PairResult) -> list[str]:
    names = [pair.x] if isinstance(result, Ranking) else [pair.x, pair.y]
    tested = [_pvalue(p) for p in (pair.pvalue, pair.pvalue_bh)] if result.surrogates else []
    if pair.error is not None:
        return [*names, "", "", "", "", *tested, str(pair.error)]
    record = pair.record(result.level, result.threshold)
    dropped = f" (-{pair.dropped})" if pair.dropped else ""
    numbers = [
        f"{record['mi']:.4f}",
        f"{record['low']:.4f} to {record['high']:.4f}",
        f"{record['below']:.1%}",
    ]
    return [*names, *numbers, f"{record['n']}{dropped}", *tested, " ".join(pair.severest())]


def _pvalue(p: float | None) -> str:
    return "" if p is None else f"{p:.3g}"


def _same(file: Path, other: str | Path | None) -> bool:
    return other is not None and file.absolute().resolve() == Path(other).absolute().resolve()


def _parquet(result: Matrix | Ranking) -> bytes:
    out = io.BytesIO()
    load("pyarrow.parquet", "pip install 'mizzle[cli]'").write_table(result.to_frame("pyarrow"), out)
    return out.getvalue()


def _png(result: Matrix | Ranking) -> bytes:
    out = io.BytesIO()
    figure: Any = result.plot()
    figure.savefig(out, format="png", dpi=_DOTS_PER_INCH)
    return out.getvalue()


def _html(result: Matrix | Ranking) -> bytes:
    """A page of its own, without anything from elsewhere."""
    head = '<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>mizzle</title>\n'
    return f"{head}{result.to_html()}\n</html>\n".encode(errors="backslashreplace")


_WRITERS: dict[str, Callable[[Matrix | Ranking], bytes]] = {
    ".csv": lambda result: result.to_csv().encode(errors="backslashreplace"),
    ".parquet": _parquet,
    ".png": _png,
    ".html": _html,
}
_SUFFIXES = (*_WRITERS, ".json")
