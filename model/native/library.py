"""The shared library: where it lies, whether it loads, and the functions of `interface.h`."""

import ctypes
import json
import os
from ctypes import POINTER, c_char_p, c_int, c_int32, c_int64, c_void_p
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mizzle.errors import InferenceFailed, ModelUnavailable

KINDS = ("rows", "columns", "spectrum", "edges")  # of tokens, in the order of the interface
OVERALL = "overall"
_VARIABLE = "MIZZLE_NATIVE_LIBRARY"  # names another library in place of the installed one
_BUILT = Path(__file__).with_name("libmizzle.so")
_LEVELS = (4, 3)  # of x86-64 processors, for which the same sources were built once more
_INSTRUCTIONS = {"_v3": "AVX2", "_v4": "AVX-512"}
_MESSAGE = 256  # bytes
_NO_MEMORY = 1

# Structures of the interface, as arrays of which problems are handed over; addresses as integers.
PROBLEM = np.dtype([("n", "i4"), ("dims", "i4", 2), ("ranks", np.uintp, 2)], align=True)
TOKENS = np.dtype(
    [("overall", np.uintp), ("values", np.uintp, len(KINDS)), ("counts", "i4", len(KINDS))], align=True
)
SHAPE = np.dtype([("n", "i4"), ("columns", "i4")])
SIZES = np.dtype([(name, "i4") for name in ("width", "blocks", "channels", "heads", "rounds", "axes")])
TENSOR = np.dtype([("name", np.uintp), ("values", np.uintp), ("size", "i8")], align=True)
COUNTED = np.dtype([("value", "f8"), ("error", "f8"), ("bound", "f8")])

_FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "mizzle_sources": (c_char_p, ()),
    "mizzle_level": (c_int32, ()),
    "mizzle_settings": (c_char_p, ()),
    "mizzle_channels": (c_char_p, ()),
    "mizzle_rank": (c_int, (c_void_p, *(c_int64,) * 4, *(c_void_p,) * 3, c_char_p)),
    "mizzle_number_rows": (c_int, (c_void_p, c_int64, c_int64, c_void_p, POINTER(c_int64), c_char_p)),
    "mizzle_canonical_order": (c_int, (c_void_p, c_void_p, c_char_p)),
    "mizzle_entropy": (c_int, (c_void_p, c_int64, c_void_p, c_char_p)),
    "mizzle_information": (c_int, (c_void_p, c_void_p, c_int64, c_void_p, POINTER(c_int32), c_char_p)),
    "mizzle_new_tokens": (c_int, (c_void_p, POINTER(c_void_p), c_char_p)),
    "mizzle_view_tokens": (None, (c_void_p, c_void_p)),
    "mizzle_free_tokens": (None, (c_void_p,)),
    "mizzle_new_model": (c_void_p, (c_void_p, c_int32, c_void_p, c_void_p, c_char_p)),
    "mizzle_free_model": (None, (c_void_p,)),
    "mizzle_raw": (c_int, (c_void_p, c_void_p, c_int32, c_void_p, c_void_p, c_char_p)),
    "mizzle_answer_tokens": (c_int, (*(c_void_p,) * 4, c_int32, c_void_p, c_char_p)),
    "mizzle_answer_problems": (c_int, (*(c_void_p,) * 3, c_int32, c_void_p, c_char_p)),
}


@cache
def load() -> ctypes.CDLL:
    """The library, its functions declared: the best that runs on this processor.

    Raises:
        ModelUnavailable: it was not built here, or does not load.
    """
    return _loaded(_chosen())


def instructions() -> str:
    """What the library makes use of: "plain", "AVX2" or "AVX-512" instructions."""
    return next((name for ending, name in _INSTRUCTIONS.items() if _chosen().stem.endswith(ending)), "plain")


def _chosen() -> Path:
    named = os.environ.get(_VARIABLE)
    return runnable()[0] if named is None else Path(named)


def runnable() -> list[Path]:
    """The libraries that this processor can run, best first; last the plain one, even if it is missing."""
    level = _loaded(_BUILT).mizzle_level() if _BUILT.exists() else 0
    better = [_BUILT.with_stem(f"{_BUILT.stem}_v{own}") for own in _LEVELS if own <= level]
    return [*(path for path in better if path.exists()), _BUILT]


def _loaded(path: Path) -> ctypes.CDLL:
    if not path.exists():
        raise ModelUnavailable("the compiled engine was not built when mizzle was installed")
    try:
        library = ctypes.CDLL(str(path))
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise ModelUnavailable(f"the compiled engine does not load: {error}") from error
    return library


def reason() -> str | None:
    """Why there is no engine; None where there is."""
    try:
        load()
    except ModelUnavailable as error:
        return str(error)
    return None


def available() -> bool:
    """Whether the engine was built and loads."""
    return reason() is None


def settings() -> dict[str, Any]:
    """What the engine computes, as weights were trained with it; the same as `weights.code()`."""
    code: dict[str, Any] = json.loads(load().mizzle_settings())
    return code


@cache
def channels() -> dict[str, int]:
    """How many channels each kind of token has, and the global one."""
    widths: dict[str, dict[str, int]] = json.loads(load().mizzle_channels())
    return {token: sum(own.values()) for token, own in widths.items()}


def address(array: NDArray[Any]) -> int:
    """Where an array begins, which the caller keeps alive."""
    return array.ctypes.data


def message() -> ctypes.Array[ctypes.c_char]:
    """Where a call that fails says why."""
    return ctypes.create_string_buffer(_MESSAGE)


def check(code: int, said: ctypes.Array[ctypes.c_char]) -> None:
    """Raise what a call of the library ended in, if it did not end well.

    Raises:
        MemoryError: there was too little of it.
        InferenceFailed: anything else.
    """
    if code == _NO_MEMORY:
        raise MemoryError(said.value.decode())
    if code:
        raise InferenceFailed(f"the compiled engine failed: {said.value.decode()}; please report this")
