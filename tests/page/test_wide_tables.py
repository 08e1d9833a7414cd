"""Many pairs are many requests: what was answered is kept, whatever becomes of the rest."""

import re
from collections.abc import Callable
from typing import Any

import pytest

COLUMNS = 25
HEAD = ",".join(f"c{j}" for j in range(COLUMNS))
TABLE = "\n".join(
    [HEAD, *(",".join(str(i * j * 7919 % 97) for j in range(1, COLUMNS + 1)) for i in range(1, 31))]
)
BATCH = "**/v1/estimate:batch"
WORKING = "() => document.querySelector('progress')?.value > 0"


class Trouble:
    """Lets the first request through and keeps the others, until there is trouble and until it is over."""

    def __init__(self, page) -> None:
        self.harm: Callable[[Any], None] | None = None
        self.held: list[Any] = []
        self.passed: set[bytes] = set()
        page.route(BATCH, lambda route: (self.harm or self.wait)(route))

    def wait(self, route) -> None:
        if self.passed:
            self.held.append(route)
        else:
            self.let(route)

    def let(self, route) -> None:
        self.passed.add(route.request.post_data_buffer)
        route.continue_()

    def begin(self, harm) -> None:
        self.harm = harm
        for route in self.held:
            harm(route)

    def end(self) -> None:
        self.passed, self.harm = set(), self.let

    @property
    def problems(self):
        """How many were let through; one that a busy service is asked about again counts once."""
        return sum(len(re.findall(rb'"x\.\d+"', body)) for body in self.passed)


def all_pairs(page, give) -> None:
    give(page, TABLE)
    page.get_by_role("radio", name="All pairs").check()
    page.get_by_role("button", name="Estimate 300 pairs").click()


def busy(route) -> None:
    problem = {"code": "queue_full", "detail": "too much work is waiting"}
    route.fulfill(status=429, json=problem, headers={"retry-after-ms": "0"})


HARMS = {
    "gone": (lambda route: route.abort("connectionrefused"), "The service does not answer."),
    "busy for ever": (busy, "Too much work is waiting."),
    "cancelled": (lambda route: None, "Cancelled."),
}


@pytest.mark.parametrize("harm", HARMS)
def test_what_was_answered_is_kept_and_the_rest_can_be_asked_for(visit, quick: str, give, harm: str) -> None:
    page = visit(quick)
    meet, said = HARMS[harm]
    trouble = Trouble(page)
    all_pairs(page, give)
    page.wait_for_function(WORKING)
    shown = trouble.problems
    assert page.get_by_text(f"{shown} of 300", exact=True).is_visible()
    trouble.begin(meet)
    if harm == "cancelled":
        page.get_by_role("button", name="Cancel").click()
    note = page.locator("#stopped p")
    note.wait_for()
    assert note.inner_text().startswith(said)
    assert note.inner_text().endswith(f"{shown} of 300 pairs had their answer by then.")
    page.get_by_role("heading", name=f"{shown} pairs of {COLUMNS} columns").wait_for()
    trouble.end()
    page.get_by_role("button", name="Estimate the rest").click()
    page.get_by_role("heading", name=f"300 pairs of {COLUMNS} columns").wait_for()
    assert note.count() == 0
    assert trouble.problems == 300 - shown  # nothing is asked twice


def test_another_question_ends_the_one_under_way(visit, quick: str, give) -> None:
    page = visit(quick)
    held, dropped = [], []
    page.on("requestfailed", lambda request: dropped.append(request))
    page.route(BATCH, lambda route: held.append(route))
    all_pairs(page, give)
    with page.expect_event("requestfailed"):
        page.get_by_role("radio", name="One pair").check()
        page.get_by_role("button", name="Estimate", exact=True).click()
    page.get_by_role("heading", name="c0 and c24").wait_for()
    assert len(dropped) == len(held)
    assert page.get_by_text("Cancelled.").count() == 0
