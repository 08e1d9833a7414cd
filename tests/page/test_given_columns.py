"""A pair where others are known: what is sent, shown, kept and copied."""

import ast
import csv
import io
import json
from pathlib import Path

import httpx2
import numpy as np
import pytest

from mizzle import wire

DATA = Path(__file__).parents[2] / "examples" / "breast_cancer.csv"
PAIR = "#data=breast_cancer&mode=pair&x=mean_texture&y=worst_area"
GIVEN = ["mean_radius", "benign"]
QUESTION = PAIR + "".join(f"&given={name}" for name in GIVEN)


@pytest.fixture(scope="module")
def sides():
    with DATA.open(newline="") as file:
        rows = list(csv.DictReader(file))
    chosen = (["mean_texture"], ["worst_area"], GIVEN)
    return [np.array([[float(row[name]) for name in names] for row in rows]) for names in chosen]


def test_the_answer_is_that_of_the_service(visit, real: str, answered, sides) -> None:
    page = visit(real)
    with page.expect_request("**/v1/estimate?*") as sent:
        page.goto(f"{real}/{QUESTION}")
    assert sent.value.url.endswith("?dim_x=1&dim_given=2&levels=all")
    assert np.load(io.BytesIO(sent.value.post_data_buffer)).shape == (569, 4)
    body = dict(zip(("x", "y", "given"), (side.tolist() for side in sides), strict=True)) | {"levels": "all"}
    answer = httpx2.post(real + wire.PATH, json=body, trust_env=False, timeout=60)
    estimate = wire.estimate(answer.json())
    low, high = estimate.interval(0.9)
    card = answered(page)
    said = " ".join(card.locator("#headline").inner_text().split())
    assert said == f"{estimate.mi:.3f} nats 90 % interval {low:.3f} to {high:.3f}"
    assert card.locator("h2").first.inner_text() == "mean_texture and worst_area given mean_radius + benign"
    assert "mean_radius + benign are known" in card.locator("#condition").inner_text()
    assert "partial correlation" in card.locator(".facts").inner_text()


def test_notices_of_what_is_given_are_shown(visit, real: str, give, answered) -> None:
    page = visit(real)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 80))
    give(page, "\n".join(["x,y,z", *(f"{a},{b},{2 * a}" for a, b in zip(x, y, strict=True))]))
    choose(page, "x", "x")
    choose(page, "y", "y")
    page.get_by_text("Given:").click()
    choose(page, "given", "z")
    page.get_by_role("button", name="Estimate", exact=True).click()
    card = answered(page)
    assert card.locator("#headline strong").inner_text() == "0.000"
    assert "leave out of given" in card.locator(".notes").inner_text()


def choose(page, side, *names) -> None:
    group = page.get_by_role("group", name=side)
    for box in group.get_by_role("checkbox").all():
        box.set_checked(box.evaluate("box => box.nextSibling.textContent") in names)


def test_the_address_and_the_form_hold_it(visit, quick: str, answered) -> None:
    page = visit(f"{quick}/{QUESTION}")
    answered(page)
    assert page.url.endswith("&given=mean_radius&given=benign")
    group = page.get_by_role("group", name="given")
    assert group.get_by_role("checkbox", name="mean_radius").is_checked()
    assert "2 of 31" in group.inner_text()
    page.get_by_role("radio", name="Target against all").check()
    assert "given" not in page.url
    page.get_by_role("radio", name="One pair").check()
    assert page.url.endswith("&given=mean_radius&given=benign")


def test_without_it_there_is_no_word_of_it(visit, quick: str, answered) -> None:
    page = visit(f"{quick}/{PAIR}")
    card = answered(page)
    assert not page.get_by_role("group", name="given").is_visible()
    assert card.locator("#condition").count() == 0
    assert "given" not in card.inner_text()


def test_a_column_of_the_pair_cannot_be_given(visit, quick: str, answered) -> None:
    page = visit(f"{quick}/{QUESTION}")
    answered(page)
    page.get_by_role("group", name="given").get_by_role("checkbox", name="mean_texture").check()
    assert page.locator("#cost").inner_text() == "A column of x or y is given, too."
    assert page.locator("#run").is_disabled()


def test_files_and_code_name_it(visit, quick: str, answered) -> None:
    page = visit(f"{quick}/{QUESTION}")
    answered(page)
    content = json.loads(_saved(page, "Save as JSON"))
    assert content["records"][0]["given"] == "mean_radius + benign"
    record = next(csv.DictReader(io.StringIO(_saved(page, "Save as CSV"))))
    assert (record["given"], record["y"]) == ("mean_radius + benign", "worst_area")
    page.get_by_role("button", name="Copy as Python").click()
    tree = ast.parse(page.locator("#code-text").text_content())
    lists = [ast.literal_eval(node) for node in ast.walk(tree) if isinstance(node, ast.List)]
    assert sorted(lists) == [GIVEN, ["mean_texture"], ["worst_area"]]
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    [call] = [call for call in calls if ast.unparse(call.func) == "client.estimate"]
    assert [option.arg for option in call.keywords] == ["given", "missing"]
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Copy as curl").click()
    assert "?dim_x=1&dim_given=2&levels=all" in page.locator("#code-text").text_content()


def _saved(page, name):
    with page.expect_download() as waiting:
        page.get_by_role("button", name=name).first.click()
    return Path(waiting.value.path()).read_bytes().decode()
