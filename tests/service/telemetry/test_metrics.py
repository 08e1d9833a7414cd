"""Metrics count what happened, and no caller can make a series of them."""

import ast
import asyncio
import math
import os
from itertools import pairwise
from pathlib import Path

import prometheus_client
import pytest
from counted import series, value
from hypothesis import given
from hypothesis import strategies as st

from mizzle.errors import by_code
from mizzle.service.inference.observer import REFUSALS, Observer
from mizzle.service.telemetry import metrics as metrics_module
from mizzle.service.telemetry.instruments import OTHER
from mizzle.service.telemetry.metrics import Metrics, render, sample_lag
from mizzle.types import ModelInfo

MODEL = Path(__file__).parents[3] / "model"
INFO = ModelInfo("base", "1.0", "ab" * 32)
METHODS = [name for name in vars(Observer) if not name.startswith("_")]

# What is told, and the series that then stands one higher.
EVENTS = [
    ("admitted", (300,), "mizzle_request_cells_count", {}),
    ("refused", ("queue_full",), "mizzle_rejected_total", {"reason": "queue_full"}),
    ("waited", ("large", 0.1), "mizzle_queue_wait_seconds_count", {"lane": "large"}),
    ("cancelled", ("queued",), "mizzle_cancelled_total", {"stage": "queued"}),
    ("batch", (1, 700, 1000, 2000, 0.02), "mizzle_batch_items_sum", {}),
    ("batch", (2, 700, 1000, 2000, 0.02), "mizzle_batch_cells_count", {}),
    ("batch", (2, 700, 1000, 2000, 0.02), "mizzle_batch_padding_ratio_count", {}),
    ("batch", (2, 1000, 1000, 1000, 0.02), "mizzle_batch_fill_ratio_sum", {}),
    ("retried", (), "mizzle_batch_retries_total", {}),
    ("out_of_memory", (), "mizzle_oom_total", {}),
    ("non_finite", (), "mizzle_nonfinite_total", {}),
    ("worker_restarted", ("hung",), "mizzle_worker_restarts_total", {"reason": "hung"}),
    ("answered", (["unfamiliar"],), "mizzle_warnings_total", {"code": "unfamiliar"}),
    ("decoded", ("application/x-npy", 0.1), "mizzle_decode_seconds_count", {"format": "npy"}),
    ("loop_lag", (0.5,), "mizzle_event_loop_lag_seconds_count", {}),
    ("ready", (True,), "mizzle_ready", {}),
]
# Every event that has a word from elsewhere in it.
LABELLED = [
    ("refused", lambda word: (word,)),
    ("waited", lambda word: (word, 0.1)),
    ("cancelled", lambda word: (word,)),
    ("worker_restarted", lambda word: (word,)),
    ("answered", lambda word: ([word],)),
    ("decoded", lambda word: (word, 0.1)),
]


@pytest.mark.parametrize(("event", "told", "name", "labels"), EVENTS)
def test_an_event_counts_once(event: str, told, name: str, labels) -> None:
    metrics = Metrics()
    assert value(metrics, name, **labels) == 0
    getattr(metrics, event)(*told)
    assert value(metrics, name, **labels) == 1


@pytest.mark.parametrize("method", METHODS)
def test_every_event_is_listened_to(method) -> None:
    assert getattr(Metrics, method) is not getattr(Observer, method)


@given(st.text())
@pytest.mark.parametrize(("event", "told"), LABELLED, ids=[event for event, _ in LABELLED])
def test_no_word_makes_a_series(event: str, told, word) -> None:
    metrics = Metrics()
    getattr(metrics, event)(*told("unknown"))
    before = series(metrics)
    getattr(metrics, event)(*told(word))
    assert series(metrics) == before


def test_refusals_are_errors_that_there_are() -> None:
    assert all(by_code(code) for code in REFUSALS)


def test_an_unknown_word_counts_as_other() -> None:
    metrics = Metrics()
    metrics.refused("whatever")
    assert value(metrics, "mizzle_rejected_total", reason=OTHER) == 1


def test_two_applications_share_nothing_and_touch_no_global() -> None:
    before = {metric.name for metric in prometheus_client.REGISTRY.collect()}
    one, two = Metrics(), Metrics()
    one.retried()
    assert value(two, "mizzle_batch_retries_total") == 0
    assert {metric.name for metric in prometheus_client.REGISTRY.collect()} == before


def test_a_batch_knows_its_padding_its_fill_and_its_device() -> None:
    metrics = Metrics()
    metrics.model(INFO, "cuda:0", 4)
    metrics.batch(3, 700, 1000, 4000, 0.25)
    assert value(metrics, "mizzle_batch_padding_ratio_sum") == pytest.approx(0.3)
    assert value(metrics, "mizzle_batch_fill_ratio_sum") == 0.25
    assert value(metrics, "mizzle_inference_seconds_sum", device="cuda") == 0.25


def test_a_new_model_takes_the_place_of_the_old() -> None:
    metrics = Metrics()
    metrics.model(INFO, "cpu", 4)
    metrics.model(INFO._replace(version="2.0"), "cpu", 4)
    labels = [dict(labels) for name, labels in series(metrics) if name == "mizzle_model_info"]
    assert labels == [{**INFO._asdict(), "version": "2.0", "device": "cpu", "threads": "4"}]


def test_the_queue_is_looked_up_at_every_scrape() -> None:
    metrics = Metrics()
    queue = {"small": (2, 300, 0.5), "large": (0, 0, 0.0)}
    metrics.watch_queue(queue.__getitem__, lambda: 900)
    assert value(metrics, "mizzle_queue_items", lane="small") == 2
    queue["small"] = (1, 200, 0.75)
    found = [
        value(metrics, f"mizzle_queue_{what}", lane="small")
        for what in ("items", "cells", "oldest_age_seconds")
    ]
    assert found == [1, 200, 0.75]
    assert value(metrics, "mizzle_queue_capacity_cells") == 900


def test_the_worker_is_looked_up_at_every_scrape() -> None:
    metrics = Metrics()
    name = "mizzle_worker_process_resident_memory_bytes"
    pids = [None, os.getpid()]
    metrics.watch_worker(pids.pop)
    assert (metrics.registry.get_sample_value(name) or 0) > 0
    assert metrics.registry.get_sample_value(name) is None


def test_this_process_is_told_of() -> None:
    names = {name for name, _ in series(Metrics())}
    assert {"process_start_time_seconds", "process_resident_memory_bytes", "process_open_fds"} <= names


def test_buckets_are_geometric() -> None:
    for metric in Metrics().registry.collect():
        bounds = {float(s.labels["le"]) for s in metric.samples if s.name.endswith("_bucket")}
        finite = sorted(bounds - {math.inf})
        steps = {round(high / low, 9) for low, high in pairwise(finite)}
        assert len(steps) == bool(finite), metric.name


def test_names_have_the_prefix_and_base_units() -> None:
    for name in {metric.name for metric in Metrics().registry.collect()}:
        assert name.startswith(("mizzle_", "process_"))
        assert not name.endswith(("_ms", "_milliseconds", "_kilobytes", "_percent"))


def test_every_warning_of_the_model_has_a_series() -> None:
    calls = [node for file in MODEL.glob("*.py") for node in ast.walk(ast.parse(file.read_text()))]
    notices = [c.args[0] for c in calls if isinstance(c, ast.Call) and getattr(c.func, "id", "") == "Notice"]
    codes = {node.value for node in notices if isinstance(node, ast.Constant)}
    assert len(codes) >= 7
    assert codes <= set(metrics_module.WARNINGS)
    # The others are made of a stem and a side: f"constant_{side}".
    stems = {ast.literal_eval(node.values[0]) for node in notices if isinstance(node, ast.JoinedStr)}
    assert {f"{stem}{side}" for stem in stems for side in "xy"} | codes == set(metrics_module.WARNINGS)


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("", "text/plain; version=0.0.4"),
        ("*/*", "text/plain; version=0.0.4"),
        ("text/html", "text/plain; version=0.0.4"),
        ("text/plain;version=1.0.0", "text/plain; version=1.0.0"),
        ("application/openmetrics-text;version=1.0.0,*/*", "application/openmetrics-text; version=1.0.0"),
        ("application/openmetrics-text;version=canary", "text/plain; version=0.0.4"),
        ("application/openmetrics-text; version=1.0.0.canary", "text/plain; version=0.0.4"),
        ("application/openmetrics-text; version=9.9.9", "text/plain; version=0.0.4"),
        ("text/plain;version=1.0.0;version=canary, text/plain", "text/plain; version=0.0.4"),
    ],
)
def test_the_format_is_negotiated(accept: str, media: str) -> None:
    metrics = Metrics()
    metrics.retried()
    body, found = render(metrics, accept)
    assert found.startswith(media)
    assert b"mizzle_batch_retries_total 1.0\n" in body
    assert b"_created" not in body


@given(st.text())
def test_no_accept_header_fails_or_is_repeated(accept) -> None:
    kinds = "text/plain; version=0.0.4", "text/plain; version=1.0.0", "application/openmetrics-text; version="
    for offer in (accept, f"text/plain;version={accept}", f"application/openmetrics-text;version={accept}"):
        body, media = render(Metrics(), offer)
        assert body
        assert media.startswith(kinds)


def test_the_lag_is_what_the_clock_says() -> None:
    times = iter([0.0, 0.5, 10.0, 10.0, 20.0, 19.0])  # late, in time, before its time
    lags = []

    class Listener(Observer):
        def loop_lag(self, seconds) -> None:
            lags.append(seconds)

    with pytest.raises(RuntimeError, match="StopIteration"):  # the clock has run out
        asyncio.run(sample_lag(Listener(), 0, lambda: next(times)))
    assert lags == [0.5, 0.0, 0.0]
