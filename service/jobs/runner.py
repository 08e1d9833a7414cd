"""One job from its table to its last answer, in chunks that leave the model to whoever asks meanwhile.

A chunk is part of a batch at most, is asked when nothing else waits or runs, and is alone of its kind: of all
jobs together. So a request that comes during a job finds at most one batch of it before its own. While the
model is never idle, a few pairs go every now and then, by the rules of everybody's requests.
"""

import asyncio
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from mizzle import cost
from mizzle.backends.pairs import Outcome, Pair
from mizzle.errors import JobInterrupted, MizzleError, NotReady, QueueFull, StorageFull, WeightsChanged
from mizzle.service.formats.problem import Problem
from mizzle.service.inference.engine import Caller, Engine
from mizzle.service.jobs import request
from mizzle.service.jobs.repository import Given, Job, JobFile
from mizzle.service.jobs.rows import Answer, basis_of, packed
from mizzle.service.jobs.store import JobStore
from mizzle.service.settings import Settings
from mizzle.tables.plan import Chunk, PairIndex, Plan
from mizzle.types import ModelInfo

_SHARE = 0.5  # of a batch
_PATIENCE = 1.0  # seconds for which a chunk waits for an idle model
_FEW = 4  # pairs of a chunk that waited in vain
_LOOK = 0.005  # seconds between two looks at a busy model
_SAVE_SECONDS = 1.0  # of work that an interruption may cost
_AGAIN = 1.0  # seconds until a full disk is tried again
_MOST_STARTS = 3  # without a saved answer in between

Question = tuple[PairIndex, Pair]


class Prepared(NamedTuple):
    """A job ready to be asked.

    Attributes:
        about, basis: lines of the jobs file, as `job_answers.head_of` reads them.
        refusals: what cannot be asked.
    """

    plan: Plan
    about: str
    basis: str
    refusals: dict[PairIndex, MizzleError]


class Bulk:
    """The way of all jobs to the model: one chunk at a time, when it is idle."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._items = max(1, round(_SHARE * settings.max_batch_items))
        self._turn = asyncio.Lock()  # first come, first served: jobs take turns

    def chunks(self, portion: Chunk) -> Iterator[list[Question]]:
        """A portion in chunks."""
        by_size: dict[cost.Size, list[Question]] = {}
        for place, (x, y) in zip(portion.places, portion.arrays, strict=True):
            size = cost.size(len(x), x.shape[1], y.shape[1])
            by_size.setdefault(size, []).append((place, (x, y)))
        for size, questions in by_size.items():
            cells = _SHARE * self._engine.facts.batch_cells
            count = max(1, min(self._items, int(cells // size.cells)))
            yield from (questions[i : i + count] for i in range(0, len(questions), count))

    async def ask(self, questions: Sequence[Question], owner: str) -> list[Outcome]:
        """The answers of a chunk, or of its first few where the model has no time for more.

        Raises:
            Fault: the service starts, stops or has no model.
        """
        async with self._turn:
            while True:
                count = len(questions) if await self._idle() else _FEW
                asked = [Problem(x, y, None) for _, (x, y) in questions[:count]]
                try:
                    return list(await self._engine.estimate_many(asked, Caller(owner)))
                except QueueFull as error:
                    await asyncio.sleep(error.retry_after or _PATIENCE)

    async def _idle(self) -> bool:
        """Whether nothing waits or runs, after some patience."""
        end = time.monotonic() + _PATIENCE
        while self._engine.batcher.busy and time.monotonic() < end:
            await asyncio.sleep(_LOOK)
        if self._engine.state != "ready":
            raise NotReady("the service is starting or stopping")
        return not self._engine.batcher.busy


class JobRunner:
    """Does jobs; several at once take turns."""

    def __init__(self, engine: Engine, store: JobStore, settings: Settings) -> None:
        self._engine = engine
        self._store = store
        self._most_pairs = settings.jobs_max_pairs
        self._bulk = Bulk(engine, settings)

    async def run(self, job: Job) -> None:
        """To the end of the job; what is answered when it is interrupted is kept.

        Raises:
            InvalidInput: it cannot be done, which was not known when it was taken.
            Fault: it cannot be done, for good or now.
        """
        if job.starts >= _MOST_STARTS:
            raise JobInterrupted("the service ended several times while it ran this job; please report it")
        given = await self._store.do(JobFile.given, job.number)
        if given is None:
            return
        facts = (self._most_pairs, self._engine.info, self._engine.levels)
        ready = await asyncio.to_thread(_prepared, given, *facts)
        done = await self._store.change(JobFile.begin, job.number, ready.about, ready.basis)
        await _Running(self._store, self._bulk, job, ready.plan, self._engine.info.sha256).run(
            done, ready.refusals
        )
        await self._store.change(JobFile.end, job.number, "done")


class _Running:
    """A job under way: what is asked, and what is not kept yet."""

    def __init__(self, store: JobStore, bulk: Bulk, job: Job, plan: Plan, weights: str) -> None:
        self._store = store
        self._bulk = bulk
        self._job = job
        self._plan = plan
        self._weights = weights
        self._unsaved: list[Answer] = []
        self._saved = time.monotonic()

    async def run(self, done: set[PairIndex], refusals: dict[PairIndex, MizzleError]) -> None:
        """Ask what is neither done nor refused."""
        left = {place: error for place, error in refusals.items() if place not in done}
        self._unsaved = await asyncio.to_thread(_all_packed, self._plan, left)
        portions = self._plan.portions(done | refusals.keys())
        try:
            while portion := await asyncio.to_thread(next, portions, None):
                for chunk in self._bulk.chunks(portion):
                    await self._ask(chunk)
            await self._save_surely()
        finally:  # also when the service stops
            with suppress(MizzleError):
                await self._save()

    async def _ask(self, questions: Sequence[Question]) -> None:
        while questions:
            outcomes = await self._bulk.ask(questions, self._job.owner)
            for (place, _), outcome in zip(questions, outcomes, strict=False):
                self._take(place, outcome)
            questions = questions[len(outcomes) :]
            if time.monotonic() - self._saved >= _SAVE_SECONDS:
                await self._save_surely()

    def _take(self, place: PairIndex, outcome: Outcome) -> None:
        """Keep an answer; what only says that the service stops is none."""
        if isinstance(outcome, NotReady):
            raise outcome
        if not isinstance(outcome, MizzleError) and outcome.model.sha256 != self._weights:
            raise WeightsChanged("the weights were replaced while the job ran; send it again, with a new id")
        self._unsaved.append(packed(self._plan, place, outcome))

    async def _save_surely(self) -> None:
        """However long the disk is full."""
        while True:
            try:
                return await self._save()
            except StorageFull:
                await asyncio.sleep(_AGAIN)

    async def _save(self) -> None:
        if self._unsaved:
            await self._store.change(JobFile.save, self._job.number, self._unsaved)
        self._unsaved, self._saved = [], time.monotonic()


def _prepared(given: Given, most_pairs: int, info: ModelInfo, levels: Sequence[float]) -> Prepared:
    ask = request.read(given.media, given.body, json.loads(given.query))
    plan = request.plan_of(ask, most_pairs)
    return Prepared(plan, request.head(ask, plan), basis_of(plan, info, levels), plan.refusals())


def _all_packed(plan: Plan, found: Mapping[PairIndex, MizzleError]) -> list[Answer]:
    return [packed(plan, place, error) for place, error in found.items()]
