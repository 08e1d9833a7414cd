"""Files: what is read, what is left out and said, and what cannot be read."""

import ast
import gzip
import io
from typing import Any

import httpx2
import numpy as np
import pytest

from mizzle import wire

RNG = np.random.default_rng(0)
N = 60
X = RNG.normal(size=N).round(3)
Y = (X + RNG.normal(size=N)).round(3)


def lines(*rows, head="x,y"):
    return "\n".join([head, *(",".join(map(str, row)) for row in rows)])


PLAIN = lines(*zip(X, Y, strict=True))
GAPS = lines(
    *(
        ("" if i % 10 == 0 else x, "NA" if i % 15 == 1 else y)
        for i, (x, y) in enumerate(zip(X, Y, strict=True))
    )
)
STRAY = lines(*(("n/k" if i == 3 else x, y) for i, (x, y) in enumerate(zip(X, Y, strict=True))))
WORDS = lines(*(("high" if x > 0 else "low", y) for x, y in zip(X, Y, strict=True)))
# file, rows that are sent, what is said besides the plain size.
READ = {
    "commas": (PLAIN, N, "60 rows, 2 columns"),
    "semicolons": (PLAIN.replace(",", ";"), N, "60 rows, 2 columns"),
    "decimal commas": (
        PLAIN.replace(",", ";").replace(".", ","),
        N,
        "Commas in numbers are read as decimal points.",
    ),
    "decimal commas and no names": (
        PLAIN.partition("\n")[2].replace(",", ";").replace(".", ","),
        N,
        "Commas in numbers are read as decimal points.",
    ),
    "an empty column": (PLAIN.replace("\n", ",\n").replace("y,", "y,z"), N, "1 column has missing cells"),
    "a separator at the end of lines": (PLAIN.replace("\n", ",\n"), N, "60 rows, 2 columns"),
    "sixteen bits": (PLAIN.encode("utf-16"), N, "60 rows, 2 columns"),
    "packed": (gzip.compress(PLAIN.encode()), N, "60 rows, 2 columns"),
    "tabs": (PLAIN.replace(",", "\t"), N, "60 rows, 2 columns"),
    "windows": ("\ufeff" + PLAIN.replace("\n", "\r\n") + "\r\n\r\n", N, "60 rows, 2 columns"),
    "quoted": (PLAIN.replace("x,y", '"x, or ""so""",y'), N, "60 rows, 2 columns"),
    "no names": (PLAIN.partition("\n")[2], N, "c0, c1 and so on"),
    "twice the same name": (PLAIN.replace("x,y", "x,x"), N, "60 rows, 2 columns"),
    "missing cells": (GAPS, 50, "2 columns have missing cells"),
    "a text among numbers": (STRAY, N - 1, "1 column has missing cells"),
    "a column of text": (WORDS, N, "1 column of text"),
    "uneven lines": (PLAIN + "\n1.5", N, "1 line has another number of cells"),
}
BAD = {
    "empty": (b"", "The file is empty."),
    "blank": (b"\n\n  \n", "The file is empty."),
    "names alone": (b"x,y\n", "names but no rows"),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "neither Parquet nor text"),
    "another encoding": ("größe,y\n1,2\n".encode("latin-1"), "not UTF-8"),
    "thirty-two bits": ("x,y\n1,2\n".encode("utf-32"), "neither Parquet nor text"),
    "half a Parquet file": (b"PAR1" + bytes(50), "cannot be read"),
    "an open quotation mark": (b'x,y\n"1,2\n3,4\n', "opened and not closed"),
    "too many columns": (",".join(f"c{i}" for i in range(2001)).encode() + b"\n1\n", "2,001 columns"),
}


@pytest.mark.parametrize("name", READ)
def test_what_can_be_read_is_asked_about(desk: Any, give, answered, name: str) -> None:
    content, rows, said = READ[name]
    give(desk, content)
    assert said in desk.locator("#table").inner_text()
    desk.get_by_role("button", name="Estimate", exact=True).click()
    facts = answered(desk).locator(".facts").inner_text()
    assert f"Rows\n{rows}" in facts
    notes = desk.locator(".notes").all_inner_texts()
    assert any(f"{N - rows} row" in note for note in notes) == (rows < N)


@pytest.mark.parametrize(
    ("content", "read"),
    [
        (READ["decimal commas"][0], {"sep": ";", "decimal": ","}),
        (READ["tabs"][0], {"sep": "\t"}),
        (READ["no names"][0], {"header": None}),
        (PLAIN, {}),
    ],
)
def test_copied_python_reads_the_file_alike(desk: Any, give, answered, content, read) -> None:
    give(desk, content)
    desk.get_by_role("button", name="Estimate", exact=True).click()
    answered(desk)
    desk.get_by_role("button", name="Copy as Python").click()
    tree = ast.parse(desk.locator("#code-text").text_content())
    desk.keyboard.press("Escape")
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    reader = next(call for call in calls if ast.unparse(call.func) == "pandas.read_csv")
    assert {option.arg: ast.literal_eval(option.value) for option in reader.keywords} == read
    prefixes = [
        ast.literal_eval(call.args[0]) for call in calls if ast.unparse(call.func).endswith(".add_prefix")
    ]
    assert prefixes == ["c"] * ("header" in read)


def test_decimal_commas_give_the_numbers_of_decimal_points(desk: Any, give, answered) -> None:
    said = []
    for content in (PLAIN, READ["decimal commas"][0]):
        give(desk, content)
        desk.get_by_role("button", name="Estimate", exact=True).click()
        said.append(answered(desk).locator("#headline").inner_text())
    assert said[0] == said[1]


def test_one_column_alone_cannot_be_asked_about(desk: Any, give) -> None:
    give(desk, "x\n" + "\n".join(map(str, X)))
    assert desk.get_by_text("The table has one column; a question needs two.").is_visible()
    assert desk.get_by_role("button", name="Estimate", exact=True).is_disabled()


def test_text_becomes_codes_and_the_page_says_so(desk: Any, quick: str, give, answered) -> None:
    give(desk, WORDS)
    desk.get_by_role("button", name="Estimate", exact=True).click()
    assert "x is text; its 2 values were sent as codes." in answered(desk).locator(".notes").inner_text()
    estimate = httpx2.post(
        quick + wire.PATH, json={"x": (X <= 0).astype(int).tolist(), "y": Y.tolist()}, trust_env=False
    )
    assert desk.locator("#headline strong").inner_text() == f"{estimate.json()['mi']:.3f}"


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd", "brotli", "lz4"])
def test_parquet(desk: Any, quick: str, give, answered, compression: str) -> None:
    arrow = pytest.importorskip("pyarrow", reason="pyarrow writes the Parquet files of this test")
    from pyarrow import parquet

    columns = {
        "x": X,
        "whole": np.arange(N),
        "label": [None if i == 5 else "abc"[i % 3] for i in range(N)],
        "yes": (X > 0).tolist(),
        "when": np.datetime64("2026-01-01", "ms") + np.arange(N).astype("timedelta64[D]"),
        "y": [None if i in (1, 2) else y for i, y in enumerate(Y)],
    }
    out = io.BytesIO()
    parquet.write_table(arrow.table(columns), out, compression=compression, row_group_size=25)
    give(desk, out.getvalue(), f"{compression}.parquet")
    said = desk.locator("#table").inner_text()
    assert "60 rows, 6 columns" in said
    assert "2 columns of text" in said
    desk.get_by_role("button", name="Estimate", exact=True).click()
    assert f"Rows\n{N - 2}" in answered(desk).locator(".facts").inner_text()
    kept = [i for i in range(N) if i not in (1, 2)]
    body = {"x": X[kept].tolist(), "y": Y[kept].tolist()}
    estimate = httpx2.post(quick + wire.PATH, json=body, trust_env=False).json()
    assert desk.locator("#headline strong").inner_text() == f"{estimate['mi']:.3f}"


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_is_said_in_words(desk: Any, give, name: str) -> None:
    content, said = BAD[name]
    give(desk, content, bad=True)
    alert = desk.get_by_role("alert")
    assert said in alert.inner_text()
    give(desk, PLAIN)  # and the page goes on
    assert alert.count() == 0


def test_a_file_can_be_dropped(desk: Any) -> None:
    drop = """text => {
        const data = new DataTransfer();
        data.items.add(new File([text], "dropped.csv"));
        document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true }));
    }"""
    desk.evaluate(drop, PLAIN)
    desk.locator("#table", has_text="dropped.csv").wait_for()


def test_too_few_rows_are_refused_with_a_reason(desk: Any, give) -> None:
    give(desk, "\n".join(PLAIN.split("\n")[:8]))
    desk.get_by_role("button", name="Estimate", exact=True).click()
    assert "Only 7 complete rows are left; at least 10" in desk.get_by_role("alert").inner_text()


def test_one_bad_pair_does_not_spoil_the_others(desk: Any, give, answered) -> None:
    table = lines(
        *((x, y, x if i < 5 else "") for i, (x, y) in enumerate(zip(X, Y, strict=True))), head="x,y,z"
    )
    give(desk, table)
    desk.get_by_role("radio", name="All pairs").check()
    desk.get_by_role("button", name="Estimate 3 pairs").click()
    rows = answered(desk).locator("tbody tr").all_inner_texts()
    assert len(rows) == 3
    assert "x and y" in rows[0]
    assert all("Only 5 complete rows" in row for row in rows[1:])
