"""The grammar of JSON, as strict as it is written, and bodies that are made to swell."""

import tracemalloc

import pytest
from json_samples import FLAT, GOOD, batch, many, one, problem

from mizzle import errors
from mizzle.service.formats.json_reader import parsed

BOM = b"\xef\xbb\xbf"
# Refused as a whole, also where one problem of many is so.
UNREADABLE = {
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
    "more behind": GOOD + "1",
    "two bodies": GOOD + GOOD,
    "lines": GOOD + "\n" + GOOD,
    "not UTF-8": GOOD.encode().replace(b"0.5", b"\xff"),
    "surrogate bytes": GOOD.encode().replace(b"0.5", b"\xed\xa0\x80"),
    "overlong": GOOD.encode().replace(b"0.5", b"\xc0\xb0"),
    "byte order mark": BOM + GOOD.encode(),
    "UTF-16": GOOD.encode("utf-16"),
    "UTF-16 without a mark": GOOD.encode("utf-16-le"),
    "UTF-32": GOOD.encode("utf-32-be"),
    "Latin-1": '{"ä": 1}'.encode("latin-1"),
    "MessagePack": b"\x82\xa1x\x90\xa1y\x90",
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_unreadable(case):
    body = UNREADABLE[case]
    with pytest.raises(errors.Malformed) as caught:
        one(body)
    assert type(caught.value) is errors.Malformed
    with pytest.raises(errors.Malformed):
        many(body)


@pytest.mark.parametrize("case", [case for case, body in UNREADABLE.items() if body[:1] == "{"])
def test_unreadable_among_many(case):
    """Where one problem ends cannot be told any more, so none is read."""
    with pytest.raises(errors.Malformed):
        many(batch(GOOD, UNREADABLE[case], GOOD))


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ("oops", 0),
        ('{"x": oops}', 6),
        ('{"x" 1}', 5),
        ('{"x": [1, oops]}', 10),
        ('{"x": [[1], [oops]]}', 13),
        ('{"x": [1, "a", oops]}', 15),
        ('{"a": {"b": oops}}', 12),
        (GOOD + "oops", len(GOOD)),
    ],
)
def test_the_place_of_damage(body, place):
    """In characters, however the text was cut into pieces."""
    with pytest.raises(errors.Malformed, match=f"at character {place}$"):
        one(body)


TWICE = {
    "x": problem(rest=f', "x": [{FLAT}]'),
    "levels": problem(rest=', "levels": "all", "levels": "all"'),
    "unknown": problem(rest=', "z": 1, "z": 1'),
    "escaped": problem(rest=f', "\\u0078": [{FLAT}]'),
    "empty name": problem(rest=', "": 1, "": 1'),
    "in a cell": problem(x='{"a": 1, "a": 2}'),
    "in a row": problem(x='[1, {"a": 1, "a": 2}]'),
    "in levels": problem(rest=', "levels": {"a": 1, "a": 2}'),
    "deep": problem(x='{"a": [[{"b": 1, "b": 1}]]}'),
    "behind a mistake": problem(x="null", rest=', "y": []'),
}


@pytest.mark.parametrize("case", TWICE)
def test_a_name_comes_once(case):
    with pytest.raises(errors.DuplicateKey):
        one(TWICE[case])
    with pytest.raises(errors.DuplicateKey):
        many(batch(GOOD, TWICE[case]))


@pytest.mark.parametrize(
    "body", ['{"problems": [], "problems": []}', batch(GOOD, rest=', "levels": 1, "levels": 1')]
)
def test_a_name_of_a_batch_comes_once(body):
    with pytest.raises(errors.DuplicateKey):
        many(body)


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
def test_nesting(read, case):
    with pytest.raises(errors.Malformed):
        read(BOMBS[case])


@pytest.mark.parametrize("depth", [10, 64, 65, 1024, 100_000, 1_000_000])
def test_depths(depth):
    for opening, closing in ("[]", ("[1, ", "]"), ('{"a": ', "}")):
        with pytest.raises(errors.InvalidInput) as caught:
            one('{"x": ' + opening * depth + "1" + closing * depth + f', "y": [{FLAT}]}}')
        assert type(caught.value) in (errors.Malformed, errors.InvalidShape, errors.NotNumeric)
        assert depth < 1000 or type(caught.value) is errors.Malformed


# Bodies that would become thirty times their size in objects.
SWOLLEN = {
    "empty lists": problem(x=",".join(["[]"] * 300_000)),
    "empty objects": problem(x=",".join(["{}"] * 90_000)),
    "too many empty objects": problem(x=",".join(["{}"] * 300_000)),
    "lists of lists": problem(x="[[]" + ",[]" * 300_000 + "]"),
    "rows of one": problem(x=",".join(["[0]"] * 250_000)),
    "levels": problem(rest=', "levels": [' + ",".join(["[]"] * 300_000) + "]"),
    "unknown": problem(rest=', "a": [' + ",".join(["{}"] * 300_000) + "]"),
    "fields": "{" + ",".join(f'"{i}": 0' for i in range(100_000)) + "}",
    "texts": problem(x=",".join(['""'] * 90_000)),
}


@pytest.mark.parametrize("case", SWOLLEN)
def test_memory_is_bounded_by_the_body(case):
    """The numbers themselves take eight bytes, each of which took two in the text."""
    content = SWOLLEN[case].encode()
    tracemalloc.start()
    try:
        with pytest.raises(errors.InvalidInput):
            one(content)
        assert tracemalloc.get_traced_memory()[1] < 10 * len(content) + 7_000_000
    finally:
        tracemalloc.stop()


def test_long_values_that_are_no_numbers_are_refused_as_such():
    for body in (SWOLLEN["lists of lists"].replace("[]", '[""]'), problem(x='"' + "a" * 2**21 + '"')):
        with pytest.raises(errors.InvalidRequest, match="lists of rows of numbers"):
            one(body)
    with pytest.raises(errors.InvalidRequest, match="values that are no numbers"):
        one(SWOLLEN["too many empty objects"])
    with pytest.raises(errors.InvalidRequest, match="more than 16 fields"):
        one(SWOLLEN["fields"])


@pytest.mark.parametrize("behind", ["oops", '{"a": oops', "[oops", '["a", oops'])
def test_damage_is_called_so_however_much_follows(behind):
    with pytest.raises(errors.Malformed, match="no JSON"):
        one('{"a": ' + behind + " " * 2**21)


def test_a_whole_text():
    """As other rooms read it."""
    assert parsed(b' {"a": [1, "b", {"c": null}]} ') == {"a": [1, "b", {"c": None}]}
    assert parsed(b"[" + b"9" * 5000 + b"]")[0] > 2**53
    for body, error in (
        (b"{", errors.Malformed),
        (b"\xff", errors.Malformed),
        (b"[" * 100_000, errors.Malformed),
        (b"[1, " * 100_000, errors.Malformed),
        (b"1 2", errors.Malformed),
        (b'[{"a": 1, "a": 1}]', errors.DuplicateKey),
    ):
        with pytest.raises(error):
            parsed(body)
