"""The three questions: what is shown is what the service says, about files and about demos."""

import csv
import io
import itertools
import json
from pathlib import Path

import httpx2
import numpy as np
import pytest

import mizzle
from mizzle import wire

EXAMPLE = Path(__file__).parents[2] / "examples" / "breast_cancer.csv"
PAIR = ["mean_radius", "mean_texture", "worst_area", "benign"]
COLUMNS = ["mean_radius", "mean_texture", "mean_symmetry", "worst_area"]


@pytest.fixture(scope="module")
def frame():
    with EXAMPLE.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


@pytest.fixture
def ask(real: str):
    """The service's own answer about two sides, over JSON."""

    def asked(x, y):
        body = {"x": x.tolist(), "y": y.tolist(), "levels": "all"}
        answer = httpx2.post(real + wire.PATH, json=body, trust_env=False)
        return wire.estimate(answer.json())

    return asked


def three(value):
    return f"{value:.3f}"


def saved(page, name):
    """What a button of the answer saves."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=name).first.click()
    return Path(waiting.value.path()).read_bytes(), waiting.value.suggested_filename


def test_a_pair_of_a_file(visit, real: str, give, answered, ask, frame) -> None:
    page = visit(real)
    give(page, EXAMPLE.read_bytes(), EXAMPLE.name)
    choose(page, "x", "mean_texture")
    choose(page, "y", "worst_area")
    page.get_by_role("button", name="Estimate", exact=True).click()
    said = answered(page).locator("#headline").inner_text()
    estimate = ask(frame["mean_texture"], frame["worst_area"])
    low, high = estimate.interval(0.9)
    assert " ".join(said.split()) == f"{three(estimate.mi)} nats 90 % interval {three(low)} to {three(high)}"
    assert three(estimate.median) in page.locator(".facts").inner_text()


def choose(page, side, *names) -> None:
    """Exactly these columns on a side."""
    group = page.get_by_role("group", name=side)
    for box in group.get_by_role("checkbox").all():
        box.set_checked(box.evaluate("box => box.nextSibling.textContent") in names)


def test_the_same_pair_in_bits(visit, real: str, answered, ask, frame) -> None:
    page = visit(f"{real}/#data=breast_cancer&mode=pair&x=mean_texture&y=worst_area")
    answered(page)
    page.get_by_role("radio", name="bits").check()
    low, high = (bits := ask(frame["mean_texture"], frame["worst_area"]).to("bits")).interval(0.9)
    said = page.locator("#headline").inner_text()
    assert " ".join(said.split()) == f"{three(bits.mi)} bits 90 % interval {three(low)} to {three(high)}"
    assert "unit=bits" in page.url


def test_several_columns_are_one_side(visit, real: str, answered, ask, frame) -> None:
    page = visit(f"{real}/#data=breast_cancer&mode=pair&x=mean_radius&x=mean_texture&y=worst_area&y=benign")
    sides = [np.column_stack([frame[a], frame[b]]) for a, b in (PAIR[:2], PAIR[2:])]
    answered(page)
    assert page.locator("#headline strong").inner_text() == three(ask(*sides).mi)
    page.get_by_label("y", exact=True).last.select_option("benign")
    assert (
        page.locator("figure", has_text="The sample")
        .locator("svg")
        .get_attribute("aria-label")
        .startswith("benign")
    )


PAIR = ["mean_radius", "mean_texture", "worst_area", "benign"]


def test_a_ranking(visit, real: str, answered, frame) -> None:
    named = "".join(f"&columns={name}" for name in COLUMNS)
    page = visit(f"{real}/#data=breast_cancer&mode=target&target=benign{named}")
    answered(page)
    estimates = {name: mizzle.estimate(frame[name], frame["benign"]) for name in COLUMNS}
    order = sorted(COLUMNS, key=lambda name: -estimates[name].mi)
    assert [cells[0] for cells in table(page)] == order
    for name, mi, interval, *_ in table(page):
        low, high = estimates[name].interval(0.9)
        assert near(mi, estimates[name].mi)
        assert all(map(near, interval.split(" \u2013 "), (low, high)))


def table(page):
    """The cells of the table of pairs."""
    return [row.locator("th, td").all_inner_texts() for row in page.locator("tbody tr").all()]


def near(text, value):
    """Batches differ in the last bits of float32, which may round either way."""
    return abs(float(text) - value) < 1.1e-3


def test_all_pairs(visit, real: str, answered, frame) -> None:
    named = "".join(f"&columns={name}" for name in COLUMNS)
    page = visit(f"{real}/#data=breast_cancer&mode=pairs{named}")
    card = answered(page)
    content, name = saved(page, "Save as JSON")
    records = json.loads(content)["records"]
    assert name == "mizzle-nats.json"
    assert {(r["x"], r["y"]) for r in records} == set(itertools.combinations(COLUMNS, 2))
    for record in records:
        estimate = mizzle.estimate(frame[record["x"]], frame[record["y"]])
        assert record["mi"] == pytest.approx(estimate.mi, abs=1e-4)
        assert [record["low"], record["high"]] == pytest.approx(estimate.interval(0.9), abs=1e-4)
        assert record["below"] == pytest.approx(estimate.below(0.02), abs=1e-3)
        assert (record["n"], record["dropped"], record["in_range"]) == (569, 0, estimate.in_range)
    assert [r["mi"] for r in records] == sorted((r["mi"] for r in records), reverse=True)
    assert card.locator("svg[role=img] [data-mark=cell] rect").count() == len(COLUMNS) * (len(COLUMNS) - 1)


def test_records_are_those_of_the_library(visit, real: str, answered) -> None:
    from mizzle.tables.results import KEYS

    page = visit(f"{real}/#data=known&mode=target&target=x&columns=quarter&columns=with_gaps_0.6")
    answered(page)
    content, name = saved(page, "Save as CSV")
    records = list(csv.DictReader(io.StringIO(content.decode())))
    assert name == "mizzle-nats.csv"
    assert tuple(records[0]) == KEYS
    assert records[0]["warnings"].split()[0] == "coded"
    assert int(records[1]["n"]) + int(records[1]["dropped"]) == 600


def test_a_row_of_the_table_opens_its_pair(visit, real: str, answered) -> None:
    page = visit(f"{real}/#data=blocks&mode=pairs&columns=a1&columns=b1&columns=c1")
    answered(page)
    page.get_by_role("button", name="a1 and c1").click()
    page.get_by_role("heading", name="a1 and c1").wait_for()
    assert page.evaluate("document.activeElement.id") == "answer"
    assert "mode=pair&x=a1&y=c1" in page.url


def test_charts_can_be_saved(visit, real: str, answered) -> None:
    page = visit(f"{real}/#data=known&mode=target&target=x&columns=zigzag&columns=independent")
    answered(page)
    picture, name = saved(page, "save as SVG")
    assert name == "ranking.svg"
    assert b"zigzag" in picture
    assert b"<style" not in picture
    picture, name = saved(page, "save as PNG")
    assert name == "ranking.png"
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 5000


def test_the_address_holds_the_question(visit, real: str, answered) -> None:
    page = visit(f"{real}/#data=known&mode=pair&x=x&y=zigzag")
    answered(page)
    page.get_by_role("radio", name="Target against all").check()
    page.get_by_role("combobox", name="Target").select_option("zigzag")
    page.get_by_role("button", name="None of Columns").click()
    page.get_by_role("checkbox", name="x", exact=True).check()
    address = page.url
    again = visit(address)
    answered(again)
    assert again.url == address
    assert [cells[0] for cells in table(again)] == ["x"]


def test_only_the_chosen_columns_are_sent(visit, real: str, answered) -> None:
    page = visit(real)
    with page.expect_request("**/v1/estimate?*") as sent:
        page.goto(f"{real}/#data=breast_cancer&mode=pair&x=mean_texture&y=worst_area")
    body = sent.value.post_data_buffer
    assert body.startswith(b"\x93NUMPY")
    assert np.load(io.BytesIO(body)).shape == (569, 2)
    answered(page)
