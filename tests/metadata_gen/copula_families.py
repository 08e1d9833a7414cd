"""Copulas of all kinds for the laws that hold for every family."""

from mizzle.metadata_gen.families.archimedean import GENERATORS, ArchimedeanCopula
from mizzle.metadata_gen.families.copulas import Copula, CopulaMixture, NormalCopula, Rotated
from mizzle.metadata_gen.family import Family


def archimedean(name: str, tau: float, degrees: int = 0) -> Copula:
    plain = ArchimedeanCopula.from_tau(name, tau)
    return Rotated(plain, degrees) if degrees else plain


CROSS = CopulaMixture([0.5, 0.5], [archimedean("clayton", 0.7), archimedean("clayton", 0.7, 90)])
COPULAS: dict[str, Copula] = {
    **{f"{name} {tau}": archimedean(name, tau) for name in GENERATORS for tau in (0.01, 0.5, 0.9)},
    "clayton at 90": archimedean("clayton", 0.6, 90),
    "gumbel at 180": archimedean("gumbel", 0.8, 180),
    "joe at 270": archimedean("joe", 0.3, 270),
    "joe at 0": Rotated(archimedean("joe", 0.3), 0),
    "normal copula": NormalCopula(-0.8),
    "weak normal copula": NormalCopula(0.05),
    "sharp normal copula": NormalCopula(0.999),
    "cross": CROSS,
    "lopsided mixture": CopulaMixture(
        [0.2, 0.3, 0.5], [NormalCopula(0.9), archimedean("joe", 0.8, 90), archimedean("gumbel", 0.5)]
    ),
    "line in noise": CopulaMixture([0.3, 0.7], [NormalCopula(0.99), NormalCopula(0.0)]),
    "mixture of a rotated mixture": CopulaMixture(
        [0.4, 0.6], [Rotated(CROSS, 270), archimedean("frank", 0.4)]
    ),
}
FAMILIES: dict[str, Family] = dict(COPULAS)
