"""The service refuses, is busy, is gone, or takes long: the page says so and goes on."""

import pytest
from fakes import FakeEstimator

from mizzle.service.http.auth import Keys, new_key

QUESTION = "#data=known&mode=pair&x=x&y=zigzag"
ESTIMATE = "**/v1/estimate?*"


def test_a_service_that_is_gone(visit, serve) -> None:
    with serve(FakeEstimator()) as url:
        page = visit(f"{url}/{QUESTION}")
        page.locator("#answer article").wait_for()
    page.get_by_role("button", name="Estimate", exact=True).click()
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert alert.inner_text() == "The service does not answer. Is it still running?"
    assert page.get_by_role("button", name="Estimate", exact=True).is_enabled()


def test_a_busy_service_is_asked_again_when_it_says(visit, quick: str, answered) -> None:
    page = visit(quick)
    page.clock.install(time=0)
    page.clock.pause_at(1000)  # or real time would pass, too
    asked = []

    def busy(route):
        asked.append(route.request.url)
        if len(asked) > 1:
            return route.continue_()
        problem = {"code": "queue_full", "detail": "too much work is waiting"}
        return route.fulfill(status=429, json=problem, headers={"retry-after": "7"})

    page.route(ESTIMATE, busy)
    page.goto(f"{quick}/{QUESTION}")
    page.get_by_text("The service is busy; the page asks again in 7 s.").wait_for()
    page.clock.run_for(6900)
    assert len(asked) == 1
    page.clock.run_for(200)
    answered(page)
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("status", "problem", "said"),
    [
        (
            413,
            {"code": "too_large", "detail": "the body is larger than 5 bytes"},
            "The body is larger than 5 bytes.",
        ),
        (500, {"code": "internal_error", "detail": "the fault is ours"}, "The fault is ours."),
        (502, None, "The service answered HTTP 502."),
    ],
)
def test_other_refusals_are_shown_as_they_are(visit, quick: str, status: int, problem, said: str) -> None:
    page = visit(quick)
    answer = {"json": problem} if problem else {"body": "<h1>proxy</h1>"}
    page.route(ESTIMATE, lambda route: route.fulfill(status=status, **answer))
    page.goto(f"{quick}/{QUESTION}")
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert alert.inner_text() == said


def test_a_service_with_keys_asks_for_one(visit, serve) -> None:
    key, line = new_key("me")
    with serve(FakeEstimator(), keys=Keys.parse(line)) as url:
        page = visit(f"{url}/{QUESTION}")
        dialog = page.get_by_role("dialog", name="API key")
        dialog.get_by_label("Key", exact=True).fill("mz_wrong")
        dialog.get_by_role("button", name="Use this key").click()
        dialog.get_by_label("Key", exact=True).fill(key)
        dialog.get_by_role("button", name="Use this key").click()
        page.locator("#answer article").wait_for()
        assert page.locator("#key-open").inner_text() == "API key in use"
        kept = page.evaluate(
            "[JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie]"
        )
        assert kept == ["{}", "{}", ""]
        assert key not in page.content() + page.url
        assert page.locator("#key-value").input_value() == ""


def test_long_work_shows_its_progress_and_can_be_ended(visit, serve) -> None:
    fake = FakeEstimator()
    with serve(fake) as url:
        page = visit(url)
        fake.gate.clear()
        page.goto(f"{url}/#data=blocks&mode=pairs")
        page.get_by_role("progressbar").wait_for()
        assert page.locator("#working").inner_text().split("\n")[0] == "Estimating 66 pairs"
        page.get_by_role("button", name="Cancel").click()
        page.get_by_text("Cancelled.", exact=True).first.wait_for()
        fake.gate.set()
        page.get_by_role("button", name="Estimate 66 pairs").click()
        page.locator("#answer article").wait_for()


def test_all_pairs_of_many_columns_are_never_refused_for_being_many(visit, serve, give) -> None:
    """What the page has under way at once is what the service lets wait."""
    refused = []
    with serve(FakeEstimator()) as url:
        page = visit(url)
        page.on("response", lambda answer: refused.append(answer.url) if answer.status == 429 else None)
        head = ",".join(f"c{i}" for i in range(25))
        rows = "\n".join(",".join(str((i * j * 7919) % 97) for j in range(1, 26)) for i in range(1, 31))
        give(page, f"{head}\n{rows}")
        page.get_by_role("radio", name="All pairs").check()
        page.get_by_role("button", name="Estimate 300 pairs").click()
        page.get_by_role("button", name="Show more of the 300 pairs").click()
        assert page.locator("tbody tr").count() == 300
    assert refused == []
