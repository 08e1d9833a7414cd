"""Names of columns are text, whatever they look like."""

import ast
import csv
import io
import json
import unicodedata
from pathlib import Path

import numpy as np

NAMES = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "' onfocus='alert(1)' autofocus='",
    "${alert(1)}",
    "{{constructor.constructor('alert(1)')()}}",
    "`alert(1)`",
    "&lt;b&gt;bold&lt;/b&gt;",
    "<style>*{display:none}</style>",
    "<base href=//evil.example>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "=HYPERLINK(1)",
    "@SUM(1+1)",
    "-2+3",
    "'; DROP TABLE x; --",
    "\u202egnirts desrever\u202c",
    "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "a\u0000b\u001b[31mred",
    "line\nbreak\tand tab",
    "\U0001f9ea e\u0301 \u200b\u200d\u2066",
    "long" * 500,
    "",
    "   ",
    "x.0 #?&%20=;",
]
N = 24


def table():
    """The names over columns of numbers, as CSV."""
    out = io.StringIO()
    rng = np.random.default_rng(1)
    csv.writer(out).writerows([NAMES, *rng.normal(size=(N, len(NAMES))).round(3).tolist()])
    return out.getvalue()


def called():
    """The names as pandas would have them; a NUL makes a file no text."""
    return [name.replace("\0", "") or f"Unnamed: {j}" for j, name in enumerate(NAMES)]


def visible(name):
    """What the page shows for a name."""
    seen = "".join("\ufffd" if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") else c for c in name)
    return seen if seen.strip() else "(no name)"


def test_they_are_shown_as_text_everywhere(visit, quick: str, give, answered) -> None:
    page = visit(quick)
    give(page, table().replace("\0", ""))
    page.locator("#table", has_text=f"{N} rows, {len(NAMES)} columns").wait_for()
    shown = called()
    _check_same(page.locator(".picker").first.locator("bdi").all_text_contents(), shown)
    page.get_by_role("radio", name="Target against all").check()
    page.get_by_role("button", name=f"Estimate {len(NAMES) - 1} pairs").click()
    answered(page)
    _check_same(page.locator("tbody th bdi").all_text_contents(), shown[:-1], ordered=False)
    page.get_by_role("radio", name="All pairs").check()
    page.get_by_role("button", name="Estimate 528 pairs").click()
    page.get_by_role("heading", name="528 pairs").wait_for()
    page.locator("tbody button").first.click()
    page.get_by_role("heading", name="528 pairs").wait_for(state="detached")
    answered(page)
    assert page.locator("main script, main style, main iframe, main img, base").count() == 0
    assert page.evaluate("Object.keys(Object.prototype).length + Object.keys({}).length") == 0
    assert page.title() == "mizzle"


def _check_same(found, names, ordered=True) -> None:
    wanted = [visible(name) for name in names]
    assert (found if ordered else sorted(found)) == (wanted if ordered else sorted(wanted))


def test_they_survive_the_way_out(visit, quick: str, give, answered) -> None:
    """The files that are saved, the code that is copied, and the address."""
    page = visit(quick)
    give(page, table().replace("\0", ""))
    page.get_by_role("radio", name="Target against all").check()
    page.get_by_role("button", name=f"Estimate {len(NAMES) - 1} pairs").click()
    answered(page)
    names = called()
    records = json.loads(_saved(page, "Save as JSON"))["records"]
    assert {record["x"] for record in records} == set(names[:-1])
    rows = list(csv.DictReader(io.StringIO(_saved(page, "Save as CSV"), newline="")))
    assert not [row["x"] for row in rows if row["x"].startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert all(float(row["mi"]) >= 0 for row in rows)
    page.get_by_role("button", name="Copy as Python").click()
    code = page.locator("#code-text").text_content()
    tree = ast.parse(code)
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert set(names) <= texts
    assert {c for c in code if not c.isprintable()} == {"\n"}


def _saved(page, name):
    with page.expect_download() as waiting:
        page.get_by_role("button", name=name).first.click()
    return Path(waiting.value.path()).read_bytes().decode()
