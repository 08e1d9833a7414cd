"""The grammar of JSON, as strict as it is written, and bodies that are made to swell."""

import gc
import math
import tracemalloc
from contextlib import suppress

import pytest
from json_samples import FLAT, GOOD, batch, many, one, problem

from mizzle import errors
from mizzle.service.formats.json_reader import parse_json

BOM = b"\xef\xbb\xbf"
# Refused as a whole, also where one problem of many is so.
UNREADABLE: dict[str, str | bytes] = {
    "nothing": "",
    "space": " \n",
    "a word": "x",
    "one quote": "'x'",
    "open": "{",
    "closed": "}",
    "a list open": "[",
    "no value": '{"x"}',
    "no value behind the colon": '{"x":}',
    "no name": "{1: 2}",
    "no quotes": "{x: 1}",
    "no colon": '{"x" [1]}',
    "no comma": '{"x": [1] "y": [1]}',
    "two commas": '{"x": [1],, "y": [1]}',
    "comma first": '{, "x": [1]}',
    "comma last": problem(rest=","),
    "comma last in a list": problem(x=FLAT + ","),
    "comma last in rows": problem(x="[1],"),
    "comma last in a row": problem(x="[1,]"),
    "comma first in a list": problem(x="," + FLAT),
    "comma alone": problem(x=","),
    "commas in a list": problem(x="1,,2"),
    "space between commas": problem(x="1, ,2"),
    "no comma in a list": problem(x="1 2"),
    "no comma between rows": problem(x="[1] [2]"),
    "no comma behind a number": problem(x="1 [2]"),
    "a list closed twice": problem(x="1]"),
    "a list never closed": '{"x": [1, 2}',
    "closed by the other bracket": '{"x": [1, 2}]',
    "plus": problem(x="+1"),
    "leading zero": problem(x="01"),
    "point first": problem(x=".5"),
    "point last": problem(x="1."),
    "no exponent": problem(x="1e"),
    "hexadecimal": problem(x="0x10"),
    "underscore": problem(x="1_0"),
    "two minus": problem(x="--1"),
    "nan": problem(x="nan"),
    "other digits": problem(x="\u0661"),
    "full width": problem(x="\uff11"),
    "True": problem(x="True"),
    "comment": problem(x="1 /* one */"),
    "line comment": problem(x="1 // one\n"),
    "a space that is none": problem(x="1,\u00a02"),
    "a tab that is none": problem(x="1,\v2"),
    "NUL": problem(x="1,\0"),
    "control character": problem(x='"\x01"'),
    "text never closed": problem(x='"1'),
    "bad escape": problem(x='"\\x"'),
    "cut escape": problem(x='"\\u12"'),
    "half a surrogate pair": problem(x='"\\ud800"'),
    "half a surrogate pair in a name": problem(rest=', "\\ud800x": 1'),
    "the halves in the wrong order": problem(x='"\\ude00\\ud83d"'),
    "5,000 digits": problem(x="0, -" + "9" * 5000),
    "100,000 digits": problem(x="0, " + "9" * 100_000),
    "-NaN": problem(x="-NaN"),
    "Inf": problem(x="Inf"),
    "more behind": GOOD + "1",
    "two bodies": GOOD + GOOD,
    "lines": GOOD + "\n" + GOOD,
    "not UTF-8": GOOD.encode().replace(b"0.5", b"\xff"),
    "surrogate bytes": GOOD.encode().replace(b"0.5", b"\xed\xa0\x80"),
    "overlong": GOOD.encode().replace(b"0.5", b"\xc0\xb0"),
    "two byte order marks": BOM + BOM + GOOD.encode(),
    "byte order mark of UTF-16": b"\xff\xfe" + GOOD.encode(),
    "UTF-16": GOOD.encode("utf-16"),
    "UTF-16 without a mark": GOOD.encode("utf-16-le"),
    "UTF-32": GOOD.encode("utf-32-be"),
    "Latin-1": '{"ä": 1}'.encode("latin-1"),
    "MessagePack": b"\x82\xa1x\x90\xa1y\x90",
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_unreadable(case) -> None:
    body = UNREADABLE[case]
    with pytest.raises(errors.Malformed) as caught:
        one(body)
    assert type(caught.value) is errors.Malformed
    with pytest.raises(errors.Malformed):
        many(body)


@pytest.mark.parametrize("case", [case for case, body in UNREADABLE.items() if body[:1] == "{"])
def test_unreadable_among_many(case) -> None:
    """Where one problem ends cannot be told any more, so none is read."""
    with pytest.raises(errors.Malformed):
        many(batch(GOOD, UNREADABLE[case], GOOD))


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ("oops", "line 1 column 1"),
        ('{"x": oops}', "line 1 column 7"),
        ('{"x": [[1], [oops]]}', "line 1 column 14"),
        ('{"x": [1, "a",\n oops]}', "line 2 column 2"),
        (GOOD + "oops", f"line 1 column {len(GOOD) + 1}"),
        (problem(x="9" * 5000), "number out of range at line 1 column "),
        ("[" * 1000, "recursion limit exceeded at line 1 column 2"),
    ],
)
def test_the_place_of_damage(body, place) -> None:
    """And nothing of the body itself."""
    with pytest.raises(errors.Malformed, match=f"^the body is no JSON in UTF-8: .*{place}") as caught:
        one(body)
    assert "oops" not in str(caught.value)


BOMBS = {
    "lists": "[" * 1_000_000,
    "lists in a table": '{"x": ' + "[" * 1_000_000,
    "closed": '{"x": ' + "[" * 500_000 + "]" * 500_000 + "}",
    "spaced": '{"x": ' + "[ \n" * 300_000,
    "objects": '{"x":' * 200_000,
    "behind a number": '{"x": [1, ' + "[1, " * 250_000,
    "in a row": '{"x": [[1, ' + '[{"a":' * 150_000,
    "in levels": '{"levels": ' + "[" * 1_000_000,
    "in an unknown field": '{"a": ' + "[0, [" * 200_000,
    "in problems": '{"problems": ' + "[" * 1_000_000,
    "in a problem": '{"problems": [{"x": ' + "[" * 1_000_000,
    "in a name": "{" + "[" * 1_000_000,
}


@pytest.mark.parametrize("read", [one, many])
@pytest.mark.parametrize("case", BOMBS)
def test_nesting(read, case: str) -> None:
    with pytest.raises(errors.Malformed):
        read(BOMBS[case])


@pytest.mark.parametrize("depth", [10, 64, 65, 1024, 100_000, 1_000_000])
def test_depths(depth: int) -> None:
    for opening, closing in ("[]", ("[1, ", "]"), ('{"a": ', "}")):
        with pytest.raises(errors.InvalidInput) as caught:
            one('{"x": ' + opening * depth + "1" + closing * depth + f', "y": [{FLAT}]}}')
        assert type(caught.value) in (errors.Malformed, errors.InvalidShape, errors.NotNumeric)
        assert depth < 1000 or type(caught.value) is errors.Malformed


# Bodies that become many times their size in objects.
SWOLLEN = {
    "empty lists": problem(x=",".join(["[]"] * 300_000)),
    "empty objects": problem(x=",".join(["{}"] * 300_000)),
    "lists of lists": problem(x="[[]" + ",[]" * 300_000 + "]"),
    "rows of one": problem(x=",".join(["[0]"] * 250_000)),
    "levels": problem(rest=', "levels": [' + ",".join(["[]"] * 300_000) + "]"),
    "unknown": problem(rest=', "a": [' + ",".join(["{}"] * 300_000) + "]"),
    "fields": "{" + ",".join(f'"{i}": 0' for i in range(100_000)) + "}",
    "texts": problem(x=",".join(['""'] * 300_000)),
    "one text": problem(x='"' + "a" * 2**20 + '"'),
}


@pytest.mark.parametrize("case", SWOLLEN)
def test_memory_is_bounded_by_the_body(case: str) -> None:
    """Of the largest body in JSON, that are 80 MB."""
    content = SWOLLEN[case].encode()
    tracemalloc.start()
    try:
        with pytest.raises(errors.InvalidInput):
            one(content)
        assert tracemalloc.get_traced_memory()[1] < 40 * len(content)
    finally:
        tracemalloc.stop()


def test_a_byte_order_mark_may_stand_before_a_text() -> None:
    assert parse_json(BOM + b'{"x": 1}') == {"x": 1}


def test_a_whole_text() -> None:
    """As other rooms read it."""
    assert parse_json(b' {"a": [1, "b", {"c": null}]} ') == {"a": [1, "b", {"c": None}]}
    assert parse_json(b"[" + b"9" * 4300 + b"]")[0] > 2**53
    assert parse_json(b'[-0.0, 1e400, -Infinity, {"a": 1, "a": 2}]') == [0.0, math.inf, -math.inf, {"a": 2}]
    assert math.isnan(parse_json(b"NaN"))


@pytest.mark.parametrize("body", [b"1", b"{"])
def test_the_collection_of_circles_goes_on(body: bytes) -> None:
    with suppress(errors.Malformed):
        parse_json(body)
    assert gc.isenabled()
