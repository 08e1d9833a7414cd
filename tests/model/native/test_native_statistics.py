"""Every compiled statistic has the channels of torch's, in tokens and in the global token."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from mizzle.model import native
from mizzle.model.batch import collate
from mizzle.model.preprocess import Table, prepare
from mizzle.model.statistics import registry
from mizzle.model.statistics.columns import COLUMNS
from mizzle.model.statistics.statistic import TOTAL_MEAN_LARGEST
from mizzle.model.statistics.tokens import tokenise

pytestmark = pytest.mark.skipif(not native.available(), reason=str(native.reason()))

Pair = tuple[np.ndarray, np.ndarray]
TOLERANCE = 1e-5  # relative to 1 or to the value, whatever is larger

# Torch sums some channels of columns in single precision. A correlation of nearly 1 errs by some 3e-7, which
# its information multiplies by up to 1 / (1 - r^2); binned information errs by 5e-7 nats to one side, in
# every pair of a total; and equal addends, as columns of two values have, are all rounded the same way.
LOOSE = {
    "total Gaussian information": 1e-2,
    "largest binned information": 1e-4,
    "total binned information": 1e-4,
    "total squared correlation with its own side": 1e-4,
}


def _normal(rng: np.random.Generator, n: int, dx: int, dy: int) -> Pair:
    shared = rng.normal(size=(n, 1))
    return shared + rng.normal(size=(n, dx)), shared + rng.normal(size=(n, dy))


def _independent(rng: np.random.Generator, n: int, dx: int, dy: int) -> Pair:
    return rng.normal(size=(n, dx)), rng.normal(size=(n, dy))


def _strong(rng: np.random.Generator, n: int, dx: int, dy: int) -> Pair:
    """Correlations of .999."""
    shared = 30 * rng.normal(size=(n, 1))
    return shared + rng.normal(size=(n, dx)), shared + rng.normal(size=(n, dy))


def _heavy(rng: np.random.Generator, n: int, dx: int, dy: int) -> Pair:
    x, y = _normal(rng, n, dx, dy)
    length = np.sqrt(rng.chisquare(1, size=(n, 1)))
    return x / length, y / length


def _bent(rng: np.random.Generator, n: int, dx: int, dy: int) -> Pair:
    x, y = _normal(rng, n, dx, dy)
    y[:, 0] = x[:, 0] ** 2 + 0.1 * y[:, 0]
    return x, y


def _tied(rng: np.random.Generator, n: int, dx: int, dy: int) -> Pair:
    x, y = _normal(rng, n, dx, dy)
    return x.round(), (2 * y).round()


def _binary(rng: np.random.Generator, n: int, dx: int, dy: int) -> Pair:
    x, y = _normal(rng, n, dx, dy)
    return (x > 0.4).astype(float), (y > 0).astype(float)


def _balanced(rng: np.random.Generator, n: int, dx: int, dy: int) -> Pair:
    """Half zeros, half ones: their squares do not vary, and all ranks lie on an edge of bins."""
    x, y = _normal(rng, n, dx, dy)
    return (x > np.median(x, axis=0)).astype(float), y


def _copied(rng: np.random.Generator, n: int, dx: int, dy: int) -> Pair:
    """A column twice, so that a side has one direction fewer than columns."""
    x, y = _normal(rng, n, dx, dy)
    return np.column_stack([x, -x[:, 0]])[:, :64], y


SAMPLES = (_normal, _independent, _strong, _heavy, _bent, _tied, _binary, _balanced, _copied)
SHAPES = (
    *((10, 1, 1), (10, 4, 4), (10, 12, 3), (11, 64, 64), (30, 6, 6), (60, 3, 2), (100, 1, 1), (129, 1, 4)),
    *((400, 2, 2), (500, 5, 5), (600, 9, 7), (1000, 1, 1), (1000, 16, 16), (3000, 3, 8), (3000, 64, 1)),
)


@pytest.fixture(scope="module", params=SAMPLES, ids=lambda draw: draw.__name__.strip("_"))
def tables(request: pytest.FixtureRequest) -> list[Table]:
    draw: Callable[[np.random.Generator, int, int, int], Pair] = request.param
    ranked = [prepare(*draw(np.random.default_rng(i), *shape)) for i, shape in enumerate(SHAPES)]
    return [table for table in ranked if not table.constant]


@pytest.fixture(scope="module")
def both(tables: list[Table]) -> list[tuple[dict[str, np.ndarray], dict[str, np.ndarray]]]:
    """Compiled tokens of each problem, and torch's."""
    return list(zip(map(dict, native.tokens(tables)), _of_torch(tables), strict=True))


def _of_torch(tables: list[Table]) -> Iterator[dict[str, np.ndarray]]:
    """Each problem alone, without padding."""
    for table in tables:
        tokens = tokenise(collate([table])).unbind()[0]
        kinds = {name: kind.values[kind.mask].numpy() for name, kind in tokens.kinds.items()}
        yield {registry.OVERALL: tokens.overall.numpy(), **kinds}


def _tolerances(token: str, statistic: str) -> np.ndarray:
    """Of every channel."""
    sizes = COLUMNS.channels if statistic == COLUMNS.name else {"": registry.widths(token)[statistic]}
    own = np.concatenate([np.full(size, LOOSE.get(name, TOLERANCE)) for name, size in sizes.items()])
    pooled = token == registry.OVERALL and statistic == COLUMNS.name
    return np.tile(own, len(TOTAL_MEAN_LARGEST) if pooled else 1)


TOKENS = (*registry.kinds(), registry.OVERALL)


@pytest.mark.parametrize(
    ("token", "statistic"), [(token, name) for token in TOKENS for name in registry.widths(token)]
)
def test_channels_are_torchs(
    token: str, statistic: str, both: list[tuple[dict[str, np.ndarray], dict[str, np.ndarray]]]
) -> None:
    place = registry.places(token)[statistic]
    for compiled, expected in both:
        assert compiled[token].shape == expected[token].shape
        values, wanted = compiled[token][..., place], expected[token][..., place]
        error = np.abs(values - wanted) / np.maximum(1, np.abs(wanted))
        assert (error <= _tolerances(token, statistic)).all(), error.max()
