"""Links of pages that leave `docs/`: they lead somewhere in the repository, and nowhere on the site.

Of such a link its text stays.
"""

import re
from posixpath import join, normpath
from typing import Any

_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s:#]+)(#[^)\s]*)?\)")


def on_page_markdown(markdown: str, page: Any, **_: object) -> str:
    """The text of a page with its links as they are to be on the site."""
    return rewritten(markdown, page.file.src_uri)


def rewritten(markdown: str, page: str) -> str:
    """The text of a page at `page`, below `docs/`."""
    folder = page.rpartition("/")[0]

    def link(match: re.Match[str]) -> str:
        leaves = normpath(join(folder, match[2])).startswith("..")
        return match[1] if leaves or _is_folder(match[2]) else match[0]

    return _LINK.sub(link, markdown)


def _is_folder(target: str) -> bool:
    return target.endswith("/")
