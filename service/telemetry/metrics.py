"""Prometheus metrics: what happened, in base units, under labels that take known values alone."""

import asyncio
import re
import time
from collections.abc import Callable, Iterable
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder

from mizzle import wire
from mizzle.service.inference.observer import CONNECTIONS, REFUSALS, Observer
from mizzle.service.inference.queue import PRIORITIES, Priority
from mizzle.service.telemetry.instruments import (
    CELLS,
    ITEMS,
    OTHER,
    PREFIX,
    SECONDS,
    SHARES,
    SHORT_SECONDS,
    Instruments,
    WithoutCreated,
)
from mizzle.types import ModelInfo
from mizzle.wire import JOB_STATES

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
REASONS = (*dict.fromkeys(REFUSALS.values()), CONNECTIONS)
STAGES = ("queued", "running")
LOSSES = ("died", "hung")
DEVICES = ("cpu", "cuda")
FORMATS = {
    wire.JSON: "json",
    wire.NPY: "npy",
    wire.SAFETENSORS: "safetensors",
    wire.BINARY: "binary",
}
WARNINGS = (
    "above_log_n",
    "blocks",
    "constant_x",
    "constant_y",
    "copies_x",
    "copies_y",
    "counted",
    "deterministic",
    "limited_by_entropy",
    "repeated_rows",
    "rows_alike",
    "rows_out_of_range",
    "unfamiliar",
    "unordered",
)
Standing = Callable[[Priority], tuple[int, int, float]]
_AGE = 2  # its place in what stands in a queue
_VERSIONS = {"0.0.1", "0.0.4", "1.0.0"}


class Metrics(Observer):
    """The metrics of one application, in a registry of its own; `Observer` says what its methods mean.

    What is watched is looked up at every scrape, so that it is true at that moment.

    Attributes:
        registry: holds them.
    """

    def __init__(self) -> None:
        new = Instruments()
        self.registry: CollectorRegistry = new.registry
        self._worker: Callable[[], int | None] = lambda: None
        self._queues: list[tuple[Standing, Callable[[], int]]] = []  # one for each model
        self._unready = 1  # models
        ProcessCollector(registry=self.registry)
        ProcessCollector(f"{PREFIX}_worker", lambda: str(self._worker()), registry=self.registry)
        self._make_http(new)
        self._make_queue(new)
        self._make_batches(new)
        self._make_faults(new)
        self._make_state(new)

    def _make_http(self, new: Instruments) -> None:
        text = "Requests that have ended, by template of the path"
        self._requests = new.instrument(Counter, "http_requests", text, "route", "method", "status")
        text = "Seconds from the head of a request to the end of its answer"
        self._durations = new.instrument(
            Histogram, "http_request_duration_seconds", text, "route", buckets=SECONDS
        )
        text = "Seconds to read a body"
        formats = FORMATS.values()
        self._decodes = new.closed(
            Histogram, "decode_seconds", text, "format", formats, buckets=SHORT_SECONDS
        )
        self._refusals = new.closed(Counter, "rejected", "Requests turned away", "reason", REASONS)
        self._warnings = new.closed(Counter, "warnings", "Warnings in answers", "code", WARNINGS)

    def _make_queue(self, new: Instruments) -> None:
        text = "Padded cells of an admitted request"
        self._request_cells = new.instrument(Histogram, "request_cells", text, buckets=CELLS)
        self._queue = (
            new.instrument(Gauge, "queue_items", "Problems that wait", "lane"),
            new.instrument(Gauge, "queue_cells", "Padded cells that wait", "lane"),
            new.instrument(Gauge, "queue_oldest_age_seconds", "How long the oldest has waited", "lane"),
        )
        self._capacity = new.instrument(Gauge, "queue_capacity_cells", "Padded cells that may wait")
        text = "Seconds from admission to the batch"
        self._waits = new.closed(Histogram, "queue_wait_seconds", text, "lane", PRIORITIES, buckets=SECONDS)
        self._cancelled = new.closed(Counter, "cancelled", "Problems whose caller left", "stage", STAGES)

    def _make_batches(self, new: Instruments) -> None:
        self._batch_items = new.instrument(Histogram, "batch_items", "Problems of a batch", buckets=ITEMS)
        self._batch_cells = new.instrument(Histogram, "batch_cells", "Padded cells of a batch", buckets=CELLS)
        text = "Share of a batch's cells that is padding"
        self._padding = new.instrument(Histogram, "batch_padding_ratio", text, buckets=SHARES)
        text = "Padded cells of a batch over its budget; more than 1 where one problem exceeds it"
        self._fill = new.instrument(Histogram, "batch_fill_ratio", text, buckets=SHARES)
        text = "Seconds that a batch ran"
        self._inference = new.closed(Histogram, "inference_seconds", text, "device", DEVICES, buckets=SECONDS)
        self._retries = new.instrument(Counter, "batch_retries", "Batches that ran again, in parts")

    def _make_faults(self, new: Instruments) -> None:
        self._oom = new.instrument(Counter, "oom", "Batches that did not fit the device")
        self._nonfinite = new.instrument(Counter, "nonfinite", "Answers that were not finite")
        text = "Workers that were lost and replaced"
        self._restarts = new.closed(Counter, "worker_restarts", text, "reason", LOSSES)
        text = "Seconds that the event loop was late"
        self._lag = new.instrument(Histogram, "event_loop_lag_seconds", text, buckets=SECONDS)

    def _make_state(self, new: Instruments) -> None:
        self._ready = new.instrument(Gauge, "ready", "1 while the service is ready, else 0")
        labels = ("name", "version", "sha256", "device", "threads")
        self._model = new.instrument(Gauge, "model_info", "The model that answers", *labels)
        self._labelled: dict[str, tuple[object, ...]] = {}  # the labels of each model, by its name
        self._device = OTHER
        self._jobs = new.closed(Gauge, "jobs", "Jobs that are kept", "state", JOB_STATES)

    def request(self, route: str, method: str, status: str, seconds: float) -> None:
        """A request over HTTP has ended.

        Args:
            route: the template of its path; never the path, of which there is no end.
        """
        self._requests.labels(route, method if method in METHODS else OTHER, status).inc()
        self._durations.labels(route).observe(seconds)

    def admitted(self, cells: int) -> None:
        self._request_cells.observe(cells)

    def refused(self, reason: str) -> None:
        self._refusals[reason].inc()

    def waited(self, priority: Priority, seconds: float) -> None:
        self._waits[priority].observe(seconds)

    def cancelled(self, stage: str) -> None:
        self._cancelled[stage].inc()

    def batch(self, items: int, cells: int, padded: int, budget: int, seconds: float) -> None:
        self._batch_items.observe(items)
        self._batch_cells.observe(padded)
        self._padding.observe(1 - cells / max(padded, 1))
        self._fill.observe(padded / max(budget, 1))
        self._inference[self._device].observe(seconds)

    def retried(self) -> None:
        self._retries.inc()

    def out_of_memory(self) -> None:
        self._oom.inc()

    def non_finite(self) -> None:
        self._nonfinite.inc()

    def worker_restarted(self, reason: str) -> None:
        self._restarts[reason].inc()

    def answered(self, warning_codes: Iterable[str]) -> None:
        for code in warning_codes:
            self._warnings[code].inc()

    def decoded(self, media: str, seconds: float) -> None:
        self._decodes[FORMATS.get(media, OTHER)].observe(seconds)

    def loop_lag(self, seconds: float) -> None:
        self._lag.observe(seconds)

    def model(self, info: ModelInfo, device: str, threads: int) -> None:
        self._device = device.partition(":")[0]
        labels = (*info, device, threads)
        if before := self._labelled.get(info.name):
            self._model.remove(*before)  # it is not there any more
        self._labelled[info.name] = labels
        self._model.labels(*labels).set(1)

    def jobs(self, state: str, count: int) -> None:
        self._jobs[state].set(count)

    def expect(self, models: int) -> None:
        """All of so many models must be ready for the service to be so; one where nothing is said."""
        self._unready = models

    def ready(self, state: bool) -> None:
        self._unready += -1 if state else 1
        self._ready.set(self._unready <= 0)

    def watch_queue(self, standing: Standing, capacity: Callable[[], int]) -> None:
        self._queues.append((standing, capacity))
        for place, gauge in enumerate(self._queue):
            for priority in PRIORITIES:
                gauge.labels(priority).set_function(partial(self._standing, priority, place))
        self._capacity.set_function(lambda: sum(own() for _, own in self._queues))

    def _standing(self, priority: Priority, place: int) -> float:
        """Items, cells or the age of the oldest in all queues together."""
        parts = [standing(priority)[place] for standing, _ in self._queues]
        return max(parts) if place == _AGE else sum(parts)

    def watch_worker(self, pid: Callable[[], int | None]) -> None:
        self._worker = pid


def render(metrics: Metrics, accept: str = "") -> tuple[bytes, str]:
    """The metrics as text, and its media type, in the first format of those that the header Accept names."""
    encode, media = choose_encoder(",".join(filter(_known, accept.split(","))))
    return encode(WithoutCreated(metrics.registry)), media


def _known(offer: str) -> bool:
    """Whether an offer names no version or one that is real: the client library repeats what it is given."""
    return {version.strip() for version in re.findall("version=([^;]*)", offer)} <= _VERSIONS


async def sample_lag(observer: Observer, every: float, clock: Callable[[], float] = time.monotonic) -> None:
    """Measures again and again, until cancelled, how late the event loop is after `every` seconds."""
    while True:
        due = clock() + every
        await asyncio.sleep(every)
        observer.loop_lag(max(0.0, clock() - due))
