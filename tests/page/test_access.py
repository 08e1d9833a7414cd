"""Everybody can use it: by keyboard, by ear, in the dark, on a telephone and on a wall."""

import pytest
from axe import findings

STATES = {
    "welcome": "",
    "pair": "#data=known&mode=pair&x=x&y=quarter",
    "sides": "#data=breast_cancer&mode=pair&x=mean_radius&x=mean_texture&y=benign",
    "given": "#data=known&mode=pair&x=x&y=quarter&given=zigzag&given=independent",
    "target": "#data=known&mode=target&target=x",
    "pairs": "#data=blocks&mode=pairs",
}
SIZES = {"telephone": (360, 740), "desk": (1280, 900), "wall": (3840, 2160)}
_FILL = "document.querySelector('[data-mark=dot]')?.getAttribute('fill')"


def show(page, url, state) -> None:
    """A state of the page, all of it there."""
    page.goto("about:blank")
    page.goto(f"{url}/{STATES[state]}")
    page.locator("#answer article" if STATES[state] else "#answer .intro").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(visit, quick: str, scheme: str) -> None:
    page = visit(quick, color_scheme=scheme)
    for state in STATES:
        show(page, quick, state)
        assert findings(page) == [], state


def test_axe_finds_nothing_serious_in_dialogs_and_errors(visit, quick: str, give) -> None:
    page = visit(f"{quick}/{STATES['pair']}")
    page.locator("#answer article").wait_for()
    for opener in ("Copy as Python", "API key"):
        page.get_by_role("button", name=opener).click()
        assert findings(page) == [], opener
        page.keyboard.press("Escape")
    page.get_by_role("button", name="Test").click()
    page.locator("#finding").wait_for()
    assert findings(page) == []
    give(page, "x,y\n", bad=True)
    assert findings(page) == []


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_wider_than_the_screen(visit, quick: str, size: str) -> None:
    width, height = SIZES[size]
    page = visit(quick, viewport={"width": width, "height": height})
    for state in STATES:
        show(page, quick, state)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, state
        assert page.evaluate("document.body.scrollWidth") <= width, state


def test_a_long_name_fits_a_telephone(visit, quick: str, give, answered) -> None:
    page = visit(quick, viewport={"width": 360, "height": 740})
    rows = "\n".join(f"{i},{i * 7 % 13}" for i in range(30))
    give(page, f"{'x' * 400},{'long name ' * 40}\n{rows}")
    page.get_by_role("button", name="Estimate", exact=True).click()
    answered(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_whole_way_by_keyboard(visit, quick: str, answered) -> None:
    page = visit(quick)
    until(page, "Tab", "document.activeElement.dataset.name === 'known'")
    page.keyboard.press("Enter")
    answered(page)
    until(page, "Tab", "document.activeElement.name === 'mode'")
    page.keyboard.press("ArrowLeft")
    assert page.locator("#modes input:checked").get_attribute("value") == "pair"
    until(page, "Tab", "document.activeElement.nextSibling?.textContent === 'normal_0.9'")
    page.keyboard.press("Space")
    until(page, "Tab", "document.activeElement.id === 'run'")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="x + normal_0.9 and zigzag").wait_for()
    assert page.locator("#announcer").text_content().startswith("The estimate is")


def until(page, key, condition) -> None:
    """Presses a key until a condition holds, and no longer than a patient person would."""
    for _ in range(60):
        page.keyboard.press(key)
        if page.evaluate(condition):
            return
    raise AssertionError(f"{condition} was not reached by {key}")


def test_what_has_the_focus_can_be_seen(visit, quick: str, answered) -> None:
    page = visit(f"{quick}/{STATES['target']}")
    answered(page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["y"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "answer"


def test_charts_are_redrawn_when_the_light_changes(visit, quick: str, answered) -> None:
    page = visit(f"{quick}/{STATES['target']}", color_scheme="light")
    answered(page)
    before = page.evaluate(_FILL)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"before => ![before, undefined].includes({_FILL})", arg=before)
