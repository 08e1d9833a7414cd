"""Looks of every kind are injective, with room to spare, so they cannot change MI."""

import numpy as np
import pytest
from census import concrete
from scipy.spatial.distance import pdist

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.family import Array
from mizzle.metadata_gen.maps.looks import Look, Scaled
from mizzle.metadata_gen.maps.side_map import Chained, Injection, SideMap
from mizzle.metadata_gen.prior.looks import KINDS, kinds, look_of_kind, random_look, with_mixtures
from mizzle.metadata_gen.prior.map_ranges import MAX_LATENTS

ROWS, SEEDS, STEP = 300, 6, 1e-5
LEAST = 1e-3  # change of the image for a change of the latents, in standard deviations of both
CASES = [(kind, k) for k in range(1, MAX_LATENTS + 1) for kind in kinds(k)]
every_case = pytest.mark.parametrize(("kind", "k"), CASES, ids=str)


def drawn(kind: str, k: int) -> list[tuple[Injection, Array]]:
    """Looks of a kind with much room and little, and rows of latents."""
    rngs = [np.random.default_rng([seed, k]) for seed in range(SEEDS)]
    rooms = [(64, 2 * k + 1, 16)[seed % 3] for seed in range(SEEDS)]
    return [
        (look_of_kind(r, kind, k, room), r.standard_normal((ROWS, k)))
        for r, room in zip(rngs, rooms, strict=True)
    ]


def size(image: Array) -> float:
    """The standard deviation of a whole row."""
    return float(np.sqrt(image.var(axis=0).sum()))


def jacobians(look: Injection, z: Array) -> Array:
    """Derivatives by every latent, shape (n, d, k)."""
    steps = STEP * np.eye(look.dim_in)
    slopes = [(look.forward(z + e) - look.forward(z - e)) / (2.0 * STEP) for e in steps]
    return np.stack(slopes, axis=2)


def test_there_are_many_kinds() -> None:
    assert len(KINDS) >= 40
    assert all(len(kinds(k)) >= 40 for k in range(1, MAX_LATENTS + 1))


def test_census() -> None:
    assert {c for c in concrete(Injection) if not issubclass(c, SideMap)} == {Look, Scaled, Chained}


@every_case
def test_small_changes_of_latents_change_the_image(kind: str, k: int) -> None:
    for look, z in drawn(kind, k):
        least = np.linalg.svd(jacobians(look, z), compute_uv=False)[:, -1] / size(look.forward(z))
        assert np.quantile(least, 0.05) >= LEAST
        assert least.min() >= 0.1 * LEAST  # where a share is all but nothing


@every_case
def test_different_latents_have_different_images(kind: str, k: int) -> None:
    for look, z in drawn(kind, k):
        image = look.forward(z)
        assert (pdist(image) / pdist(z)).min() >= LEAST * size(image)


@every_case
def test_no_column_is_constant_or_infinite(kind: str, k: int) -> None:
    for look, z in drawn(kind, k):
        assert (np.ptp(look.forward(z), axis=0) > 0.0).all()
        assert np.isfinite(look.forward(np.clip(4.0 * z, -6.0, 6.0))).all()


@every_case
def test_look_depends_on_rng_only_and_does_its_rows_apart(kind: str, k: int) -> None:
    a, b = (look_of_kind(np.random.default_rng(3), kind, k, 64) for _ in range(2))
    z = np.random.default_rng(4).standard_normal((ROWS, k))
    before = z.copy()
    image = a.forward(z)
    assert image.tobytes() == b.forward(z).tobytes()
    assert image.shape == (ROWS, a.dim_out)
    assert (z == before).all()
    assert a.forward(z[:7]) == pytest.approx(image[:7], abs=1e-9)
    assert str(a.dim_out) in repr(a)


@pytest.mark.parametrize("k", range(1, MAX_LATENTS + 1))
def test_random_look_fits_and_is_of_many_kinds(k: int) -> None:
    rng = np.random.default_rng(5)
    for room in (2 * k + 1, 12, 64):
        looks = [random_look(rng, k, room) for _ in range(120)]
        assert all(look.dim_in == k and look.dim_out <= room for look in looks)
    assert len({repr(look).split("(")[0] for look in looks}) >= 20


def test_mixtures_keep_their_columns() -> None:
    z = np.random.default_rng(6).standard_normal((ROWS, 5))
    look = with_mixtures(np.random.default_rng(7), 5, 9)
    assert 5 < look.dim_out <= 9
    assert (look.forward(z)[:, :5] == z).all()


@pytest.mark.parametrize("limit", [4.0, 12.0])
def test_scaled_is_monotone_and_bounded(limit: float) -> None:
    x = np.concatenate([[-1e6], np.linspace(-50.0, 50.0, 999), [1e6]])[:, None]
    z = Scaled(np.array([3.0]), np.array([2.0]), np.array([limit])).forward(x)
    assert (np.diff(z[:, 0]) > 0.0).all()
    assert np.abs(z).max() < limit * np.pi / 2.0


def test_scaled_keeps_what_is_in_the_middle() -> None:
    scaled = Scaled(np.array([3.0]), np.array([2.0]), np.array([12.0]))
    assert scaled.forward(np.array([[3.0], [5.0]])) == pytest.approx(np.array([[0.0], [1.0]]), abs=0.01)


def test_chain_goes_through_in_order() -> None:
    chain = Chained([Look(np.exp, 2), Look(lambda z: np.hstack([z, -z]), 2)])
    assert (chain.dim_in, chain.dim_out) == (2, 4)
    assert chain.forward(np.zeros((1, 2))).tolist() == [[1.0, 1.0, -1.0, -1.0]]


@pytest.mark.parametrize(
    "build",
    [
        lambda: Look(np.exp, 0),
        lambda: Scaled(np.zeros(2), np.array([1.0, 0.0]), np.ones(2)),
        lambda: Scaled(np.zeros(2), np.ones(2), np.array([1.0, -1.0])),
        lambda: Chained([]),
        lambda: Chained([Look(np.exp, 2), Look(np.exp, 3)]),
    ],
)
def test_nonsense_is_refused(build: object) -> None:
    assert callable(build)
    with pytest.raises(InvalidInput):
        build()
