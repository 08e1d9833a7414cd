"""Every file that the documentation names exists, and its links lead somewhere in the repository, too."""

import re
from pathlib import Path

import pytest
from blocks import DOCS

ROOT = DOCS.parent
FOLDERS = (DOCS, ROOT, DOCS / "decisions", DOCS / "questions")
PAGES = [page for folder in FOLDERS for page in sorted(folder.glob("*.md"))]
# The log and the changelog speak of the repository as it was on their dates.
HISTORY = {"log.md", "CHANGELOG.md"}
NAMED = re.compile(r"`((?:sdk|service|model|metadata_gen|benchmarks|tests|deploy|examples|docs)/[\w./-]*)`")
MADE_BY_USERS = {"deploy/secrets/keys"}
LINK = re.compile(r"\]\(([^)\s:#]+)(?:#[^)\s]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    targets = LINK.findall(re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL))
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.name not in HISTORY], ids=lambda p: p.name)
def test_files_that_are_named_exist(page: Path) -> None:
    names = set(NAMED.findall(page.read_text("utf-8"))) - MADE_BY_USERS
    assert [name for name in names if not (ROOT / name).exists()] == []
