"""What others wrote is what they published, whole, with its licence."""

import re

import demo_data
import pytest
import vendored

from mizzle.service.routes import page

ENTRIES = [(folder, name) for folder in vendored.FOLDERS for name in vendored.manifest(folder)]


@pytest.mark.parametrize("folder", vendored.FOLDERS, ids=lambda f: f.parent.name + "/" + f.name)
def test_every_file_has_the_hash_of_the_manifest(folder) -> None:
    listed = [package["files"] for package in vendored.manifest(folder).values()]
    assert {name: value for files in listed for name, value in files.items()} == vendored.hashes(folder)


@pytest.mark.parametrize(("folder", "name"), ENTRIES, ids=lambda v: v if isinstance(v, str) else "")
def test_every_package_names_its_version_and_ships_its_licence(folder, name) -> None:
    package = vendored.manifest(folder)[name]
    assert re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", package["version"])
    assert package["licence"] in ("ISC", "MIT", "Apache-2.0", "MPL-2.0")
    assert package["licence_file"] in package["files"]
    assert len((folder / package["licence_file"]).read_text()) > 500


def test_nothing_of_ours_is_from_elsewhere() -> None:
    """No address of another host in the pages, and no markup made from text."""
    folder = vendored.ROOT / "service" / "page"
    for file in [*folder.glob("*.html"), *folder.glob("*.css"), *folder.glob("*.js"), *folder.glob("*.svg")]:
        text = file.read_text().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|//[a-z]+\.[a-z]", text), file.name
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", text
        )
        assert not re.search(r"\son[a-z]+=|<style|style=|javascript:", text) or file.suffix == ".js", (
            file.name
        )


def test_the_demo_is_the_example() -> None:
    name = "breast_cancer.csv"
    ours = vendored.ROOT / "service" / "page" / "data" / name
    assert ours.read_bytes() == (vendored.ROOT / "examples" / name).read_bytes()


@pytest.mark.parametrize("pattern", ["*.js", "*.css", "*.html"])
def test_files_are_short_and_lines_too(pattern: str) -> None:
    for file in (vendored.ROOT / "service" / "page").glob(pattern):
        assert len(file.read_text().splitlines()) <= 300, file.name


def test_every_file_is_served_and_nothing_else() -> None:
    folder = vendored.ROOT / "service" / "page"
    files = {f"/page/{path.relative_to(folder).as_posix()}" for path in folder.rglob("*") if path.is_file()}
    pages = {"/page/index.html", "/page/docs.html"}
    assert set(page.PATHS) == (files - pages) | {"/", "/docs"}


def test_the_drawn_tables_are_those_of_their_recipe() -> None:
    folder = vendored.ROOT / "service" / "page" / "data"
    for name, content in demo_data.tables().items():
        assert (folder / name).read_text() == content, name
