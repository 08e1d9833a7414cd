"""The heat-map of a wide table can be read: labels that keep apart, and a name for every cell."""

import itertools
from typing import Any

import pytest

COLUMNS = 80
NAMES = [f"measure number {j}" for j in range(COLUMNS)]
TABLE = "\n".join(
    [
        ",".join(NAMES),
        *(",".join(str(i * j * 7919 % 97) for j in range(2, COLUMNS + 2)) for i in range(1, 21)),
    ]
)
_LABELS = """axis => [...document.querySelectorAll(`.chart [data-mark="${axis}-axis tick label"] text`)]
    .map(text => [text.textContent, ...["left", "right", "top", "bottom"]
        .map(edge => text.getBoundingClientRect()[edge])])"""
# A line begins with a space of no width.
_TIP = (
    "[...document.querySelectorAll('.chart [aria-label=tip] tspan')].map(line => line.textContent.slice(1))"
)


@pytest.fixture(scope="module")
def wide(desk: Any, give):
    """All pairs of the table, in the order of its columns."""
    give(desk, TABLE)
    desk.get_by_role("radio", name="All pairs").check()
    desk.get_by_role("button", name="Estimate 3,160 pairs").click()
    desk.get_by_role("checkbox", name="What belongs together").uncheck()
    return desk


@pytest.mark.parametrize("width", [360, 1600])
@pytest.mark.parametrize(("axis", "near", "far"), [("x", 1, 2), ("y", 3, 4)])
def test_labels_keep_apart(wide, width: int, axis: str, near: int, far: int) -> None:
    wide.set_viewport_size({"width": width, "height": 900})
    wide.evaluate("() => new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    labels = wide.evaluate(_LABELS, axis)
    assert len(labels) >= 10
    assert all(text.startswith("measure") for text, *_ in labels)
    boxes = sorted(labels, key=lambda label: label[near])
    assert all(a[far] <= b[near] + 1 for a, b in itertools.pairwise(boxes))


def test_a_pointer_reads_a_cell(wide) -> None:
    wide.set_viewport_size({"width": 1280, "height": 900})
    chart = wide.locator(".chart svg")
    box = chart.bounding_box()
    chart.hover(position={"x": box["width"] - 6, "y": 6})
    wide.wait_for_function(f"() => {_TIP}.length === 3")
    assert wide.evaluate(_TIP)[:2] == [NAMES[0], NAMES[-1]]


def test_the_arrow_keys_read_every_cell_and_enter_opens_it(wide) -> None:
    chart = wide.get_by_role("application", name="Heat-map")
    wide.mouse.move(0, 0)
    wide.get_by_role("checkbox", name="What belongs together").focus()
    wide.keyboard.press("Tab")
    assert chart.evaluate("chart => chart === document.activeElement")
    assert heard(wide) == (NAMES[1], NAMES[0])
    for key in ("ArrowUp", "ArrowRight", "ArrowDown"):  # at the edge, past itself, past itself
        wide.keyboard.press(key)
    assert heard(wide) == (NAMES[3], NAMES[2])
    assert wide.evaluate(_TIP)[:2] == list(heard(wide))
    wide.keyboard.press("Enter")
    wide.get_by_role("heading", name=f"{NAMES[2]} and {NAMES[3]}").wait_for()


def heard(page):
    """The names of the cell that is read out."""
    names, _, amount = page.locator("#announcer").text_content().partition(": ")
    assert amount.endswith(" nats")
    return tuple(names.split(" and "))
