"""A JSON text, read from left to right, of which never more than a piece becomes Python objects.

One call of `json.loads` would keep the event loop waiting for as long as a whole body takes, and would make
a gigabyte of 32 MiB of empty lists. Here arrays of numbers turn into floats a piece at a time, and whatever
else a body holds has to be short. The pieces go through Python's own parser: 160,000 cells take 55 ms, 37 of
them in the parser. orjson takes 31 and rounds integers, msgspec takes 13 and stops at NaN: another thing to
install, and a second opinion on what JSON is, for half the time at most. Who is in a hurry sends binary.

Stricter than Python's module: no duplicate keys, no byte order mark, UTF-8 alone. The literals NaN and
Infinity are read, to be refused with their place.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from mizzle.data.arrays import FloatArray, as_table
from mizzle.errors import DuplicateKey, InvalidInput, InvalidRequest, Malformed
from mizzle.service.formats.chunked_array import ChunkedArray
from mizzle.service.formats.problem import check_count

# Possessive throughout: no text takes more than linear time. A cell has to end where it should, so that one
# that is too long is not cut in two.
_SPACE = r"[ \t\n\r]*+"
_ROW = rf'\[[^][{{}}"]{{0,65536}}+\]{_SPACE}'
_CELL = r'[^][{}",]{1,65536}+(?=[],])'
_PIECE = re.compile(rf"{_ROW}(?:,{_SPACE}{_ROW}){{0,511}}+|{_CELL}(?:,{_SPACE}{_CELL}){{0,8191}}+")
_BLANK = re.compile(_SPACE)
_DEEP = re.compile(rf"(?:[\[{{]{_SPACE}){{9}}+")
_ASIDE = (1 << 12, 1 << 15, 1 << 18)  # characters; tried in turn, so that something short costs little
_LAST = len("-Infinity")  # characters at the end of a cut text that may be a part of something
_MOST_FIELDS = 16
_MOST_ODD = 100_000  # each takes some microseconds
_LONGEST_INTEGER = 400  # digits; longer ones are beyond 2**53 as well

T = TypeVar("T")


def parsed(content: bytes) -> Any:
    """The value of a whole text, made in one piece; integers beyond 2**53 keep that property, not all digits.

    Raises:
        Malformed: it is no JSON, or not UTF-8, or nested too deeply; DuplicateKey.
    """
    return JsonText(content).rest()


class JsonText:
    """Where a reader stands in a text; every method reads one value and stops behind it.

    Raises:
        Malformed: on opening, and from every method: the text is no JSON, or not UTF-8.
    """

    def __init__(self, content: bytes) -> None:
        try:
            self._text = content.decode()
        except UnicodeDecodeError:
            raise Malformed("the body is not UTF-8; send JSON in UTF-8") from None
        self._at = 0
        self._odd = 0
        self._go(0)

    def at(self, opening: str) -> bool:
        """Whether the next value begins so."""
        return self._text.startswith(opening, self._at)

    def end(self) -> None:
        """Nothing may follow."""
        if self._at < len(self._text):
            raise self._no_json("there is more behind its end,")

    def fields(self, readers: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
        """An object; a field without a reader is there with the value None.

        Raises:
            DuplicateKey: a field occurs twice.
            InvalidRequest: there are far more fields than any object here has.
        """
        found: dict[str, Any] = {}
        for _ in self._members("{", "}"):
            name = self._name()
            if name in found:
                raise _twice()
            if len(found) == _MOST_FIELDS:
                raise InvalidRequest(
                    f"an object has more than {_MOST_FIELDS} fields; send the documented ones"
                )
            found[name] = readers.get(name, self.skip)()
        return found

    def items(self, read: Callable[[], T], most: int) -> list[T]:
        """A list, each item read by `read`.

        Raises:
            TooLarge: as soon as there are more than `most`.
        """
        found: list[T] = []
        for _ in self._members("[", "]"):
            check_count(len(found) + 1, most)
            found.append(read())
        return found

    def table(self, name: str) -> FloatArray | InvalidInput:
        """An array of numbers as float64 of shape (n, d), or what is wrong with it."""
        if not self.at("["):
            return _refusal(self.aside(), name)
        pieces = ChunkedArray(name)
        for _ in self._members("[", "]"):
            pieces.add(self._piece())
        return pieces.whole()

    def aside(self) -> Any:
        """A value that is no array of numbers.

        Raises:
            DuplicateKey: an object in it has a field twice.
            InvalidRequest: it is longer than anything but numbers has to be.
        """
        for longest in _ASIDE:
            part = self._text[self._at : self._at + longest]
            try:
                value, length = _decoded(part, json.JSONDecoder.raw_decode)
            except json.JSONDecodeError as error:
                if len(part) < longest or not _may_be_cut(error, longest):
                    raise self._no_json(error.msg, error.pos) from None
            else:
                if len(part) < longest or length < longest - _LAST:
                    self._go(self._at + length)
                    return value
        raise InvalidRequest("the body holds a single value of great length; " + _AS_LISTS)

    def rest(self) -> Any:
        """All that is left of the text, as one value."""
        try:
            return _decoded(self._text[self._at :], json.JSONDecoder.decode)
        except json.JSONDecodeError as error:
            raise self._no_json(error.msg, error.pos) from None

    def skip(self) -> None:
        """A value that nobody wants; errors as `aside`."""
        self.aside()

    def _piece(self) -> list[Any]:
        """Some elements of an array: many of them where they are numbers or rows of numbers, else one."""
        found = _PIECE.match(self._text, self._at)
        if not found:
            self._odd += 1
            if self._odd > _MOST_ODD:
                raise InvalidRequest(
                    f"the body holds more than {_MOST_ODD} values that are no numbers; {_AS_LISTS}"
                )
            return [self.aside()]
        try:
            elements: list[Any] = _decoded(f"[{found[0]}]", json.JSONDecoder.decode)
        except json.JSONDecodeError as error:
            raise self._no_json(error.msg, error.pos - 1) from None
        self._go(found.end())
        return elements

    def _members(self, opening: str, closing: str) -> Iterator[None]:
        """Stops at the members of an object or list, for the caller to read."""
        self._take(opening)
        if self._took(closing):
            return
        while True:
            yield
            if self._took(closing):
                return
            self._take(",")

    def _name(self) -> str:
        if not self.at('"'):
            raise self._no_json("there is no name of a field")
        name = str(self.aside())
        self._take(":")
        return name

    def _take(self, token: str) -> None:
        if not self._took(token):
            raise self._no_json(f'there is no "{token}"')

    def _took(self, token: str) -> bool:
        found = self.at(token)
        if found:
            self._go(self._at + len(token))
        return found

    def _go(self, at: int) -> None:
        """To the next character that is no white space."""
        blank = _BLANK.match(self._text, at)
        assert blank
        self._at = blank.end()

    def _no_json(self, what: str, further: int = 0) -> Malformed:
        return Malformed(f"the body is no JSON: {what} at character {self._at + further}")


_AS_LISTS = "send x and y as lists of numbers, or lists of rows of numbers"


def _refusal(value: Any, name: str) -> FloatArray | InvalidInput:
    try:
        return as_table(value, name)
    except InvalidInput as error:
        return error


def _decoded(text: str, parse: Callable[[json.JSONDecoder, str], Any]) -> Any:
    if _DEEP.match(text):  # the parser goes one frame of the interpreter deeper with each
        raise _nested()
    try:
        return parse(_DECODER, text)
    except (InvalidInput, json.JSONDecodeError):
        raise
    except RecursionError:
        raise _nested() from None
    except ValueError:  # Python reads integers of up to 4300 digits
        return parse(_CLIPPING, text)


def _may_be_cut(error: json.JSONDecodeError, length: int) -> bool:
    """Whether a text is wrong because no more than `length` characters of it were looked at."""
    return error.pos > length - _LAST or error.msg.startswith("Unterminated")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise _twice()
    return fields


def _clipped(digits: str) -> int:
    return int(digits[:_LONGEST_INTEGER])


_DECODER = json.JSONDecoder(object_pairs_hook=_unique)
_CLIPPING = json.JSONDecoder(object_pairs_hook=_unique, parse_int=_clipped)


def _twice() -> DuplicateKey:
    return DuplicateKey("a field occurs twice in one JSON object; each may occur once")


def _nested() -> Malformed:
    return Malformed("the body is nested too deeply; lists nest two deep")
