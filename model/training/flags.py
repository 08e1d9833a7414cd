"""Command-line flags from the plain fields of frozen dataclasses, and back."""

import argparse
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any


def plain(config: Any) -> dict[str, Any]:
    """The fields of a configuration that are flags, with their values."""
    values = {f.name: getattr(config, f.name) for f in fields(config)}
    return {name: value for name, value in values.items() if isinstance(value, int | float | str | Path)}


def parsed(
    parser: argparse.ArgumentParser, arguments: list[str], configs: Mapping[str, Any]
) -> dict[str, Any]:
    """For each configuration, its plain fields as the arguments set them."""
    for config in configs.values():
        for name, value in plain(config).items():
            parser.add_argument(_flag(name), type=type(value), default=value, help=f"default: {value}")
    values = vars(parser.parse_args(arguments))
    return {key: {name: values[name] for name in plain(config)} for key, config in configs.items()}


def differing(configs: Iterable[Any], defaults: Iterable[Any], but: str) -> str:
    """The flags that make these configurations out of the defaults, all but one of them."""
    chosen, default = ({k: v for c in part for k, v in plain(c).items()} for part in (configs, defaults))
    changed = {name: value for name, value in chosen.items() if value != default[name] and name != but}
    return "".join(f" {_flag(name)} {shlex.quote(str(value))}" for name, value in changed.items())


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
