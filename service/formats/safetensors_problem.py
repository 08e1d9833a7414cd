"""safetensors: x and y, or x.0, y.0, x.1, y.1 and so on, read by the safetensors package.

Beside any of these pairs a third side may stand, given or given.0 and so on.

Format: eight bytes, the length of a JSON object that names the type, the shape and the place of every tensor;
then the numbers, row by row, without gaps. `__metadata__` may hold `levels` (between commas, or "all"),
`missing` and `unit`, and nothing else. The package refuses a file that is not exactly as long as it says, and
reserves no memory before that.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from safetensors import SafetensorError, deserialize

from mizzle.errors import InvalidInput, InvalidRequest, Malformed
from mizzle.service.formats.json_reader import parse_json
from mizzle.service.formats.problem import (
    Options,
    Problem,
    check_count,
    check_words,
    checked_problem,
    parse_levels,
    problem_or_error,
)

_LENGTH_BYTES = 8
_MAX_HEADER = 1 << 20  # bytes; the package's own limit is a hundred times that
_MAX_DIMENSIONS = 32
_MAX_SIZE = 2**48  # of one dimension; numpy refuses larger ones even where another is 0
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
    "BOOL": "?",
}

Array = np.ndarray[Any, Any]


def parse_problem(content: bytes, grid: Sequence[float]) -> Problem:
    """The problem in a file; see `registry.parse_problem`."""
    tensors, metadata = read_tensors(content)
    if set(tensors) - {"given"} != {"x", "y"}:
        raise InvalidRequest("the file must hold two tensors, x and y, or three with given")
    return checked_problem(tensors["x"], tensors["y"], _options(metadata, grid), tensors.get("given"))


def parse_batch(content: bytes, grid: Sequence[float], max_problems: int) -> list[Problem | InvalidInput]:
    """The problems in a file; see `registry.parse_batch`."""
    tensors, metadata = read_tensors(content)
    third = {name: tensors.pop(name) for name in list(tensors) if name.startswith("given.")}
    count, rest = divmod(len(tensors), 2)
    check_count(count + rest, max_problems)
    names = [(f"x.{i}", f"y.{i}", f"given.{i}") for i in range(count)]
    known = {name for x, y, _ in names for name in (x, y)}
    if rest or set(tensors) != known or not set(third) <= {z for _, _, z in names}:
        raise InvalidRequest("the file must hold the tensors x.0, y.0, x.1, y.1 and so on, without a gap")
    options = _options(metadata, grid)
    return [
        problem_or_error(checked_problem, tensors[x], tensors[y], options, third.get(z)) for x, y, z in names
    ]


def read_tensors(content: bytes) -> tuple[dict[str, Array], dict[str, str]]:
    """The tensors of a file by name, and its metadata.

    Raises:
        Malformed: it is no safetensors file of plain numbers, exactly as long as it says.
    """
    end = _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES], "little")
    if end > min(len(content), _LENGTH_BYTES + _MAX_HEADER):
        raise Malformed("the body is no safetensors file: its header is cut, or longer than a megabyte")
    try:
        tensors = deserialize(content)
    except SafetensorError:  # whose message may repeat a name or a value
        raise Malformed(
            "the body is no safetensors file: its header does not describe exactly the numbers behind it; "
            "send what the safetensors package writes, whole and alone"
        ) from None
    metadata = parse_json(content[_LENGTH_BYTES:end]).get("__metadata__")
    return {name: _array(tensor) for name, tensor in tensors}, metadata or {}


def _options(metadata: Mapping[str, str], grid: Sequence[float]) -> Options:
    """What the metadata say.

    Raises:
        InvalidRequest, InvalidLevel: something else than options.
    """
    if not set(metadata) <= set(Options._fields):
        known = ", ".join(Options._fields)
        raise InvalidRequest(f"the metadata of the file has an unknown name; it may hold {known}")
    return Options(parse_levels(metadata.get("levels"), grid), **check_words(metadata))


def _array(tensor: Mapping[str, Any]) -> Array:
    dtype, shape = tensor["dtype"], tensor["shape"]
    if dtype not in _DTYPES:
        raise Malformed("a tensor of the file is of a type that is not read; convert it to F64 or F32")
    if len(shape) > _MAX_DIMENSIONS or max(shape, default=0) >= _MAX_SIZE:
        raise Malformed("a tensor of the file has a shape that is not read; send one of shape [n] or [n, d]")
    values = np.frombuffer(tensor["data"], _DTYPES[dtype])
    if dtype == "BF16":
        values = (values.astype(np.uint32) << 16).view(np.float32)
    if len(shape) > 2:  # to be refused for that; numpy itself cannot have some of these shapes
        return values.reshape(-1, *[1] * (len(shape) - 1))
    return values.reshape(shape)
