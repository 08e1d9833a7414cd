"""What a person reads: aligned text on a terminal and in a pipe, and words on stderr.

Names of columns are data: control characters are escaped, and nothing in them is markup.
"""

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from mizzle.types import FACTS, Notice
from mizzle.wire import printable

if TYPE_CHECKING:
    from rich.console import Console

_WIDEST = 1_000_000  # of a line in a pipe: whoever reads there folds lines, or does not


def say(text: str) -> None:
    """A line on stderr."""
    print(text, file=sys.stderr)


def fields(values: Iterable[tuple[str, str]]) -> None:
    """Names and values in two columns."""
    lines = [(name, printable(value)) for name, value in values]
    width = max(len(name) for name, _ in lines)
    for name, value in lines:
        print(f"  {name:<{width}}  {value}")


def labelled(notices: Iterable[Notice]) -> list[tuple[str, str]]:
    """Notices as `fields`: facts are notes, the others warnings."""
    return [("note" if notice.code in FACTS else "warning", notice.message) for notice in notices]


def table(head: Sequence[str], lines: Iterable[Sequence[str]], numbers: Sequence[str] = ()) -> None:
    """Lines under a head, in columns.

    Args:
        numbers: heads of the columns that stand on the right.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    console = _console()
    style = box.SIMPLE_HEAD if console.is_terminal else None
    drawn = Table(box=style, pad_edge=False, header_style="bold", show_edge=False)
    for name in head:
        drawn.add_column(Text(name), justify="right" if name in numbers else "left", overflow="fold")
    for line in lines:
        drawn.add_row(*(Text(printable(cell)) for cell in line))
    console.print(drawn)


def mark(good: bool, text: str) -> None:
    """A line about something that is as it should be, or is not."""
    from rich.text import Text

    word = Text(f"{'ok' if good else 'failed':<8}", style="green" if good else "bold red")
    _console().print(word + Text(printable(text)), soft_wrap=True)


def is_terminal() -> bool:
    """Whether somebody looks at what is printed."""
    return _console().is_terminal


def _console() -> "Console":
    """For stdout as it is now; colours obey NO_COLOR, FORCE_COLOR and TERM."""
    from rich.console import Console

    console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
    return console if console.is_terminal else Console(file=sys.stdout, highlight=False, width=_WIDEST)
