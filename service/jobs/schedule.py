"""Which jobs run: one of every owner, as many as memory takes, and those that have had their turn give way.

A job during which the service ended is suspected of it, and runs alone until it has saved an answer: the next
end of the service then speaks of it, and of no other job.
"""

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from mizzle.service.jobs.memory import job_bytes
from mizzle.service.jobs.repository import Job, QueuedJob
from mizzle.service.settings import Settings

TURN_SECONDS = 5.0  # from its first answer, after which a job gives way to others that have no room


@dataclass
class RunningJob:
    """A job that runs, with what it is charged, and when it had its first answers of this turn."""

    job: Job
    bytes: int
    task: asyncio.Task[None]
    first_answer: float = math.inf


class Schedule:
    """The jobs that run, and whose turn is next."""

    def __init__(self, settings: Settings) -> None:
        self.running: dict[int, RunningJob] = {}
        self._settings = settings
        self._last_turns: dict[str, float] = {}  # of owners, when their last job made room

    def charge(self, queued: QueuedJob) -> int:
        """Return what a job is charged, in bytes."""
        return job_bytes(queued.body_bytes, self._settings)

    def add(self, queued: QueuedJob, task: asyncio.Task[None]) -> None:
        """Charge a job that starts."""
        self.running[queued.job.number] = RunningJob(queued.job, self.charge(queued), task)

    def note_answers(self, number: int) -> None:
        """Begin the turn of a job with its first answers: a turn in which there are none would be lost."""
        running = self.running[number]
        running.first_answer = min(running.first_answer, time.monotonic())

    def remove(self, number: int) -> None:
        """Give back what a job was charged."""
        ended = self.running.pop(number)
        self._last_turns[ended.job.owner] = time.monotonic()

    def candidates(self, queued: Sequence[QueuedJob]) -> list[QueuedJob]:
        """Return the next job of every owner who has none that runs, whoever has waited longest first."""
        self._last_turns = {
            owner: at
            for owner, at in self._last_turns.items()
            if any(waiting.job.owner == owner for waiting in queued)
        }
        suspects = [waiting for waiting in queued if waiting.job.starts]
        if suspects:
            return [] if self.running else suspects[:1]
        owners = {running.job.owner for running in self.running.values()}
        first: dict[str, QueuedJob] = {}
        for waiting in queued:
            first.setdefault(waiting.job.owner, waiting)
        waiting_owners = sorted(first.keys() - owners, key=lambda owner: self._last_turns.get(owner, 0.0))
        return [first[owner] for owner in waiting_owners]

    def fits(self, queued: QueuedJob) -> bool:
        """Return whether there is memory for a job; there always is for one alone."""
        return not self.running or self.charge(queued) <= self._free

    def to_give_way(self, queued: QueuedJob) -> list[int]:
        """Return which jobs make room for another: those whose turn is longest; none if it is too early."""
        now, free, numbers = time.monotonic(), self._free, []
        for number, running in sorted(self.running.items(), key=lambda item: item[1].first_answer):
            if self.charge(queued) <= free:
                break
            if now - running.first_answer < TURN_SECONDS:
                return []
            numbers.append(number)
            free += running.bytes
        return numbers

    @property
    def _free(self) -> int:
        return self._settings.jobs_memory_bytes - sum(running.bytes for running in self.running.values())
