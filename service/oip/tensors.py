"""Tensors of the Open Inference Protocol: inputs as arrays, outputs as bytes.

An input has `data`, flat or nested as its shape, or a parameter `binary_data_size`: then so many bytes stand
for it behind the JSON object, little-endian, row by row, in the order of the inputs.
"""

import math
import re
from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mizzle.data.arrays import FloatArray
from mizzle.errors import (
    InvalidInput,
    InvalidRequest,
    InvalidShape,
    Malformed,
    MizzleError,
    NotFinite,
    NotNumeric,
    PrecisionLoss,
)
from mizzle.service.formats.json_reader import JsonText

HEADER = "Inference-Header-Content-Length"
DATATYPES = {"FP16": "<f2", "FP32": "<f4", "FP64": "<f8", "INT32": "<i4", "INT64": "<i8"}
_SIZE = "binary_data_size"
_MEMBERS = ("name", "datatype", "shape", "data", "parameters")
# How deep data are nested is seen before they are read: a batch is read as that many tables.
_OPENINGS = re.compile(r"(?:\[[ \t\n\r]*+){1,3}")
_TWO = "inputs must be a list of two objects, the tensors x and y"


class Tensor(NamedTuple):
    """An input: numbers of its datatype, or float64 where they came as JSON.

    Attributes:
        values: of shape (n,), (n, d) or (b, n, d).
    """

    name: str
    values: NDArray[Any]

    @property
    def batched(self) -> bool:
        """Whether it has a batch axis."""
        return self.values.ndim == 3


class InferenceText(JsonText):
    """The JSON object of a request, whose numbers become arrays while they are read.

    Args:
        max_problems: that there may be.
    """

    def __init__(self, content: bytes, max_problems: int) -> None:
        super().__init__(content)
        self._max_problems = max_problems

    def request(self, known: Collection[str]) -> dict[str, Any]:
        """The whole text, an object of the known members, its inputs prepared for `inputs`.

        Raises:
            Malformed: it is no JSON.
            InvalidRequest: it is no object, or has other members.
        """
        readers = dict.fromkeys(known, self.aside) | {"inputs": self._inputs}
        value = self.fields(readers) if self.at("{") else self.aside()
        self.end()
        return members(value, known, "the request")

    def _inputs(self) -> Any:
        if not self.at("["):
            return self.aside()
        tensors: list[Any] = []
        for _ in self._members("[", "]"):
            if len(tensors) == 2:
                raise InvalidRequest(_TWO)
            tensors.append(self._input())
        return tensors

    def _input(self) -> Any:
        name = "the input"  # until its name is read, which may stand behind its data

        def named() -> Any:
            nonlocal name
            value = self.aside()
            name = value if value in ("x", "y") else name
            return value

        readers = dict.fromkeys(_MEMBERS, self.aside) | {"name": named, "data": lambda: self._data(name)}
        return self.fields(readers) if self.at("{") else self.aside()

    def _data(self, name: str) -> "_Data":
        openings = _OPENINGS.match(self._text, self._at)
        depth = openings[0].count("[") if openings else 0
        if depth < 3:
            return _Data(depth, [self.table(name)])
        return _Data(depth, self.items(lambda: self.table(name), self._max_problems))


class _Data(NamedTuple):
    """Numbers that came as JSON: one table, or as many as the batch axis of nested data has places."""

    depth: int
    tables: list[FloatArray | InvalidInput]


def of_problem(i: int, error: MizzleError) -> MizzleError:
    """An error of one problem of several, which says of which."""
    located = type(error)(f"problem {i} (counted from 0): {error}")
    located.retry_after = error.retry_after
    return located


def members(value: Any, known: Collection[str], what: str) -> dict[str, Any]:
    """An object of the protocol, which has none but the known members.

    Raises:
        InvalidRequest: it is none.
    """
    if not isinstance(value, dict):
        raise InvalidRequest(f"{what} must be a JSON object")
    if not value.keys() <= set(known):
        raise InvalidRequest(f"there is an unknown field in {what}; the fields are {', '.join(known)}")
    return value


def parameters(fields: dict[str, Any], known: Collection[str], what: str) -> dict[str, Any]:
    """The parameters of an object; all of them are optional.

    Raises:
        InvalidRequest: there are others than the known ones.
    """
    return members(fields.get("parameters", {}), known, f"the parameters of {what}")


def inputs(listed: Any, content: bytes, start: int) -> tuple[Tensor, Tensor]:
    """x and y.

    Args:
        listed: as `InferenceText` read them.
        content: the body.
        start: where in it the JSON object ends.

    Raises:
        InvalidInput: they are not of the documented form.
        Malformed: there are fewer or more bytes than they announce.
    """
    if not isinstance(listed, list) or len(listed) != 2:
        raise InvalidRequest(_TWO)
    tensors = {}
    for entry in listed:
        tensor, start = _tensor(members(entry, _MEMBERS, "an input"), content, start)
        tensors[tensor.name] = tensor
    if start != len(content):
        raise Malformed(f"there are more bytes than the inputs and the header {HEADER} announce")
    if len(tensors) < 2:
        raise InvalidRequest("one input occurs twice; send x and y")
    return tensors["x"], tensors["y"]


def _tensor(fields: dict[str, Any], content: bytes, start: int) -> tuple[Tensor, int]:
    """A tensor, and where the bytes behind its own begin."""
    name, datatype = fields.get("name"), fields.get("datatype")
    if name not in ("x", "y"):
        raise InvalidRequest("an input has no name, or another one than x and y")
    if not isinstance(datatype, str) or datatype not in DATATYPES:
        raise InvalidRequest(f"the datatype of {name} must be one of {', '.join(DATATYPES)}")
    shape = _shape(fields.get("shape"), name)
    chosen = parameters(fields, (_SIZE,), "an input")
    if ("data" in fields) == (_SIZE in chosen):
        raise InvalidRequest(f"{name} must have either data or the parameter {_SIZE}")
    if "data" in fields:
        return Tensor(name, _declared(_numbers(fields["data"], shape, name), datatype, name)), start
    size = _checked_size(chosen[_SIZE], shape, datatype, name)
    if start + size > len(content):
        raise Malformed(f"the body ends before the binary data of {name}; the header {HEADER} may be wrong")
    # The slice is a copy; a view into the body could begin at any byte, which not all that read it can bear.
    values = np.frombuffer(content[start : start + size], DATATYPES[datatype])
    return Tensor(name, values.reshape(shape)), start + size


def _shape(shape: Any, name: str) -> list[int]:
    if not isinstance(shape, list) or not 1 <= len(shape) <= 3:
        raise InvalidShape(f"the shape of {name} must be [n], [n, d] or [b, n, d]")
    if not all(type(size) is int and 0 < size < 2**48 for size in shape):
        raise InvalidShape(f"the shape of {name} must consist of positive whole numbers")
    return shape


def _checked_size(size: Any, shape: list[int], datatype: str, name: str) -> int:
    expected = np.dtype(DATATYPES[datatype]).itemsize * math.prod(shape)
    if type(size) is not int or size != expected:
        raise InvalidShape(f"datatype and shape of {name} make {expected} bytes; {_SIZE} must say so")
    return expected


def _numbers(data: _Data, shape: list[int], name: str) -> FloatArray:
    """Numbers that came as JSON, in the shape that was declared."""
    tables = [_valid(data, i) for i in range(len(data.tables))]
    flat = data.depth == 1
    if flat and len(tables[0]) != math.prod(shape):
        raise InvalidShape(
            f"{name} has {len(tables[0])} numbers in its data; its shape makes {math.prod(shape)}"
        )
    nested = [len(tables), *tables[0].shape][3 - data.depth :]
    if not flat and (nested != shape or any(table.shape != tables[0].shape for table in tables)):
        raise InvalidShape(f"the data of {name} are neither flat nor nested as its shape says")
    return (tables[0] if len(tables) == 1 else np.stack(tables)).reshape(shape)


def _valid(data: _Data, i: int) -> FloatArray:
    """A table that has nothing wrong with it."""
    table = data.tables[i]
    if not isinstance(table, InvalidInput):
        return table
    if data.depth == 3:
        raise of_problem(i, table)
    raise type(table)(f"{table}; the data are flat, so every number is a row") if data.depth == 1 else table


def _declared(values: FloatArray, datatype: str, name: str) -> FloatArray:
    """Numbers that came as JSON, as their datatype holds them: the same as if they had come as bytes."""
    if datatype.startswith("INT") and (values != np.trunc(values)).any():
        raise NotNumeric(f"{name} holds a number that is no integer, and its datatype is {datatype}")
    with np.errstate(over="ignore", invalid="ignore"):
        held: FloatArray = values.astype(DATATYPES[datatype]).astype(np.float64)
    if not np.isfinite(held).all():
        raise NotFinite(f"{name} holds a number that {datatype} has no room for; send FP64")
    if datatype.startswith("INT") and (held != values).any():
        raise PrecisionLoss(f"{name} holds an integer that {datatype} has no room for; send INT64")
    return held


def packed(datatype: str, values: list[Any]) -> bytes:
    """The elements of an output as binary data, of datatype FP64, BOOL or BYTES."""
    if datatype == "BYTES":
        texts = [value.encode() for value in values]
        return b"".join(len(text).to_bytes(4, "little") + text for text in texts)
    return np.asarray(values, {"FP64": "<f8", "BOOL": "?"}[datatype]).tobytes()
