"""What the page repeats of the library is the same there."""

import json
import re
from typing import Any

import vendored

from mizzle import cost, types, wire
from mizzle.questions import local_permutations, significance, surrogates
from mizzle.service.inference import batcher
from mizzle.service.routes import schemas

PAGE = vendored.ROOT / "service" / "page"


def constant(file: str, name: str) -> Any:
    """The value of a constant of a module."""
    match = re.search(rf"^(?:export )?const {name} = (.+?);", (PAGE / file).read_text(), re.MULTILINE)
    assert match, f"{file} has no {name}"
    return json.loads(match[1])


def test_what_is_meant_where_nothing_is_said() -> None:
    assert constant("settings.js", "DEFAULT_LEVEL") == types.DEFAULT_LEVEL
    assert constant("settings.js", "DEFAULT_THRESHOLD") == types.DEFAULT_THRESHOLD
    assert constant("settings.js", "DEFAULT_UNIT") == types.DEFAULT_UNIT


def test_no_other_module_repeats_a_default() -> None:
    texts = {file.name: file.read_text() for file in PAGE.glob("*.js") if file.name != "settings.js"}
    repeated = re.compile(rf"{100 * types.DEFAULT_LEVEL:.0f} %|level = \d|\b{types.DEFAULT_THRESHOLD}\b")
    assert [name for name, text in texts.items() if repeated.search(text)] == []


def test_what_a_row_costs_for_its_distances() -> None:
    assert constant("cost.js", "DISTANCE_CELLS") == cost.DISTANCE_CELLS
    assert constant("cost.js", "BLOCK_CELLS") == cost.BLOCK_CELLS


def test_chance_is_what_it_is_in_the_library() -> None:
    assert constant("chance.js", "MIN_ROWS") == surrogates.MIN_ROWS
    assert constant("chance.js", "ROUNDING") == significance._ROUNDING
    assert constant("chance.js", "COUNT") >= surrogates.MIN_COUNT
    assert constant("surrogates.js", "HALF") == surrogates._HALF
    assert constant("surrogates.js", "LONGEST") == surrogates._LONGEST
    assert constant("surrogates.js", "NEIGHBOURS") == local_permutations.NEIGHBOURS


def test_paths_are_those_of_the_interface() -> None:
    text = (PAGE / "api.js").read_text()
    for path in (wire.LIMITS, wire.MODELS, wire.PATH, wire.BATCH_PATH):
        assert re.search(rf"[\"`]{re.escape(path[1:])}[\"`?]", text), path


def test_how_many_problems_always_wait_where_the_service_does_not_say() -> None:
    assert constant("batches.js", "ALWAYS_ADMITTED") == batcher.ALWAYS_ADMITTED


def test_limits_are_those_that_the_service_publishes() -> None:
    described = (PAGE / "api.js").read_text().partition("@typedef {object} Limits")[2].partition("*/")[0]
    names = re.findall(r"@property \{\w+\} \[?(\w+)", described)
    assert len(names) == 8
    assert set(names) <= set(schemas.Limits.model_fields)
