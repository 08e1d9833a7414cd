"""The exact symmetries of mutual information, as laws over tables of many kinds, in perturbed nets."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from mizzle.model.batch import collate, normal_scores
from mizzle.model.net import Net
from mizzle.model.preprocess import prepare
from mizzle.model.statistics.queries import _content_key, all_queries
from mizzle.model.statistics.statistic import Context
from mizzle.model.statistics.tokens import Tokens, tokenise
from mizzle.model.weights import NetConfig

Pair = tuple[np.ndarray, np.ndarray]
_TOLERANCE = 2e-5  # log(1 + nats); rounding of float32 statistics


def _normal(rng: np.random.Generator, n: int, dx: int, dy: int) -> Pair:
    shared = rng.normal(size=(n, 1))
    return shared + rng.normal(size=(n, dx)), shared + rng.normal(size=(n, dy))


def _cauchy(rng: np.random.Generator, n: int, dx: int, dy: int) -> Pair:
    x, y = _normal(rng, n, dx, dy)
    return x**3 / rng.normal(size=(n, 1)), y**3


def _rounded(rng: np.random.Generator, n: int, dx: int, dy: int) -> Pair:
    x, y = _normal(rng, n, dx, dy)
    return x.round(), (2 * y).round()


def _balanced(rng: np.random.Generator, n: int, dx: int, dy: int) -> Pair:
    """Half zeros, half ones: |rank| is constant, so that only the other columns can orient this one."""
    x, y = _normal(rng, n, dx, dy)
    return (x > np.median(x, axis=0)).astype(float), y


def _binary(rng: np.random.Generator, n: int, dx: int, dy: int) -> Pair:
    x, y = _normal(rng, n, dx, dy)
    return (x > 0.4).astype(float), y


def _copied(rng: np.random.Generator, n: int, dx: int, dy: int) -> Pair:
    """A column twice, so that a side has one direction fewer than columns."""
    x, y = _normal(rng, n, dx, dy)
    return np.column_stack([x, x[:, 0]]), y


KINDS = {f.__name__.strip("_"): f for f in (_normal, _cauchy, _rounded, _binary, _balanced, _copied)}
SHAPES = [
    (10, 1, 1),
    (10, 4, 4),
    (30, 6, 6),
    (60, 3, 2),
    (100, 2, 2),
    (129, 1, 4),
    (600, 1, 1),
    (400, 2, 2),
    (701, 7, 3),
]


@pytest.fixture(scope="module")
def net() -> Net:
    """A net whose zero-initialised branches were perturbed, or the laws would hold vacuously."""
    torch.manual_seed(0)
    net = Net(NetConfig(width=32, channels=16))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return net.eval()


@pytest.fixture(params=[(k, s) for k in KINDS for s in SHAPES], ids=lambda p: f"{p[0]}-{p[1]}")
def pair(request: pytest.FixtureRequest) -> Pair:
    """A sample of each kind and shape."""
    kind, shape = request.param
    return KINDS[kind](np.random.default_rng(7), *shape)


def answer(net: Net, *pairs: Pair) -> torch.Tensor:
    """Quantiles of log(1 + I) for a batch of pairs."""
    with torch.no_grad():
        quantiles: torch.Tensor = net(tokenise(collate([prepare(x, y) for x, y in pairs])))
    return quantiles


def _rows(x: np.ndarray, y: np.ndarray) -> Pair:
    order = np.random.default_rng(1).permutation(len(x))
    return x[order], y[order]


def _columns(x: np.ndarray, y: np.ndarray) -> Pair:
    return x[:, ::-1], np.roll(y, 1, axis=1)


def _swap(x: np.ndarray, y: np.ndarray) -> Pair:
    return y, x


def _increasing(x: np.ndarray, y: np.ndarray) -> Pair:
    return np.arctan(x / 1e3), np.cbrt(y) * 1e200


def _reversed(x: np.ndarray, y: np.ndarray) -> Pair:
    flipped = x.copy()
    flipped[:, ::2] *= -1
    return flipped, -y


def _everything(x: np.ndarray, y: np.ndarray) -> Pair:
    return _swap(*_rows(*_columns(*_reversed(x, y))))


CHANGES = [_rows, _columns, _swap, _increasing, _reversed, _everything]


@pytest.mark.parametrize("change", CHANGES, ids=lambda f: f.__name__.strip("_"))
def test_answer_does_not_change(net: Net, pair: Pair, change: Callable[..., Pair]) -> None:
    before, after = answer(net, pair), answer(net, change(*pair))
    torch.testing.assert_close(after, before, atol=_TOLERANCE, rtol=0)


def test_padding_and_batch_mates_do_not_matter(net: Net, pair: Pair) -> None:
    rng = np.random.default_rng(3)
    mates = [_normal(rng, 900, 9, 2), _cauchy(rng, 12, 1, 1), (1e9 * rng.normal(size=(50, 5)),) * 2]
    together = answer(net, mates[0], pair, *mates[1:])[1:2]
    torch.testing.assert_close(together, answer(net, pair), atol=_TOLERANCE, rtol=0)


def test_the_net_does_look_at_the_data(net: Net) -> None:
    """Without this the laws above would hold for a constant."""
    rng = np.random.default_rng(5)
    answers = answer(net, _normal(rng, 300, 2, 2), _cauchy(rng, 300, 2, 2))
    assert (answers[0] - answers[1]).abs().max() > 100 * _TOLERANCE


def test_every_kind_of_token_reaches_the_answer(net: Net) -> None:
    tokens = tokenise(collate([prepare(*_normal(np.random.default_rng(6), 300, 4, 3))]))
    base = net(tokens)
    named = tokens.named()
    for kind in ("overall", *tokens.kinds):
        changed = Tokens.of({**named, kind: named[kind] + 1.0})
        assert (net(changed) - base).abs().max() > 100 * _TOLERANCE, kind


@pytest.mark.parametrize("n", [40, 41])  # 41 is filled up with rows far away
@pytest.mark.parametrize("dims", [(2, 2), (1, 3), (3, 1), (1, 1)])
def test_statistics_let_gradients_through(dims: tuple[int, int], n: int) -> None:
    """From the answer back to the normal scores: needed by whoever maximises the estimate."""
    rng = np.random.default_rng(8)
    batch = collate([prepare(*_normal(rng, n, *dims)), prepare(*_normal(rng, n - 9, *dims))])
    scores = normal_scores(batch).requires_grad_()
    tokens = tokenise(batch, scores)
    total = tokens.overall.sum() + sum(values.sum() for values, _ in tokens.kinds.values())
    (gradient,) = torch.autograd.grad(total, scores)
    assert torch.isfinite(gradient).all()
    assert gradient.abs().max() > 0
    assert not gradient[~batch.cells].any(), "padding moves nothing"


@pytest.mark.parametrize("dims", [(1, 1), (2, 2), (3, 1)])
def test_rows_that_exchange_their_values_differ(dims: tuple[int, int]) -> None:
    """Independent ranks hold such pairs of rows; a tie would let row order choose between them."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        x, y = (rng.normal(size=(400, d)) for d in dims)
        key = _content_key(collate([prepare(x, y)]))
        assert len(key.unique()) == 400


@pytest.mark.parametrize(
    ("n", "columns", "count"), [(1000, 2, 256), (3200, 2, 400), (1000, 6, 128), (90, 2, 90)]
)
def test_query_rows_are_spread_and_distinct(n: int, columns: int, count: int) -> None:
    batch = collate([prepare(*_normal(np.random.default_rng(9), n, columns, columns))])
    rows, valid = all_queries(Context(batch))
    assert rows.shape == (1, count)
    assert valid.all()
    assert len(rows.unique()) == count
