"""Tells labels from text that is none: numbers, dates and free text, whose codes would be of no use.

Labels are few and repeat. These are pure functions of the different texts of a column; what they return
quotes none of them.
"""

import re
from collections.abc import Callable, Collection

MANY = 20  # different texts that may be labels in a column of any length
SHARE = 5  # more of them are labels only where each stands, on average, in so many rows
COMMAS = "commas"
FREE = "free text"  # or identifiers: what has no order at all, unlike numbers and dates
_DATE = re.compile(r"(\d{1,2}([./-])\d{1,2}\2\d{2,4}|\d{4}([./-])\d{1,2}\3\d{1,2})([T ].*)?")
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ].*)?")  # in which the alphabet is the order of time
_MARKS = re.compile(r"[,.%'\u2019\s$€£¥]")
_NUMBER = re.compile(r"[+-]?\d+(e[+-]?\d+)?", re.IGNORECASE)
_NAMED = {
    COMMAS: ",",
    "percent signs": "%",
    "currency signs": "$€£¥",
    "apostrophes": "'\u2019",
    "spaces": " \u00a0\u202f",
}


class Labels(list[str | None]):
    """The cells of a column, None where missing, that its owner has declared to be labels."""


def other_than_labels(labels: Collection[str], rows: int) -> str | None:
    """What the different texts of a column are instead of labels, in words; None where they are labels.

    Args:
        labels: the different texts.
        rows: how many rows have one of them.
    """
    texts = [text.strip() for text in labels]
    many = len(texts) > max(MANY, rows / SHARE)
    if _mostly(texts, _DATE.fullmatch):
        kind = "dates as text" if many or not _mostly(texts, _ISO.fullmatch) else ""
    elif _mostly(texts, _is_number):
        kind = _numbers(texts, many)
    else:
        kind = FREE if many else ""
    return f"{kind}, {len(texts)} different values in {rows} rows" if kind else None


def _mostly(texts: Collection[str], fits: Callable[[str], object]) -> bool:
    return 2 * sum(bool(fits(text)) for text in texts) > len(texts)


def _is_number(text: str) -> bool:
    return bool(_NUMBER.fullmatch(_MARKS.sub("", text)))


def _numbers(texts: Collection[str], many: bool) -> str:
    """Numbers by what is in them; of bare digits of one length the alphabet is the order, as of postcodes."""
    marks = [name for name, signs in _NAMED.items() if any(sign in text for text in texts for sign in signs)]
    if marks:
        return f"numbers with {' and '.join(marks)}"
    bare = all(text.isdecimal() for text in texts) and len(set(map(len, texts))) == 1
    return "" if bare and not many else "numbers as text"
