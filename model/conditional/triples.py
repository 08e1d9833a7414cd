"""Three sides to the two problems of the chain rule, I(X;Y|Z) = I(X,Z;Y) - I(Z;Y), and numbers about them.

X and Y enter as what Z leaves of them (`residuals`), which changes neither side of the equation but the size
of what is subtracted. The side of which Z explains less is the one that both estimates have in common.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from mizzle.model.conditional.residuals import Explainer, Left
from mizzle.model.labels.summary import Doubles, Integers
from mizzle.model.preprocess import Side, constant_columns, copied_columns, order_of, side
from mizzle.types import Notice

NEARLY_ALL: Final = 0.999  # of the variance of a side: what Z leaves may be noise of a measurement
_LOG_LEVELS = 2.5  # logarithm of the levels of x or y in the training
_UNLIMITED = 20.0  # nats, more than any sample shows
_LARGEST_TABLE = 0.2  # different rows (x, y, z), as a share of all, up to which they are counted

Pair = tuple[Doubles, Doubles]


@dataclass(frozen=True)
class Triple:
    """A problem of three sides.

    Attributes:
        problems: whose estimates are needed: none where the answer is known to be 0, the plain pair where Z
            does not vary, and else those of I(X,Z;Y) and of I(Z;Y).
        numbers: about the sample, of which the network is told, shape (f,).
        guesses: of I(X;Y|Z) in nats that are made without the engine, shape (g,).
        bound: what I(X;Y|Z) cannot exceed, in nats.
        n: rows.
        dims: columns of x, y and z as they came.
        notices: what has to be said about the sides.
    """

    problems: tuple[Pair, ...]
    numbers: Doubles
    guesses: Doubles
    bound: float
    n: int
    dims: tuple[int, int, int]
    notices: tuple[Notice, ...]


def prepare(x: Doubles, y: Doubles, z: Doubles) -> Triple:
    """The problem of three finite arrays of shape (n, d) each."""
    left, right, third = side(x), side(y), side(z)
    dims = (len(left.ranks), len(right.ranks), len(third.ranks))
    notices = (*_columns(left, "x"), *_columns(right, "y"))
    simple: tuple[Pair, ...] | None = None
    if not len(third.varying):
        simple, notices = ((x, y),), (_constant_condition(),)
    elif not (len(left.varying) and len(right.varying)):
        simple = ()
    elif determined := [name for name, part in (("x", left), ("y", right)) if _determines(third, part)]:
        simple, notices = (), (*notices, _determined(determined))
    notices = (*notices, *_condition_columns(third))
    if simple is not None:
        return Triple(simple, np.zeros(0), np.zeros(0), 0.0, left.ranks.shape[1], dims, notices)
    return _prepared(left, right, third, dims, notices)


def _prepared(x: Side, y: Side, z: Side, dims: tuple[int, int, int], notices: tuple[Notice, ...]) -> Triple:
    explainer = Explainer(z)
    ordered = sorted(
        ((explainer.left(part), part) for part in (x, y)),
        key=lambda pair: (not pair[0].is_mapped, pair[0].explained),
    )
    (common, _), (other, _) = ordered
    conditions = z.varying.T.astype(np.float64)
    joint = np.hstack([other.values, conditions])
    counted, chance = _by_counts(x, y, z)
    n = x.ranks.shape[1]
    normal, spread = _by_moments(other, common)
    numbers = [
        *np.log([n, len(x.varying) + len(y.varying), joint.shape[1], len(z.varying)]),
        *(common.values.shape[1] - 1.0, common.explained, other.explained, common.is_mapped, other.is_mapped),
        *(explainer.groups is not None, explainer.terms / n, np.log(explainer.terms)),
        *(
            z.discrete,
            counted is not None,
            chance,
            *_few_levels(*ordered[0]),
            *_few_levels(*ordered[1]),
            *_levels(z),
        ),
    ]
    guesses = [normal, spread, normal + spread, 0.0 if counted is None else counted - chance]
    return Triple(
        ((joint, common.values), (conditions, common.values)),
        np.array(numbers, np.float64),
        np.array(guesses),
        min((_entropy(part.counts) for part in (x, y) if part.discrete), default=_UNLIMITED),
        n,
        dims,
        (*notices, *_nearly_determined(common, other)),
    )


def _by_moments(x: Left, y: Left) -> tuple[float, float]:
    """What normal laws would tell of what is left: of the columns, and of their sizes."""
    return _normal_nats(x.standard, y.standard), _normal_nats(*(_sizes(part.standard) for part in (x, y)))


def _sizes(columns: Doubles) -> Doubles:
    sizes = np.abs(columns)
    sizes = sizes - sizes.mean(axis=0)
    return np.asarray(sizes / np.maximum(sizes.std(axis=0), 1e-9))


def _normal_nats(x: Doubles, y: Doubles) -> float:
    """I of normal columns with these correlations, less what chance alone gives."""
    n, dx, dy = len(x), x.shape[1], y.shape[1]
    both = np.hstack([x, y])
    moments = both.T @ both / n + 1e-6 * np.eye(dx + dy)
    logs = [np.linalg.slogdet(part)[1] for part in (moments[:dx, :dx], moments[dx:, dx:], moments)]
    return float(0.5 * (logs[0] + logs[1] - logs[2]) - 0.5 * dx * dy / n)


def _by_counts(x: Side, y: Side, z: Side) -> tuple[float | None, float]:
    """The plug-in estimate by counts of all three, None where they are too many; what chance adds to it."""
    n = x.ranks.shape[1]
    if not (x.discrete and y.discrete and z.discrete):
        return None, 0.0
    tables = [_joint(x.rows, z.rows, n), _joint(y.rows, z.rows, n), z.counts]
    cells = _joint(np.unique(x.rows * n + z.rows, return_inverse=True)[1], y.rows, n)
    if len(cells) > _LARGEST_TABLE * n:
        return None, 0.0
    nats = sum(_entropy(counts) * sign for counts, sign in zip((*tables, cells), (1, 1, -1, -1), strict=True))
    # Miller (1955): a cell in which something may fall adds to the bias, whether or not something did.
    freedom = sum((_levels_in(x, z) - 1.0) * (_levels_in(y, z) - 1.0))
    return float(nats), float(freedom) / (2.0 * n)


def _levels_in(part: Side, z: Side) -> Doubles:
    """How many different rows of a side there are beside each row of z."""
    n = len(z.rows)
    return np.bincount(np.unique(z.rows * n + part.rows) // n, minlength=len(z.counts)).astype(np.float64)


def _joint(rows: Integers, other: Integers, n: int) -> Integers:
    return np.asarray(np.unique(rows * n + other, return_counts=True)[1])


def _entropy(counts: Integers) -> float:
    shares = counts / counts.sum()
    return float(-(shares @ np.log(shares)))


def _few_levels(left: Left, part: Side) -> tuple[float, float]:
    """`_levels` of a side that was not mapped, up to as many as the training had."""
    flag, levels = (0.0, 0.0) if left.is_mapped else _levels(part)
    return flag, min(levels, _LOG_LEVELS)


def _levels(part: Side) -> tuple[float, float]:
    """Whether a side is discrete, and the logarithm of how many different rows it has."""
    return float(part.discrete), float(np.log(len(part.counts))) if part.discrete else 0.0


def _determines(z: Side, part: Side) -> bool:
    """Whether a side is a function of z beyond doubt: copies of columns, or constant beside each row of z."""
    if {order_of(column) for column in part.varying} <= {order_of(column) for column in z.varying}:
        return True
    if not z.discrete:
        return False
    n = len(z.rows)
    return len(np.unique(z.rows * n + part.rows)) == len(z.counts)


def _determined(names: list[str]) -> Notice:
    which = " and ".join(names)
    text = f"given determines {which}, so that nothing is left to share and the information is 0"
    return Notice("determined", f"{text}: leave out of given what {which} was made of")


def _nearly_determined(*parts: Left) -> tuple[Notice, ...]:
    if max(part.explained for part in parts) <= NEARLY_ALL:
        return ()
    text = f"given explains more than {NEARLY_ALL:.1%} of a side, and what is left may be rounding or noise"
    return (Notice("nearly_determined", f"{text}; leave out of given what that side was made of"),)


def _constant_condition() -> Notice:
    return Notice(
        "constant_given", "every column of given is constant, so this is I(X;Y); choose one that varies"
    )


def _columns(part: Side, name: str) -> tuple[Notice, ...]:
    return *constant_columns(part.varies, name), *copied_columns(part, name)


def _condition_columns(z: Side) -> tuple[Notice, ...]:
    return _columns(z, "given") if len(z.varying) else ()
