"""The prior over small problems: pairs of columns, and the parts of which larger problems are composed."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from mizzle.metadata_gen.families.operators import Contaminated, ZeroInflated
from mizzle.metadata_gen.family import Family, Rng
from mizzle.metadata_gen.prior.channels import channel
from mizzle.metadata_gen.prior.contingency import any_table
from mizzle.metadata_gen.prior.copulas import binned, copula, copula_mixture
from mizzle.metadata_gen.prior.draws import chance, choice, real, reals
from mizzle.metadata_gen.prior.elliptical import additive_pair, heavy, normal_pair, student_pair
from mizzle.metadata_gen.prior.mixtures import label, mixture, rare

Draw = Callable[[Rng, int, int], Family]


def pair(rng: Rng) -> Family:
    """One column against one column."""
    return _disturbed(rng, PARTS[choice(rng, "pair")](rng, 1, 1))


def part(rng: Rng, dim_x: int, dim_y: int) -> Family:
    """A problem with at most these many columns."""
    return _disturbed(rng, PARTS[choice(rng, "part")](rng, dim_x, dim_y))


def _disturbed(rng: Rng, family: Family) -> Family:
    """Some rows without dependence, or some at zero."""
    if chance(rng, "contaminated"):
        return Contaminated(family, real(rng, "contaminated.share"))
    if family.continuous and chance(rng, "zero_inflated"):
        keep_x, keep_y = reals(rng, "zero_inflated.keep", 2).tolist()
        return ZeroInflated(family, keep_x, keep_y, shared=chance(rng, "zero_inflated.shared"))
    return family


PARTS: Final[Mapping[str, Draw]] = MappingProxyType(
    {
        "normal": lambda rng, *_: normal_pair(rng),
        "student": lambda rng, *_: student_pair(rng),
        "additive": lambda rng, *_: additive_pair(rng),
        "copula": copula,
        "copula-mixture": copula_mixture,
        "binned": binned,
        "table": lambda rng, *_: any_table(rng),
        "mixture": mixture,
        "label": label,
        "channel": channel,
        "heavy": heavy,
        "rare": rare,
    }
)
