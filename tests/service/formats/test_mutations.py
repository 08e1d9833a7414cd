"""150,000 damaged bodies, more than 100,000 of them different: each is read or refused, and nothing else.

What is read is what the library of the format, which trusts more, reads in it too.
"""

import io
import json
import random
import re
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch

from mizzle.data.integers import dense_ranks
from mizzle.errors import InvalidInput
from mizzle.service.formats.registry import Problem, parse_batch, parse_problem

EACH = 30_000  # of five kinds
GRID = (0.005, 0.05, 0.25, 0.5, 0.75, 0.95, 0.995)
JSON, NPY, TENSORS = "application/json", "application/x-npy", "application/x-safetensors"
X = np.array([[0.5 * i, (-1.0) ** i] for i in range(10)])
Y = np.arange(10)
# What the formats are made of, and what has broken other readers.
TOKENS = [
    *b'[ ] { } , : " \\ - . e E 0 1 9 null true NaN Infinity 1e999 "x" "y" "levels" "all"'.split(),
    *b'9007199254740993 18446744073709551616 "problems" \\ud800 [] {} [[ ]] }}'.split(),
    *b"\xff \xed\xa0\x80 \xef\xbb\xbf \x93NUMPY PK\x03\x04 -1 4294967296 99999999999999999999".split(),
    *b"F64 F16 BF16 I64 BOOL dtype shape data_offsets __metadata__ x.0 y.0 x.1".split(),
    *b"( ) (12,) True False 'descr' '<f8' '>f8' '|O' 'shape'".split(),
    b"[" * 50,
    b"9" * 500,
    bytes(8),
    b"\xff" * 8,
    b"\x00\x00\x00\x00\x00\x00\xf0\x7f",
]
VALUES = b'0 1 -1 2 9 10 0.5 1e3 NaN -Infinity 1e999 null true "x" [1] [] {} "all" 9007199254740993'.split()
NUMBER = re.compile(rb"-?[0-9][0-9.e+-]*")


class Kind(NamedTuple):
    """Right bodies of one kind, as the bytes of a prefix, of a structure and of its data, and who reads them.

    Attributes:
        library: the same problems as others read them, as arrays of any type.
    """

    seeds: list[tuple[bytes, bytes, bytes]]
    prefix: Callable[[bytes], bytes]  # of another structure
    read: Callable[[bytes], list[Problem | InvalidInput]]
    library: Callable[[bytes], list[tuple[object, object]]]


def _json(*bodies):
    return [(b"", json.dumps(body).encode(), b"") for body in bodies]


def _npy(*arrays):
    made = []
    for array in arrays:
        file = io.BytesIO()
        np.lib.format.write_array(file, array, version=(1, 0))
        body = file.getvalue()
        start = 10 + int.from_bytes(body[8:10], "little")
        made.append((body[:10], body[10:start], body[start:]))
    return made


def _tensors(*bodies):
    starts = [8 + int.from_bytes(body[:8], "little") for body in bodies]
    return [(body[:8], body[8:start], body[start:]) for body, start in zip(bodies, starts, strict=True)]


def _loaded_json(content):
    body = json.loads(content)
    return [(problem["x"], problem["y"]) for problem in body.get("problems", [body]) if _has_sides(problem)]


def _has_sides(problem):
    return isinstance(problem, dict) and {"x", "y"} <= set(problem)


def _loaded_npy(content):
    array = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    return [(array[:, :1], array[:, 1:])]


def _loaded_tensors(content):
    found = safetensors.torch.load(content)
    names = [("x", "y")] if "x" in found else [(f"x.{i}", f"y.{i}") for i in range(len(found) // 2)]
    return [(found[x].double().numpy(), found[y].double().numpy()) for x, y in names]


def _kinds():
    def one(media, query):
        return lambda content: [parse_problem(media, content, query, GRID)]

    def many(media):
        return lambda content: parse_batch(media, content, {}, GRID, 4)

    problems = [
        {"x": x.tolist(), "y": y.tolist(), "levels": levels}
        for x, y, levels in ((X, Y, "all"), (Y / 8, X, [0.5]), (X, X, [0.05, 0.95]))
    ]
    both, save = np.column_stack([X, Y]), safetensors.numpy.save
    arrays = both, np.asfortranarray(both), both.astype("<i4"), both.astype("<f4")
    pairs = {"x.0": X, "y.0": Y, "x.1": Y.astype(np.float16), "y.1": X.astype(np.float32)}
    files = save({"x": X, "y": Y}, {"levels": "0.5"}), save({"x": Y, "y": X.astype(np.float16)})
    batch = {"problems": problems, "levels": [0.5]}

    def length(text):
        return len(text).to_bytes(8, "little")

    return {
        "json": Kind(_json(*problems), lambda text: b"", one(JSON, {}), _loaded_json),
        "json, many": Kind(
            _json(batch, {"problems": problems[:1]}), lambda text: b"", many(JSON), _loaded_json
        ),
        "npy": Kind(
            _npy(*arrays),
            lambda text: b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little"),
            one(NPY, {"dim_x": "1"}),
            _loaded_npy,
        ),
        "safetensors": Kind(_tensors(*files), length, one(TENSORS, {}), _loaded_tensors),
        "safetensors, many": Kind(
            _tensors(save(pairs, {"levels": "all"})), length, many(TENSORS), _loaded_tensors
        ),
    }


KINDS = _kinds()


def _place(rng, body):
    return rng.randrange(1 + len(body))


def _flip(rng, body):
    at = _place(rng, body)
    return body[:at] + bytes(b ^ 1 << rng.randrange(8) for b in body[at : at + 1]) + body[at + 1 :]


def _overwrite(rng, body):
    at, token = _place(rng, body), rng.choice(TOKENS)
    return body[:at] + token + body[at + len(token) :]


def _insert(rng, body):
    at = _place(rng, body)
    return body[:at] + rng.choice(TOKENS) + body[at:]


def _cut(rng, body):
    return body[: _place(rng, body)]


def _delete(rng, body):
    at = _place(rng, body)
    return body[:at] + body[at + rng.randrange(1, 40) :]


def _double(rng, body):
    at, size = _place(rng, body), rng.randrange(1, 80)
    return body[:at] + body[at : at + size] * rng.randrange(2, 5) + body[at + size :]


def _splice(rng, body):
    """The beginning of one body and the end of another, of any kind."""
    other = b"".join(rng.choice(rng.choice(list(KINDS.values())).seeds))
    return body[: _place(rng, body)] + other[_place(rng, other) :]


def _replace(rng, body):
    """Another value where a number was, so that what is damaged is the meaning and not the form."""
    numbers = list(NUMBER.finditer(body))
    if not numbers:
        return body
    found = rng.choice(numbers)
    return body[: found.start()] + rng.choice(VALUES) + body[found.end() :]


def _swap(rng, body):
    """Two elements, members or texts change places."""
    parts = body.split(b", " if b", " in body else b",")
    i, j = rng.randrange(len(parts)), rng.randrange(len(parts))
    parts[i], parts[j] = parts[j], parts[i]
    return b",".join(parts)


ANYWHERE = [_flip, _overwrite, _insert, _cut, _delete, _double, _splice]
INSIDE = [*ANYWHERE, *[_replace] * 5, _swap]


def _damaged(rng, kind):
    """Damage to the bytes as they are, or to the structure alone, whose length is then told rightly."""
    prefix, structure, data = rng.choice(kind.seeds)
    if rng.random() < 0.3:
        return rng.choice(ANYWHERE)(rng, prefix + structure + data)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        structure = rng.choice(INSIDE)(rng, structure)
    if rng.random() < 0.1:
        data = rng.choice([_flip, _cut, _double])(rng, data)
    return kind.prefix(structure) + structure + data


def _check(found) -> None:
    """A problem that is right, or what is wrong with it."""
    if isinstance(found, InvalidInput):
        assert len(str(found)) < 1000
        return
    assert type(found) is Problem
    for side in (found.x, found.y):
        assert side.dtype == np.float64
        assert side.ndim == 2
        assert np.isfinite(side).all()
    assert len(found.x) == len(found.y) >= 10
    assert found.levels is None or all(0 < q < 1 for q in found.levels)


def _same(found, loaded) -> None:
    """The problems that were read, as the library reads them; one that is wrong may be missing there."""
    if len(found) == len(loaded):
        for one, (x, y) in zip(found, loaded, strict=True):
            if type(one) is Problem:
                assert _alike(one.x, x)
                assert _alike(one.y, y)
    assert sum(type(one) is Problem for one in found) <= len(loaded) <= len(found)


def _alike(side, loaded) -> bool:
    """The same numbers, or their ranks where an integer is beyond what a float holds."""
    if side.ravel().tolist() == np.ravel(loaded).tolist():
        return True
    columns = np.array(loaded, dtype=object).reshape(side.shape).T
    return all((dense_ranks(a) == dense_ranks(b)).all() for a, b in zip(side.T, columns, strict=True))


def _outcomes(kind, body):
    try:
        found = kind.read(body)
    except InvalidInput as error:
        found = [error]
    for one in found:
        _check(one)
    if any(type(one) is Problem for one in found):
        _same(found, kind.library(body))
    return {type(one).__name__ for one in found}


@pytest.mark.parametrize("name", KINDS)
def test_every_damaged_body_is_read_or_refused(name) -> None:
    kind, rng = KINDS[name], random.Random(name)
    for parts in kind.seeds:
        assert kind.prefix(parts[1]) == parts[0]
        assert _outcomes(kind, b"".join(parts)) == {"Problem"}
    seen: Counter[str] = Counter()
    for _ in range(EACH):
        seen.update(_outcomes(kind, _damaged(rng, kind)))
    assert seen["Malformed"] > EACH / 30  # neither all harmless
    assert seen["Problem"] > EACH / 30  # nor all fatal
    assert len(seen) > 2
