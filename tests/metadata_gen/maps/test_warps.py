"""Every warp is strictly monotone and has the inverse it claims."""

import numpy as np
import pytest
from census import concrete

from mizzle.errors import InvalidInput
from mizzle.metadata_gen.maps import warps
from mizzle.metadata_gen.maps.curves import CauchyCdf
from mizzle.metadata_gen.maps.warps import Affine, SignedPower, Skew, Step, TailPower, Warp, Wiggly

WARPS: list[Warp] = [
    Affine(2.0, -1.0),
    Affine(-0.3),
    SignedPower(1.5),
    SignedPower(1.0 / 3.0),
    SignedPower(3.0),
    warps.Asinh(),
    warps.Sinh(),
    warps.Exponential(),
    warps.NormalCdf(),
    warps.Logistic(),
    CauchyCdf(),
    Wiggly(((0.4, 1.0, 0.0), (0.2, 1.7, 1.0), (0.03, 3.3, -2.5))),
    Wiggly(((-2.0, 0.4, 1.0), (0.1, 1.9, 0.0))),
    Step(3.0, 0.2, 1.0),
    Step(0.3, 1.5),
    Skew(0.9),
    Skew(-0.5),
    TailPower(1.6),
    TailPower(0.4, 0.3),
]
GRID = np.linspace(-5.0, 5.0, 4001)
every_warp = pytest.mark.parametrize("warp", WARPS, ids=repr)


def test_census() -> None:
    assert concrete(Warp) == {type(warp) for warp in WARPS}


@every_warp
def test_inverse_undoes_forward(warp: Warp) -> None:
    # NormalCdf loses most: an ulp of 1 - Phi(5) = 3e-7 is 1e-16 / 1.5e-6 in x
    assert warp.inverse(warp.forward(GRID)) == pytest.approx(GRID, abs=1e-8)


@every_warp
def test_strictly_monotone(warp: Warp) -> None:
    steps = np.diff(warp.forward(GRID))
    assert (steps > 0.0).all() or (steps < 0.0).all()


@pytest.mark.parametrize(
    "build",
    [
        lambda: Affine(0.0),
        lambda: SignedPower(0.0),
        lambda: Wiggly(((1.0, 1.0, 0.0),)),
        lambda: Step(0.0, 1.0),
        lambda: Step(1.0, -1.0),
        lambda: Skew(1.0),
        lambda: TailPower(0.0),
    ],
)
def test_not_invertible_is_refused(build: object) -> None:
    assert callable(build)
    with pytest.raises(InvalidInput):
        build()
