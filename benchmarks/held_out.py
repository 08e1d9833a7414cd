"""Our own problems with known mutual information that training has not drawn; all in nats.

Draws of the prior under another seed, families and operators that the prior leaves out, independent
samples, and a grid of plain normals. Every data set depends on its seed and its place alone.
"""

import math
import zlib
from collections.abc import Iterable
from itertools import product

import numpy as np
from exports import Case, Export

from mizzle.metadata_gen import Family, dataset, prior
from mizzle.metadata_gen.dispersion import random_rotation
from mizzle.metadata_gen.family import Array, Rng

PRIOR_SEED = 2_000_003
HELD_OUT_SEED = 2_000_029
INDEPENDENT_SEED = 20
NORMALS_SEED = 2_000_081

HELD_OUT_ROWS = (100, 5000)
FIXED_ROWS = 1000
INDEPENDENT_ROWS = (300, 1000, 5000)
INDEPENDENT_COLUMNS = (*((d, d) for d in (1, 2, 5, 10, 20, 30)), (1, 10), (1, 30), (10, 30))
PAIRS = (1, 2, 3, 5, 10)
RHOS = (0.1, 0.3, 0.5, 0.7, 0.9)
NORMALS_ROWS = (100, 300, 1000, 2000)


def prior_draws(count: int) -> Export:
    """The first `count` problems of a stream whose seed no training uses, labelled by family."""
    drawn = (dataset(PRIOR_SEED, i) for i in range(count))
    cases = [Case(d.x, d.y, d.truth.nats, d.family, d.family, d.index) for d in drawn]
    return Export("prior", "prior", "validation", cases)


def held_out(each: int) -> Export:
    """`each` problems of every label the prior holds out, with n log-uniform in HELD_OUT_ROWS."""
    low, high = (math.log(n) for n in HELD_OUT_ROWS)
    cases = [_held_out_case(label, i, _rows(low, high, rng), rng) for label, i, rng in _places(each, 0)]
    return Export("held-out", "held-out", "any-n", cases)


def held_out_at_fixed_rows(each: int) -> Export:
    """`each` problems of every held-out label, with n = FIXED_ROWS."""
    cases = [_held_out_case(label, i, FIXED_ROWS, rng) for label, i, rng in _places(each, 1)]
    return Export(f"held-out-n{FIXED_ROWS}", "held-out", f"n{FIXED_ROWS}", cases)


def independent(each: int) -> Export:
    """Independent normal samples, `each` of every shape and number of rows."""
    shapes = list(product(INDEPENDENT_COLUMNS, INDEPENDENT_ROWS, range(each)))
    cases = []
    for (dx, dy), n, i in shapes:
        rng = _rng(INDEPENDENT_SEED, *dict.fromkeys((dx, dy)), n, i)
        x, y = (rng.standard_normal((n, d)) for d in (dx, dy))
        cases.append(Case(x, y, 0.0, f"{dx}+{dy}", "independent normal", i))
    return Export("independent", "independent", "normal", cases)


def normals(each: int, mixed: bool) -> Export:
    """k independent pairs of correlation rho, labelled by rho; `mixed` rotates either side at random.

    I = -k/2 log(1 - rho^2), for any invertible mixing. The mixed samples are the plain ones, rotated.
    """
    cases = []
    for k, rho, n, i in product(PAIRS, RHOS, NORMALS_ROWS, range(each)):
        rng = _rng(NORMALS_SEED, k, round(100 * rho), n, i)
        x, y = _pairs(rng, k, rho, n)
        if mixed:
            x, y = x @ random_rotation(rng, k), y @ random_rotation(rng, k)
        cases.append(Case(x, y, -0.5 * k * math.log1p(-(rho**2)), str(rho), "normal pairs", i))
    suite = "normals-mixed" if mixed else "normals"
    return Export(suite, suite, "grid", cases)


def _places(each: int, stream: int) -> Iterable[tuple[str, int, Rng]]:
    for label, i in product(prior.HELD_OUT, range(each)):
        # By the label's text and not its place, so that a new label leaves the others' data alone.
        yield label, i, _rng(HELD_OUT_SEED, stream, zlib.crc32(label.encode()), i)


def _held_out_case(label: str, i: int, n: int, rng: Rng) -> Case:
    family: Family = prior.draw_held_out(rng, label)
    x, y = family.sample(rng, n)
    return Case(x, y, family.mi().nats, label, family.name, i)


def _rows(low: float, high: float, rng: Rng) -> int:
    return round(math.exp(rng.uniform(low, high)))


def _pairs(rng: Rng, k: int, rho: float, n: int) -> tuple[Array, Array]:
    x, noise = rng.standard_normal((2, n, k))
    return x, rho * x + math.sqrt(1.0 - rho**2) * noise


def _rng(seed: int, *place: int) -> Rng:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=place))
