"""The site builds without a warning, is whole, and asks no other host for anything."""

import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from blocks import DOCS

import mizzle
from mizzle import errors

ROOT = DOCS.parent
# What a browser loads by itself; where <a> leads, only a reader goes.
LOADS = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "link": "href",
    "object": "data",
    "embed": "src",
    "use": "href",
    "input": "src",
    "base": "href",
}
NO_LOAD = {"canonical", "prev", "next", "author"}  # relations of <link> that name a page and load nothing
ELSEWHERE = re.compile(r"(?:https?:)?//[\w.-]+", re.IGNORECASE)
IN_STYLE = re.compile(r"(?:url\(\s*['\"]?|@import\s+['\"]?)(?:https?:)?//", re.IGNORECASE)


class Page(HTMLParser):
    """What a page loads, where it leads and what it can be asked for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.leads: list[str] = []
        self.ids: set[str] = set()
        self.styles = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        self.ids.add(found.get("id", ""))
        self.styles += found.get("style", "")
        if tag == "a" and "href" in found:
            self.leads.append(found["href"])
        if found.get(LOADS.get(tag, "")) and found.get("rel") not in NO_LOAD:
            self.loads.append(found[LOADS[tag]])
        if "srcset" in found:
            self.loads.append(found["srcset"])


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    shutil.rmtree(ROOT / "build" / "docs", ignore_errors=True)  # a fresh clone has none
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr.strip(), done.stderr
    return folder


@pytest.fixture(scope="session")
def pages(site: Path) -> dict[str, Page]:
    return {file.relative_to(site).as_posix(): Page(file.read_text("utf-8")) for file in site.rglob("*.html")}


def test_no_page_loads_anything_from_elsewhere(pages: dict[str, Page]) -> None:
    for name, page in pages.items():
        assert [load for load in page.loads if ELSEWHERE.match(load)] == [], name
        assert not IN_STYLE.search(page.styles), name


def test_no_style_loads_anything_from_elsewhere(site: Path) -> None:
    styles = list(site.rglob("*.css"))
    assert styles
    for file in styles:
        assert not IN_STYLE.search(file.read_text("utf-8")), file.name


def test_no_page_has_what_makes_the_theme_ask_elsewhere(site: Path, pages: dict[str, Page]) -> None:
    """The theme's script fetches Mermaid for diagrams, and stars of a repository, where a page has them."""
    for name in pages:
        text = (site / name).read_text("utf-8")
        assert 'class="mermaid"' not in text, name
        assert 'data-md-component="source"' not in text, name


def test_every_link_inside_the_site_leads_somewhere(site: Path, pages: dict[str, Page]) -> None:
    for name, page in pages.items():
        for link in page.leads:
            target, _, anchor = link.partition("#")
            if ELSEWHERE.match(link) or link.startswith(("mailto:", "/")):
                continue
            found = (site / name).parent.joinpath(target).resolve() if target else site / name
            found = found / "index.html" if found.is_dir() else found
            assert found.is_file(), f"{name}: {link}"
            if anchor and found.suffix == ".html":
                other = pages[found.relative_to(site.resolve()).as_posix()]
                assert anchor in other.ids or anchor.startswith("__"), f"{name}: {link}"


def test_every_public_name_is_in_the_reference(pages: dict[str, Page]) -> None:
    ids = {i.rpartition(".")[2] for i in pages["python.html"].ids if i.startswith("mizzle.")}
    names = {name for name in mizzle.__all__ if not name.startswith("_")}
    assert names - ids == set()
    assert {"MutualInfoSelector", "mi_score"} <= ids
    assert errors.MizzleError.__name__ in ids


def test_every_operation_and_schema_is_in_the_reference(site: Path) -> None:
    document = json.loads((DOCS / "openapi.json").read_text("utf-8"))
    text = (site / "http.html").read_text("utf-8")
    for path, operations in document["paths"].items():
        for method in operations:
            assert f"{method.upper()} {path}" in text
    ids = Page(text).ids
    assert {name.lower() for name in document["components"]["schemas"]} <= ids


def test_every_decision_has_a_page(site: Path) -> None:
    listed = Page((site / "decisions.html").read_text("utf-8")).leads
    for file in (DOCS / "decisions").glob("*.md"):
        assert f"decisions/{file.stem}.html" in listed
        assert (site / "decisions" / f"{file.stem}.html").is_file()
