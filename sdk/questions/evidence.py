"""The evidence of a check: comparisons with what they should give, and the sentences that tell of them."""

import math
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from mizzle.questions.features import MEANINGS, SIZES
from mizzle.questions.neighbours import NEIGHBOURS, Opinion
from mizzle.questions.rule import LIMIT, contributions, score
from mizzle.types import Estimate

REASONS: Final = 4  # comparisons that are told of
_PER_NAT: Final = {"nats": 1.0, "bits": 1.0 / math.log(2.0)}
_SLACK: Final = 0.02  # nats by which answers may differ whatever their intervals
_WORDS: Final = {  # name of variants: what they are in words, and what is expected of their estimates
    "sample": ("a sample of the rows", "equal"),
    "half": ("halves of the rows", "equal"),
    "quarter": ("quarters of the rows", "equal"),
    "rotated": ("sides rotated at random", "equal"),
    "whitened": ("sides whitened and rotated", "equal"),
    "components 0.5": ("the stronger half of the principal components", "not above"),
    "components 0.75": ("the stronger three quarters of the principal components", "not above"),
    "functions": ("sides joined by functions of them", "equal"),
    "noise": ("sides joined by columns of noise", "equal"),
    "permuted": ("shuffled rows", "zero"),
}
_OPINIONS: Final = {  # the attribute of an opinion: in words
    "close": f"the {NEIGHBOURS[0]} nearest neighbours",
    "wide": f"the {NEIGHBOURS[1]} nearest neighbours",
    "spherical": f"the {NEIGHBOURS[0]} nearest neighbours on whitened sides",
    "gaussian": "normals of the same correlations",
}


class Evidence(NamedTuple):
    """What one kind of comparison says.

    Attributes:
        what: was compared, in words.
        estimate: mean of the estimates of this kind, in the unit of the check.
        interval: means of the ends of their 90 % intervals; None of a second opinion, which has none.
        expected: what the estimate must be beside that of the sample: "equal", "not above" or "zero"; "near"
            of a second opinion, which has errors of its own.
        agrees: whether it is, within the intervals.
    """

    what: str
    estimate: float
    interval: tuple[float, float] | None
    expected: str
    agrees: bool


def gathered(
    estimate: Estimate, compared: Estimate, named: Sequence[tuple[str, Estimate]], second: Opinion
) -> tuple[Evidence, ...]:
    """All comparisons, in the unit of `estimate`.

    Args:
        compared: the estimate of the rows that the variants were made of.
        named: of the variants, by their names.
    """
    ours = compared.to(estimate.unit)
    kinds = [
        _of_kind(name, [e.to(estimate.unit) for own, e in named if own == name], ours) for name in _WORDS
    ]
    factor = _PER_NAT[estimate.unit]
    opinions = [
        _of_opinion(text, max(getattr(second, name), 0.0) * factor, ours)
        for name, text in _OPINIONS.items()
        if second.continuous  # else distances mean little
    ]
    return tuple([kind for kind in kinds if kind is not None] + opinions)


def _of_kind(name: str, estimates: Sequence[Estimate], ours: Estimate) -> Evidence | None:
    """A kind of variants beside the estimate of the sample; None where it does not apply."""
    if not estimates:
        return None
    what, expected = _WORDS[name]
    mean = float(np.mean([e.mi for e in estimates]))
    low, high = (float(np.mean([e.interval()[end] for e in estimates])) for end in (0, 1))
    (our_low, our_high), slack = ours.interval(), _SLACK * _PER_NAT[ours.unit]
    below, above = low <= our_high + slack, high >= our_low - slack
    agrees = {"equal": below and above, "not above": below, "zero": low <= slack}[expected]
    return Evidence(what, mean, (low, high), expected, agrees)


def _of_opinion(what: str, mi: float, ours: Estimate) -> Evidence:
    """A second opinion, which has no interval: it may be out of ours by as much as this is wide."""
    low, high = ours.interval()
    reach = high - low + _SLACK * _PER_NAT[ours.unit]
    return Evidence(what, mi, None, "near", low - reach <= mi <= high + reach)


def in_words(
    estimate: Estimate, evidence: Sequence[Evidence], second: Opinion, numbers: dict[str, float]
) -> tuple[str, ...]:
    """The verdict, what weighs heaviest in it, and which comparisons fail."""
    total = score(numbers)
    if total <= LIMIT:
        first = f"The evidence is like that of estimates that hold: score {total:.2f}, at most {LIMIT:.2f}."
    else:
        first = (
            "The evidence is like that of samples on which estimates were off by more than the width of "
            f"their interval: score {total:.2f}, above {LIMIT:.2f}."
        )
    return (first, *_weighty(numbers, total), *_sentences(estimate, evidence), *_shape(estimate, second))


def _weighty(numbers: dict[str, float], total: float) -> Iterator[str]:
    """What raises the score beyond that of ordinary samples, where it is too high."""
    parts = [(part, name) for name, part in contributions(numbers).items() if name not in SIZES and part > 0]
    if total > LIMIT and parts:
        text = ", ".join(f"{MEANINGS[name]} ({part:+.2f})" for part, name in sorted(parts)[::-1][:3])
        yield f"It is raised by {text}."


def _sentences(estimate: Estimate, evidence: Sequence[Evidence]) -> Iterator[str]:
    low, high = estimate.interval()
    ours = f"{estimate.mi:.3f} {estimate.unit} [{low:.3f}, {high:.3f}]"
    failing = [e for e in evidence if not e.agrees]
    for e in failing[:REASONS]:
        ends = "" if e.interval is None else f" [{e.interval[0]:.3f}, {e.interval[1]:.3f}]"
        expected = {"zero": "must give 0", "not above": f"cannot exceed {ours}"}.get(
            e.expected, f"must give what the sample gives, {ours}" if e.interval else f"are far from {ours}"
        )
        yield f"{e.what[0].upper()}{e.what[1:]}: {e.estimate:.3f}{ends}; they {expected}."
    agreeing = len(evidence) - len(failing)
    yield f"{agreeing} of {len(evidence)} comparisons agree with {ours}."


def _shape(estimate: Estimate, second: Opinion) -> Iterator[str]:
    """That a side lies on a surface, or is unlike the training."""
    for name, columns, dimension in zip(
        "xy", (estimate.dim_x, estimate.dim_y), second.dimensions, strict=True
    ):
        if dimension < 0.6 * columns:
            yield f"The {columns} columns of {name} lie near a surface of about {dimension:.1f} dimensions."
    if not estimate.in_range:
        yield "The sample is unlike those of the training."
