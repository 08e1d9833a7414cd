"""All classes of a kind that the generator has, found by walking its packages."""

import inspect
from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages

from mizzle import metadata_gen
from mizzle.metadata_gen.family import Family

_PREFIX = "mizzle.metadata_gen."
MODULES = [
    import_module(module.name)
    for module in walk_packages(metadata_gen.__path__, _PREFIX)
    if not module.name.endswith("__main__")
]


def concrete(base: type) -> set[type]:
    """Public classes of this kind that can be made, wherever they are defined."""
    members = {c for module in MODULES for _, c in inspect.getmembers(module, inspect.isclass)}
    return {
        c
        for c in members
        if issubclass(c, base) and not inspect.isabstract(c) and not c.__name__.startswith("_")
    }


def within(family: Family) -> Iterator[Family]:
    """A family and those that it is made of."""
    yield family
    for value in vars(family).values():
        for inner in value if isinstance(value, tuple) else (value,):
            if isinstance(inner, Family):
                yield from within(inner)
