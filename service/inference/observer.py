"""What batcher, worker, engine and jobs report of their work; `telemetry.metrics.Metrics` counts it."""

from collections.abc import Callable, Iterable
from typing import Protocol

from mizzle.service.inference.queue import Priority
from mizzle.types import ModelInfo

# Codes of the errors that turn a request away, and the reasons under which they count.
REFUSALS = {
    "queue_full": "queue_full",
    "rate_limited": "key_limit",
    "too_many_jobs": "key_limit",
    "too_large": "too_large",
    "not_ready": "not_ready",
    "model_unavailable": "not_ready",
    "draining": "draining",
    "deadline_exceeded": "deadline",
    "unauthorized": "unauthorized",
}
CONNECTIONS = "connections"  # the reason of a connection that is one too many


class Observer(Protocol):
    """Hears of every event that is counted; every method may be called from the event loop alone."""

    def admitted(self, cells: int) -> None:
        """A request of so many padded cells was let into the queue."""

    def refused(self, reason: str) -> None:
        """A request was turned away; reasons are the values of `REFUSALS`, and `CONNECTIONS`."""

    def waited(self, priority: Priority, seconds: float) -> None:
        """An item left the queue for a batch."""

    def cancelled(self, stage: str) -> None:
        """A caller left: while "queued" or while "running"."""

    def batch(self, items: int, cells: int, padded: int, budget: int, seconds: float) -> None:
        """A batch has run.

        Args:
            cells, padded: of its items, without and with padding.
            budget: padded cells that it might have had.
        """

    def retried(self) -> None:
        """A batch runs again, in parts."""

    def out_of_memory(self) -> None:
        """A batch did not fit the device."""

    def non_finite(self) -> None:
        """An answer was not finite."""

    def worker_restarted(self, reason: str) -> None:
        """A worker "died" or "hung"."""

    def answered(self, warning_codes: Iterable[str]) -> None:
        """A problem was answered, with these warnings."""

    def decoded(self, media: str, seconds: float) -> None:
        """A body was read."""

    def loop_lag(self, seconds: float) -> None:
        """The event loop was so late."""

    def model(self, info: ModelInfo, device: str, threads: int) -> None:
        """The model is there."""

    def jobs(self, state: str, count: int) -> None:
        """So many jobs are in this state, one of `mizzle.wire.JOB_STATES`."""

    def ready(self, state: bool) -> None:
        """The service became ready, or ceased to be."""

    def watch_queue(
        self, standing: Callable[[Priority], tuple[int, int, float]], capacity: Callable[[], int]
    ) -> None:
        """Where to look the queue up whenever somebody wants to know.

        Args:
            standing: items, cells and the age of the oldest in seconds, of a priority.
            capacity: cells that may wait.
        """

    def watch_worker(self, pid: Callable[[], int | None]) -> None:
        """Where to look up which process runs the model; None while there is none."""
