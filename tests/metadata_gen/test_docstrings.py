"""Every public name of the generator has a docstring; that of a method may be its base class's."""

import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from census import MODULES


def public(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The public classes and functions that a module defines, and the public methods of its classes."""
    for name, member in vars(module).items():
        if name.startswith("_") or getattr(member, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(member) or inspect.isfunction(member):
            yield name, member
        if inspect.isclass(member):
            yield from ((f"{name}.{own}", value) for own, value in methods(member))


def methods(owner: type) -> Iterator[tuple[str, Any]]:
    for name, value in vars(owner).items():
        if not name.startswith("_") and (callable(value) or isinstance(value, property | classmethod)):
            yield name, value


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_every_public_name_has_a_docstring(module: ModuleType) -> None:
    assert module.__doc__
    missing = [name for name, member in public(module) if "." not in name and not member.__doc__]
    assert missing + [name for name, member in public(module) if not inspect.getdoc(member)] == []
