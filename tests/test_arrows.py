"""Who may import whom: read from the sources, so that a wrong arrow fails before it is used."""

import ast
import io
import sys
import tokenize
from collections.abc import Iterator, Mapping, Set
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
        *("pydantic_core", "safetensors", "prometheus_client", "opentelemetry", "psycopg", "ray"),
    },
}
SDK = tuple(f"mizzle.{path.stem}" for path in (ROOT / "sdk").glob("[!_]*") if path.name != "py.typed")
OTHER_ROOMS = {f"mizzle.{room}" for room in ROOMS if room != "sdk"}
OURS = (*SDK, *OTHER_ROOMS)
MAY_KNOW = {
    "sdk": SDK,
    "metadata_gen": ("mizzle.types", "mizzle.errors", "mizzle.executors", "mizzle.metadata_gen"),
    "model": (
        *("mizzle.types", "mizzle.errors", "mizzle.extras", "mizzle.machine", "mizzle.data.arrays"),
        *("mizzle.cost", "mizzle.model"),
    ),
    "service": (*SDK, "mizzle.model", "mizzle.service"),
}
# Optional parts of the SDK, loaded only by the command or by whoever asks for them.
OPTIONAL = {
    "sdk/cli/": {"typer", "rich"},
    "sdk/sklearn": {"sklearn"},
    "sdk/torch/": {"torch"},
    "sdk/adaptation/": {"scipy", "torch"},  # see TRAINING
}
# The part of the SDK that trains: as train.py, these modules see the other rooms, and need torch and scipy;
# they are loaded from inside a function of its interface alone.
TRAINS = "sdk/adaptation/"
TRAINING = tuple(f"{TRAINS}{name}" for name in ("columns", "dimension", "fitting", "flows", "imitation"))
TRAINING += tuple(f"{TRAINS}{name}" for name in ("problems", "running", "sides"))
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
# Folders and files at the top of a room, floor by floor: an import leads further down, never up or aside.
# `__init__` gathers what is below it.
FLOORS = {
    "sdk": (
        "deprecated errors version cost machine progress < types extras < wire data"
        " < reduction < estimator selftest display < executors < backends < questions < tables adaptation"
        " < client files < __init__ < cli sklearn torch < __main__"
    ),
    "metadata_gen": (
        "family < dispersion hyperpriors montecarlo < maps < families < prior < stream"
        " < reserved label_problems colliders < conditions < interactions"
        " < conditional_problems store < __init__ < __main__"
    ),
    "model": (
        "native quantiles threads < calibrate counting posterior weights < labels < novelty preprocess"
        " < batch conditional < statistics < net < torch_weights < gradients torch_engine < engines < blocks"
        " < estimator < __init__ training"
    ),
    "service": (
        "formats logs settings storage < inference < telemetry < http < jobs oip transport < routes < app"
        " < server ray < __init__"
    ),
}
# Arrows upward that are allowed from inside a function: methods of records that draw and write themselves.
DRAWING = {("types", "display"), ("types", "wire")}
MOST_MODULES, MOST_LEVELS = 15, 2  # of a folder, and of folders in each other
MOST_NODES = {"service": 15, "sdk": 28}  # of a picture; that of the SDK shows the other rooms, too
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


def _unknown(names: set[str], *known: str) -> set[str]:
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
    known = (
        *MAY_KNOW[room],
        *(OTHER_ROOMS - {"mizzle.service"} if _place(file).startswith(TRAINING) else ()),
    )
    itself = {"mizzle"} if room == "sdk" else set()  # the bare package, whose names are the SDK's
    assert _unknown(imported(file, eager=True) - itself, *known) == set()
    assert _unknown(imported(file) - itself, *known, *lazily) == set()


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
    assert _unknown(imported(file), *SDK)
    assert bool(_unknown(imported(file, eager=True), *SDK)) is eager


def _package(room: str) -> str:
    return "mizzle" if room == "sdk" else f"mizzle.{room}"


def _nodes_of(folder: Path) -> set[str]:
    """The folders and files at the top of a room."""
    return {_node(file, folder) for file in folder.rglob("*.py")}


def arrows(folder: Path, package: str, *, eager: bool = False) -> set[tuple[str, str]]:
    """Who imports whom among the nodes of a room, as pairs of importer and imported."""
    nodes = _nodes_of(folder)
    pairs = {
        (_node(file, folder), _imported_node(name.removeprefix(package), nodes))
        for file in folder.rglob("*.py")
        for name in imported(file, eager=eager)
        if _inside(name, package) and not _inside(name, *(OTHER_ROOMS - {package}))
    }
    return {(importer, other) for importer, other in pairs if importer != other}


def _node(file: Path, folder: Path) -> str:
    """The folder or file at the top of a room that a source lies in."""
    return file.relative_to(folder).with_suffix("").parts[0]


def _imported_node(name: str, nodes: Set[str]) -> str:
    """The same of a dotted name; what is no module of the room comes from the package itself."""
    top = name.lstrip(".").partition(".")[0]
    return top if top in nodes else "__init__"


def faults(nodes: Set[str], arrows: Set[tuple[str, str]], floors: str) -> list[str]:
    """What contradicts a declared order: nodes that it does not name, and arrows that do not lead down."""
    level = {node: i for i, floor in enumerate(floors.split("<")) for node in floor.split()}
    unknown = [f"{node} has no floor" for node in sorted(nodes - level.keys())]
    known = sorted((a, b) for a, b in arrows if a in level and b in level)
    return unknown + [f"{a} must not import {b}" for a, b in known if level[a] <= level[b]]


@pytest.mark.parametrize("room", ROOMS)
def test_arrows_between_folders_lead_down(room: str) -> None:
    folder, package = ROOT / room, _package(room)
    nodes, floors = _nodes_of(folder), FLOORS[room]
    assert faults(nodes, arrows(folder, package, eager=True), floors) == []
    assert faults(nodes, arrows(folder, package) - DRAWING, floors) == []


@pytest.mark.parametrize("room", ROOMS)
def test_floors_name_nothing_that_is_gone(room: str) -> None:
    assert set(FLOORS[room].replace("<", " ").split()) <= _nodes_of(ROOT / room)


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({"low/a.py": "from mizzle.high import b", "high/b.py": ""}, "low must not import high"),
        ({"low/a.py": "import mizzle.high.b", "high/b.py": ""}, "low must not import high"),
        (
            {"low/a.py": "def f():\n    from mizzle.high import b", "high/b.py": ""},
            "low must not import high",
        ),
        ({"low/a.py": "from mizzle import high", "high/b.py": ""}, "low must not import high"),
        ({"low/a.py": "import mizzle", "__init__.py": ""}, "low must not import __init__"),
        ({"low/a.py": "from mizzle import estimate", "__init__.py": ""}, "low must not import __init__"),
        ({"low/a.py": "from mizzle.beside import b", "beside.py": ""}, "low must not import beside"),
        (
            {"low/a.py": "import mizzle.high.b", "high/b.py": "import mizzle.low.c", "low/c.py": ""},
            "low must not import high",  # a circle among folders, though none among files
        ),
        ({"new/a.py": ""}, "new has no floor"),
        ({"new.py": "import mizzle.low", "low/a.py": ""}, "new has no floor"),
    ],
)
def test_no_wrong_arrow_hides(tmp_path: Path, files: Mapping[str, str], complaint: str) -> None:
    """The reader of arrows itself."""
    for name, source in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(source)
    drawn = arrows(tmp_path, "mizzle")
    assert faults(_nodes_of(tmp_path), drawn, "low beside < high < __init__") == [complaint]


def test_a_right_arrow_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "low.py").write_text("import numpy")
    (tmp_path / "high.py").write_text("from mizzle import low\nfrom mizzle.low import a\nimport mizzle.high")
    drawn = arrows(tmp_path, "mizzle")
    assert drawn == {("high", "low")}
    assert faults(_nodes_of(tmp_path), drawn, "low < high") == []


def test_inference_does_not_load_what_trains() -> None:
    importers = {a for a, b in arrows(ROOT / "model", "mizzle.model") if b == "training"}
    assert importers == set()


def test_pictures_are_small_enough_to_be_read() -> None:
    for room, most in MOST_NODES.items():
        nodes = _nodes_of(ROOT / room) - {"__init__"}
        assert len(nodes | (set(ROOMS) - {"sdk"} if room == "sdk" else set())) <= most


@pytest.mark.parametrize("room", ROOMS)
def test_folders_are_few_and_flat(room: str) -> None:
    files = [file for file in FILES if _room(file) == room]
    modules = [file.parent for file in files if file.name != "__init__.py"]
    assert max(map(modules.count, modules)) <= MOST_MODULES
    assert max(len(file.relative_to(ROOT).parent.parts) for file in files) <= MOST_LEVELS


# Files and folders of the room `model` that need torch, and with it jaxtyping; nothing else may load them but
# from inside a function.
WITH_TORCH = (
    *(
        "batch",
        "calibrate",
        "gradients",
        "net",
        "novelty",
        "posterior",
        "statistics",
        "threads",
        "torch_engine",
    ),
    *("torch_weights", "training"),
)


def test_what_estimates_loads_no_torch() -> None:
    needing = ("torch", "jaxtyping", *(f"mizzle.model.{name}" for name in WITH_TORCH))
    with_torch = {f"model/{name}" for name in WITH_TORCH}
    for file in FILES:
        if _place(file).startswith(TRAINING):
            continue
        if "/".join(Path(_place(file)).with_suffix("").parts[:2]) not in with_torch | {"sdk/torch"}:
            assert {name for name in imported(file, eager=True) if _inside(name, *needing)} == set(), file


def test_what_trains_is_loaded_by_its_interface_alone() -> None:
    modules = {place.replace("sdk/", "mizzle.").replace("/", ".") for place in TRAINING}
    for file in FILES:
        eager = _place(file).startswith(TRAINING)
        known = set() if eager or _place(file) == f"{TRAINS}api.py" else imported(file)
        assert {name for name in known if _inside(name, *modules)} == set(), file
        assert eager or not {n for n in imported(file, eager=True) if _inside(n, *modules)}, file


def test_the_compiled_engine_needs_no_torch() -> None:
    files = [file for file in FILES if "native" in file.parts]
    assert files
    assert not {name.partition(".")[0] for file in files for name in imported(file)} & {"torch", "jaxtyping"}


def test_the_batcher_knows_neither_http_nor_torch() -> None:
    tops = {name.partition(".")[0] for name in imported(ROOT / "service" / "inference" / "batcher.py")}
    assert not tops & {"fastapi", "starlette", "uvicorn", "torch", "pydantic"}


def test_only_settings_reads_the_environment() -> None:
    for file in (ROOT / "service").rglob("*.py"):
        if file.name != "settings.py":
            assert "os.environ" not in file.read_text(), file.name


@pytest.mark.parametrize("file", [*FILES, ROOT / "train.py", ROOT / "train_labels.py"], ids=_place)
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


CPP = sorted(file for file in (ROOT / "model" / "native").iterdir() if file.suffix in (".cpp", ".h"))


@pytest.mark.parametrize("file", CPP, ids=_place)
def test_no_compiled_file_has_more_than_300_lines_of_code(file: Path) -> None:
    lines = [line.strip() for line in file.read_text().splitlines()]
    assert sum(bool(line) and not line.startswith("//") for line in lines) <= 300
