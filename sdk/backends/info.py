"""What a service, or the estimator in this process, says of itself."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from operator import index
from typing import Any

from mizzle.types import ModelInfo


@dataclass(frozen=True)
class Limits:
    """What can be asked at once; None where there is no limit.

    Attributes:
        min_rows: of a problem.
        max_columns: of one side.
        levels: lowest and highest quantile level of an answer.
        max_body_bytes: of one request.
        max_problem_cells: padded cells of one problem, as `mizzle.cost` counts them.
        max_request_cells, max_request_problems: of one request for many problems.
        queue_cells: cells that may wait at the present speed.
        cells_per_second: the present speed.
        max_request_seconds: the longest time that a request may take.
        media_types: in which a request may be written.
        always_admitted_problems: that may wait, whatever they cost; 16 where a service does not say so.
    """

    min_rows: int
    max_columns: int
    levels: tuple[float, float]
    max_body_bytes: int | None = None
    max_problem_cells: int | None = None
    max_request_cells: int | None = None
    max_request_problems: int | None = None
    queue_cells: int | None = None
    cells_per_second: int | None = None
    max_request_seconds: float | None = None
    media_types: tuple[str, ...] = ()
    always_admitted_problems: int = 16


@dataclass(frozen=True)
class ModelCard:
    """A model: its weights, what it was trained on, and where it runs.

    Attributes:
        info: name, version and SHA-256 of the weights.
        rows: smallest and largest n of the training.
        columns: fewest and most columns of a side in training.
        levels: quantile levels of the answers.
        device: "cpu" or "cuda".
        threads: that one run uses.
        training: how the weights were made.
    """

    info: ModelInfo
    rows: tuple[int, int] | None
    columns: tuple[int, int] | None
    levels: tuple[float, ...]
    device: str
    threads: int
    training: Mapping[str, Any] | None


def parse_limits(answer: Mapping[str, Any]) -> Limits:
    """The limits in a service's answer; what this version does not know is left out.

    Raises:
        ValueError, TypeError, KeyError: there are none.
    """
    low, high = map(float, answer["levels"])
    if not 0 <= low < high <= 1:
        raise ValueError("no range of levels")
    names = {field.name for field in fields(Limits)} - {"levels", "media_types", "max_request_seconds"}
    whole = {name: _count(answer[name]) for name in names if answer.get(name) is not None}
    seconds = answer.get("max_request_seconds")
    return Limits(
        **whole,
        levels=(low, high),
        max_request_seconds=None if seconds is None else float(seconds),
        media_types=tuple(map(str, answer.get("media_types", ()))),
    )


def parse_card(answer: Mapping[str, Any]) -> ModelCard:
    """A model in a service's answer, or the card of an estimator with its info.

    Raises:
        ValueError, TypeError, KeyError: it is none.
    """
    return ModelCard(
        info=ModelInfo(*(str(answer[key]) for key in ModelInfo._fields)),
        rows=_range(answer.get("rows")),
        columns=_range(answer.get("columns")),
        levels=tuple(map(float, answer["levels"])),
        device=str(answer["device"]),
        threads=int(answer["threads"]),
        training=answer.get("training"),
    )


def _count(value: Any) -> int:
    """A number of things that fits a machine.

    Raises:
        ValueError, TypeError: it is none.
    """
    count = index(value)
    if not 0 <= count < 2**63:
        raise ValueError("no number of things")
    return count


def _range(bounds: Any) -> tuple[int, int] | None:
    if bounds is None:
        return None
    low, high = map(int, bounds)
    return low, high
