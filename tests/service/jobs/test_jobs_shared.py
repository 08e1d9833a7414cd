"""Jobs in PostgreSQL, which processes share: a real server, and repositories that stand for replicas."""

import time

import psycopg
import pytest

from mizzle.errors import InvalidInput, JobsUnavailable, StorageFull
from mizzle.service.jobs.repository import Job, JobDraft, JobRepository, StoredInput
from mizzle.service.jobs.rows import AnswerRow
from mizzle.service.storage.interface import Unreachable
from mizzle.service.storage.postgres import PostgresDatabase
from mizzle.service.storage.sqlite import SqliteDatabase

TTL, LEASE = 100.0, 10.0
WORD = "hunter2"  # in addresses, and in nothing that is said about them


class Replica(JobRepository):
    """A repository whose clock is put forward by hand; the server's says when it began."""

    def __init__(self, url: str, **more) -> None:
        self.database = PostgresDatabase(url)
        super().__init__(self.database, TTL, lease_seconds=LEASE, **more)
        self.ahead = 0.0
        real = self.database.time
        setattr(self.database, "time", lambda: real() + self.ahead)  # noqa: B010
        self.database._connected_at = -LEASE  # as if it had been here for long
        self.open()

    def pass_by(self, seconds: float) -> None:
        """Let time pass for this replica."""
        self.ahead += seconds
        self._set_clock()

    def open(self) -> None:
        """Open, as one who has been here for long."""
        super().open()
        self.database._connected_at = time.monotonic() - LEASE


@pytest.fixture
def replica(url):
    found = []

    def new(**more) -> Replica:
        found.append(Replica(url, **more))
        return found[-1]

    yield new
    for file in found:
        file.close()


def draft(id="one", owner="alice", body=b"body\x00\xff") -> JobDraft:
    return JobDraft(owner, id, b"digest", "matrix", 6, StoredInput("media", "{}", body))


def answer(x, y, error=None) -> AnswerRow:
    return AnswerRow(x, y, b"\x00\x01345678" * 4, 10, 1, 1, 1, "[]", "[]", error, 0)


def added(file: JobRepository, **more) -> int:
    job = file.find_or_add(draft(**more), 10, 10)
    assert job
    return job.number


def found(file: JobRepository, id="one") -> Job:
    job = file.find("alice", id)
    assert job
    return job


def begun(file: JobRepository, number: int, basis="basis"):
    assert file.start(number)
    return file.begin(number, "about", basis)


def test_one_repository_says_the_same_on_both_databases(replica, tmp_path) -> None:
    def life(file: JobRepository):
        told: list[object] = [file.count_by_state()]
        number = added(file)
        told += [file.queued()[0].body_bytes, file.input(number), begun(file, number)]
        file.save(number, [answer(0, 1), answer(0, 2, '["code", "text"]')])
        file.save(number, [answer(0, 1)])
        told += [file.answers(number), file.begin(number, "about", "basis"), file.is_suspect(number)]
        file.pause(number)
        told += [begun(file, number, "other"), file.answers(number)]
        file.save(number, [answer(1, 2)])
        file.end(number, "done")
        file.save(number, [answer(1, 3)])
        told += [file.header(number), file.answers(number), file.input(number), file.count("alice")]
        job = found(file)
        told += [job._replace(number=0, created=0, started=0, ended=0), file.count_by_state()]
        assert job.created <= (job.started or 0) <= (job.ended or 0)
        assert file.find_or_add(draft("two"), 1, 10) is file.find_or_add(draft("two"), 10, 1) is None
        file.forget(number)
        return [*told, file.find("alice", "one"), added(file) > number]

    alone = JobRepository(SqliteDatabase(tmp_path), TTL)
    alone.open()
    assert life(replica()) == life(alone)
    alone.close()


def test_any_replica_answers_for_any_job_and_one_runs_it(replica) -> None:
    one, two = replica(), replica()
    number = added(one)
    assert added(two) == number  # the same job, wherever it is sent again
    assert begun(two, number) == set()
    assert not one.start(number)
    two.save(number, [answer(0, 1)])
    assert (found(one).state, found(one).done) == ("running", 1)
    two.end(number, "done")
    assert one.answers(number) == [answer(0, 1)]
    assert found(one) == found(two)


def test_the_job_of_a_replica_that_is_gone_goes_on_in_another_with_its_answers(replica) -> None:
    one, two = replica(), replica()
    number = added(one)
    begun(one, number)
    one.save(number, [answer(0, 1)])
    one.close()
    two.pass_by(LEASE - 1)
    assert (two.requeue_abandoned(), found(two).state) == (0, "running")
    two.pass_by(2)
    assert (two.requeue_abandoned(), found(two).state) == (1, "queued")
    assert begun(two, number) == {(0, 1)}


def test_a_replica_that_is_heard_of_keeps_its_job(replica) -> None:
    one, two = replica(), replica()
    number = added(one)
    begun(one, number)
    for _ in range(3):
        for file in (one, two):
            file.pass_by(LEASE - 1)
        assert one.renew([number]) == {number}
        assert two.requeue_abandoned() == 0


def test_what_a_replica_writes_that_was_given_up_does_not_count(replica) -> None:
    """It was stopped for longer than its lease, and knows nothing of the other, whose weights are others."""
    one, two = replica(), replica()
    number = added(one)
    begun(one, number)
    two.pass_by(LEASE + 1)
    assert two.requeue_abandoned() == 1
    assert one.renew([number]) == set()
    begun(two, number, "other weights")
    two.save(number, [answer(0, 1)])
    before = found(two)
    one.save(number, [answer(0, 2)])
    one.pause(number)
    one.end(number, "failed", "[]")
    assert one.begin(number, "about", "basis") == set()
    assert (found(two), two.answers(number)) == (before, [answer(0, 1)])


def test_a_job_is_cancelled_from_anywhere_and_whoever_runs_it_hears_of_it(replica) -> None:
    one, two = replica(), replica()
    number = added(one)
    begun(one, number)
    two.cancel(number)
    assert one.renew([number]) == set()
    one.end(number, "done")
    assert found(one).state == "cancelled"


def test_after_an_outage_nobody_is_taken_for_gone_at_once(replica, server) -> None:
    one, two = replica(), replica()
    number = added(one)
    begun(one, number)
    server.stop()
    with pytest.raises(Unreachable, match="cannot be reached"):
        one.renew([number])
    server.start()
    for file in (one, two):
        file.database._next_attempt = 0.0
        file.pass_by(2 * LEASE)  # all leases are over
    assert two.requeue_abandoned() == 0
    assert one.renew([number]) == {number}


def test_room_is_counted_for_all_replicas(replica) -> None:
    one, two = replica(), replica()
    added(one, id="one")
    assert two.find_or_add(draft("two"), 1, 10) is None
    assert two.find_or_add(draft("two", "bob"), 1, 1) is None
    small = replica(max_bytes=10_000)
    with pytest.raises(StorageFull):
        small.find_or_add(draft("three", body=bytes(9000)), 10, 10)


def test_many_replicas_create_the_tables_and_add_one_job_at_once(url) -> None:
    """As many threads as replicas, at a barrier; a second of the same id is the first."""
    from concurrent.futures import ThreadPoolExecutor
    from threading import Barrier

    barrier = Barrier(6)

    def add(number: int) -> tuple[int, list[int]]:
        file = JobRepository(PostgresDatabase(url), TTL)
        barrier.wait()
        file.open()
        barrier.wait()
        one = added(file)
        others = [file.find_or_add(draft(f"{number}-{n}"), 7, 100) for n in range(3)]
        file.close()
        return one, [job.number for job in others if job]

    with ThreadPoolExecutor(6) as threads:
        told = list(threads.map(add, range(6)))
    assert len({one for one, _ in told}) == 1
    assert sum(len(others) for _, others in told) == 6  # of one owner, who may have seven


def test_large_bodies_come_back_as_they_were(replica) -> None:
    body = bytes(range(256)) * 2**12
    file = replica()
    stored = file.input(added(file, body=body))
    assert stored
    assert stored.body == body


def test_tables_of_another_version_are_left_alone(replica, url, caplog) -> None:
    replica()
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("UPDATE mizzle.version SET version = 7")
    with pytest.raises(
        JobsUnavailable, match=r"tables have version 7, and this one knows 1; run one version"
    ):
        replica()
    assert "version 7" in caplog.text


@pytest.mark.parametrize("text", ["postgresql://[half", "postgresql://h/d?x=1"])
def test_an_address_that_cannot_be_read_is_told_without_its_password(text: str) -> None:
    with pytest.raises(InvalidInput, match="MIZZLE_JOBS_URL cannot be read; it has the form") as caught:
        PostgresDatabase(text.replace("//", f"//user:{WORD}@"))
    assert WORD not in str(caught.value)


def test_a_server_that_refuses_is_unreachable_and_is_not_asked_at_once_again(tmp_path, caplog) -> None:
    database = PostgresDatabase(f"postgresql://user:{WORD}@/x?host={tmp_path}")
    for _ in range(3):
        with pytest.raises(Unreachable) as caught:
            database.open()
    assert caught.value.retry_after == 2.0
    assert len(caplog.records) == 1
    assert WORD not in caplog.text
