"""The table that a command names, and which of its columns are asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from mizzle.cli import options
from mizzle.cli.output import Output
from mizzle.data.arrays import FloatArray
from mizzle.data.names import quoted_name
from mizzle.errors import InvalidInput
from mizzle.files import reader
from mizzle.files.csv_columns import TextFormat
from mizzle.tables.plan import Plan
from mizzle.tables.variables import variables


@dataclass(frozen=True)
class Source:
    """A file as the options describe it.

    Attributes:
        file: its path, or "-".
        labels: names between commas.
    """

    file: str
    kind: reader.Format | None
    labels: str | None
    missing: options.Missing
    separator: options.Separator = None
    decimal: options.Decimal = "."
    thousands: options.Thousands = None
    na_values: options.NaValues = None
    no_default_na: bool = False
    strict: bool = False

    def read(
        self, names: list[str] | None, exclude: list[str] | None = None, required: list[str] | None = None
    ) -> reader.Table:
        """The table in the file.

        Args:
            names: the columns that are needed; None for all.
            exclude: texts of the option.
            required: of all columns, those that must not be left out.

        Raises:
            MizzleError: as `reader.read`, or an option is for text and this is none.
        """
        form, out = self._form(), options.excluded(exclude)
        kind = self.kind or reader.kind_of(self.file)
        if kind not in reader.TEXT:
            self._refuse_options_of_text(kind)
        return reader.read(self.file, kind, names, form, out, None if self.strict else required or ())

    def _form(self) -> TextFormat:
        return TextFormat(
            separator=options.separator(self.separator),
            decimal=self.decimal,
            thousands=options.thousands(self.thousands, self.decimal),
            markers=options.markers(self.na_values, self.no_default_na),
            labels=options.names(self.labels, "--labels"),
            missing=self.missing,
        )

    def _refuse_options_of_text(self, kind: str) -> None:
        text = "is for CSV and TSV;"
        if self.labels:
            raise InvalidInput(f"--labels {text} {kind} says itself which columns are labels")
        if self.na_values or self.no_default_na:
            raise InvalidInput(f"--na-value {text} {kind} says itself which cells are missing")
        if self.separator or self.thousands or self.decimal != ".":
            raise InvalidInput(
                f"--sep, --decimal and --thousands are for CSV and TSV; {kind} has numbers as they are"
            )

    def chosen(
        self,
        columns: str | None,
        group: list[str] | None,
        exclude: list[str] | None,
        target: str | None = None,
        more: Sequence[str] = (),
    ) -> tuple[reader.Table, dict[str, Any]]:
        """The table, and what of it is asked for, as `mizzle.matrix` takes both.

        Args:
            more: columns that are needed besides.

        Raises:
            MizzleError: as `read`.
        """
        groups = options.groups(group)
        single = None if columns is None else options.names(columns, "--columns")
        named = [*wanted([], groups, target), *more]
        needed = None if single is None else list(dict.fromkeys([*wanted(single, groups, target), *more]))
        table = self.read(needed, exclude, named)
        of_file = table.groups
        if single is not None:  # of the groups that the file has, those that are named
            of_file = {name: table.groups[name] for name in table.groups if name in single or name == target}
            single = [name for name in single if name not in table.groups]
        return table, {"columns": single, "groups": {**of_file, **groups}, "missing": self.missing}


def wanted(single: list[str], groups: Mapping[str, list[str]], target: str | None) -> list[str]:
    """All columns that are needed, each once."""
    last = [] if target is None or target in groups else [target]
    return list(dict.fromkeys([*single, *(name for names in groups.values() for name in names), *last]))


class Sides(NamedTuple):
    """Two sides of a table, or three, by the names that an answer gives them.

    Attributes:
        table: the file's.
        columns: of each side.
        target: the name of the second.
        condition: the name of the third, what is given.
    """

    table: reader.Table
    columns: dict[str, list[str]]
    target: str
    condition: str | None

    @classmethod
    def read(cls, source: Source, output: Output, x: str, y: str, conditions: str | None = None) -> "Sides":
        """The sides that options name, once what was assumed of the file is said.

        Raises:
            MizzleError: the file cannot be read, or a column is named twice.
        """
        left, right = options.names(x, "--x"), options.names(y, "--y")
        third = options.names(conditions, "--given") if conditions else []
        _refuse_repeats([*left, *right, *third])
        table = source.read([*left, *right, *third])
        output.note(table.notes)
        target, condition = options.joined(right), f"given {options.joined(third)}" if third else None
        columns = {options.joined(left): table.columns_of(left), target: table.columns_of(right)}
        if condition is not None:
            columns[condition] = table.columns_of(third)
        return cls(table, columns, target, condition)

    def information(self, x: str, y: str) -> str:
        """I(x; y), or I(x; y | given), by the names of the sides."""
        third = "" if self.condition is None else f" | {self.condition.removeprefix('given ')}"
        return f"I({x}; {y}{third})"

    def plan(self, missing: options.Missing, deduplicate: bool = False) -> Plan:
        """The plan whose only pair they are; errors as `variables`."""
        read = variables(self.table.frame, [], self.columns, missing, self.target, deduplicate=deduplicate)
        return Plan.with_last(read, self.condition)


def only_pair(plan: Plan) -> tuple[FloatArray, ...]:
    """The arrays of the only pair of a plan, and of what is given.

    Raises:
        MizzleError: why it can have no estimate.
    """
    for error in plan.refusals().values():
        raise error
    [arrays] = plan.chunk((plan.places[0],)).arrays
    return arrays


def _refuse_repeats(names: Sequence[str]) -> None:
    """A column on both sides makes the information infinite; twice on one side adds nothing."""
    for name in names:
        if names.count(name) > 1:
            raise InvalidInput(f"column {quoted_name(name)} is named twice; each column may be used once")
