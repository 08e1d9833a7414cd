"""safetensors: x and y, or x.0, y.0, x.1, y.1 and so on, read by an allow-list.

Format: eight bytes, the length of a JSON object that names the type, the shape and the place of every tensor;
then the numbers, row by row, without gaps. `__metadata__` may hold `levels` (between commas, or "all"), and
nothing else. The safetensors library keeps the last of two tensors of one name, and copies every tensor.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from mizzle.errors import DuplicateKey, InvalidInput, InvalidRequest, Malformed
from mizzle.service.formats.json_reader import parsed
from mizzle.service.formats.problem import Problem, check_count, checked, levels_in_text

_LONGEST_HEADER = 1 << 20
_DTYPES = {
    "F16": "<f2",
    "BF16": "<u2",  # the upper half of a float32, which numpy has no name for
    "F32": "<f4",
    "F64": "<f8",
    "I8": "<i1",
    "I16": "<i2",
    "I32": "<i4",
    "I64": "<i8",
    "U8": "<u1",
    "U16": "<u2",
    "U32": "<u4",
    "U64": "<u8",
    "BOOL": "?",  # read to be refused like every boolean, with its place
}
_MEMBERS = {"dtype", "shape", "data_offsets"}
_METADATA = "__metadata__"
_MOST_DIMENSIONS = 32

Array = np.ndarray[Any, Any]


class _Tensor(NamedTuple):
    """Where a tensor lies behind the header, from `begin` to before `end`."""

    begin: int
    end: int
    dtype: str
    shape: tuple[int, ...]


def one(content: bytes, grid: Sequence[float]) -> Problem:
    """The problem in a file; see `formats.read_one`."""
    found, text = read(content)
    if set(found) != {"x", "y"}:
        raise InvalidRequest("the file must hold two tensors, x and y")
    return checked(found["x"], found["y"], levels_in_text(text, grid))


def many(content: bytes, grid: Sequence[float], most: int) -> list[Problem | InvalidInput]:
    """The problems in a file; see `formats.read_many`."""
    found, text = read(content)
    count, odd = divmod(len(found), 2)
    check_count(count + odd, most)
    names = [(f"x.{i}", f"y.{i}") for i in range(count)]
    if odd or set(found) != {name for pair in names for name in pair}:
        raise InvalidRequest("the file must hold the tensors x.0, y.0, x.1, y.1 and so on, without a gap")
    levels = levels_in_text(text, grid)
    return [_kept(found[x], found[y], levels) for x, y in names]


def _kept(x: Array, y: Array, levels: tuple[float, ...] | None) -> Problem | InvalidInput:
    try:
        return checked(x, y, levels)
    except InvalidInput as error:
        return error


def read(content: bytes) -> tuple[dict[str, Array], str | None]:
    """The tensors of a file, without a copy where their type allows, and the levels that it asks for.

    Raises:
        Malformed: it is no safetensors file of plain numbers, exactly as long as it says.
        InvalidRequest: its metadata holds something else than levels.
    """
    found, metadata = parts(content)
    if not set(metadata) <= {"levels"}:
        raise InvalidRequest("the metadata of the file has an unknown name; it may hold levels")
    return found, metadata.get("levels")


def parts(content: bytes) -> tuple[dict[str, Array], dict[str, str]]:
    """The tensors of a file, without a copy where their type allows, and its metadata.

    Raises:
        Malformed: it is no safetensors file of plain numbers, exactly as long as it says.
    """
    header, start = _header(content)
    metadata = _texts(header.pop(_METADATA, {}))
    placed = {name: _tensor(entry) for name, entry in header.items()}
    if start + _end(list(placed.values())) != len(content):
        raise Malformed("the file is not as long as its header says; send it whole and alone")
    return {name: _array(content, start, tensor) for name, tensor in placed.items()}, metadata


def _header(content: bytes) -> tuple[dict[str, Any], int]:
    """What stands in the header, and where the numbers begin."""
    length = int.from_bytes(content[:8], "little")
    start = 8 + length
    if len(content) < 8 or length > _LONGEST_HEADER or start > len(content):
        raise Malformed("the body is no safetensors file: its header is cut, or longer than a megabyte")
    text = content[8:start].rstrip(b" ")  # the format allows nothing else around the object
    if not text.startswith(b"{") or not text.endswith(b"}"):
        raise Malformed("the body is no safetensors file: its header is no JSON object")
    return _object(text), start


def _object(text: bytes) -> dict[str, Any]:
    try:
        found: dict[str, Any] = parsed(text)
    except DuplicateKey:
        raise
    except Malformed:
        raise Malformed("the body is no safetensors file: its header is no JSON") from None
    return found


def _texts(metadata: Any) -> dict[str, str]:
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise Malformed("the metadata of the file must be an object of texts")
    return metadata


def _tensor(entry: Any) -> _Tensor:
    if not isinstance(entry, dict) or set(entry) != _MEMBERS:
        raise Malformed("a tensor of the file must have a dtype, a shape and data_offsets, and nothing else")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise Malformed("a tensor of the file is of a type that is not read; convert it to F64 or F32")
    if not _are_sizes(shape, _MOST_DIMENSIONS) or not _are_sizes(offsets, 2) or len(offsets) != 2:
        raise Malformed("a shape or the data_offsets of the file are no sizes; they must be whole numbers")
    if offsets[1] - offsets[0] != np.dtype(_DTYPES[dtype]).itemsize * math.prod(shape):
        raise Malformed("a tensor of the file is not as long as its type and shape say")
    return _Tensor(offsets[0], offsets[1], dtype, tuple(shape))


def _are_sizes(value: Any, most: int) -> bool:
    good = isinstance(value, list) and len(value) <= most
    return good and all(type(size) is int and 0 <= size < 2**48 for size in value)


def _end(tensors: list[_Tensor]) -> int:
    """Where the last tensor ends; each has to begin where the one before it ends."""
    end = 0
    for tensor in sorted(tensors):
        if tensor.begin != end:
            raise Malformed("the tensors of the file overlap, or leave gaps")
        end = tensor.end
    return end


def _array(content: bytes, start: int, tensor: _Tensor) -> Array:
    numbers = np.frombuffer(content, _DTYPES[tensor.dtype], math.prod(tensor.shape), start + tensor.begin)
    if tensor.dtype == "BF16":
        numbers = (numbers.astype(np.uint32) << 16).view(np.float32)
    if len(tensor.shape) > 2:  # to be refused for that; numpy itself cannot have some of these shapes
        return numbers.reshape(-1, *[1] * (len(tensor.shape) - 1))
    return numbers.reshape(tensor.shape)
