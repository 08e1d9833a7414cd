"""Who may import whom: read from the sources, so that a wrong arrow fails before it is used."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = {"sdk": "mizzle", "metadata_gen": "mizzle.metadata_gen", "model": "mizzle.model"}
ROOMS |= {"service": "mizzle.service"}
LIBRARIES = {
    "sdk": {"numpy", "httpx2"},
    "metadata_gen": {"numpy", "scipy"},
    "model": {"numpy", "torch", "safetensors", "jaxtyping"},
    "service": {"numpy", "fastapi", "starlette", "uvicorn", "pydantic", "pydantic_settings", "anyio"},
}
MAY_KNOW = {
    "sdk": (),
    "metadata_gen": ("mizzle.types", "mizzle.errors", "mizzle.metadata_gen"),
    "model": ("mizzle.types", "mizzle.errors", "mizzle.arrays", "mizzle.model"),
}
FILES = sorted(file for room in ROOMS for file in (ROOT / room).glob("*.py"))


def imported(file: Path, *, eager: bool = False) -> set[str]:
    """Modules that a file imports; `eager` counts only what happens when it is imported."""
    tree = ast.parse(file.read_text())
    nodes = tree.body if eager else list(ast.walk(tree))
    names = {a.name for node in nodes if isinstance(node, ast.Import) for a in node.names}
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    names |= {f"{f.module}.{a.name}" for f in froms for a in f.names}
    return names


def _inside(name: str, *packages: str) -> bool:
    return any(name == p or name.startswith(p + ".") for p in packages)


@pytest.mark.parametrize("file", FILES, ids=lambda f: f"{f.parent.name}/{f.name}")
def test_libraries_are_those_of_the_room(file: Path) -> None:
    tops = {name.partition(".")[0] for name in imported(file)} - {"mizzle"}
    assert tops - set(sys.stdlib_module_names) <= LIBRARIES[file.parent.name]


@pytest.mark.parametrize("file", FILES, ids=lambda f: f"{f.parent.name}/{f.name}")
def test_arrows_between_rooms(file: Path) -> None:
    room = file.parent.name
    ours = {name for name in imported(file) if _inside(name, "mizzle")}
    if room in ("metadata_gen", "model"):
        assert {n for n in ours if not _inside(n, *MAY_KNOW[room])} == set()
    assert not any(_inside(n, "mizzle.metadata_gen") for n in ours if room != "metadata_gen")


@pytest.mark.parametrize("file", sorted((ROOT / "sdk").glob("*.py")), ids=lambda f: f.name)
def test_the_sdk_loads_no_other_room_at_import(file: Path) -> None:
    eager = imported(file, eager=True)
    assert not any(_inside(n, "mizzle.model", "mizzle.service", "torch", "fastapi") for n in eager)


def test_the_batcher_knows_neither_http_nor_torch() -> None:
    tops = {name.partition(".")[0] for name in imported(ROOT / "service" / "batcher.py")}
    assert not tops & {"fastapi", "starlette", "uvicorn", "torch", "pydantic"}


def test_only_settings_reads_the_environment() -> None:
    for file in (ROOT / "service").glob("*.py"):
        if file.name != "settings.py":
            assert "os.environ" not in file.read_text(), file.name


@pytest.mark.parametrize("file", [*FILES, ROOT / "train.py"], ids=lambda f: f"{f.parent.name}/{f.name}")
def test_no_file_is_longer_than_300_lines(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= 300
