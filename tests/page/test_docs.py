"""The description of the interface at /docs: Swagger UI, in the colours and for the people of the page."""

import pytest
from axe import findings
from fakes import FakeEstimator

from mizzle.service.http.auth import Keys, new_key

# Swagger UI makes these elements inside of itself, without a name or with a wrong one, and no style sheet can
# give them one.
UNLABELLED = (
    "select-name",  # the lists of values of a parameter
    "label",  # the text of a body
    "button-name",  # what closes the dialog about keys
    "label-content-name-mismatch",  # its "Authorize", which is called "Apply credentials"
)
PAPER = "() => getComputedStyle(document.body).backgroundColor"


def described(page):
    """Waits until the description is there."""
    page.get_by_text("/v1/estimate:batch").wait_for()
    return page


def test_an_operation_opens(visit, quick: str) -> None:
    page = described(visit(f"{quick}/docs"))
    page.get_by_role("button", name="post /v1/estimate", exact=False).first.click()
    page.get_by_text("Request body").first.wait_for()
    again = visit(page.url)  # which names the operation
    again.get_by_text("Request body").first.wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_beside_fields_without_labels(visit, quick: str, scheme: str) -> None:
    page = described(visit(f"{quick}/docs", color_scheme=scheme))
    for method in ("get", "put", "post", "delete"):
        page.locator(f".opblock-{method} .opblock-summary-control").first.click()
        page.locator(f".opblock-{method} .opblock-body .responses-wrapper").first.wait_for()
    assert findings(page, *UNLABELLED) == []
    while (button := page.get_by_role("button", name="Try it out")).count():
        button.first.click()
    page.get_by_role("button", name="Authorize").click()
    page.get_by_role("heading", name="Available authorizations").wait_for()
    assert findings(page, *UNLABELLED) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_where_a_key_is_needed(visit, serve, scheme: str) -> None:
    with serve(FakeEstimator(), keys=Keys.parse(new_key("me")[1])) as url:
        page = visit(f"{url}/docs", color_scheme=scheme)
        page.get_by_label("The description needs an API key here:").fill("mz_wrong")
        page.get_by_role("button", name="Show it").click()
        page.get_by_text("This key is not known.").wait_for()
        assert findings(page) == []


def test_colours_follow_the_preference(visit, quick: str) -> None:
    page = described(visit(f"{quick}/docs", color_scheme="light"))
    light = page.evaluate(PAPER)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("() => document.documentElement.classList.contains('dark-mode')")
    assert page.evaluate(PAPER) != light
    page.emulate_media(color_scheme="light")
    page.wait_for_function("() => !document.documentElement.classList.contains('dark-mode')")
    assert page.evaluate(PAPER) == light


@pytest.mark.parametrize("width", [360, 3840])
def test_nothing_is_wider_than_the_screen(visit, quick: str, width: int) -> None:
    page = described(visit(f"{quick}/docs", viewport={"width": width, "height": 900}))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
