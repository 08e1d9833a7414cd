"""The page on trust names every code that a notice of ours can have, in the order of severity."""

import re

from blocks import DOCS

from mizzle.types import FACTS, SEVERITY

ROWS = re.findall(r"^\| (`[^|]*) \|", (DOCS / "trust.md").read_text("utf-8"), re.MULTILINE)
CODES = [code for row in ROWS for code in re.findall(r"`(\w+)`", row)]


def test_every_code_stands_in_one_line() -> None:
    assert sorted(CODES) == sorted((*SEVERITY, *FACTS))


def test_those_that_ask_for_something_come_severest_first() -> None:
    assert tuple(code for code in CODES if code in SEVERITY) == SEVERITY
