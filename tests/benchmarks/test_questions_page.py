"""The page of the questions' figures shows every table of the result, and nothing that it lacks."""

from typing import Any

import all_questions
import pytest
import questions_page
from questions_page import PARTS, Part

HEAD: dict[str, Any] = {
    "date": "2026-01-02",
    "machine": {"processor": "a processor", "cores": 2},
    "weights": {"sha256": "0123456789abcdef"},
    "file": "questions-2026-01-02.json",
    "peers": {"ennemi": "1.5.0", "tigramite": "not installed"},
}
TEXTS = {str, questions_page._yes}


def row(part: Part) -> dict[str, Any]:
    """A row whose numbers no other has."""
    keys = [(key, written) for _, key, written in part.columns]
    return {key: f"<{key}>" if written in TEXTS else 100 + i for i, (key, written) in enumerate(keys)}


def test_without_a_result_it_says_so() -> None:
    assert "No full result" in questions_page.page({})
    assert "|" not in questions_page.page({})


def test_it_says_which_peers_were_missing() -> None:
    assert "ennemi 1.5.0, tigramite not installed" in questions_page.page(HEAD)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.key)
def test_a_table_shows_every_value(part: Part) -> None:
    own = row(part)
    text = questions_page.page({**HEAD, part.key: [own, {}]})
    assert text.count("\n| --- |") == 1
    written = [questions_page._cell(own[key], how) for _, key, how in part.columns]
    assert f"\n| {' | '.join(written)} |\n" in text
    assert f"\n| {' | '.join('-' * len(written))} |\n" in text  # what a row lacks


def test_every_table_of_the_result_is_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = {
        "questions_significance": ("rates", "beside", "speed"),
        "questions_conditional": ("rows", "peer_rows"),
        "questions_lags": ("coverage", "couplings", "rejections", "speed"),
        "questions_verdict": ("verdicts",),
        "questions_memory": ("measured",),
    }
    for module, functions in measured.items():
        for function in functions:
            monkeypatch.setattr(f"{module}.{function}", lambda *_: [])
    tables = [key for run in all_questions.PARTS.values() for key in run(True)]
    assert sorted(part.key for part in PARTS) == sorted(tables)
