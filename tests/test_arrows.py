"""Who may import whom: read from the sources, so that a wrong arrow fails before it is used."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("sdk", "metadata_gen", "model", "service")
LIBRARIES = {
    "sdk": {"numpy", "httpx2", "safetensors", "tqdm"},
    "metadata_gen": {"numpy", "scipy", "safetensors", "tqdm", "matplotlib"},
    "model": {"numpy", "torch", "safetensors", "jaxtyping"},
    "service": {
        *("numpy", "fastapi", "starlette", "uvicorn", "h11", "pydantic", "pydantic_settings"),
        *("prometheus_client", "opentelemetry"),
    },
}
SDK = tuple(f"mizzle.{file.stem}" for file in (ROOT / "sdk").glob("[!_]*.py"))
OURS = (*SDK, *(f"mizzle.{room}" for room in ROOMS if room != "sdk"))
MAY_KNOW = {
    "sdk": SDK,
    "metadata_gen": ("mizzle.types", "mizzle.errors", "mizzle.metadata_gen"),
    "model": ("mizzle.types", "mizzle.errors", "mizzle.arrays", "mizzle.cost", "mizzle.model"),
    "service": (*SDK, "mizzle.model", "mizzle.service"),
}
# Optional parts of the SDK, loaded only by the command or by whoever asks for them.
OPTIONAL = {"cli_": {"typer", "rich"}, "doctor": {"rich"}, "sklearn": {"sklearn"}}
# What these files may know besides, from inside a function: the two doors out of the SDK.
LAZILY = {"sdk/cli_service.py": ("mizzle.service",), "sdk/estimator.py": ("mizzle.model",)}
FILES = sorted(file for room in ROOMS for file in (ROOT / room).glob("*.py"))


def imported(file: Path, *, eager: bool = False) -> set[str]:
    """Modules that a file imports; `eager` counts only what happens when it is imported.

    A string that is the name of a module of ours counts as its import: `import_module` takes such.
    """
    names: set[str] = set()
    for node in _nodes(ast.parse(file.read_text()), eager):
        if isinstance(node, ast.Import):
            names |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):  # a relative import keeps its dots, and is in no list
            names |= {f"{'.' * node.level}{node.module or ''}.{a.name}" for a in node.names}
        elif isinstance(node, ast.Constant) and _is_module(str(node.value)):
            names.add(str(node.value))
    return names


def _nodes(node: ast.AST, eager: bool) -> Iterator[ast.AST]:
    """All nodes below one; `eager` leaves out functions, but not what stands under if, try or class."""
    for child in ast.iter_child_nodes(node):
        if not (eager and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)):
            yield child
            yield from _nodes(child, eager)


def _strange(names: set[str], *known: str) -> set[str]:
    """Names of ours that are not among the known."""
    return {n for n in names if _inside(n, "mizzle") and not _inside(n, *known)}


def _is_module(text: str) -> bool:
    return _inside(text, *OURS) and all(map(str.isidentifier, text.split(".")))


def _inside(name: str, *packages: str) -> bool:
    return any(name == p or name.startswith(p + ".") for p in packages)


@pytest.mark.parametrize("file", FILES, ids=lambda f: f"{f.parent.name}/{f.name}")
def test_libraries_are_those_of_the_room(file: Path) -> None:
    tops = {name.partition(".")[0] for name in imported(file)} - {"mizzle"}
    optional = (names for part, names in OPTIONAL.items() if file.stem.startswith(part))
    assert tops - set(sys.stdlib_module_names) <= LIBRARIES[file.parent.name].union(*optional)


@pytest.mark.parametrize("file", FILES, ids=lambda f: f"{f.parent.name}/{f.name}")
def test_arrows_between_rooms(file: Path) -> None:
    room = file.parent.name
    lazily = LAZILY.get(f"{room}/{file.name}", ())
    itself = {"mizzle"} if room == "sdk" else set()  # the bare package, whose names are the SDK's
    assert _strange(imported(file, eager=True) - itself, *MAY_KNOW[room]) == set()
    assert _strange(imported(file) - itself, *MAY_KNOW[room], *lazily) == set()


@pytest.mark.parametrize(
    ("source", "eager"),
    [
        ("import mizzle.model", True),
        ("from mizzle import model", True),
        ("from mizzle.model import Estimator", True),
        ("try:\n    import mizzle.model\nexcept ImportError:\n    pass", True),
        ("if True:\n    import os\nelse:\n    from mizzle import model", True),
        ("class Lazy:\n    import mizzle.model", True),
        ("loaded = import_module('mizzle.model')", True),
        ("def load():\n    from mizzle import model", False),
        ("async def load():\n    return import_module('mizzle.model.net')", False),
        ("load = lambda: import_module('mizzle.model')", False),
    ],
)
def test_no_import_hides(tmp_path: Path, source: str, eager: bool) -> None:
    """The reader of imports itself: it finds them all, and knows which happen at import."""
    file = tmp_path / "module.py"
    file.write_text(source)
    assert _strange(imported(file), *SDK)
    assert bool(_strange(imported(file, eager=True), *SDK)) is eager


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
