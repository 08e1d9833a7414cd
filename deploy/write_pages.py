"""Writes the files of docs/ that say what the code says: `make openapi`.

docs/openapi.json is what /openapi.json answers; http.md is the same as a page, settings.md lists the settings
of the service, decisions.md the decisions by title.
"""

import json
from collections.abc import Iterable
from pathlib import Path

import http_page
import settings_page

from mizzle.service.app import create_app
from mizzle.service.settings import Settings

DOCS = Path(__file__).resolve().parent.parent / "docs"


def pages() -> dict[str, str]:
    """The text of each file, by name."""
    document = create_app(Settings()).openapi()
    return {
        # One member a line, so that a change can be read.
        "openapi.json": json.dumps(document, indent=2, ensure_ascii=False) + "\n",
        "http.md": http_page.page(document),
        "settings.md": settings_page.page(),
        "decisions.md": decisions(sorted((DOCS / "decisions").glob("*.md"))),
    }


def decisions(files: Iterable[Path]) -> str:
    """A list of the decisions, by title."""
    titles = [(file.name, file.read_text("utf-8").partition("\n")[0].removeprefix("# ")) for file in files]
    lines = [f"- [{title}](decisions/{name})" for name, title in titles]
    return "# Decisions\n\nWhat was chosen, why, and at what price.\n\n" + "\n".join(lines) + "\n"


if __name__ == "__main__":
    for name, text in pages().items():
        (DOCS / name).write_text(text, "utf-8")
