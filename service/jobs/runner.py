"""One job from its table to its last answer, in slices that leave the model to requests.

A slice fills part of a batch at most, is estimated when nothing else waits or runs, and is the only one of
all jobs together. So a request that comes during a job finds at most one batch of it before its own. While
the model is never idle, four pairs go every now and then, by the rules of everybody's requests.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from mizzle import cost
from mizzle.backends.pairs import Outcome, Pair
from mizzle.errors import JobInterrupted, MizzleError, NotReady, QueueFull, StorageFull, WeightsChanged
from mizzle.service.formats.problem import Problem
from mizzle.service.inference.engine import Caller, Engine
from mizzle.service.jobs import request
from mizzle.service.jobs.memory import to_the_end
from mizzle.service.jobs.repository import Job, JobRepository, StoredInput
from mizzle.service.jobs.rows import AnswerRow, answer_row, encode_about, encode_fingerprint
from mizzle.service.jobs.store import JobStore
from mizzle.service.settings import Settings
from mizzle.service.storage.interface import Locked, Unreachable
from mizzle.tables.plan import Chunk, PairIndex, Plan
from mizzle.types import ModelInfo

_BATCH_SHARE = 0.5  # of a batch, which a slice fills at most
_IDLE_WAIT_SECONDS = 1.0  # for which a slice waits for an idle model
_BUSY_SLICE_PAIRS = 4  # of a slice that waited in vain
_IDLE_POLL_SECONDS = 0.005  # between two looks at a busy model
_SAVE_SECONDS = 1.0  # of work that an interruption may cost
_FULL_DISK_RETRY_SECONDS = 1.0
_MAX_STARTS = 2  # without a saved answer in between; the next one marks the job

IndexedPair = tuple[PairIndex, Pair]


class PreparedJob(NamedTuple):
    """A job whose pairs are known.

    Attributes:
        about, fingerprint: columns of the database, as `rows.header_of` reads them.
        refusals: pairs that cannot be estimated.
    """

    plan: Plan
    about: str
    fingerprint: str
    refusals: dict[PairIndex, MizzleError]


class BackgroundQueue:
    """The way of all jobs to the model: one slice at a time, when it is idle."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._max_pairs = max(1, round(_BATCH_SHARE * settings.max_batch_items))
        self._turn = asyncio.Lock()  # first come, first served: jobs take turns

    def slices(self, chunk: Chunk) -> Iterator[list[IndexedPair]]:
        """Divide a chunk into slices, each of pairs of one size."""
        by_size: dict[cost.Size, list[IndexedPair]] = {}
        for index, (x, y) in zip(chunk.places, chunk.arrays, strict=True):
            size = cost.size(len(x), x.shape[1], y.shape[1])
            by_size.setdefault(size, []).append((index, (x, y)))
        for size, pairs in by_size.items():
            max_cells = _BATCH_SHARE * self._engine.facts.batch_cells
            count = max(1, min(self._max_pairs, int(max_cells // size.cells)))
            yield from (pairs[i : i + count] for i in range(0, len(pairs), count))

    async def estimate(self, pairs: Sequence[IndexedPair], owner: str) -> list[Outcome]:
        """Return the answers of a slice, or of its first pairs where the model has no time for more.

        Raises:
            Fault: the service starts, stops or has no model.
        """
        async with self._turn:
            while True:
                count = len(pairs) if await self._wait_until_idle() else _BUSY_SLICE_PAIRS
                problems = [Problem(x, y, None) for _, (x, y) in pairs[:count]]
                try:
                    return list(await self._engine.estimate_many(problems, Caller(owner)))
                except QueueFull as error:
                    await asyncio.sleep(error.retry_after or _IDLE_WAIT_SECONDS)

    async def _wait_until_idle(self) -> bool:
        """Wait until nothing waits or runs; return False where that takes too long."""
        deadline = time.monotonic() + _IDLE_WAIT_SECONDS
        while self._engine.busy and time.monotonic() < deadline:
            await asyncio.sleep(_IDLE_POLL_SECONDS)
        if self._engine.state != "ready":
            raise NotReady("the service is starting or stopping")
        return not self._engine.busy


class JobRunner:
    """Runs jobs; several at once take turns."""

    def __init__(self, engine: Engine, store: JobStore, settings: Settings) -> None:
        self._engine = engine
        self._store = store
        self._bounds = request.JobBounds(settings.jobs_max_pairs, settings.jobs_max_cells)
        self._preparing = asyncio.Lock()
        self._queue = BackgroundQueue(engine, settings)

    async def run(self, job: Job, on_answers: Callable[[], None]) -> None:
        """Run a job to its end; the answers of one that is interrupted are kept.

        Args:
            on_answers: called after every slice.

        Raises:
            InvalidInput: it cannot be done, which was not known when it was taken.
            Fault: it cannot be done, for good or now.
        """
        if job.starts >= _MAX_STARTS:
            raise JobInterrupted("the service ended several times while it ran this job; please report it")
        model = self._engine.info
        prepared = await self._prepare(job, model)
        if prepared is None:
            return
        header = (prepared.about, prepared.fingerprint)
        done = await self._store.change(JobRepository.begin, job.number, *header)
        execution = JobExecution(self._store, self._queue, job, prepared.plan, model.sha256, on_answers)
        await execution.run(done, prepared.refusals)
        await self._store.change(JobRepository.end, job.number, "done")

    async def _prepare(self, job: Job, model: ModelInfo) -> PreparedJob | None:
        """Return the plan of a job, one job after the other; None where it has ended meanwhile."""
        async with self._preparing:
            stored_input = await self._store.read(JobRepository.input, job.number)
            if stored_input is None:
                return None
            return await to_the_end(_prepare, stored_input, self._bounds, model, self._engine.levels)


class JobExecution:
    """A job that runs: its plan, and its answers that are not saved yet."""

    def __init__(
        self,
        store: JobStore,
        queue: BackgroundQueue,
        job: Job,
        plan: Plan,
        weights_sha256: str,
        on_answers: Callable[[], None],
    ) -> None:
        self._store = store
        self._queue = queue
        self._job = job
        self._plan = plan
        self._weights_sha256 = weights_sha256
        self._on_answers = on_answers
        self._unsaved: list[AnswerRow] = []
        self._saved_at = time.monotonic()

    async def run(self, done: set[PairIndex], refusals: dict[PairIndex, MizzleError]) -> None:
        """Estimate all pairs that are neither done nor refused."""
        refused = {pair: error for pair, error in refusals.items() if pair not in done}
        self._unsaved = await to_the_end(_refusal_rows, self._plan, refused)
        chunks = self._plan.chunks(done | refusals.keys())
        try:
            while chunk := await to_the_end(next, chunks, None):
                for pairs in self._queue.slices(chunk):
                    await self._estimate(pairs)
            await self._save_or_wait()
        finally:  # also when the service stops
            with suppress(MizzleError):
                await self._save()

    async def _estimate(self, pairs: Sequence[IndexedPair]) -> None:
        while pairs:
            outcomes = await self._queue.estimate(pairs, self._job.owner)
            for (index, _), outcome in zip(pairs, outcomes, strict=False):
                self._keep(index, outcome)
            pairs = pairs[len(outcomes) :]
            self._on_answers()
            if time.monotonic() - self._saved_at >= _SAVE_SECONDS:
                await self._save_or_wait()

    def _keep(self, pair: PairIndex, outcome: Outcome) -> None:
        """Keep an answer; an error that only says that the service stops is raised instead."""
        if isinstance(outcome, NotReady):
            raise outcome
        if not isinstance(outcome, MizzleError) and outcome.model.sha256 != self._weights_sha256:
            raise WeightsChanged("the weights were replaced while the job ran; send it again, with a new id")
        self._unsaved.append(answer_row(self._plan, pair, outcome))

    async def _save_or_wait(self) -> None:
        """Save, however long the disk is full or the server away; a job lost by then is interrupted."""
        while True:
            try:
                return await self._save()
            except (StorageFull, Unreachable, Locked):
                await asyncio.sleep(_FULL_DISK_RETRY_SECONDS)

    async def _save(self) -> None:
        if self._unsaved:
            await self._store.change(JobRepository.save, self._job.number, self._unsaved)
        self._unsaved, self._saved_at = [], time.monotonic()


def _prepare(
    stored_input: StoredInput, bounds: request.JobBounds, model: ModelInfo, levels: Sequence[float]
) -> PreparedJob:
    media, query, body = stored_input
    spec = request.parse(media, body, json.loads(query), bounds)
    plan = request.make_plan(spec, bounds)
    fingerprint = encode_fingerprint(plan, model, levels)
    return PreparedJob(plan, encode_about(spec, plan), fingerprint, plan.refusals())


def _refusal_rows(plan: Plan, refused: Mapping[PairIndex, MizzleError]) -> list[AnswerRow]:
    return [answer_row(plan, pair, error) for pair, error in refused.items()]
