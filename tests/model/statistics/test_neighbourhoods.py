"""Neighbourhoods, their dimensions and the local information in them, against other ways to compute these."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import digamma, ndtr

from mizzle.model.batch import collate
from mizzle.model.preprocess import prepare
from mizzle.model.statistics import local_information as local
from mizzle.model.statistics import neighbourhoods as hoods
from mizzle.model.statistics.statistic import Context
from mizzle.model.statistics.tokens import tokenise

Array = np.ndarray


def context(*pairs: tuple[Array, Array]) -> Context:
    return Context(collate([prepare(x, y) for x, y in pairs]))


def normal_pairs(rng: np.random.Generator, n: int, pairs: int, nats: float) -> tuple[Array, Array]:
    """Standard normals with `nats` shared evenly by the pairs."""
    x, noise = rng.normal(size=(2, n, pairs))
    r = np.sqrt(-np.expm1(-2 * nats / pairs))
    return x, r * x + np.sqrt(1 - r * r) * noise


def blob(z: Array) -> Array:
    """Two latents as the place of a blob on 12 x 12 pixels: eight principal components."""
    grid = (np.arange(12) + 0.5) / 12
    along = np.exp(-0.5 * ((grid - ndtr(z)[..., None]) / 0.2) ** 2)
    pixels = (along[:, 0, :, None] * along[:, 1, None, :]).reshape(len(z), -1)
    pixels -= pixels.mean(axis=0)
    return np.asarray(pixels @ np.linalg.svd(pixels, full_matrices=False)[2][:8].T)


def test_counts_are_those_of_all_distances() -> None:
    """The local KSG terms of the Euclidean round, from every distance at once."""
    own = context(normal_pairs(np.random.default_rng(0), 300, 3, 1.0))
    points, among_all = own.once(hoods.points), own.once(hoods.among_all)
    assert points.k[0].tolist() == [8, 16, 3]
    z = points.values[0, :, :300].numpy()
    for i, q in list(enumerate(points.queries.places[0].tolist()))[::16]:
        sides = ((z - z[:, q, None]) ** 2).sum(-1)
        order = np.maximum(*sides).argsort()
        assert among_all.nearest[0, i].tolist() == order[1:17].tolist()
        for j, k in enumerate(points.k[0].tolist()):
            inside = [
                int((side < sides[:, order[k]].max()).sum()) for side in sides
            ]  # the row itself among them
            expected = digamma(k) + digamma(300) - digamma(inside).sum()
            assert float(among_all.counted[0, i, j]) == pytest.approx(expected, abs=1e-6)


def test_gaussian_terms_are_those_of_the_covariance() -> None:
    """At the smaller ridge and D + 10 neighbours, from determinants; the bias is simulated."""
    own = context(normal_pairs(np.random.default_rng(1), 400, 2, 1.5))
    frame = own.once(local.frame)
    second = hoods.neighbourhoods(frame.batch, frame.points, local.metric(frame))
    term = local._gaussian(frame, second)[0, 0, 0, 0]
    rows = frame.points.values[0, :, frame.first.nearest[0, 0]].transpose(0, 1).flatten(1).numpy()
    assert rows.shape == (14, 4)
    c = np.cov(rows.T) + (1e-3 * np.trace(np.cov(rows.T)) / 4 + 1e-9) * np.eye(4)
    raw = 0.5 * np.log(np.linalg.det(c[:2, :2]) * np.linalg.det(c[2:, 2:]) / np.linalg.det(c))
    draws = np.random.default_rng(2).normal(size=(20_000, 14, 4))
    centred = draws - draws.mean(1, keepdims=True)
    free = centred.transpose(0, 2, 1) @ centred
    logs = [np.linalg.slogdet(free[:, s, s])[1] for s in (slice(2), slice(2, 4), slice(4))]
    spurious = 0.5 * (logs[0] + logs[1] - logs[2])
    error = spurious.std() / len(draws) ** 0.5
    assert float(term) == pytest.approx(raw - spurious.mean(), abs=5 * error)


@pytest.mark.parametrize(("nats", "tolerance"), [(0.5, 0.35), (2.0, 0.35)])
def test_local_information_is_right_on_a_surface(nats: float, tolerance: float) -> None:
    """Sixteen columns that show four latents, whose spectra say many times as much; three samples."""
    rng = np.random.default_rng(3)
    latents = [normal_pairs(rng, 1000, 2, nats) for _ in range(3)]
    own = context(*((blob(x), blob(y)) for x, y in latents))
    small = local.terms(own)[..., -1]
    error = float(small.std() / small.numel() ** 0.5)
    assert abs(float(small.mean()) - nats) < tolerance + 3 * error


@pytest.mark.parametrize("k", [2, 3, 4])
def test_dimension_counts_what_columns_are_computed_from(k: int) -> None:
    """Of k normals in 9 columns: the ranks bend the plane a little, and a neighbourhood is not small.

    (Of one normal, 1.2 at 20 neighbours and 1.6 at 6: the distances to few of them are uneven along a line.)
    """
    rng = np.random.default_rng(k)
    x, y = (rng.normal(size=(2000, k)) @ rng.normal(size=(k, 9)) for _ in range(2))
    low, high, both = hoods.dimensions(context((x, y)))[0].mean(0).tolist()
    assert low <= high < both
    assert np.mean([low, high]) == pytest.approx(k, rel=0.25)


def test_directions_find_what_the_other_side_tells() -> None:
    """One bent pair of twelve columns a side: it turns up in the first directions, and noise does not."""
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(2, 1000, 12))
    y[:, 3] = np.sin(2 * x[:, 7]) + 0.1 * y[:, 3]
    own = context((x, y))
    first = local.directions(own.batch, own.once(hoods.local_covariances), own.once(hoods.points))[0, :, :, 0]
    weights = first.abs() / first.norm(dim=-1, keepdim=True)
    assert weights.shape == (2, 12)
    assert float(weights[0, 7]) > 0.8
    assert float(weights[1, 3]) > 0.8


def test_ties_are_broken_by_what_rows_hold() -> None:
    """Distances of labels tie by the hundred: padding and the other data sets of a batch choose nothing."""
    rng = np.random.default_rng(6)
    pair = rng.integers(3, size=(200, 2)).astype(float), rng.integers(4, size=(200, 1)).astype(float)
    alone = context(pair).once(hoods.among_all)
    padded = context(pair, normal_pairs(rng, 900, 2, 1.0)).once(hoods.among_all)
    m, k = alone.nearest.shape[1:]
    assert torch.equal(alone.nearest[0], padded.nearest[0, :m, :k])


def test_copies_are_inside_in_every_metric() -> None:
    """Where all nearest rows are copies the metric is that of the ridge alone: the first round once more."""
    rng = np.random.default_rng(7)
    x = rng.random((500, 1)) < 0.4
    own = context((x.astype(float), (x ^ (rng.random((500, 1)) < 0.2)).astype(float)))
    frame = own.once(local.frame)
    second = hoods.neighbourhoods(frame.batch, frame.points, local.metric(frame))
    assert torch.equal(second.nearest, frame.first.nearest)
    torch.testing.assert_close(second.counted, frame.first.counted)


def test_directions_that_tell_nothing_are_left_out() -> None:
    """Of two columns shown twelve times each, two directions remain, whatever the order of columns."""
    rng = np.random.default_rng(8)
    x, y = normal_pairs(rng, 300, 2, 1.0)
    table = prepare(x, y)
    own = Context(collate([replace(table, x=np.tile(table.x, (12, 1)))]))  # which `prepare` would leave out
    weights = local.directions(own.batch, own.once(hoods.local_covariances), own.once(hoods.points))[0, 0]
    assert (weights != 0).any(0).tolist() == [True] * 2 + [False] * 6
    shuffled = Context(collate([replace(table, x=rng.permutation(np.tile(table.x, (12, 1))))]))
    torch.testing.assert_close(local.terms(own), local.terms(shuffled), rtol=0, atol=1e-5)


@pytest.mark.parametrize("n", [10, 11, 40])
@pytest.mark.parametrize("d", [1, 8, 9, 64])
def test_degenerate_samples_give_finite_numbers(n: int, d: int) -> None:
    rng = np.random.default_rng(n + d)
    x, single = rng.normal(size=(n, d)), np.zeros((n, d))
    single[0] = 1.0
    copies = np.repeat(x[:, :1], d, axis=1)
    binary = np.sign(x)
    for pair in [(x, x), (binary, binary[:, :1]), (single, x), (copies, copies), (x.round(), copies)]:
        own = context(pair)
        assert local.terms(own).isfinite().all()
        assert hoods.geometry(own).isfinite().all()


def test_padding_may_outnumber_the_rows_of_the_batch() -> None:
    rng = np.random.default_rng(5)
    small, large = (normal_pairs(rng, n, 1, 0.5) for n in (5, 2001))  # the large one fills words of 16 rows
    alone, beside = (tokenise(context(*pairs).batch) for pairs in ([small], [small, large]))
    torch.testing.assert_close(beside.overall[:1], alone.overall, rtol=0, atol=1e-5)
