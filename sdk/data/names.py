"""Names of columns in messages: on one line, of bounded length; and the error for one that is not there."""

import difflib
from collections.abc import Iterable

from mizzle.errors import MissingColumn

_LONGEST_NAME = 60
_LISTED = 12
_MANY = 50


def quoted_name(name: str) -> str:
    """A name in quotation marks, on one line of bounded length, control characters escaped."""
    return repr(name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 2] + "..")


def quoted_names(names: Iterable[str]) -> str:
    """Some names in one phrase, the first of many."""
    known = list(names)
    more = [f"{len(known) - _MANY} more"] if len(known) > _MANY else []
    listed = [*map(quoted_name, known[:_MANY]), *more]
    return " and ".join([", ".join(listed[:-1]), listed[-1]]) if len(listed) > 1 else listed[0]


def no_column(name: str, names: Iterable[str]) -> MissingColumn:
    """The error that says which columns there are instead."""
    known = list(names)
    listed = ", ".join(map(quoted_name, known[:_LISTED]))
    more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {quoted_name(close[0])}?" if close else ""
    return MissingColumn(f"there is no column {quoted_name(name)}; the table has {listed}{more}{hint}")
