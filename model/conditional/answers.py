"""The answer of the small network to a triple and its two estimates."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from mizzle.model import quantiles
from mizzle.model.conditional.triples import Triple
from mizzle.model.labels import network
from mizzle.model.labels.summary import Doubles, Summary, scaled
from mizzle.types import Estimate, ModelInfo, Notice

KIND: Final = "conditional"
SHIPPED: Final = Path(__file__).parent.parent / "weights" / "conditional.safetensors"
ROWS: Final = (50, 10_000)  # of the training; more are answered in blocks, as any sample
_PLACES = [quantiles.LEVELS.index(level) for level in (0.05, 0.25, 0.5, 0.75, 0.95)]
_LOW, _HIGH = _PLACES[0], _PLACES[-1]
# What is said about a sample of I(X,Z;Y) or of I(Z;Y) that holds of all three sides.
_PASSED_ON = (
    "repeated_rows",
    "rows_alike",
    "deterministic",
    "unfamiliar",
    "unordered",
    "rows_out_of_range",
    "blocks",
)


@cache
def shipped() -> Mapping[str, network.Network]:
    """The network that ships with the package.

    Raises:
        ModelUnavailable: its file is absent or damaged.
    """
    return network.load(SHIPPED, [KIND])


def summary(triple: Triple, joint: Doubles, condition: Doubles) -> Summary:
    """What the network is told: of quantiles at `LEVELS` of I(X,Z;Y) and of I(Z;Y), shape (q,) each."""
    means = quantiles.mean(np.stack([joint, condition]))
    base = float(means[0] - means[1])
    widths = joint[_HIGH] - joint[_LOW], condition[_HIGH] - condition[_LOW]
    scale = float(0.3 * np.hypot(*widths) + 1.0 / triple.n)
    nats = [
        0.0,
        *triple.guesses,
        *joint[_PLACES],
        *(joint - condition)[_PLACES],
        joint[_LOW] - condition[_HIGH],
    ]
    features = [
        *scaled(nats, base, scale),
        *np.log([scale, *(means + 1e-3), *(np.array(widths) + 1e-4)]),
        *np.log(np.maximum(triple.guesses[:3], 0.0) + 1e-4),
        np.log(max(base, 0.0) + 1e-3),
        *triple.numbers,
    ]
    return Summary(base, scale, triple.bound, np.array(features, np.float64))


def answer(triple: Triple, estimates: Sequence[Estimate], model: ModelInfo) -> Estimate:
    """I(X;Y|Z), whose `dim_z` says so, of the estimates of the triple's problems, in nats.

    Args:
        estimates: in nats.
        model: that made them, or would have.
    """
    dim_x, dim_y, dim_z = triple.dims
    about: dict[str, Any] = {"n": triple.n, "dim_x": dim_x, "dim_y": dim_y, "dim_z": dim_z}
    if len(estimates) == 1:
        [plain] = estimates
        return replace(plain, dim_z=dim_z, warnings=(*triple.notices, *plain.warnings))
    if not estimates:
        zeros = (0.0,) * len(quantiles.LEVELS)
        return Estimate(
            mi=0.0,
            levels=quantiles.LEVELS,
            values=zeros,
            in_range=True,
            warnings=triple.notices,
            model=model,
            **about,
        )
    # A service may answer at fewer levels than a network that was trained at all of them needs.
    joint, condition = (np.interp(quantiles.LEVELS, e.levels, e.values) for e in estimates)
    nats = shipped()[KIND].quantiles(summary(triple, joint, condition))
    outside = triple.n < ROWS[0]
    return Estimate(
        mi=float(quantiles.mean(nats[None])[0]),
        levels=quantiles.LEVELS,
        values=tuple(nats.tolist()),
        in_range=all(estimate.in_range for estimate in estimates) and not outside,
        warnings=(
            *triple.notices,
            *_passed_on(estimates),
            *_too_few(triple, outside),
            *_contradiction(joint, condition),
        ),
        model=model,
        **about,
    )


def _passed_on(estimates: Sequence[Estimate]) -> Iterator[Notice]:
    """What was said of either, once."""
    joint, condition = ({notice.code: notice for notice in e.warnings} for e in estimates)
    condition.pop("repeated_rows", None)  # maps make rows of z and y alike that were not
    notices = {**condition, **joint}
    return (notices[code] for code in _PASSED_ON if code in notices)


def _too_few(triple: Triple, outside: bool) -> Iterator[Notice]:
    if outside:
        text = f"n = {triple.n} is below the {ROWS[0]} rows from which on conditional information was trained"
        yield Notice("rows_out_of_range", f"{text}, and the interval may be off; bring more rows")


def _contradiction(joint: Doubles, condition: Doubles) -> Iterator[Notice]:
    """Say so where I(X,Z;Y), which cannot be less, is estimated below I(Z;Y)."""
    if joint[_HIGH] < condition[_LOW]:
        text = f"I(X,Z;Y) was estimated at {joint[quantiles.MIDDLE]:.3g} nats, less than I(Z;Y) with"
        text = f"{text} {condition[quantiles.MIDDLE]:.3g}, which cannot be: one of them is wrong"
        yield Notice("contradiction", f"{text}; bring more rows, or fewer columns of given")
