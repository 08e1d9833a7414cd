"""Mutual information with calibrated intervals, in milliseconds.

>>> import mizzle
>>> estimate = mizzle.estimate(x, y)                      # in this process      # doctest: +SKIP
>>> estimate = mizzle.Client(url).estimate(x, y)          # there, without       # doctest: +SKIP
>>> estimate.mi, estimate.interval(0.9)                                          # doctest: +SKIP

Names are loaded on first use: `import mizzle` loads neither torch nor an HTTP library.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from mizzle import deprecated
from mizzle.errors import (
    BadRequest,
    DeadlineExceeded,
    DeviceOutOfMemory,
    Draining,
    DuplicateKey,
    ExecutorFailed,
    Fault,
    Forbidden,
    HeadersTooLarge,
    InferenceFailed,
    InternalError,
    InvalidFile,
    InvalidInput,
    InvalidLevel,
    InvalidRequest,
    InvalidShape,
    JobCancelled,
    JobConflict,
    JobFailed,
    JobInterrupted,
    JobsOff,
    JobsUnavailable,
    JobUnfinished,
    LengthMismatch,
    Malformed,
    MethodNotAllowed,
    MissingColumn,
    MissingExtra,
    MizzleError,
    ModelUnavailable,
    NonFiniteAnswer,
    NoSuchJob,
    NoSuchModel,
    NotAcceptable,
    NotFinite,
    NotFound,
    NotNumeric,
    NotReady,
    PrecisionLoss,
    QueueFull,
    RateLimited,
    RequestTimeout,
    ServiceUnreachable,
    StorageFull,
    TooFewSamples,
    TooLarge,
    TooManyColumns,
    TooManyJobs,
    Unauthorized,
    UnsupportedMedia,
    WeightsChanged,
    WrongHost,
)
from mizzle.types import Estimate, ModelInfo, Notice

if TYPE_CHECKING:
    from mizzle.adaptation.api import adapt, assess, load
    from mizzle.backends.info import Limits, ModelCard
    from mizzle.backends.local import estimate, estimate_many
    from mizzle.client import AsyncClient, Client
    from mizzle.questions.difference import Difference, difference
    from mizzle.questions.lagged import Lagged, lagged
    from mizzle.questions.normalized import normalized
    from mizzle.questions.reliability import Check, check
    from mizzle.questions.significance import Test, test, test_many
    from mizzle.tables import matrix, rank
    from mizzle.tables.results import Matrix, PairResult, Ranking

    __version__: str

__all__ = [
    "AsyncClient",
    "BadRequest",
    "Check",
    "Client",
    "DeadlineExceeded",
    "DeviceOutOfMemory",
    "Difference",
    "Draining",
    "DuplicateKey",
    "Estimate",
    "ExecutorFailed",
    "Fault",
    "Forbidden",
    "HeadersTooLarge",
    "InferenceFailed",
    "InternalError",
    "InvalidFile",
    "InvalidInput",
    "InvalidLevel",
    "InvalidRequest",
    "InvalidShape",
    "JobCancelled",
    "JobConflict",
    "JobFailed",
    "JobInterrupted",
    "JobUnfinished",
    "JobsOff",
    "JobsUnavailable",
    "Lagged",
    "LengthMismatch",
    "Limits",
    "Malformed",
    "Matrix",
    "MethodNotAllowed",
    "MissingColumn",
    "MissingExtra",
    "MizzleError",
    "ModelCard",
    "ModelInfo",
    "ModelUnavailable",
    "NoSuchJob",
    "NoSuchModel",
    "NonFiniteAnswer",
    "NotAcceptable",
    "NotFinite",
    "NotFound",
    "NotNumeric",
    "NotReady",
    "Notice",
    "PairResult",
    "PrecisionLoss",
    "QueueFull",
    "Ranking",
    "RateLimited",
    "RequestTimeout",
    "ServiceUnreachable",
    "StorageFull",
    "Test",
    "TooFewSamples",
    "TooLarge",
    "TooManyColumns",
    "TooManyJobs",
    "Unauthorized",
    "UnsupportedMedia",
    "WeightsChanged",
    "WrongHost",
    "__version__",
    "adapt",
    "assess",
    "check",
    "difference",
    "estimate",
    "estimate_many",
    "lagged",
    "load",
    "matrix",
    "normalized",
    "rank",
    "test",
    "test_many",
]

_LAZY = {  # name: the module that it comes from
    "AsyncClient": "mizzle.client",
    "Check": "mizzle.questions.reliability",
    "Client": "mizzle.client",
    "Difference": "mizzle.questions.difference",
    "Lagged": "mizzle.questions.lagged",
    "Limits": "mizzle.backends.info",
    "Matrix": "mizzle.tables.results",
    "ModelCard": "mizzle.backends.info",
    "PairResult": "mizzle.tables.results",
    "Ranking": "mizzle.tables.results",
    "Test": "mizzle.questions.significance",
    "__version__": "mizzle.version",
    "adapt": "mizzle.adaptation.api",
    "assess": "mizzle.adaptation.api",
    "load": "mizzle.adaptation.api",
    "difference": "mizzle.questions.difference",
    "check": "mizzle.questions.reliability",
    "estimate": "mizzle.backends.local",
    "estimate_many": "mizzle.backends.local",
    "lagged": "mizzle.questions.lagged",
    "matrix": "mizzle.tables",
    "normalized": "mizzle.questions.normalized",
    "rank": "mizzle.tables",
    "test": "mizzle.questions.significance",
    "test_many": "mizzle.questions.significance",
}
deprecated.install_old_paths()  # the paths of version 0.9


def __getattr__(name: str) -> object:
    """A public name from its module, which is loaded on first use."""
    if name not in _LAZY:
        raise AttributeError(f"module 'mizzle' has no attribute {name!r}")
    globals()[name] = value = getattr(import_module(_LAZY[name]), name)
    return value


def __dir__() -> list[str]:
    """The public names, and what every module has."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
