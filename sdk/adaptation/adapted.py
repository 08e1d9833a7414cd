"""An adapted estimator, and the file that it comes from and goes to."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from mizzle import estimator as estimators
from mizzle.adaptation.report import Report
from mizzle.backends.effects import perform_compute, run
from mizzle.backends.local import LocalBackend
from mizzle.backends.pairs import Outcome
from mizzle.data.samples import Missing
from mizzle.errors import ModelUnavailable
from mizzle.estimator import EstimatorLike
from mizzle.types import DEFAULT_UNIT, Estimate, ModelInfo, Unit

_ADAPTED = "adapted"  # in the header of weights, beside how their parent was trained


class Adapted:
    """An estimator on weights adapted to one kind of data.

    Attributes:
        report: what was found when it was made.
        estimator: what answers, for `Client.local` and the like.
    """

    def __init__(self, estimator: EstimatorLike, content: bytes, report: Report) -> None:
        self.estimator, self._content, self.report = estimator, content, report
        self._backend = LocalBackend(estimator)

    @property
    def info(self) -> ModelInfo:
        """Name, version and SHA-256."""
        return self.estimator.info

    def estimate(
        self, x: object, y: object, *, missing: Missing = "raise", unit: Unit = DEFAULT_UNIT
    ) -> Estimate:
        """I(X;Y) of a sample whose rows are paired; arguments and errors as those of `mizzle.estimate`."""
        return run(self._backend.estimate(x, y, missing=missing, unit=unit), perform_compute)

    def estimate_many(
        self, pairs: list[object], *, missing: Missing = "raise", unit: Unit = DEFAULT_UNIT
    ) -> list[Outcome]:
        """Many samples; arguments and errors as those of `mizzle.estimate_many`."""
        steps = self._backend.estimate_many(pairs, None, "raise", missing=missing, unit=unit)
        return run(steps, perform_compute)

    def save(self, path: Path | str) -> Path:
        """Write one file, atomically; `mizzle.load` reads it, and so do commands and the service."""
        path = Path(path)
        partial = path.with_name(path.name + ".partial")
        partial.write_bytes(self._content)
        partial.replace(path)
        return path

    def __repr__(self) -> str:
        return f"<Adapted {self.info.name} {self.info.sha256[:12]}>\n{self.report}"


def from_file(path: Path, report: Report | None = None) -> Adapted:
    """The estimator of a weights file; a report in place of the file's own, which lacks rows to draw.

    Raises:
        ModelUnavailable: the file cannot be used, or is of weights that were not adapted.
    """
    estimator = estimators.load(path)
    about = estimator.card["training"].get(_ADAPTED)
    if about is None:
        raise ModelUnavailable(f"{path.name} holds weights that were not adapted; use Client.local(weights=)")
    content = path.read_bytes()
    return Adapted(estimator, content, report or Report.of(about["report"]))


def written(write: Callable[[Path], object], report: Report) -> Adapted:
    """The estimator of what `write(path)` writes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "adapted.safetensors"
        write(path)
        return from_file(path, report)
