"""Names of version 0.9 that go on working for one version, with a warning: modules that moved, keywords."""

import sys
import warnings
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
# Modules below mizzle that held public names, or classes of which somebody may have pickled objects.
MOVED = {
    "about": "backends.info",
    "arrays": "data.arrays",
    "async_client": "client.asynchronous",
    "doctor": "cli.doctor",
    "job_errors": "errors",
    "jobs": "client.jobs",
    "labels": "data.labels",
    "local": "backends.local",
    "metadata_gen.additive": "metadata_gen.families.additive",
    "metadata_gen.archimedean": "metadata_gen.families.archimedean",
    "metadata_gen.binned": "metadata_gen.families.binned",
    "metadata_gen.channels": "metadata_gen.families.channels",
    "metadata_gen.contaminated": "metadata_gen.families.operators",
    "metadata_gen.contingency": "metadata_gen.families.contingency",
    "metadata_gen.copulas": "metadata_gen.families.copulas",
    "metadata_gen.elliptical": "metadata_gen.families.elliptical",
    "metadata_gen.independent": "metadata_gen.families.independent",
    "metadata_gen.mixtures": "metadata_gen.families.mixtures",
    "metadata_gen.operators": "metadata_gen.families.operators",
    "metadata_gen.ranges": "metadata_gen.prior.ranges",
    "metadata_gen.shards": "metadata_gen.store.shards",
    "pairs": "backends.pairs",
    "plan": "tables.plan",
    "results": "tables.results",
    "variables": "tables.variables",
}


def renamed_keyword(old: str, new: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator: the old name of a keyword of the function works for one version more, and warns."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            if old in kwargs:
                if new in kwargs:
                    raise TypeError(f"{function.__name__}() got both {old}= and {new}=")
                text = f"{old}= is now {new}=; the old name goes with the next version"
                warnings.warn(text, DeprecationWarning, stacklevel=2)
                kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return call

    return decorate


def install_old_paths() -> None:
    """Makes the modules that moved importable by their old paths, too: each is the new module itself."""
    sys.meta_path.append(_Finder)


class _Finder:
    """Finds the old modules and nothing else."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """The specification of an old module, None for any other."""
        return ModuleSpec(name, _Loader()) if _new_path(name) else None  # type: ignore[arg-type]


class _Loader:  # not derived from importlib.abc.Loader, which takes 5 ms to import
    """Puts the new module in the place of the old one, so that there is one class of each name."""

    def create_module(self, spec: ModuleSpec) -> None:
        """Nothing special: an empty module, until there is the new one."""

    def exec_module(self, module: ModuleType) -> None:
        """Loads the new module; the import goes on with what `sys.modules` then has."""
        old, new = module.__name__, _new_path(module.__name__)
        warnings.warn(f"{old} is now {new}; the old path goes with the next version", DeprecationWarning, 2)
        sys.modules[old] = import_module(new)


def _new_path(old: str) -> str:
    """Where an old module is now; empty for any other."""
    package, _, name = old.partition(".")
    return f"mizzle.{MOVED[name]}" if package == "mizzle" and name in MOVED else ""
