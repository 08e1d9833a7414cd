"""The blocks of code on a page: `python` and `sh` are run, `console` is only shown."""

import re
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).resolve().parents[2] / "docs"
HOOKS = DOCS / "hooks"
SERVICE = "http://127.0.0.1:8000"  # where the pages say that the service is
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """Some code, and where it stands."""

    page: Path
    line: int
    language: str
    code: str


def blocks(page: Path, language: str) -> list[Block]:
    """The blocks of a page in one language, in order."""
    text = page.read_text("utf-8")
    found = (Block(page, text.count("\n", 0, m.start()) + 1, m[1], m[2]) for m in _BLOCK.finditer(text))
    return [block for block in found if block.language == language]


def pages_with(language: str) -> list[Path]:
    """The pages that have blocks in this language."""
    pages = [*sorted(DOCS.glob("*.md")), *sorted((DOCS / "questions").glob("*.md"))]
    return [page for page in pages if blocks(page, language)]
