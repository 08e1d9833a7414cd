"""The table that a command names, and which of its columns are asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mizzle.cli import files, options


@dataclass(frozen=True)
class Source:
    """A file as the options describe it.

    Attributes:
        file: its path, or "-".
        labels: names between commas.
    """

    file: str
    kind: files.Format | None
    labels: str | None
    missing: options.Missing
    separator: options.Separator
    decimal: options.Decimal

    def read(self, names: list[str] | None, exclude: list[str] | None = None) -> files.Table:
        """The table in the file.

        Args:
            names: the columns that are needed; None for all.
            exclude: texts of the option.

        Raises:
            MizzleError: as `files.read`.
        """
        labels, mark = options.names(self.labels, "--labels"), options.separator(self.separator)
        out = options.excluded(exclude)
        return files.read(self.file, self.kind, names, labels, self.missing, mark, self.decimal, out)

    def chosen(
        self,
        columns: str | None,
        group: list[str] | None,
        exclude: list[str] | None,
        target: str | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """The table, and what of it is asked for, as `mizzle.matrix` takes both.

        Raises:
            MizzleError: as `files.read`.
        """
        groups = options.groups(group)
        single = None if columns is None else options.names(columns, "--columns")
        table = self.read(None if single is None else wanted(single, groups, target), exclude)
        of_file = table.groups
        if single is not None:  # of the groups that the file has, those that are named
            of_file = {name: table.groups[name] for name in table.groups if name in single or name == target}
            single = [name for name in single if name not in table.groups]
        return table.frame, {"columns": single, "groups": {**of_file, **groups}, "missing": self.missing}


def wanted(single: list[str], groups: Mapping[str, list[str]], target: str | None) -> list[str]:
    """All columns that are needed, each once."""
    last = [] if target is None or target in groups else [target]
    return list(dict.fromkeys([*single, *(name for names in groups.values() for name in names), *last]))
