"""The cases that the page reads, too (tests/page/unit/csv_cases.test.js): one file, one answer."""

import json
from pathlib import Path

import numpy as np
import pytest

from mizzle.data.labels import Labels
from mizzle.files import csv_reader
from mizzle.files.csv_columns import TextFormat

CASES = json.loads((Path(__file__).parents[2] / "csv_cases.json").read_text())


def as_listed(cells):
    """A column as a case has it: labels as themselves, times in seconds, None where missing."""
    if isinstance(cells, Labels):
        return list(cells)
    if cells.dtype.kind == "M":
        seconds = (cells - np.datetime64(0, "s")) / np.timedelta64(1, "s")
        return [None if np.isnan(value) else value for value in seconds]
    return [None if np.isnan(value) else value for value in cells]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_file_is_read_as_on_the_page(case) -> None:
    table = csv_reader.read(case["text"].encode(), form=TextFormat(missing="drop"))
    assert {name: as_listed(cells) for name, cells in table.columns.items()} == case["columns"]
    times = [
        name for name, cells in table.columns.items() if getattr(cells, "dtype", "").__str__()[:2] == "da"
    ]
    assert times == case.get("times", [])
    notes = "; ".join(table.notes)
    for name, content in case.get("left_out", {}).items():
        assert f"'{name}' ({content}" in notes
    for word in case.get("said", []):
        assert word in notes
