"""Every parser of bytes keeps its laws on its whole corpus, and on a number of damaged bodies of it.

`make fuzz` runs the same for minutes; CONTRIBUTING.md says how to add a target.
"""

import re
import warnings
from collections import Counter
from collections.abc import Iterator

import pytest
from target import CORPUS, Target
from targets import TARGETS

_TRACED = 64  # one body in so many is also checked for what it allocates
_MAX_CORPUS_BYTES = 500_000


@pytest.fixture(autouse=True)
def patient() -> Iterator[None]:
    """Warnings of what reads damaged numbers are no matter here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture(params=TARGETS.values(), ids=list(TARGETS))
def target(request: pytest.FixtureRequest) -> Target:
    chosen: Target = request.param
    return chosen


def test_the_corpus_is_read_or_refused(target: Target) -> None:
    """What broke something once breaks nothing now; every seed of a valid kind is read."""
    for file in sorted(target.folder.glob("*")):
        outcome = target.run_traced(file.read_bytes())
        if not file.name.startswith(("crash-", "refused-")):
            assert outcome == "read", f"{file.name}: {outcome}"
    for body in target.made():
        assert target.run_traced(body) == "read"


def test_damaged_bodies_are_read_or_refused(target: Target) -> None:
    outcomes: Counter[str] = Counter()
    for number in range(target.executions):
        body = target.mutator.drawn(number)
        try:
            outcomes[target.run_traced(body) if number % _TRACED == 0 else target.run(body)] += 1
        except Exception as error:
            error.add_note(
                f"the body is {body!r}; to repeat: python tests/fuzz/fuzz.py {target.name} --number {number}"
            )
            raise
    assert outcomes["read"] > target.read_share * target.executions, outcomes  # neither all fatal
    assert len(outcomes) > 1, outcomes  # nor all harmless
    if target.read_share:
        assert outcomes["Malformed"] > target.read_share * target.executions, outcomes


def test_the_corpus_is_small_and_of_targets() -> None:
    files = [file for file in CORPUS.rglob("*") if file.is_file()]
    assert {file.parent.name for file in files} <= set(TARGETS)
    assert sum(file.stat().st_size for file in files) < _MAX_CORPUS_BYTES
    assert all(re.fullmatch(r"[a-z0-9-]+", file.name) for file in files)
