"""The disk of the jobs: full, small, or gone. What is deleted makes room, and what comes back is used."""

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from fakes import FakeEstimator
from job_bodies import ended, opened, put, table, tensor_body, until

from mizzle.errors import JobsUnavailable, StorageFull
from mizzle.service.app import create_app
from mizzle.service.jobs import manager, store
from mizzle.service.jobs.repository import JobDraft, JobRepository, StoredInput
from mizzle.service.jobs.rows import AnswerRow
from mizzle.service.storage.disk import DiskReserve
from mizzle.service.storage.interface import Removed
from mizzle.service.storage.sqlite import DAMAGED_NAME, NAME, SqliteDatabase

MIB = 2**20
BODY = os.urandom(MIB // 2)


@pytest.fixture
def disk(tmp_path: Path):
    """A folder on a disk of its own, of 8 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, timeout=10)
    except OSError:
        pytest.skip("there is no program mount")
    if done.returncode:
        pytest.skip("a small disk can only be mounted as root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True, timeout=10)


@pytest.fixture
def repository():
    """Opens jobs in a folder; all of them are closed in the end."""
    all_open = []

    def opening(folder, **more):
        jobs = JobRepository(SqliteDatabase(folder / "jobs"), 1e6, **more)
        all_open.append(jobs)
        jobs.open()
        return jobs

    yield opening
    for jobs in all_open:
        jobs.close()


def fill(folder: Path) -> Path:
    """Takes all the room that is left on a disk."""
    path = folder / "filler"
    with path.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError:
                continue
    return path


def add(jobs, id, body=BODY, pairs=6):
    return jobs.find_or_add(JobDraft("alice", id, b"", "matrix", pairs, StoredInput("m", "{}", body)), 99, 99)


def add_until_full(jobs):
    ids = [f"job{number}" for number in range(99)]
    for number, id in enumerate(ids):
        try:
            add(jobs, id)
        except StorageFull:
            return ids[:number]
    pytest.fail("the disk is not full")


def finish(jobs, id) -> None:
    number = jobs.find("alice", id).number
    jobs.begin(number, "about", "basis")
    jobs.save(number, [AnswerRow(0, j, bytes(800), 9, 1, 1, 1, "[]", "[]", None, 0) for j in range(1, 400)])
    jobs.end(number, "done")


def free(folder):
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("how", ["forget", "cancel", "fail"])
def test_a_job_is_deleted_on_a_full_disk(disk: Path, repository, how: str, restarted: bool) -> None:
    jobs = repository(disk)
    add(jobs, "done", pairs=400)
    finish(jobs, "done")
    ids = add_until_full(jobs)
    assert len(ids) >= 2
    filler = fill(disk)
    if restarted:
        jobs.close()
        jobs = repository(disk)
    assert [job.id for job in jobs.of_owner("alice")] == [*reversed(ids), "done"]
    for id in ["done"] if how == "forget" else ids:
        number = jobs.find("alice", id).number
        jobs.forget(number) if how == "forget" else jobs.end(
            number, "cancelled" if how == "cancel" else "failed"
        )
        if how == "forget":
            assert jobs.find("alice", id) is None
    content = b"".join(path.read_bytes() for path in (disk / "jobs").iterdir())
    assert BODY[:1000] not in content or how == "forget"
    filler.unlink()
    if how == "forget":
        jobs.end(jobs.find("alice", ids[0]).number, "cancelled")
    assert add(jobs, "new").state == "queued"


@pytest.mark.parametrize("how", ["forget", "cancel"])
def test_the_file_shrinks_by_what_is_deleted(tmp_path: Path, repository, how: str) -> None:
    jobs = repository(tmp_path)
    path = tmp_path / "jobs" / NAME
    numbers = [add(jobs, f"job{i}").number for i in range(4)]
    before = path.stat().st_size
    for number in numbers[:3]:
        jobs.forget(number) if how == "forget" else jobs.end(number, "cancelled")
    assert path.stat().st_size <= before - 3 * len(BODY)
    assert (tmp_path / "jobs" / f"{NAME}-wal").stat().st_size == 0


def test_all_can_be_deleted_on_a_full_disk_one_after_the_other(disk: Path, repository) -> None:
    jobs = repository(disk)
    ids = add_until_full(jobs)
    filler = fill(disk)
    for id in ids:
        jobs.end(jobs.find("alice", id).number, "cancelled")
        jobs.forget(jobs.find("alice", id).number)
        with filler.open("ab", buffering=0) as file:  # somebody else takes what was freed
            try:
                while file.write(bytes(4096)) == 4096:
                    pass
            except OSError:
                pass
    assert jobs.of_owner("alice") == []


def test_a_disk_that_is_full_at_first_is_used_when_there_is_room(
    disk: Path, settings, fake: FakeEstimator, in_lifespan, connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_OPEN_RETRY_SECONDS", 0.01)
    filler = fill(disk)

    async def scenario(app):
        async with connect(app) as http:

            async def is_full():
                return (await http.get("/v1/jobs")).json().get("code") == "storage_full"

            await until(is_full)
            filler.unlink()
            await put(http, "one", tensor_body(table()))
            return await ended(http, "one")

    chosen = settings.model_copy(update={"jobs_dir": disk / "jobs"})
    assert in_lifespan(create_app(chosen, fake), scenario)["state"] == "done"


def test_a_disk_that_gets_full_is_used_again_when_there_is_room(
    disk: Path, settings, fake: FakeEstimator, in_lifespan, connect, check_problem
) -> None:
    async def scenario(app):
        async with connect(app) as http:
            await put(http, "one", tensor_body(table()))
            await ended(http, "one")
            filler = fill(disk)
            refused = await put(http, "two", tensor_body(table()))
            listed = await http.get("/v1/jobs")
            forgotten = await http.delete("/v1/jobs/one")
            filler.unlink()
            await put(http, "two", tensor_body(table()))
            return refused, listed, forgotten, await ended(http, "two")

    chosen = settings.model_copy(update={"jobs_dir": disk / "jobs"})
    refused, listed, forgotten, job = in_lifespan(create_app(chosen, fake), scenario)
    check_problem(refused, 503, "storage_full")
    assert (listed.status_code, forgotten.status_code, job["state"]) == (200, 204, "done")


def test_jobs_have_a_quota(tmp_path: Path, repository) -> None:
    jobs = repository(tmp_path, max_bytes=3 * MIB)
    ids = add_until_full(jobs)
    assert 3 <= len(ids) <= 5
    jobs.end(jobs.find("alice", ids[0]).number, "cancelled")
    assert add(jobs, "new")
    with pytest.raises(StorageFull):
        add(jobs, "large answers", b"", pairs=20_000)


def test_a_job_that_is_refused_takes_no_room(disk: Path, repository) -> None:
    jobs = repository(disk)
    add(jobs, "one")
    before = free(disk)
    with pytest.raises(StorageFull):
        add(jobs, "two", pairs=4000)
    assert free(disk) == before


def test_answers_to_come_count(tmp_path: Path, repository) -> None:
    jobs = repository(tmp_path, max_bytes=3 * MIB)
    add(jobs, "one", b"", pairs=2000)
    with pytest.raises(StorageFull):
        add(jobs, "two", b"", pairs=2000)


def test_the_reserve_is_held_and_given_back(disk: Path) -> None:
    reserve = DiskReserve(disk)
    assert reserve.size == 0
    assert reserve.resize(3 * MIB + 5)
    assert reserve.size == 3 * MIB + 5
    assert not reserve.resize(20 * MIB)
    assert reserve.size == 3 * MIB + 5
    before = free(disk)
    reserve.release()
    assert free(disk) >= before + 3 * MIB
    assert reserve.resize(MIB)
    assert reserve.size == MIB


@pytest.mark.parametrize("what", ["folder", "file"])
def test_a_file_that_is_gone_is_noticed(tmp_path: Path, repository, what: str) -> None:
    jobs = repository(tmp_path)
    add(jobs, "one")
    number = jobs.find("alice", "one").number
    shutil.rmtree(tmp_path / "jobs") if what == "folder" else (tmp_path / "jobs" / NAME).unlink()
    calls = [
        lambda: jobs.find("alice", "one"),
        lambda: jobs.of_owner("alice"),
        lambda: add(jobs, "two"),
        lambda: jobs.save(number, []),
        lambda: jobs.end(number, "done"),
        lambda: jobs.forget(number),
    ]
    for call in calls:
        with pytest.raises(Removed):
            call()


def test_a_file_that_another_replaced_is_noticed(tmp_path: Path, repository) -> None:
    jobs = repository(tmp_path)
    copy = tmp_path / "copy"
    shutil.copy(tmp_path / "jobs" / NAME, copy)
    copy.replace(tmp_path / "jobs" / NAME)
    with pytest.raises(Removed):
        add(jobs, "one")


def test_a_removed_folder_is_503_until_it_is_there_again(
    tmp_path: Path, settings, fake: FakeEstimator, in_lifespan, connect, monkeypatch, check_problem
) -> None:
    monkeypatch.setattr(store, "_OPEN_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(manager, "_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(manager, "_TICK_SECONDS", 0.01)
    folder, body = tmp_path / "jobs", tensor_body(table())
    media = {"content-type": "application/x-safetensors"}

    async def scenario(app):
        async with connect(app) as http:
            await put(http, "one", body)
            await ended(http, "one")
            shutil.rmtree(folder)
            answers = [
                await http.get("/v1/jobs/one"),
                await http.put("/v1/jobs/two", content=body, headers=media),
                await http.delete("/v1/jobs/one"),
                await http.get("/v1/jobs/one/result"),
            ]
            await asyncio.sleep(0)
            assert not folder.exists()
            folder.mkdir()
            await opened(http)
            await put(http, "two", body)
            return answers, await ended(http, "two")

    chosen = settings.model_copy(update={"jobs_dir": folder})
    answers, job = in_lifespan(create_app(chosen, fake), scenario)
    for answer in answers:
        check_problem(answer, 503, "jobs_unavailable")
    assert job["state"] == "done"


def test_every_damaged_file_is_set_aside_under_a_name_of_its_own(
    tmp_path: Path, repository, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(7):
        (tmp_path / "jobs").mkdir(exist_ok=True)
        (tmp_path / "jobs" / NAME).write_bytes(b"damage %d " % number * 1000)
        repository(tmp_path).close()
        aside = {path.read_bytes()[:8] for path in (tmp_path / "jobs").glob(DAMAGED_NAME + "*")}
        assert aside == {b"damage %d" % i for i in range(max(0, number - 4), number + 1)}
    assert f"set aside as {DAMAGED_NAME}.1" in caplog.text
    with pytest.raises(JobsUnavailable):
        JobRepository(SqliteDatabase(tmp_path / "jobs" / NAME), 1.0).open()
