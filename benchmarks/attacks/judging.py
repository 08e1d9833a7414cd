"""An attack, its bound, and what came of it: one row of the table."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

Figures = Mapping[str, Any]
SKIPPED = "skipped: "


class Outcome(NamedTuple):
    """A row of the table.

    Attributes:
        part: of the audit that the attack belongs to.
        measured: in words.
        holds: whether the bound does; or `skipped: ` and the reason.
        figures: what was measured, as numbers.
    """

    part: int
    attack: str
    bound: str
    measured: str
    holds: bool | str
    figures: dict[str, Any]


class Attack(NamedTuple):
    """What is done to the service, and what must come of it.

    Attributes:
        words: a format string, which makes a sentence of the figures.
        check: whether figures are within the bound.
    """

    part: int
    name: str
    bound: str
    words: str
    check: Callable[[Figures], bool]

    def outcome(self, **figures: Any) -> Outcome:
        """The row for what was measured."""
        holds = bool(self.check(figures))
        return Outcome(self.part, self.name, self.bound, self.words.format(**figures), holds, figures)

    def skipped(self, reason: str) -> Outcome:
        """The row where the attack could not be made."""
        return Outcome(self.part, self.name, self.bound, "-", f"{SKIPPED}{reason}", {})

    def failed(self, error: BaseException) -> Outcome:
        """The row of an attack that broke off, which counts as a bound that does not hold."""
        text = f"broke off: {type(error).__name__}: {error}".splitlines()[0][:200]
        return Outcome(self.part, self.name, self.bound, text, False, {})


class Group(NamedTuple):
    """Attacks that share services: `measure(quick)` gives an outcome for each of them, in order."""

    measure: Callable[[bool], Iterator[Outcome]]
    attacks: tuple[Attack, ...]

    def outcomes(self, quick: bool) -> Iterator[Outcome]:
        """An outcome for each attack, whatever happens."""
        left = list(self.attacks)
        failure: BaseException = RuntimeError("the attack was not made")
        try:
            for outcome in self.measure(quick):
                left = [attack for attack in left if attack.name != outcome.attack]
                yield outcome
        except Exception as error:  # one attack that breaks off must not hide the others' figures
            failure = error
        yield from (attack.failed(failure) for attack in left)


def all_outcomes(groups: Iterable[Group], quick: bool) -> Iterator[Outcome]:
    """The whole table, row by row as it comes."""
    for group in groups:
        yield from group.outcomes(quick)
