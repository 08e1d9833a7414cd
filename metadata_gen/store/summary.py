"""What is known of data sets besides their rows: family, shape and truth; counted, and as a table of text."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mizzle.errors import Fault
from mizzle.metadata_gen import prior
from mizzle.metadata_gen.family import Array
from mizzle.metadata_gen.prior.ranges import EVERYTHING, Limits

EDGES: Final = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)  # nats; what is exactly 0 is counted by itself
LABELS: Final = ("0", *(f"{a:g} to {b:g}" for a, b in pairwise(EDGES)), f"above {EDGES[-1]:g}")
QUANTILES: Final = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
Ints = NDArray[np.int64]


class Summary(NamedTuple):
    """Families, shapes and truths of data sets; entry b of each array, shape (b,), belongs to data set b.

    Attributes:
        family: labels.
        rows, dim_x, dim_y: shapes.
        nats: the true MI in nats.
    """

    family: NDArray[np.str_]
    rows: Ints
    dim_x: Ints
    dim_y: Ints
    nats: Array

    @classmethod
    def joined(cls, parts: Iterable["Summary"]) -> "Summary":
        """The parts one after another."""
        return cls(*map(np.concatenate, zip(*parts, strict=True)))


def drawn(seed: int, indices: Iterable[int], limits: Limits = EVERYTHING) -> Summary:
    """The summary of `dataset(seed, i, limits)` for each index i, without sampling rows.

    Raises:
        Fault: a data set could not be drawn.
    """
    family, *numbers = zip(*(_problem(seed, i, limits) for i in indices), strict=True)
    return Summary(np.array(family), *map(np.array, numbers))


def _problem(seed: int, i: int, limits: Limits) -> tuple[str, int, int, int, float]:
    """The first steps of `dataset`."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(i,)))
    with named(seed, i, limits):
        family = prior.draw(rng, limits)
        rows = prior.draw_rows(rng, family, limits)
        return family.name, rows, family.dim_x, family.dim_y, family.mi().rounded().nats


@contextmanager
def named(seed: int, i: int, limits: Limits) -> Iterator[None]:
    """Turn whatever goes wrong inside into a Fault that tells how to see it again."""
    try:
        yield
    except Exception as error:
        raise Fault(f"dataset({seed}, {i}, {limits}) failed: {error!r}") from error


def by_family(family: Iterable[str]) -> dict[str, int]:
    """Number of data sets of each family, in alphabetical order."""
    return dict(sorted(Counter(map(str, family)).items()))


def by_nats(nats: Array) -> dict[str, int]:
    """Number of data sets in each bin a < I <= b of the truth in nats."""
    counts = np.bincount(np.searchsorted(EDGES, nats), minlength=len(LABELS))
    return dict(zip(LABELS, counts.tolist(), strict=True))


def table(summary: Summary) -> str:
    """A table of text: quantiles of truth and shape, then the shares of truths and of families."""
    return "\n\n".join("\n".join(part(summary)) for part in (_quantiles, _truths, _families))


def _quantiles(summary: Summary) -> list[str]:
    columns = {
        "MI (nats)": summary.nats,
        "rows": summary.rows,
        "columns of X": summary.dim_x,
        "columns of Y": summary.dim_y,
        "columns of both": summary.dim_x + summary.dim_y,
    }
    lines = ["quantile        " + "".join(f"{q:>8.0%}" for q in QUANTILES) + "    mean"]
    for name, values in columns.items():
        numbers = [*np.quantile(values, QUANTILES), values.mean()]
        lines.append(f"{name:16}" + "".join(f"{number:8.4g}" for number in numbers))
    return lines


def _truths(summary: Summary) -> list[str]:
    shares = {label: count / len(summary.nats) for label, count in by_nats(summary.nats).items()}
    lines = [f"{label:16}{share:8.1%}  {'#' * round(100 * share)}" for label, share in shares.items()]
    return ["MI (nats)          share", *lines]


def _families(summary: Summary) -> list[str]:
    lines = [f"{'family':28}   share   MI: 5%      50%      95%"]
    for name, count in sorted(by_family(summary.family).items(), key=lambda item: -item[1]):
        numbers = np.quantile(summary.nats[summary.family == name], (0.05, 0.5, 0.95))
        quantiles = "".join(f"{number:9.3g}" for number in numbers)
        lines.append(f"{name:28}{count / len(summary.nats):8.2%}{quantiles}")
    return lines
