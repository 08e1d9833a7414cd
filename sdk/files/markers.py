"""What stands for a missing cell in text files: one list, for numbers, text and booleans alike.

It is pandas' list with `na`, `NAN`, `?` (of UCI) and `.` (of SAS and Stata) besides. The page has the same in
`service/page/table.js`.
"""

import re

DEFAULT_MARKERS = (
    *("NA", "na", "N/A", "n/a", "#N/A", "#N/A N/A", "#NA", "<NA>", "NaN", "nan", "NAN", "-NaN", "-nan"),
    *("NULL", "null", "None", "?", ".", "-1.#IND", "1.#IND", "-1.#QNAN", "1.#QNAN"),
)
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def is_number(text: str) -> bool:
    """Whether a text is a decimal number as CSV writers write it; `1_000`, `inf` and `0x10` are none."""
    return bool(_DECIMAL.fullmatch(text))


class Markers:
    """Texts that stand for a missing cell; the empty one always does.

    Args:
        more: besides the default ones; a number in every way of writing it, so -999 for -999.0, too.
        default: whether the default ones do.
    """

    def __init__(self, more: tuple[str, ...] = (), default: bool = True) -> None:
        self._texts = frozenset({"", *(DEFAULT_MARKERS if default else ()), *map(str.strip, more)})
        self._numbers = frozenset(float(text) for text in self._texts if is_number(text))

    @property
    def among_numbers(self) -> bool:
        """Whether what can be read as a number may be a marker."""
        return bool(self._numbers)

    def __contains__(self, cell: str) -> bool:
        text = cell.strip()
        if text in self._texts:
            return True
        return bool(self._numbers) and is_number(text) and float(text) in self._numbers
