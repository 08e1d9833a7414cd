"""Problems as the bodies of requests: .npy for one, safetensors for many, every float as it is.

Numbers travel as float32 where that holds all of them exactly, and as float64 otherwise.
"""

from collections.abc import Sequence
from io import BytesIO
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from mizzle import wire
from mizzle.backends.effects import Call
from mizzle.data.arrays import FloatArray

_TENSOR_BYTES = 128  # that the header spends on a tensor, at most
_LEVELS = {"levels": wire.ALL}
FIXED_BYTES = 256  # of a body without any problem, at most
_FIXED_ANSWER_BYTES = 2**20
_ANSWER_BYTES = 16 * 2**10  # of one problem; there are 1,400 in the answer on the grid of the shipped weights


def estimate_call(x: FloatArray, y: FloatArray, model: str | None = None) -> Call:
    """The request for every level of one checked problem, to a model, or the first of a service."""
    file = BytesIO()
    table = narrow(np.concatenate([x, y], axis=1))
    np.lib.format.write_array(file, table, allow_pickle=False)
    path = f"{wire.PATH}?dim_x={x.shape[1]}&levels={wire.ALL}"
    return Call("POST", path + _named("&", model), file.getvalue(), wire.NPY)


def batch_call(pairs: Sequence[tuple[FloatArray, FloatArray]], model: str | None = None) -> Call:
    """The request for every level of many checked problems, to a model, or the first of a service."""
    tensors = {}
    for i, (x, y) in enumerate(pairs):
        tensors[f"x.{i}"], tensors[f"y.{i}"] = narrow(x), narrow(y)
    max_bytes = _FIXED_ANSWER_BYTES + len(pairs) * _ANSWER_BYTES
    path = wire.BATCH_PATH + _named("?", model)
    return Call("POST", path, save(tensors, _LEVELS), wire.SAFETENSORS, max_bytes)


def _named(mark: str, model: str | None) -> str:
    """The parameter of an address that names a model, after this mark; nothing for none."""
    return "" if model is None else f"{mark}{wire.MODEL}={quote(model, safe='')}"


def size(x: FloatArray, y: FloatArray) -> int:
    """Bytes that a checked problem adds to a body of many."""
    return sum(narrow(side).nbytes + _TENSOR_BYTES for side in (x, y))


def narrow(table: FloatArray) -> NDArray[Any]:
    """The table as float32 if that loses nothing."""
    with np.errstate(over="ignore"):  # what becomes infinite differs, and so stays as it is
        if not (table[:64].astype(np.float32) == table[:64]).all():
            return table
        short = table.astype(np.float32)
    return short if (short == table).all() else table
