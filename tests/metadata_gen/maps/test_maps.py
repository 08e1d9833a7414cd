"""Every map of a side has the inverse it claims, so it cannot change MI."""

import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from census import concrete
from scipy.linalg import expm
from scipy.special import ndtr

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.family import Array, Rng
from mizzle.metadata_gen.maps.bends import Henon, Residual, Triangular
from mizzle.metadata_gen.maps.curves import Arc, Fold, SwissRoll, Wave
from mizzle.metadata_gen.maps.invertible import Coupling, Linear, Polar, Spiral
from mizzle.metadata_gen.maps.shears import Banana, Shear
from mizzle.metadata_gen.maps.side_map import Composed, SideMap
from mizzle.metadata_gen.maps.warps import Affine, Columnwise, NormalCdf, Skew
from mizzle.metadata_gen.prior.maps import KINDS, PLANAR, WIDENING, kinds, random_map

ROWS = 400
CASES = [(kind, dim) for dim in (1, 2, 3, 8, 64) for kind in kinds(dim)]
every_case = pytest.mark.parametrize(("kind", "dim"), CASES, ids=str)


def rng(seed: int = 1) -> Rng:
    return np.random.default_rng(seed)


def normal_rows(dim: int) -> Array:
    return rng(2).standard_normal((ROWS, dim))


def cauchy_rows(dim: int) -> Array:
    """One heavy tail for the whole row, cut at 1e6."""
    return np.clip(normal_rows(dim) / np.abs(rng(3).standard_normal((ROWS, 1))), -1e6, 1e6)


def rows_of_all_sizes(dim: int) -> Array:
    """Entries of either sign, log-uniform from 1e-6 to 1e6."""
    return np.sign(normal_rows(dim)) * 10.0 ** rng(4).uniform(-6.0, 6.0, (ROWS, dim))


def parts_of(side_map: SideMap) -> Iterator[type]:
    yield type(side_map)
    if isinstance(side_map, Composed):
        for part in side_map.maps:
            yield from parts_of(part)


def test_census() -> None:
    assert concrete(SideMap) == {c for kind in KINDS for c in parts_of(random_map(rng(), kind, 3))}


@pytest.mark.parametrize("rows", [normal_rows, cauchy_rows, rows_of_all_sizes])
@every_case
def test_inverse_undoes_forward(kind: str, dim: int, rows: Callable[[int], Array]) -> None:
    side_map, x = random_map(rng(), kind, dim), rows(dim)
    y = side_map.forward(x)
    assert np.isfinite(y).all()
    assert y.shape == (ROWS, side_map.dim_out)
    largest = np.abs(x).max(axis=1, keepdims=True)
    # worst are the curves: an ulp of u(t) = 1 - 2e-7 is 3e-4 in t = 1e6, 3e-10 of it
    assert (np.abs(side_map.inverse(y) - x) <= 1e-7 * largest).all()


@every_case
def test_random_map_has_its_dims_and_depends_on_rng_only(kind: str, dim: int) -> None:
    a, b = (random_map(rng(7), kind, dim) for _ in range(2))
    x = normal_rows(dim)
    assert (a.dim_in, a.dim_out) == (dim, dim + (kind in WIDENING))
    assert a.forward(x).tobytes() == b.forward(x).tobytes()
    assert str(dim) in repr(a)


@every_case
def test_forward_does_its_rows_apart_and_leaves_x(kind: str, dim: int) -> None:
    side_map, x = random_map(rng(), kind, dim), normal_rows(dim)
    before = x.copy()
    assert side_map.forward(x[:7]) == pytest.approx(side_map.forward(x)[:7], abs=1e-12)
    side_map.inverse(side_map.forward(x))
    assert (x == before).all()


def test_planar_kinds_need_two_columns() -> None:
    assert set(kinds(1)) == set(KINDS) - set(PLANAR)
    assert kinds(2) == KINDS


def test_composed_goes_through_in_order() -> None:
    double, shift = Linear(2.0 * np.eye(1)), Wave(1, 0, 1.0)
    y = Composed([double, shift]).forward(np.array([[0.5]]))
    assert y == pytest.approx(np.array([[1.0, math.sin(1.0)]]))


def test_spiral_is_that_of_bmi() -> None:
    generator = np.zeros((3, 3))
    generator[0, 1], generator[1, 0] = -1.0, 1.0
    x = normal_rows(3)[:5]
    expected = [expm(0.3 * (row @ row) * generator) @ row for row in x]
    assert Spiral(np.eye(3)[:, :2], 0.3, limit=math.inf).forward(x) == pytest.approx(np.array(expected))


@pytest.mark.parametrize("whole", [True, False])
def test_spiral_keeps_norm(whole: bool) -> None:
    plane, x = np.linalg.qr(normal_rows(2)[:5])[0], cauchy_rows(5)
    y = Spiral(plane, 2.0, whole=whole).forward(x)
    assert np.linalg.norm(y, axis=1) == pytest.approx(np.linalg.norm(x, axis=1))
    assert not np.allclose(y, x)


def test_swiss_roll_is_that_of_bmi() -> None:
    x = normal_rows(1)
    r = 1.5 * np.pi * (1.0 + 2.0 * ndtr(x[:, 0]))
    bmi = np.column_stack([r * np.cos(r), r * np.sin(r)]) / 21.0
    assert SwissRoll(1, 0, NormalCdf()).forward(x) == pytest.approx(3.0 * bmi)


@pytest.mark.parametrize(
    "side_map", [SwissRoll(3, 1), Arc(3, 1, 0.9), Wave(3, 1, 2.0), Fold(3, 1, 0.5)], ids=repr
)
def test_curve_stands_in_place_of_its_column(side_map: SideMap) -> None:
    x = normal_rows(3)
    assert (side_map.forward(x)[:, [0, 3]] == x[:, [0, 2]]).all()


def test_polar() -> None:
    y = Polar(3, 2, 0).forward(np.array([[3.0, 7.0, 4.0]]))
    assert y == pytest.approx(np.array([[math.atan2(3.0, 4.0), 7.0, 5.0]]))


def test_shear() -> None:
    shear = Shear(3, np.array([1]), np.array([0]), np.array([[2.0, 0.5, 0.1]]))
    y = shear.forward(np.array([[1.0, 3.0, 5.0]]))
    assert y == pytest.approx(np.array([[1.0 + 2.0 * math.sin(1.6), 3.0, 5.0]]))


def test_banana() -> None:
    y = Banana(3, np.array([1, 1]), np.array([0, 2]), np.array([2.0, -1.0])).forward(
        np.array([[1.0, 3.0, 5.0]])
    )
    assert y == pytest.approx(np.array([[19.0, 3.0, -4.0]]))


def test_coupling_keeps_exactly_and_changes_the_rest() -> None:
    flow, x = random_map(rng(), "coupling", 6), rows_of_all_sizes(6)
    assert isinstance(flow, Composed)
    for layer in flow.maps:
        same = (layer.forward(x) == x).all(axis=0)
        assert same.sum() == 3
        assert (layer.inverse(x) == x).all(axis=0).tolist() == same.tolist()


def test_flow_changes_every_column() -> None:
    x = normal_rows(5)
    for seed in range(20):
        assert (random_map(rng(seed), "coupling", 5).forward(x) != x).any(axis=0).all()


def test_henon_is_that_of_henon() -> None:
    """With a' = a / c and b' = b / s: a' -> 1 - c^2 q a'^2 + b', up to scale."""
    step = Henon(np.eye(3), np.array([0.5]), np.array([0.3]), limit=math.inf)
    y = step.forward(np.array([[2.0, 1.0, 7.0]]))
    assert y == pytest.approx(np.array([[1.0 - 0.5 * 3.0, 0.6, 7.0]]))


def test_henon_pairs_the_columns_of_its_frame() -> None:
    """Column j of the frame is the direction of x whose length becomes column j."""
    frame = np.eye(4)[:, [3, 1, 0, 2]]
    y = Henon(frame, np.zeros(2), np.array([2.0, 3.0])).forward(np.array([[1.0, 2.0, 3.0, 4.0]]))
    assert y.tolist() == [[1.0, 3.0, 8.0, 6.0]]


def test_residual() -> None:
    inner, outer = np.array([[0.5, 0.0], [0.0, 1.0]]), np.array([[0.0, 0.6], [0.2, 0.0]])
    y = Residual(inner, np.array([0.0, 1.0]), outer).forward(np.array([[2.0, -1.0]]))
    assert y == pytest.approx(np.array([[2.0, -1.0 + 0.2 * math.tanh(1.0)]]))


def test_columnwise() -> None:
    y = Columnwise([Affine(2.0), Skew(0.5)]).forward(np.array([[1.0, 0.0]]))
    assert y.tolist() == [[2.0, 0.5]]


def test_triangular() -> None:
    layer = Triangular(np.full((2, 2), 0.5), np.zeros(2), np.array([9.0, 1.0]), np.array([9.0, 2.0]))
    h = math.tanh(1.0)
    y = layer.forward(np.array([[2.0, 3.0]]))
    assert y == pytest.approx(np.array([[2.0, 3.0 * math.exp(h) + 2.0 * h]]))


@pytest.mark.parametrize("kind", ["henon", "residual", "triangular", "post-nonlinear"])
def test_bend_is_no_linear_map(kind: str) -> None:
    """Of a typical draw at least a hundredth of the variance is left behind the best linear map."""
    x = rng(2).standard_normal((2000, 4))
    design = np.column_stack([np.ones(len(x)), x])
    left = []
    for seed in range(20):
        y = random_map(rng(seed), kind, 4).forward(x)
        residual = y - design @ np.linalg.lstsq(design, y)[0]
        left.append(residual.var() / y.var(axis=0).mean())
    assert np.median(left) > 0.01


TWO, FIXED = np.eye(2), np.array([True, False])


@pytest.mark.parametrize(
    "build",
    [
        lambda: Linear(np.ones((2, 2))),
        lambda: Linear(np.ones((2, 3))),
        lambda: Shear(2, np.array([0]), np.array([0]), np.ones((1, 3))),
        lambda: Shear(2, np.array([0]), np.array([2]), np.ones((1, 3))),
        lambda: Shear(2, np.array([0]), np.array([1]), np.ones((2, 3))),
        lambda: Shear(2, np.array([0]), np.array([1, 1]), np.ones((2, 3))),
        lambda: Banana(2, np.array([0]), np.array([1]), np.ones(2)),
        lambda: Spiral(np.ones((3, 2)), 1.0),
        lambda: Spiral(TWO, math.nan),
        lambda: Spiral(TWO, 1.0, limit=0.0),
        lambda: Polar(2, 1, 1),
        lambda: Polar(2, 0, -1),
        lambda: SwissRoll(2, 2),
        lambda: Arc(2, 0, 1.0),
        lambda: Wave(0, 0, 1.0),
        lambda: Coupling(np.array([True, True]), TWO, np.zeros(2), TWO, TWO),
        lambda: Coupling(FIXED, TWO, np.zeros(3), TWO, TWO),
        lambda: Henon(np.ones((2, 2)), np.ones(1), np.ones(1)),
        lambda: Henon(np.ones((2, 3)), np.ones(1), np.ones(1)),
        lambda: Henon(np.eye(1), np.ones(0), np.ones(0)),
        lambda: Henon(TWO, np.ones(2), np.ones(1)),
        lambda: Henon(TWO, np.ones(1), np.zeros(1)),
        lambda: Henon(TWO, np.ones(1), np.ones(1), limit=0.0),
        lambda: Residual(TWO, np.zeros(2), TWO),
        lambda: Residual(TWO, np.zeros(3), 0.5 * TWO),
        lambda: Residual(TWO, np.zeros(2), np.zeros((2, 2))),
        lambda: Triangular(TWO, np.zeros(3), np.ones(3), np.ones(3)),
        lambda: Triangular(TWO, np.zeros(2), np.ones(2), np.ones(3)),
        lambda: Columnwise([]),
        lambda: Composed([]),
        lambda: Composed([SwissRoll(1, 0), Linear(np.eye(1))]),
        lambda: random_map(rng(), "spiral", 1),
        lambda: random_map(rng(), "knot", 3),
    ],
)
def test_nonsense_is_refused(build: object) -> None:
    assert callable(build)
    with pytest.raises(InvalidInput):
        build()
