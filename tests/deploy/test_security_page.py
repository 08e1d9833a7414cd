"""SECURITY.md: every threat has a defence and a test, and the tests exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "SECURITY.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.splitlines()
    if line.startswith("|") and not line.startswith(("|---", "| Threat |"))
]


def test_there_are_threats_of_all_parts() -> None:
    assert re.findall(r"^### (.*)$", TEXT, re.MULTILINE) == [
        "Callers and the service",
        "Jobs",
        "The client",
        "What is installed",
    ]
    assert TEXT.count("| Threat | Defence | Test |\n|---|---|---|\n") == 4


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_the_tests_of_a_threat_exist(row: list[str]) -> None:
    threat, defence, cited = row
    assert threat
    assert defence
    tests = cited.split(", ")
    for test in tests:
        path, _, name = test.strip("`").partition("::")
        assert re.fullmatch(r"`tests/[^`]+`", test)
        code = (ROOT / path).read_text()
        assert re.search(rf"^(async )?def {name or 'test_'}", code, re.MULTILINE), test


def test_no_threat_is_there_twice() -> None:
    threats = [row[0] for row in ROWS]
    assert len(threats) == len(set(threats))
