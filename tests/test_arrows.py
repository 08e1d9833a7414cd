"""Who may import whom: read from the sources, so that a wrong arrow fails before it is used."""

import ast
import io
import sys
import tokenize
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
        *("pydantic_core", "safetensors", "prometheus_client", "opentelemetry"),
    },
}
SDK = tuple(f"mizzle.{path.stem}" for path in (ROOT / "sdk").glob("[!_]*") if path.name != "py.typed")
OURS = (*SDK, *(f"mizzle.{room}" for room in ROOMS if room != "sdk"))
MAY_KNOW = {
    "sdk": SDK,
    "metadata_gen": ("mizzle.types", "mizzle.errors", "mizzle.metadata_gen"),
    "model": ("mizzle.types", "mizzle.errors", "mizzle.data.arrays", "mizzle.cost", "mizzle.model"),
    "service": (*SDK, "mizzle.model", "mizzle.service"),
}
# Optional parts of the SDK, loaded only by the command or by whoever asks for them.
OPTIONAL = {"sdk/cli/": {"typer", "rich"}, "sdk/sklearn": {"sklearn"}}
# What these files may know besides, from inside a function: the two doors out of the SDK.
LAZILY = {"sdk/cli/service.py": ("mizzle.service",), "sdk/estimator.py": ("mizzle.model",)}
# What is no code in a file
APART = (
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
)
FILES = sorted(file for room in ROOMS for file in (ROOT / room).rglob("*.py"))


def _place(file: Path) -> str:
    """Path of a source below the root, say `sdk/cli/entry.py`."""
    return file.relative_to(ROOT).as_posix()


def _room(file: Path) -> str:
    return file.relative_to(ROOT).parts[0]


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


@pytest.mark.parametrize("file", FILES, ids=_place)
def test_libraries_are_those_of_the_room(file: Path) -> None:
    tops = {name.partition(".")[0] for name in imported(file)} - {"mizzle"}
    optional = (names for part, names in OPTIONAL.items() if _place(file).startswith(part))
    assert tops - set(sys.stdlib_module_names) <= LIBRARIES[_room(file)].union(*optional)


@pytest.mark.parametrize("file", FILES, ids=_place)
def test_arrows_between_rooms(file: Path) -> None:
    room = _room(file)
    lazily = LAZILY.get(_place(file), ())
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
    tops = {name.partition(".")[0] for name in imported(ROOT / "service" / "inference" / "batcher.py")}
    assert not tops & {"fastapi", "starlette", "uvicorn", "torch", "pydantic"}


def test_only_settings_reads_the_environment() -> None:
    for file in (ROOT / "service").rglob("*.py"):
        if file.name != "settings.py":
            assert "os.environ" not in file.read_text(), file.name


@pytest.mark.parametrize("file", [*FILES, ROOT / "train.py"], ids=_place)
def test_no_file_has_more_than_300_lines_of_code(file: Path) -> None:
    source = file.read_text()
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    docstrings = {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for line in range(node.lineno, (node.end_lineno or 0) + 1)
    }
    code = [token for token in tokens if token.type not in APART]
    lines = {line for token in code for line in range(token.start[0], token.end[0] + 1)}
    assert len(lines - docstrings) <= 300
