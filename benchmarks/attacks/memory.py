"""Part 1: memory has one budget. Peaks are of the service and its worker together (VmHWM)."""

import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import http_load as http
import numpy as np

from attacks import peers
from attacks.judging import Attack, Figures, Group, Outcome
from attacks.service import ATTACKER, Service, job, problem, serving, table, until
from mizzle import estimator, wire
from mizzle.service.jobs import request, rows
from mizzle.service.jobs.repository import JobDraft, JobRepository, StoredInput
from mizzle.service.storage.sqlite import SqliteDatabase

LIMIT_MIB = 4096
BODY_BYTES = 32 << 20
READERS = 60
COLUMNS = 200  # 19,900 pairs
_BOUND = f"alive and answering, at most {LIMIT_MIB:,} MiB"
_RESULT = "result"


def is_within(figures: Figures) -> bool:
    """Whether a service lives, answers an honest caller, and stayed below the limit."""
    return bool(figures["honest"] == 200 and figures["peak_mib"] < LIMIT_MIB)


def is_refused(figures: Figures) -> bool:
    """The same, of a job that is too large."""
    return is_within(figures) and figures["status"] in (413, 422)


def is_every_reader_answered(figures: Figures) -> bool:
    """The same, and every reader has the whole result or was told to come again."""
    whole, later = figures["whole"], figures["later"]
    return is_within(figures) and whole > 0 and whole + later == figures["readers"]


def is_interrupted(figures: Figures) -> bool:
    """Whether the third start gives a job up, and another is done."""
    return bool(figures["state"] == "failed/job_interrupted" and figures["other"] == "done")


MANY_GROUPS = Attack(
    1, "a job of 10,000 groups of one column of 4 million rows", f"refused; {_BOUND}",
    "{status}; peak {peak_mib:,.0f} MiB", is_refused,
)  # fmt: skip
SIXTY_GROUPS = Attack(
    1, "a job of 60 groups, as many cells as are allowed", _BOUND,
    "{status}; peak {peak_mib:,.0f} MiB", is_within,
)  # fmt: skip
INTERRUPTED = Attack(
    1, "stored jobs that end the service each time it starts (SIGKILL, twice)",
    "the third start gives the job up; others are done",
    "{state}; the other job {other}", is_interrupted,
)  # fmt: skip
BODIES = Attack(
    1, "115 bodies of 32 MiB that are not finished", _BOUND,
    "{sent_mib:,} MiB taken; peak {peak_mib:,.0f} MiB", is_within,
)  # fmt: skip
RESULT_READERS = Attack(
    1, f"{READERS} slow readers of a result of 19,900 pairs", f"each whole or told when; {_BOUND}",
    "{whole} whole, {later} told when; peak {peak_mib:,.0f} MiB", is_every_reader_answered,
)  # fmt: skip
ALL_DOORS = Attack(
    1, "all of it at once, with a flood of large problems and 50 event streams", _BOUND,
    "peak {peak_mib:,.0f} MiB", is_within,
)  # fmt: skip


def _budget(quick: bool) -> Iterator[Outcome]:
    with tempfile.TemporaryDirectory() as folder:
        store_result(Path(folder))
        with serving(jobs_dir=folder, memory_mib=LIMIT_MIB, body_seconds=8) as service:
            column = (np.arange(4_000_000) % 251).astype(np.uint8)[:, None]
            yield _with_groups(service, MANY_GROUPS, column, 10_000)
            yield _with_groups(service, SIXTY_GROUPS, column[:65_000], 60)
            yield _bodies(service, 3.0 if quick else 8.0)
            yield _readers(service)
            yield _all_doors(service, 3.0 if quick else 8.0)


def _figures(service: Service) -> dict[str, float]:
    """What every attack on memory ends with."""
    peak = service.peak_mib()
    return {"peak_mib": peak, "honest": service.estimate().status}


def _with_groups(service: Service, attack: Attack, column: np.ndarray, count: int) -> Outcome:
    service.forget_peak()
    body = job(column, columns=["c0"], groups={f"g{i}": ["c0"] for i in range(count)})
    status = service.put_job("groups", body, source=ATTACKER).status
    time.sleep(1.0)  # in which it would begin
    outcome = attack.outcome(status=status, **_figures(service))
    service.ask("DELETE", f"{wire.JOBS}/groups")
    return outcome


def _unfinished(service: Service, count: int) -> list[socket.socket]:
    head = http.post(wire.PATH, wire.SAFETENSORS, b"").replace(b"Length: 0", b"Length: %d" % BODY_BYTES)
    return peers.connected(service.port, count, head)


def _bodies(service: Service, seconds: float) -> Outcome:
    service.forget_peak()
    sockets = _unfinished(service, 115)
    sent = peers.push(sockets, BODY_BYTES - 2**20, seconds)
    outcome = BODIES.outcome(sent_mib=sent, **_figures(service))
    peers.hang_up(sockets)
    return outcome


def _result_requests(service: Service) -> list[socket.socket]:
    return peers.connected(service.port, READERS, http.get(f"{wire.JOBS}/{_RESULT}/result"))


def _readers(service: Service) -> Outcome:
    service.forget_peak()
    sockets = _result_requests(service)
    time.sleep(2.0)  # in which nobody reads
    answers = peers.read_all(sockets, 40.0)
    peers.hang_up(sockets)
    whole = sum(peers.status(text) == 200 and peers.is_whole(text) for text in answers)
    later = sum(peers.status(text) in (429, 503) and b"retry-after" in text.lower() for text in answers)
    return RESULT_READERS.outcome(readers=READERS, whole=whole, later=later, **_figures(service))


def _all_doors(service: Service, seconds: float) -> Outcome:
    service.forget_peak()
    large = http.post(wire.PATH, wire.SAFETENSORS, problem(60_000, 4, 4))
    with ExitStack() as stack, peers.flooding(service.port, large, 16, 60.0):
        for i in range(4):
            service.put_job(f"large{i}", job(table(2000, COLUMNS)), source=ATTACKER)
        events = http.get(f"{wire.JOBS}/large0/events")
        bodies = _unfinished(service, 60)
        for sockets in (bodies, _result_requests(service), peers.connected(service.port, 50, events)):
            stack.callback(peers.hang_up, sockets)
        peers.push(bodies, BODY_BYTES - 2**20, seconds)
        return ALL_DOORS.outcome(**_figures(service))


def store_result(folder: Path) -> None:
    """A folder of jobs with one that is done, of 19,900 pairs, as if it had been computed."""
    model = estimator.load()
    body = job(table(20, COLUMNS))
    spec = request.parse(wire.SAFETENSORS, body, {})
    plan = request.make_plan(spec, request.JobBounds(20_000, 4_000_000))
    pairs = [(i, j) for i in range(COLUMNS) for j in range(i + 1, COLUMNS)]
    answer = rows.answer_row(plan, (0, 1), model.run([model.prepare(table(20, 1), table(20, 1) ** 3)])[0])
    repository = JobRepository(SqliteDatabase(folder), 86_400.0)
    repository.open()
    draft = JobDraft(
        "anonymous", _RESULT, b"", "matrix", len(pairs), StoredInput(wire.SAFETENSORS, "{}", body)
    )
    stored = repository.find_or_add(draft, 20, 200)
    assert stored is not None
    repository.start(stored.number)
    fingerprint = rows.encode_fingerprint(plan, model.info, model.levels)
    repository.begin(stored.number, rows.encode_about(spec, plan), fingerprint)
    repository.save(stored.number, (answer._replace(x=i, y=j) for i, j in pairs))
    repository.end(stored.number, "done")
    repository.close()


def _interrupted(quick: bool) -> Iterator[Outcome]:
    """SIGKILL is what the kernel sends to a process that takes too much memory."""
    with tempfile.TemporaryDirectory() as folder:
        body = job(table(400_000, 5))
        with serving(jobs_dir=folder) as service:
            until(lambda: service.put_job("heavy", body).status == 202)
            service.put_job("small", job(table(50, 3)))
            _kill_at_start(service)
        with serving(jobs_dir=folder, ready=False) as service:
            _kill_at_start(service)
        with serving(jobs_dir=folder) as service:
            until(lambda: service.job("heavy").get("ended"), 20.0)
            until(lambda: service.job("small").get("ended"), 20.0)
            heavy = service.job("heavy")
            code = (heavy.get("error") or {}).get("code", "")
            state = f"{heavy.get('state')}/{code}" if code else str(heavy.get("state"))
            yield INTERRUPTED.outcome(state=state, other=service.job("small").get("state"))


def _kill_at_start(service: Service) -> None:
    until(lambda: service.job("heavy").get("state") == "running", every=0.01)
    service.stop(signal.SIGKILL)


GROUPS = (
    Group(_budget, (MANY_GROUPS, SIXTY_GROUPS, BODIES, RESULT_READERS, ALL_DOORS)),
    Group(_interrupted, (INTERRUPTED,)),
)
