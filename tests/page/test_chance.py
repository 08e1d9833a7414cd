"""Could this be chance: what is sent, what the page says of the answers, and what becomes of it meanwhile."""

import csv
import dataclasses
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import PATIENCE, FakeEstimator

from mizzle.service.formats import registry
from mizzle.types import Notice

BATCH = "**/v1/estimate:batch"
RNG = np.random.default_rng(5)
X, Z = RNG.normal(size=(2, 60))
Y = X + RNG.normal(size=60)
NOISE = RNG.normal(size=60)
TABLE = "\n".join(["x,y", *(f"{a},{b}" for a, b in zip(X, Y, strict=True))])
TRIPLE = "\n".join(["x,y,z", *(f"{a},{b},{c}" for a, b, c in zip(X, Y, Z, strict=True))])
ALIKE = Notice("rows_alike", "neighbouring rows are alike")


def ask(page, answered, give, table: str = TABLE):
    give(page, table)
    page.get_by_role("button", name="Estimate", exact=True).click()
    return answered(page)


def finding(page) -> str:
    page.get_by_role("button", name="Test").click()
    # 99 estimates, in requests as small as the pace of a busy machine makes them.
    page.locator("#finding").wait_for(timeout=5000 * PATIENCE)
    text: str = page.locator("#finding").inner_text()
    return text


def begin(page, fake: FakeEstimator) -> None:
    """A test, which the service holds up until the fake's gate is set."""
    fake.gate.clear()
    page.get_by_role("button", name="Test").click()
    page.get_by_role("progressbar").wait_for()


def sent(page, answered, give, table: str, prepare) -> list[Any]:
    """The problems that a test sends, as the service reads them; a busy one may be asked twice."""
    ask(page, answered, give, table)
    prepare(page)
    bodies: dict[bytes, None] = {}
    page.on("request", lambda r: bodies.setdefault(r.post_data_buffer) if "batch" in r.url else None)
    finding(page)
    return [p for b in bodies for p in registry.parse_batch(registry.SAFETENSORS, b, {}, (0.5,), 1000)]


def test_a_dependent_pair(visit, quick: str, give, answered) -> None:
    page = visit(quick)
    card = ask(page, answered, give)
    assert finding(page).startswith("p = 0.01: chance alone seldom does this. Of 99 shuffles of y, none")
    chart = card.locator(".chance svg[role=img]")
    assert "Estimates of 99 samples by chance" in chart.get_attribute("aria-label")
    assert chart.locator("[data-mark=rect] rect").count() > 1
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save as CSV").click()
    [record] = csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text()))
    assert float(record["pvalue"]) == 0.01


def test_an_independent_pair(visit, quick: str, give, answered) -> None:
    page = visit(quick)
    ask(page, answered, give, "\n".join(["x,y", *(f"{a},{b}" for a, b in zip(X, NOISE, strict=True))]))
    said = finding(page)
    # The stand-in's estimate is a function of the correlation, whose p-value by shuffles is known: that of
    # numpy's own, within four standard errors of a share of 99.
    orders = np.random.default_rng(0).permuted(np.tile(NOISE, (20_000, 1)), axis=1)
    x = X - X.mean()
    known = np.mean(abs(orders @ x) >= abs(NOISE @ x))
    p = float(said.removeprefix("p = ").partition(":")[0])
    assert abs(p - known) <= 4 * np.sqrt(known * (1 - known) / 99) + 0.01
    assert ("could do this" in said) == (p > 0.05)


def test_what_was_found_stays_in_another_unit(visit, quick: str, give, answered) -> None:
    page = visit(quick)
    ask(page, answered, give)
    said = finding(page)
    page.get_by_role("radio", name="bits").check()
    assert page.locator("#finding").inner_text() == said
    label = page.locator(".chance svg[role=img]").get_attribute("aria-label")
    assert f"{page.locator('#headline strong').inner_text()}: the estimate" in label
    assert "bits" in label


def test_shuffles_keep_x_and_the_values_of_y(visit, quick: str, give, answered) -> None:
    problems = sent(visit(quick), answered, give, TABLE, lambda page: None)
    assert len(problems) == 99
    for problem in problems:
        assert np.array_equal(problem.x[:, 0], X)
        assert np.array_equal(np.sort(problem.y[:, 0]), np.sort(Y))
    assert len({tuple(problem.y[:, 0]) for problem in problems}) == 99


def test_where_others_are_known_rows_like_each_other_are_exchanged(visit, quick: str, give, answered) -> None:
    def prepare(page) -> None:
        page.get_by_role("group", name="y").get_by_role("checkbox", name="y").check()
        page.get_by_role("group", name="y").get_by_role("checkbox", name="z").uncheck()
        page.get_by_text("Given:").click()
        page.get_by_role("group", name="given").get_by_role("checkbox", name="z").check()
        page.get_by_role("button", name="Estimate", exact=True).click()
        page.locator("#condition").wait_for()
        assert page.get_by_label("Compare with").count() == 0

    problems = sent(visit(quick), answered, give, TRIPLE, prepare)
    place = Z.argsort().argsort()
    rows = {value: i for i, value in enumerate(Y)}
    assert len(problems) == 99
    for problem in problems:
        assert problem.triple.dims == (1, 1, 1)
        moved = np.abs(place - place[[rows[value] for value in problem.y[:, 0]]])
        assert 0 < moved.max() <= 4


@pytest.fixture(scope="module")
def alike(serve):
    """A service whose samples all look like series."""
    fake = FakeEstimator()
    fake.distort = lambda estimate: dataclasses.replace(estimate, warnings=(ALIKE,))
    with serve(fake) as url:
        yield url


def test_series_are_compared_with_circular_shifts(visit, alike: str, give, answered) -> None:
    page = visit(alike)
    problems = sent(page, answered, give, TABLE, lambda page: None)
    assert "The rows look like a series" in page.locator(".chance").inner_text()
    assert page.get_by_label("Compare with").input_value() == "Circular shifts, for series"
    assert "circular shifts of y" in page.locator("#finding").inner_text()
    shifts = [next(i for i in range(60) if np.array_equal(np.roll(Y, i), p.y[:, 0])) for p in problems]
    assert len(set(shifts)) == len(shifts) == 59  # white noise: all but none at all
    assert "in only 59 ways" in page.locator(".chance").inner_text()


def test_shuffles_of_a_series_are_said_not_to_hold(visit, alike: str, give, answered) -> None:
    page = visit(alike)
    ask(page, answered, give)
    page.get_by_label("Compare with").select_option("Shuffled rows")
    finding(page)
    assert "It does not hold: the rows look like a series." in page.locator(".chance").inner_text()


def test_few_rows_are_not_tested(visit, quick: str, give, answered) -> None:
    page = visit(quick)
    card = ask(page, answered, give, "\n".join(TABLE.split("\n")[:40]))
    assert "at least 50 complete rows; these are 39" in card.locator(".chance").inner_text()
    assert page.get_by_role("button", name="Test").count() == 0


def test_a_test_can_be_ended_and_begun_again(visit, serve, give, answered) -> None:
    fake = FakeEstimator()
    with serve(fake) as url:
        page = visit(url)
        ask(page, answered, give)
        begin(page, fake)
        page.get_by_role("radio", name="bits").check()  # the answer is drawn anew around it
        page.get_by_role("button", name="Cancel").click()
        page.locator(".chance").get_by_text("Cancelled.").wait_for()
        fake.gate.set()
        assert finding(page).startswith("p = 0.01")
        assert page.locator("#headline").is_visible()


def test_a_refusal_leaves_the_answer_where_it_is(visit, quick: str, give, answered) -> None:
    page = visit(quick)
    ask(page, answered, give)
    problem = {"code": "internal_error", "detail": "the fault is ours"}
    page.route(BATCH, lambda route: route.fulfill(status=500, json=problem))
    page.get_by_role("button", name="Test").click()
    assert page.locator(".chance").get_by_role("alert").inner_text() == "The fault is ours."
    assert page.locator("#headline").is_visible()


def test_another_question_ends_a_test(visit, serve, give, answered) -> None:
    fake = FakeEstimator()
    with serve(fake) as url:
        page = visit(url)
        ask(page, answered, give)
        begin(page, fake)
        fake.gate.set()
        page.get_by_role("button", name="Estimate", exact=True).click()
        page.get_by_role("progressbar").wait_for(state="detached")
        answered(page)
        assert page.locator("#finding").count() == 0
        assert finding(page).startswith("p = 0.01")
