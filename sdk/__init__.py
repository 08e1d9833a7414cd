"""Mutual information with calibrated intervals, in milliseconds.

>>> import mizzle
>>> estimate = mizzle.estimate(x, y)                      # here, with torch     # doctest: +SKIP
>>> estimate = mizzle.Client(url).estimate(x, y)          # there, without       # doctest: +SKIP
>>> estimate.mi, estimate.interval(0.9)                                          # doctest: +SKIP

Names are loaded on first use: `import mizzle` loads neither torch nor an HTTP library.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from mizzle.errors import (
    DeadlineExceeded,
    DeviceOutOfMemory,
    Draining,
    DuplicateKey,
    Fault,
    Forbidden,
    InferenceFailed,
    InvalidFile,
    InvalidInput,
    InvalidLevel,
    InvalidRequest,
    InvalidShape,
    LengthMismatch,
    Malformed,
    MissingColumn,
    MissingExtra,
    MizzleError,
    ModelUnavailable,
    NonFiniteAnswer,
    NotFinite,
    NotNumeric,
    NotReady,
    PrecisionLoss,
    QueueFull,
    RateLimited,
    ServiceUnreachable,
    TooFewSamples,
    TooLarge,
    TooManyColumns,
    Unauthorized,
    UnsupportedMedia,
)
from mizzle.types import Estimate, ModelInfo, Notice

if TYPE_CHECKING:
    from mizzle.client import AsyncClient, Client
    from mizzle.local import estimate, estimate_many

    __version__: str

__all__ = [
    "AsyncClient",
    "Client",
    "DeadlineExceeded",
    "DeviceOutOfMemory",
    "Draining",
    "DuplicateKey",
    "Estimate",
    "Fault",
    "Forbidden",
    "InferenceFailed",
    "InvalidFile",
    "InvalidInput",
    "InvalidLevel",
    "InvalidRequest",
    "InvalidShape",
    "LengthMismatch",
    "Malformed",
    "MissingColumn",
    "MissingExtra",
    "MizzleError",
    "ModelInfo",
    "ModelUnavailable",
    "NonFiniteAnswer",
    "NotFinite",
    "NotNumeric",
    "NotReady",
    "Notice",
    "PrecisionLoss",
    "QueueFull",
    "RateLimited",
    "ServiceUnreachable",
    "TooFewSamples",
    "TooLarge",
    "TooManyColumns",
    "Unauthorized",
    "UnsupportedMedia",
    "__version__",
    "estimate",
    "estimate_many",
]

_LAZY = {
    "AsyncClient": "mizzle.client",
    "Client": "mizzle.client",
    "__version__": "mizzle.version",
    "estimate": "mizzle.local",
    "estimate_many": "mizzle.local",
}


def __getattr__(name: str) -> object:
    """Loads a public name from its module on first use."""
    if name not in _LAZY:
        raise AttributeError(f"module 'mizzle' has no attribute {name!r}")
    value: object = getattr(import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
