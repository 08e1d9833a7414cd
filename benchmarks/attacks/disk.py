"""Part 6: the disk of the jobs: a quota, a full disk, a folder that goes, files that are damaged."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attacks.judging import Attack, Figures, Group, Outcome
from attacks.service import Service, job, serving, table, until
from mizzle import wire
from mizzle.service.storage.sqlite import NAME

QUOTA_MIB, DISK_MIB = 8, 24


def is_freed(figures: Figures) -> bool:
    """Whether a job is refused while there is no room, deleted jobs make room, and the next one is taken."""
    return figures["full"] == 503 and figures["deleted"] in (200, 204) and figures["next"] == 202


def is_noticed(figures: Figures) -> bool:
    """Whether jobs are refused while their folder is gone, and taken once it is back."""
    return bool(figures["gone"] == 503 and figures["next"] == 202)


def is_set_aside(figures: Figures) -> bool:
    """Whether both damaged files are there under names of their own, and jobs go on."""
    return bool(len(figures["files"]) == 2 and set(figures["statuses"]) == {202})


def is_refused(figures: Figures) -> bool:
    """Whether an altered result is not given out, after the whole one was."""
    return bool(figures["before"] == 200 and figures["after"] == 409)


_FREED = "503 while full, DELETE works, the next job is taken without a restart"
_FREED_WORDS = "new jobs {full}, DELETE {deleted}, the next job {next}"
QUOTA = Attack(6, f"jobs beyond a quota of {QUOTA_MIB} MiB", _FREED, _FREED_WORDS, is_freed)
FULL_DISK = Attack(6, f"a full disk (tmpfs of {DISK_MIB} MiB)", _FREED, _FREED_WORDS, is_freed)
REMOVED = Attack(
    6, "the folder of jobs is removed", "503, and taken again once it is back",
    "new jobs {gone}, afterwards {next}", is_noticed,
)  # fmt: skip
DAMAGED = Attack(
    6, "the jobs file is damaged, twice", "both files set aside, new jobs taken",
    "{files}; new jobs {statuses}", is_set_aside,
)  # fmt: skip
FLIPPED = Attack(
    6, "bytes of a stored result are altered", "not served (409)",
    "200 became {after}", is_refused,
)  # fmt: skip


def _quota(quick: bool) -> Iterator[Outcome]:
    with (
        tempfile.TemporaryDirectory() as folder,
        _jobs(Path(folder), jobs_max_bytes=QUOTA_MIB << 20) as service,
    ):
        yield _filled(service, QUOTA, lambda: None)


def _full_disk(quick: bool) -> Iterator[Outcome]:
    try:
        with _small_disk() as folder, _jobs(folder / "jobs") as service:
            yield _filled(service, FULL_DISK, lambda: _fill(folder / "filler"))
    except _NoDisk as error:
        yield FULL_DISK.skipped(str(error))


def _filled(service: Service, attack: Attack, fill: Callable[[], None]) -> Outcome:
    """New jobs until there is no room, then a deletion, then a new job."""
    body = job(table(5000, 60))
    full = 202
    for i in range(40):
        full = service.put_job(f"job{i}", body).status
        if full != 202:
            break
        if i == 1:
            fill()
    deleted = [service.ask("DELETE", f"{wire.JOBS}/job{i}").status for i in (0, 0, 1, 1)]
    worked = [status for status in deleted if status not in (404,)]
    last = max(worked, default=0)
    until(lambda: service.put_job("next", job(table(20, 3))).status == 202, 5.0)
    return attack.outcome(full=full, deleted=last, next=service.put_job("next", job(table(20, 3))).status)


class _NoDisk(Exception):
    """There can be no small disk here; says why."""


@contextmanager
def _small_disk() -> Iterator[Path]:
    """A folder on a disk of its own.

    Raises:
        _NoDisk: it cannot be made.
    """
    if sys.platform != "linux" or os.geteuid() != 0:
        raise _NoDisk("mounting a small disk needs root on Linux")
    with tempfile.TemporaryDirectory() as folder:
        command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", folder]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            raise _NoDisk("a small disk cannot be mounted here") from None
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "-l", folder], check=False, capture_output=True)


def _fill(path: Path) -> None:
    """All the room that is left."""
    try:
        with path.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(2**16))
    except OSError:
        pass


def _removed(quick: bool) -> Iterator[Outcome]:
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "jobs"
        folder.mkdir()
        with _jobs(folder) as service:
            service.put_job("first", job(table(20, 3)))
            shutil.rmtree(folder)
            gone = service.put_job("second", job(table(20, 3))).status
            folder.mkdir()
            until(lambda: service.put_job("third", job(table(20, 3))).status == 202, 10.0)
            yield REMOVED.outcome(gone=gone, next=service.put_job("third", job(table(20, 3))).status)


def _damaged(quick: bool) -> Iterator[Outcome]:
    with tempfile.TemporaryDirectory() as parent:
        folder, statuses = Path(parent), []
        for _ in range(3):
            with _jobs(folder) as service:
                statuses.append(service.put_job("job", job(table(20, 3))).status)
            for file in folder.glob(f"{NAME}*"):
                file.write_bytes(b"\xa5" * 8192)
        files = sorted(file.name for file in folder.glob(f"damaged-{NAME}*"))
        yield DAMAGED.outcome(files=files, statuses=statuses)


def _flipped(quick: bool) -> Iterator[Outcome]:
    with tempfile.TemporaryDirectory() as parent:
        folder, result = Path(parent), f"{wire.JOBS}/job/result"
        with _jobs(folder) as service:
            service.put_job("job", job(table(50, 3)))
            until(lambda: service.job("job").get("ended"), 20.0)
            before = service.ask("GET", result).status
        database = sqlite3.connect(folder / NAME)
        with database:
            database.execute("UPDATE answers SET numbers = zeroblob(length(numbers)) WHERE x = 0 AND y = 1")
        database.close()
        with _jobs(folder, ready=False) as service:
            yield FLIPPED.outcome(before=before, after=service.ask("GET", result).status)


@contextmanager
def _jobs(folder: Path, ready: bool = True, **settings: Any) -> Iterator[Service]:
    """A service whose jobs file is open."""
    with serving(jobs_dir=folder, ready=ready, **settings) as service:
        until(lambda: service.ask("GET", wire.JOBS).status == 200, 10.0)
        yield service


GROUPS = (
    Group(_quota, (QUOTA,)),
    Group(_full_disk, (FULL_DISK,)),
    Group(_removed, (REMOVED,)),
    Group(_damaged, (DAMAGED,)),
    Group(_flipped, (FLIPPED,)),
)
