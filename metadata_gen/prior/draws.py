"""Draws from the tables of `ranges` by key. A table is named where it is not the default one of its kind."""

from collections.abc import Mapping

from mizzle.metadata_gen.family import Array, Rng
from mizzle.metadata_gen.hyperpriors import IntegerLaw, Law, Mix, RealLaw
from mizzle.metadata_gen.prior.ranges import CHANCES, INTEGERS, MIXES, REALS


def chance(rng: Rng, key: str) -> bool:
    """True with probability CHANCES[key]."""
    return rng.random() < CHANCES[key]


def choice(rng: Rng, key: str, table: Mapping[str, Law] = MIXES) -> str:
    """A label of the mix at this key."""
    law = table[key]
    assert isinstance(law, Mix), key
    return law.draw(rng)


def real(rng: Rng, key: str, table: Mapping[str, Law] = REALS) -> float:
    """A number from the law at this key."""
    law = table[key]
    assert isinstance(law, RealLaw), key
    return law.draw(rng)


def reals(rng: Rng, key: str, size: int, table: Mapping[str, Law] = REALS) -> Array:
    """Independent numbers from the law at this key, shape (size,)."""
    law = table[key]
    assert isinstance(law, RealLaw), key
    return law.draw_many(rng, size)


def whole(rng: Rng, key: str, at_most: int | None = None, table: Mapping[str, Law] = INTEGERS) -> int:
    """An integer from the law at this key, whose upper end the problem may lower."""
    law = table[key]
    assert isinstance(law, IntegerLaw), key
    return law.draw(rng, at_most)
