"""Damage to bodies: to the bytes as they are, or to a structure alone, whose length is then told rightly."""

import random
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

Parts = tuple[bytes, bytes, bytes]  # a prefix, a structure, and the data behind it

# What the formats are made of, and what has broken other readers.
TOKENS = (
    *b'[ ] { } , : " \\ - . e E 0 1 9 null true NaN Infinity 1e999 "x" "y" "levels" "all"'.split(),
    *b'9007199254740993 18446744073709551616 "problems" \\ud800 [] {} [[ ]] }}'.split(),
    *b"\xff \xed\xa0\x80 \xef\xbb\xbf \x93NUMPY PK\x03\x04 -1 4294967296 99999999999999999999".split(),
    *b"F64 F16 BF16 I64 BOOL dtype shape data_offsets __metadata__ x.0 y.0 x.1".split(),
    *b"( ) (12,) True False 'descr' '<f8' '>f8' '|O' 'shape'".split(),
    *(b"\r\n", b"\n", b"\n\n", b"\r\n\r\n", b"\r", b"\t", b" ", b"\0", b"\x0b", b"\x85", b"\x1b[2J"),
    b"[" * 50,
    b"9" * 500,
    bytes(8),
    b"\xff" * 8,
    b"\x00\x00\x00\x00\x00\x00\xf0\x7f",
)
VALUES = (
    *b'0 1 -1 2 9 10 0.5 1e3 NaN -Infinity 1e999 null true "x" [1] [] {} "all" 9007199254740993'.split(),
    *(b"1" + b"0" * 400, b"1000000000000000", b'"\\u001b]0;x\\u0007"'),
)
_NUMBER = re.compile(rb"-?[0-9][0-9.e+-]*")


class Form(NamedTuple):
    """How bodies of a format consist of parts.

    Attributes:
        split: a body in its parts.
        prefix: that belongs to a structure.
    """

    split: Callable[[bytes], Parts] = lambda body: (b"", body, b"")
    prefix: Callable[[bytes], bytes] = lambda structure: b""


def _npy_parts(body: bytes) -> Parts:
    end = 10 + int.from_bytes(body[8:10], "little")
    return body[:10], body[10:end], body[end:]


def _tensor_parts(body: bytes) -> Parts:
    end = 8 + int.from_bytes(body[:8], "little")
    return body[:8], body[8:end], body[end:]


PLAIN = Form()
NPY = Form(_npy_parts, lambda text: b"\x93NUMPY\x01\x00" + (len(text) % 2**16).to_bytes(2, "little"))
TENSORS = Form(_tensor_parts, lambda text: len(text).to_bytes(8, "little"))


class Mutator:
    """Damages bodies of one format, by chance that repeats itself.

    Args:
        seeds: bodies that are right; parts of them are put into others.
        tokens: of the format, besides those of all.
    """

    def __init__(self, form: Form, seeds: Sequence[bytes], tokens: Sequence[bytes] = ()) -> None:
        self._form = form
        self._seeds = seeds
        # Those of the format as often as all others together.
        self._tokens = (*TOKENS, *tuple(tokens) * max(1, len(TOKENS) // max(1, len(tokens))))

    def drawn(self, number: int) -> bytes:
        """The damaged body of this number, which is always the same."""
        rng = random.Random(number)
        return self.damaged(rng.choice(self._seeds), rng)

    def damaged(self, body: bytes, rng: random.Random) -> bytes:
        """A body with one to three damages."""
        if rng.random() < 0.3:
            anywhere: bytes = rng.choice(_ANYWHERE)(self, rng, body)
            return anywhere
        _, structure, data = self._form.split(body)
        for _ in range(rng.choice([1, 1, 1, 2, 3])):
            structure = rng.choice(_INSIDE)(self, rng, structure)
        if rng.random() < 0.1:
            data = rng.choice([Mutator._flip, Mutator._cut, Mutator._double])(self, rng, data)
        return self._form.prefix(structure) + structure + data

    def _flip(self, rng: random.Random, body: bytes) -> bytes:
        at = _place(rng, body)
        return body[:at] + bytes(b ^ 1 << rng.randrange(8) for b in body[at : at + 1]) + body[at + 1 :]

    def _overwrite(self, rng: random.Random, body: bytes) -> bytes:
        at, token = _place(rng, body), rng.choice(self._tokens)
        return body[:at] + token + body[at + len(token) :]

    def _insert(self, rng: random.Random, body: bytes) -> bytes:
        at = _place(rng, body)
        return body[:at] + rng.choice(self._tokens) + body[at:]

    def _cut(self, rng: random.Random, body: bytes) -> bytes:
        return body[: _place(rng, body)]

    def _delete(self, rng: random.Random, body: bytes) -> bytes:
        at = _place(rng, body)
        return body[:at] + body[at + rng.randrange(1, 40) :]

    def _double(self, rng: random.Random, body: bytes) -> bytes:
        at, size = _place(rng, body), rng.randrange(1, 80)
        return body[:at] + body[at : at + size] * rng.randrange(2, 5) + body[at + size :]

    def _splice(self, rng: random.Random, body: bytes) -> bytes:
        """The beginning of one body and the end of another."""
        other = rng.choice(self._seeds)
        return body[: _place(rng, body)] + other[_place(rng, other) :]

    def _replace(self, rng: random.Random, body: bytes) -> bytes:
        """Another value where a number was, so that what is damaged is the meaning and not the form."""
        numbers = list(_NUMBER.finditer(body))
        if not numbers:
            return body
        number = rng.choice(numbers)
        return body[: number.start()] + rng.choice(VALUES) + body[number.end() :]

    def _swap(self, rng: random.Random, body: bytes) -> bytes:
        """Two elements, members or texts change places."""
        mark = next((mark for mark in (b", ", b"\n") if mark in body), b",")
        parts = body.split(mark)
        i, j = rng.randrange(len(parts)), rng.randrange(len(parts))
        parts[i], parts[j] = parts[j], parts[i]
        return mark.join(parts)


def _place(rng: random.Random, body: bytes) -> int:
    return rng.randrange(1 + len(body))


_Damage = Callable[[Mutator, random.Random, bytes], bytes]
_ANYWHERE: list[_Damage] = [
    Mutator._flip,
    Mutator._overwrite,
    Mutator._insert,
    Mutator._cut,
    Mutator._delete,
    Mutator._double,
    Mutator._splice,
]
_INSIDE = [*_ANYWHERE, *[Mutator._replace] * 5, Mutator._swap]
