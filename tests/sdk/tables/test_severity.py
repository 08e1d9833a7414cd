"""A line of a table shows the two notices that matter; its record has all."""

import ast
import re
from pathlib import Path

import pytest

from mizzle.tables.results import Matrix, PairResult, Ranking
from mizzle.types import FACTS, SEVERITY, SHOWN_NOTICES, Estimate, ModelInfo, Notice, severest

ROOT = Path(__file__).parents[3]
CASES = [
    ((), []),
    (FACTS, []),
    (("unfamiliar", "coded", "rows_alike", "repeated_rows"), ["repeated_rows", "rows_alike"]),
    (("of_another_version", "coded", "duplicate"), ["duplicate", "of_another_version"]),
    (("constant", "constant_x", "unfamiliar"), ["constant", "unfamiliar"]),
    (("constant_x", "unfamiliar"), ["constant_x", "unfamiliar"]),
    (("unfamiliar", "unfamiliar"), ["unfamiliar"]),
]


@pytest.mark.parametrize(("codes", "expected"), CASES)
def test_the_two_severest_are_chosen(codes: tuple[str, ...], expected: list[str]) -> None:
    assert severest(codes, SHOWN_NOTICES) == expected


def test_every_code_of_ours_has_its_place() -> None:
    """All that `Notice(..)` is called with in the package; f-strings end in the side."""
    codes = set()
    for file in [*(ROOT / "sdk").rglob("*.py"), *(ROOT / "model").rglob("*.py")]:
        for call in ast.walk(ast.parse(file.read_text())):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Notice" and call.args:
                codes |= set(re.findall(r"Notice\(f?\"([a-z_]+)", ast.unparse(call).replace("'", '"')))
    assert len(codes) >= 9
    known = {*SEVERITY, *FACTS, "constant_", "copies_"}
    assert codes <= known
    assert not set(SEVERITY) & set(FACTS)


def result(codes: tuple[str, ...], kind: type[Matrix] | type[Ranking]) -> Matrix | Ranking:
    warnings = tuple(Notice(code, f"about {code}") for code in codes)
    model = ModelInfo("m", "1", "0" * 64)
    estimate = Estimate(0.5, (0.05, 0.5, 0.95), (0.4, 0.5, 0.6), 30, 1, 1, True, warnings, model)
    pair = PairResult("a", "b", estimate, None, 0, (Notice("coded", "about coded"),))
    return kind((pair,), 0.9, "nats", 0.02)


@pytest.mark.parametrize("kind", [Matrix, Ranking])
def test_pictures_of_a_table_show_them_and_records_have_all(kind: type[Matrix] | type[Ranking]) -> None:
    codes = ("counted", "unfamiliar", "rows_alike", "repeated_rows")
    table = result(codes, kind)
    assert str(table).splitlines()[1].endswith(" (repeated_rows, rows_alike)")
    assert "<td>repeated_rows rows_alike</td>" in table.to_html()
    for text in (table.to_json(), table.to_csv()):
        assert "coded counted unfamiliar rows_alike repeated_rows" in text


@pytest.mark.parametrize("kind", [Matrix, Ranking])
def test_facts_alone_show_nothing(kind: type[Matrix] | type[Ranking]) -> None:
    table = result(("counted",), kind)
    assert str(table).splitlines()[1].endswith("[0.400, 0.600]")
    assert "coded" not in table.to_html()
