"""Where the pairs of a table are answered and their results stay: `backend`, `executor` and `folder`."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from mizzle.backends.conditional import ConditionalBackend
from mizzle.backends.local import shared_estimator
from mizzle.backends.pairs import Backend
from mizzle.backends.shared_ranks import SharedRanks
from mizzle.errors import InvalidInput, MizzleError
from mizzle.executors import Executing, check_executor
from mizzle.progress import Wanted, track
from mizzle.tables import folder as folders
from mizzle.tables import screening
from mizzle.tables.folder import Sheet
from mizzle.tables.plan import PairIndex, Plan
from mizzle.tables.run import outcomes_of
from mizzle.tables.screening import Choice, Pass
from mizzle.tables.shared_plan import File, Tasks, shared
from mizzle.tables.tiles import tiles
from mizzle.types import Estimate


class Execution(NamedTuple):
    """What a caller said.

    Attributes:
        backend: None for the estimator in this process.
        executor: None for threads of this process.
        folder: for results; None to return them alone.
    """

    backend: Backend | None
    executor: Executing | None
    folder: Path | None

    @classmethod
    def of(
        cls,
        backend: Backend | None,
        executor: Executing | None,
        folder: str | os.PathLike[str] | None,
        others: Mapping[str, object],
    ) -> "Execution":
        """From what a caller says.

        Args:
            others: arguments by name that do not go with a folder.

        Raises:
            InvalidInput: it contradicts itself.
        """
        check_executor(executor)
        ours = {"executor": executor, "folder": folder}
        for name in (name for name, value in ours.items() if value is not None and backend is not None):
            raise InvalidInput(
                f"{name}= is for the estimator of this package; leave out either it or backend="
            )
        for name in (name for name, value in others.items() if value is not None and folder is not None):
            raise InvalidInput(f"{name}= and folder= do not go together; leave out one of them")
        return cls(backend, executor, None if folder is None else Path(folder))

    @contextmanager
    def opened(self, plan: Plan, values: bool = False) -> Iterator[tuple[Backend, Tasks | None]]:
        """Who answers pairs here, and who does elsewhere, if anybody.

        Args:
            values: whether workers need the values and not their ranks alone.

        Raises:
            MizzleError: there is no such engine.
        """
        backend = self.backend or SharedRanks(shared_estimator())
        if plan.condition is not None:
            backend = ConditionalBackend(backend)
        if self.executor is None:
            yield backend, None
            return
        with shared(plan, shared_estimator(), self.executor, self.folder, values) as tasks:
            yield backend, tasks

    def screened(self, plan: Plan, by: Pass) -> tuple[Plan, Choice]:
        """The plan of those pairs that are to be answered, and how they were chosen.

        Args:
            by: what chooses; with a folder, the choice of an earlier call is taken from there.

        Raises:
            MizzleError: the engine fails, or the folder is of another table.
        """
        key = by.key(plan.fingerprint)
        path = None if self.folder is None else self.folder / folders.SCREEN
        choice = None if path is None else screening.load(path, key)
        if choice is None:
            choice = screening.chosen(plan, by, self.executor)
            if path is not None:
                folders.create(path.parent)
                with folders.written(path) as part:
                    screening.store(part, key, choice)
        return replace(plan, places=choice.places), choice

    def fill(self, plan: Plan, kind: Mapping[str, Any], level: float, progress: Wanted) -> None:
        """Put all tiles of a plan into the folder that are not there yet.

        Args:
            kind: of the table, which goes into the manifest.

        Raises:
            MizzleError: the folder cannot be used, or the engine fails; what is finished stays.
        """
        assert self.folder is not None
        model = shared_estimator()
        nothing = (0.0,) * len(model.levels)
        Estimate(0.0, model.levels, nothing, 0, 1, 1, True, (), model.info).interval(level)  # or it raises
        folder = folders.prepared(self.folder, plan, model, kind)
        sizes = [count for _, count, *_ in folder.manifest["tiles"]]
        done = folder.done(len(sizes))
        with track(progress, sum(sizes)) as advance:
            advance(sum(sizes[k] for k in done))
            if len(done) < len(sizes):
                with self.opened(plan) as (backend, tasks):
                    _fill(folder, plan, tasks or _Here(plan, backend), done, advance)


class _Here:
    """Groups of pairs answered in this process."""

    def __init__(self, plan: Plan, backend: Backend) -> None:
        self._plan = plan
        self._backend = backend

    def files(self, sheets: Iterable[Sheet]) -> Iterator[tuple[int, File]]:
        """The file of each tile, one after the other."""
        for k, sheet in enumerate(sheets):
            parts = (part for part in self._plan.cut(sheet.wanted) if part)
            yield (
                k,
                File.of(
                    sheet, [o for p in parts for o in outcomes_of(self._backend, self._plan, p, _nothing)]
                ),
            )


def _nothing(count: int) -> None:
    """Tiles are counted when they are written."""


def _fill(
    folder: folders.Folder,
    plan: Plan,
    answering: Tasks | _Here,
    done: set[int],
    advance: Callable[[int], object],
) -> None:
    """Answer and write the tiles that are not done.

    Raises:
        MizzleError: a tile cannot be answered or written.
    """
    refused: dict[PairIndex, MizzleError] = plan.refusals()
    sent: dict[int, tuple[int, int]] = {}  # number and pairs of each tile that is on its way

    def sheets() -> Iterator[Sheet]:
        todo = (tile for tile in tiles(plan, folder.manifest["side"]) if tile.number not in done)
        for k, tile in enumerate(todo):
            sent[k] = tile.number, len(tile.places)
            yield folder.sheet(plan, tile, refused)

    for k, file in answering.files(sheets()):
        if file.failure is not None:
            raise file.failure
        number, count = sent.pop(k)
        folder.write(number, file.content)
        advance(count)
