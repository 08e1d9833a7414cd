"""Links of pages that leave `docs/`: they lead somewhere in the repository, and nowhere on the site.

The README's measurements are a page of the site; of any other such link its text stays.
"""

import re
from posixpath import join, normpath
from typing import Any

_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s:#]+)(#[^)\s]*)?\)")
_OURS = {"../README.md": "measurements.md"}


def on_page_markdown(markdown: str, page: Any, **_: object) -> str:
    """The text of a page with its links as they are to be on the site."""
    return rewritten(markdown, page.file.src_uri)


def rewritten(markdown: str, page: str) -> str:
    """The text of a page at `page`, below `docs/`."""
    folder = page.rpartition("/")[0]

    def link(found: re.Match[str]) -> str:
        text, target = found[1], normpath(join(folder, found[2]))
        if target in _OURS:
            return f"[{text}]({'../' * folder.count('/') + ('../' if folder else '')}{_OURS[target]})"
        return text if target.startswith("..") or _is_folder(found[2]) else found[0]

    return _LINK.sub(link, markdown)


def _is_folder(target: str) -> bool:
    return target.endswith("/")
