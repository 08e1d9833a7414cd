"""Reads of a PromQL expression what it selects: enough for the expressions of this project, no more."""

import re
from typing import NamedTuple

_WORDS = {"and", "or", "unless", "offset", "bool"}
_STRING = re.compile(r'"[^"]*"')
_RANGE = re.compile(r"\[[^\]]*\]")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)")
_NAME = re.compile(r"(?<![\w.])([a-zA-Z_]\w*)(\s*\()?(?:\{([^}]*)\})?")
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"(\d+)"')


class Selector(NamedTuple):
    """A metric with its matchers: label, operator, value."""

    name: str
    matchers: list[tuple[str, str, str]]


class Expression(NamedTuple):
    """What an expression selects, and the labels that it groups by."""

    selectors: list[Selector]
    grouping: set[str]


def read(text: str) -> Expression:
    """The selectors and groupings of an expression."""
    strings = _STRING.findall(text)
    numbers = iter(range(len(strings)))
    bare = _RANGE.sub("", _STRING.sub(lambda _: f'"{next(numbers)}"', text))
    grouping = {label.strip() for found in _GROUPING.findall(bare) for label in found.split(",")}
    selectors = [
        Selector(name, [(label, how, strings[int(i)][1:-1]) for label, how, i in _MATCHER.findall(matchers)])
        for name, call, matchers in _NAME.findall(_GROUPING.sub("", bare))
        if not call and name not in _WORDS
    ]
    return Expression(selectors, grouping)
