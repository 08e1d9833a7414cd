"""Pages that are made when the site is built: of the OpenAPI document, the settings and the decisions.

The API reference is read from the sources, which are shown to the reader as a tree of links, as the
folder `sdk` is imported under another name.
"""

import json
from pathlib import Path
from typing import Any

from http_page import page as http_page
from mkdocs.structure.files import File, Files
from settings_page import page as settings_page

_ROOT = Path(__file__).resolve().parents[2]


def on_startup(**_: Any) -> None:
    """Lays out the sources under the name by which they are imported; later, a missing folder is not seen."""
    tree = _ROOT / "build" / "docs" / "mizzle"
    tree.parent.mkdir(parents=True, exist_ok=True)
    if not tree.is_symlink():
        tree.symlink_to(_ROOT / "sdk", target_is_directory=True)


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages that are made here."""
    for name, text in generated().items():
        files.append(File.generated(config, name, content=text))
    return files


def generated() -> dict[str, str]:
    """The pages by name."""
    document = json.loads((_ROOT / "docs" / "openapi.json").read_text("utf-8"))
    return {
        "http.md": http_page(document),
        "settings.md": settings_page(),
        "decisions.md": decisions(sorted((_ROOT / "docs" / "decisions").glob("*.md"))),
    }


def decisions(files: list[Path]) -> str:
    """A list of the decisions, by title."""
    titles = [(file.name, file.read_text("utf-8").partition("\n")[0].removeprefix("# ")) for file in files]
    lines = [f"- [{title}](decisions/{name})" for name, title in titles]
    return "# Decisions\n\nWhat was chosen, why, and at what price.\n\n" + "\n".join(lines) + "\n"
