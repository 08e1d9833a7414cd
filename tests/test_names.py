"""Names say what a thing is: no identifier of ours is one of the words that say nothing, or only hint."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("sdk", "metadata_gen", "model", "service")
FILES = [*sorted(file for room in ROOMS for file in (ROOT / room).rglob("*.py")), *ROOT.glob("train*.py")]
# The word, and what to say instead. Leading and trailing underscores and capitals do not matter; a word is
# allowed as a part of a longer name.
WORDS = (
    ("found", "what it is: match, column, answer, result"),
    ("one", "what it is one of: item, problem, estimate"),
    ("most", "limit, maximum, largest"),
    ("made", "what was made: table, key, error"),
    ("asked", "problem, request, query"),
    ("shown", "text, label, quoted"),
    ("usual", "default, typical"),
    ("told", "reported, last_reported, metadata"),
    ("kept", "stored, outcome, retained"),
    ("seen", "observed, visited, last_event_id"),
    ("few", "small_batch, minimum_items"),
    ("near", "neighbours, close"),
    ("bent", "nonlinear"),
    ("turned", "rotated, variates"),
    ("heard", "wait_for_change, notified"),
    ("news", "changed, event"),
    ("tell", "notify"),
    ("saw", "observe"),
    ("knock", "check_capacity"),
    ("beside", "run_in_thread_if_large"),
    ("aside", "read_value"),
    ("odd", "irregular"),
    ("strange", "unknown_variables, malformed"),
    ("crew", "thread_pool"),
    ("grown", "extended"),
    ("disguises", "transformations"),
    ("laws", "hyperpriors"),
    ("asking", "plan_runner"),
    ("asker", "backend"),
    ("askers", "backends"),
    ("given", "argument, stored_input"),
    ("briefly", "short_repr"),
    ("portion", "chunk"),
    ("porter", "the class: load_shedder"),
    ("pace", "throughput"),
    ("lane", "priority"),
    ("lanes", "queues"),
)
# Names of classes, to the letter.
CLASSES = (
    ("Bulk", "BackgroundQueue"),
    ("Estimates", "functions with Depends"),
    ("JobDoor", "functions with Depends"),
    ("Served", "functions with Depends"),
)
# Names of the interface, as keywords and fields: what a conditional estimate is called everywhere.
PUBLIC = ("given",)
INSTEAD = {**dict(WORDS), **dict(CLASSES)}


def defined(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every identifier that a source gives, with its line; not those that it only uses."""
    public = {
        *(id(a) for node in ast.walk(tree) if isinstance(node, ast.arguments) for a in node.kwonlyargs),
        *(id(node.target) for node in ast.walk(tree) if isinstance(node, ast.AnnAssign)),
    }
    for node in ast.walk(tree):
        if id(node) in public and {getattr(node, "arg", ""), getattr(node, "id", "")} & set(PUBLIC):
            continue
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.arg(arg=name) | ast.alias(asname=str(name)) | ast.ExceptHandler(name=str(name)):
                yield node.lineno, name
            case (
                ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name))
            ):
                yield node.lineno, name


def banned(name: str) -> str | None:
    """The word that a name is, if it is one to be avoided."""
    word = name.strip("_")
    return next((w for w in (word, word.lower()) if w in INSTEAD), None)


def complaints(source: str) -> list[str]:
    """What to rename in a source."""
    words = ((line, name, banned(name)) for line, name in sorted(defined(ast.parse(source))))
    return [f"line {line}: {name}; say rather: {INSTEAD[word]}" for line, name, word in words if word]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_names_say_what_a_thing_is(file: Path) -> None:
    assert complaints(file.read_text()) == []


def test_modules_and_folders_are_named_so_too() -> None:
    names = {part for file in FILES for part in file.relative_to(ROOT).with_suffix("").parts}
    assert list(filter(banned, names)) == []


@pytest.mark.parametrize(
    "source",
    [
        "found = 1",
        "FOUND: int = 1",
        "_found = 1",
        "found_ = 1",
        "a, (b, *found) = 1, (2, 3)",
        "for found in (): pass",
        "a = [1 for found in ()]",
        "if (found := 1): pass",
        "with a() as found: pass",
        "try: pass\nexcept OSError as found: pass",
        "import os as found",
        "from os import path as _found",
        "def found(): pass",
        "async def found(): pass",
        "def f(found): pass",
        "def f(*found): pass",
        "def f(*, found=1): pass",
        "def f(**found): pass",
        "lambda found: 1",
        "class Found: pass",
        "class A:\n    found: int",
        "self.found = 1",
        "self._found += 1",
        "match a:\n    case [found]: pass",
        "match a:\n    case [*found]: pass",
        "match a:\n    case {**found}: pass",
        "class Served: pass",
        "class _Bulk: pass",
    ],
)
def test_no_name_hides(source: str) -> None:
    """The reader of names itself."""
    assert len(complaints(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "found_columns = 1",
        "print(found, a.one, most=1)",
        "'found'",
        "def estimates(served): pass",
        "import os",
    ],
)
def test_what_is_no_name_of_ours_or_says_more_is_allowed(source: str) -> None:
    assert complaints(source) == []
