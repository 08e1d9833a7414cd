"""The meta-distribution: which problems the network is trained on. This page is that claim.

`draw` goes from the kind of a problem to its family, and then to the transformations that keep its MI. Every
number stands in `ranges` and is read from there by key, so that this page and the exported ranges agree; only
coins between equals are tossed where they fall. `describe` exports them all. What the page calls by name:

- `pair`, `part` (`pairs.py`): one column against one, and the parts of composed problems: copulas,
  mixtures and labels (`mixtures.py`), tables (`contingency.py`) and channels (`channels.py`);
- `labels` (`mixtures.py`) and `embeddings` (`contingency.py`) of classes;
- `mist`, `broad` (`elliptical.py`): normals, Students and additive noise in many columns;
- `latents`, `with_looks` (`latents.py`): a few latents a side, shown by injective looks (`looks.py`);
- `rotated` (`elliptical.py`): normal pairs of uneven strengths, rotated inside either side;
- `thin` (`thin.py`): sums, radii and classes spread over many columns;
- `bends` (`transformations.py`): strong normal pairs behind nonlinear maps;
- `transformations`: nuisance columns, copies, maps inside a side (`maps.py`), warps, shuffles.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from mizzle.metadata_gen.families.additive import AdditiveUniformNoise
from mizzle.metadata_gen.families.elliptical import MultivariateNormal
from mizzle.metadata_gen.families.operators import Concatenated, SideWarped
from mizzle.metadata_gen.family import Family, Rng
from mizzle.metadata_gen.montecarlo import tolerance
from mizzle.metadata_gen.prior import ranges, transformations
from mizzle.metadata_gen.prior.channels import random_channel
from mizzle.metadata_gen.prior.contingency import embeddings
from mizzle.metadata_gen.prior.draws import chance, choice, real, whole
from mizzle.metadata_gen.prior.elliptical import broad, composition, mist, normal_pair, rotated
from mizzle.metadata_gen.prior.latents import latents, with_looks
from mizzle.metadata_gen.prior.maps import random_map
from mizzle.metadata_gen.prior.mixtures import labels
from mizzle.metadata_gen.prior.pairs import archimedean, pair, part_either_way
from mizzle.metadata_gen.prior.ranges import COLUMNS, EVERYTHING, MAX_COST, MAX_NATS, MIXES, ROWS, Limits
from mizzle.metadata_gen.prior.thin import thin

__all__ = ["COLUMNS", "HELD_OUT", "ROWS", "describe", "draw", "draw_held_out", "draw_rows"]


def draw(rng: Rng, limits: Limits = EVERYTHING) -> Family:
    """One problem: its kind, its shape, and the transformations that keep its MI."""
    kind = choice(rng, "problem")
    if kind == "looks":
        family = _looks(rng, limits)
    else:
        family = _accepted(lambda: pair(rng)) if kind == "pair" else _wide(rng, kind, limits)
    return transformations.warped(rng, family, _light(family)) if chance(rng, "warped") else family


def describe() -> dict[str, object]:
    """Ranges and weights as JSON-able data, for the header of the weights."""
    return {**ranges.describe(), "held_out": sorted(HELD_OUT)}


def draw_rows(rng: Rng, family: Family, limits: Limits = EVERYTHING) -> int:
    """A number of rows: log-uniform, or uniform as MIST's.

    Thinned above MAX_COST, or large problems would take most of the time.
    """
    while True:
        rows = whole(rng, "rows.small" if chance(rng, "rows.small") else "rows.wide", limits.rows)
        if rng.random() * rows * (family.dim_x + family.dim_y + 8) <= MAX_COST:
            return rows


def _wide(rng: Rng, kind: str, limits: Limits) -> Family:
    """Several columns, at least on one side: a family of its own, or parts side by side."""
    dim_x, dim_y = (limits.columns,) * 2 if kind in ("labels", "embeddings") else _dims(rng, kind, limits)
    if kind == "mist" and chance(rng, "mist.equal_dims"):
        dim_x = dim_y = whole(rng, "dims.equal", limits.columns)
    family = _accepted(lambda: WIDE[kind](rng, dim_x, dim_y))
    if kind == "mist":
        return family
    if chance(rng, "nuisance"):
        family = transformations.with_nuisance(rng, family, limits.columns)
    if chance(rng, "copies"):
        family = transformations.with_copies(rng, family, limits.columns)
    if family.continuous and chance(rng, "mapped"):
        family = transformations.mapped(rng, family, limits.columns)
    return transformations.shuffled(rng, family) if chance(rng, "shuffled") else family


def _looks(rng: Rng, limits: Limits) -> Family:
    """A few latents a side, shown by columns that are usually more."""
    family = with_looks(rng, _accepted(lambda: latents(rng, limits.columns)), limits.columns)
    if chance(rng, "nuisance"):
        family = transformations.with_nuisance(rng, family, limits.columns)
    return transformations.shuffled(rng, family) if chance(rng, "shuffled") else family


def _composed(rng: Rng, dim_x: int, dim_y: int) -> Family:
    """One to four parts side by side, or many of one law, with noise columns or without."""
    alike = min(dim_x, dim_y) > 1 and chance(rng, "composed.repeated")
    family = (_repeated if alike else _parts)(rng, dim_x, dim_y)
    return transformations.filled(rng, family, dim_x, dim_y) if chance(rng, "filled") else family


def _parts(rng: Rng, dim_x: int, dim_y: int) -> Family:
    count = whole(rng, "composed.parts", min(dim_x, dim_y))
    dims = zip(composition(rng, dim_x, count), composition(rng, dim_y, count), strict=True)
    drawn = [part_either_way(rng, *d) for d in dims]
    return drawn[0] if count == 1 else Concatenated(drawn, "composed")


def _repeated(rng: Rng, dim_x: int, dim_y: int) -> Family:
    """Two pairs of columns or more that all follow one law."""
    count = whole(rng, "repeated.copies", min(dim_x, dim_y))
    return Concatenated([pair(rng)] * count, "repeated")


WIDE: Final[Mapping[str, Callable[[Rng, int, int], Family]]] = MappingProxyType(
    {
        "independent": transformations.independent,
        "mist": mist,
        "broad": broad,
        "composed": _composed,
        "labels": labels,
        "embeddings": embeddings,
        "bends": transformations.bends,
        "rotated": rotated,
        "thin": thin,
    }
)


def _dims(rng: Rng, kind: str, limits: Limits) -> tuple[int, int]:
    """dim_x and dim_y: equal, or independent of each other. Some kinds have sizes of their own."""
    mix = f"dims.{kind}"
    key = "dims." + choice(rng, mix if mix in MIXES else "dims")
    dim = whole(rng, key, limits.columns)
    return dim, dim if key in ("dims.equal", "dims.wide-equal") else whole(rng, key, limits.columns)


def _accepted(build: Callable[[], Family]) -> Family:
    """The first of repeated draws whose truth is at most MAX_NATS and known well enough."""
    while True:
        truth = (family := build()).mi()
        if truth.nats <= MAX_NATS and truth.stderr <= tolerance(truth.nats):
            return family


def _light(family: Family) -> bool:
    return isinstance(family, MultivariateNormal | AdditiveUniformNoise)


# What training never sees


def _held_out_channel(rng: Rng, signal: str, response: str, inputs: str = "channel.inputs") -> Family:
    return random_channel(rng, signal, response, whole(rng, inputs), real(rng, "channel.noise"))


def _any_signal(rng: Rng) -> str:
    return choice(rng, "channel.signal_of_one")


def _mapped(rng: Rng, kind: str) -> Family:
    """Three pairs of columns, each side through a map of this kind."""
    base = Concatenated([normal_pair(rng) for _ in range(3)], "normal-matched")
    return SideWarped(base, random_map(rng, kind, 3), random_map(rng, kind, 3))


HELD_OUT: Final[Mapping[str, Callable[[Rng], Family]]] = MappingProxyType(
    {
        "copula joe": lambda rng: archimedean(rng, "joe"),
        "signal ripple": lambda rng: _held_out_channel(rng, "ripple", "normal", "interaction.inputs"),
        "signal maximum": lambda rng: _held_out_channel(rng, "maximum", "normal", "interaction.inputs"),
        "noise laplace": lambda rng: _held_out_channel(rng, _any_signal(rng), "laplace"),
        "response binomial": lambda rng: _held_out_channel(rng, _any_signal(rng), "binomial"),
        "map banana": lambda rng: _mapped(rng, "banana"),
        "map fold": lambda rng: _mapped(rng, "fold"),
    }
)


def draw_held_out(rng: Rng, label: str) -> Family:
    """A problem of a kind that training never sees, by its label in HELD_OUT."""
    return _accepted(lambda: HELD_OUT[label](rng))
