"""The jobs file: what is in it survives, what is deleted is gone, and what cannot be used is told from it."""

import math
import os
import sqlite3
from pathlib import Path

import pytest

from mizzle.errors import JobsUnavailable, StorageFull
from mizzle.service.jobs import repository
from mizzle.service.jobs.repository import Clock, JobDraft, JobRepository, StoredInput
from mizzle.service.jobs.rows import AnswerRow
from mizzle.service.storage.interface import Damaged, Locked
from mizzle.service.storage.sqlite import DAMAGED_NAME, NAME, SqliteDatabase

TTL = 100.0
CANARY = b"31337.4242"


class Times:
    """A clock on the wall, which anybody may set, and one that only goes on."""

    def __init__(self, day=1_000_000.0) -> None:
        self.day, self.steady = day, 5.0

    def pass_by(self, seconds) -> None:
        self.day += seconds
        self.steady += seconds

    def clock(self):
        return Clock(lambda: self.day, lambda: self.steady)


@pytest.fixture
def times():
    return Times()


@pytest.fixture
def opened(tmp_path: Path, times):
    """Opens the file; all of them are closed in the end."""
    found = []

    def opening():
        file = JobRepository(SqliteDatabase(tmp_path), TTL, times.clock())
        found.append(file)
        file.open()
        return file

    yield opening
    for file in found:
        file.close()


def new(id="one", owner="alice", body=b"body"):
    return JobDraft(owner, id, b"digest", "matrix", 6, StoredInput("media", "{}", body))


def answer(x, y):
    return AnswerRow(x, y, b"12345678" * 4, 10, 1, 1, 1, "[]", "[]", None, 0)


def added(file, **more):
    return file.find_or_add(new(**more), 10, 10)


def test_a_job_survives_and_waits_again(opened) -> None:
    file = opened()
    number = added(file).number
    file.begin(number, "about", "basis")
    file.save(number, [answer(0, 1), answer(0, 2)])
    running = file.find("alice", "one")
    file.close()
    job = opened().find("alice", "one")
    assert (running.state, job.state, job.done) == ("running", "queued", 2)
    assert job.revision > running.revision


@pytest.mark.parametrize(("basis", "kept"), [("basis", {(0, 1)}), ("other", set())])
def test_answers_stand_on_their_basis(opened, basis: str, kept) -> None:
    file = opened()
    number = added(file).number
    file.begin(number, "about", "basis")
    file.save(number, [answer(0, 1)])
    assert file.begin(number, "about", basis) == kept
    assert file.find("alice", "one").done == len(kept)


def test_an_answer_that_comes_twice_counts_once(opened) -> None:
    file = opened()
    number = added(file).number
    file.begin(number, "about", "basis")
    file.save(number, [answer(0, 1)])
    file.save(number, [answer(0, 1), answer(1, 2)])
    assert file.find("alice", "one").done == 2


@pytest.mark.parametrize("state", ["cancelled", "failed", "done"])
def test_what_has_ended_does_not_change(opened, state: str) -> None:
    file = opened()
    number = added(file).number
    file.begin(number, "about", "basis")
    file.save(number, [answer(0, 1)])
    file.end(number, state)
    before = file.find("alice", "one")
    file.save(number, [answer(1, 2)])
    file.pause(number)
    file.end(number, "done")
    assert file.begin(number, "about", "basis") == set()
    assert file.find("alice", "one") == before
    assert len(file.answers(number)) == (state == "done")
    assert file.input(number) is None


def test_what_comes_for_a_forgotten_job_is_dropped(opened) -> None:
    file = opened()
    number = added(file).number
    file.forget(number)
    file.save(number, [answer(0, 1)])
    assert file.find("alice", "one") is None
    assert file.answers(number) == []
    assert added(file).number != number


def test_ids_are_the_owners_own_and_room_is_counted(opened) -> None:
    file = opened()
    assert added(file, owner="alice").number != added(file, owner="bob").number
    assert file.find_or_add(new("two"), 1, 10) is None
    assert file.find_or_add(new("two"), 2, 2) is None
    assert file.find_or_add(new("one"), 1, 2).id == "one"  # there already
    assert file.find_or_add(new("two"), 2, 3).id == "two"


def test_a_job_expires_after_its_end(opened, times) -> None:
    file = opened()
    number = added(file).number
    times.pass_by(10 * TTL)
    assert file.find("alice", "one").state == "queued"
    file.end(number, "failed", '["code", "text"]')
    times.pass_by(TTL - 1)
    assert file.find("alice", "one")
    times.pass_by(2)
    assert file.find("alice", "one") is None
    assert file.of_owner("alice") == []
    assert file.count("alice") == (0, 0)
    assert added(file).number != number
    file.forget_expired()
    assert file.count_by_state() == {"queued": 1, "running": 0, "done": 0, "failed": 0, "cancelled": 0}


@pytest.mark.parametrize("jump", [10 * TTL, -10 * TTL])
def test_setting_the_clock_changes_nothing(opened, times, jump) -> None:
    file = opened()
    number = added(file).number
    file.end(number, "failed")
    times.day += jump
    assert file.find("alice", "one")
    times.pass_by(TTL + 1)
    assert file.find("alice", "one") is None


def test_time_does_not_go_back_from_one_process_to_the_next(opened, times) -> None:
    file = opened()
    times.pass_by(50)
    file.end(added(file).number, "failed")
    ended = file.find("alice", "one").ended
    file.close()
    times.day -= 10 * TTL
    file = opened()
    assert added(file, id="two").created >= ended
    times.pass_by(TTL + 1)
    assert file.find("alice", "one") is None


def test_what_is_deleted_is_not_in_the_folder_any_more(opened, tmp_path: Path) -> None:
    file = opened()
    number = added(file, body=CANARY * 1000).number
    assert CANARY in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    file.end(number, "cancelled")
    assert CANARY not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_nobody_else_may_read_the_file(opened, tmp_path: Path) -> None:
    opened()
    assert os.stat(tmp_path / NAME).st_mode & 0o077 == 0


@pytest.mark.parametrize("damage", [b"no database at all" * 500, None])
def test_a_damaged_file_is_set_aside(
    opened, tmp_path: Path, times, damage, caplog: pytest.LogCaptureFixture
) -> None:
    file = opened()
    for i in range(20):
        added(file, id=f"job{i}", owner=str(i), body=os.urandom(4000))
    file.close()
    path = tmp_path / NAME
    content = bytearray(path.read_bytes())
    content[4096 : len(content) - 4096] = os.urandom(len(content) - 8192)  # the first page is sound
    path.write_bytes(damage or bytes(content))
    file = opened()
    assert file.find("0", "job0") is None
    assert added(file)
    assert (tmp_path / DAMAGED_NAME).exists()
    assert "set aside" in caplog.text
    file.forget_expired()
    assert (tmp_path / DAMAGED_NAME).exists()
    file._database.drop_damaged(math.inf)
    assert not (tmp_path / DAMAGED_NAME).exists()


def test_damage_that_shows_later_is_told(opened) -> None:
    file = opened()
    file._database._db.close()
    with pytest.raises(JobsUnavailable):
        file.find("alice", "one")


@pytest.mark.parametrize("statement", ["PRAGMA user_version = 2", "PRAGMA application_id = 7"])
def test_a_file_of_another_version_or_program_is_left_alone(opened, tmp_path: Path, statement: str) -> None:
    file = opened()
    added(file)
    file.close()
    with sqlite3.connect(tmp_path / NAME) as other:
        other.execute(statement)
    other.close()
    before = (tmp_path / NAME).read_bytes()
    with pytest.raises(JobsUnavailable) as caught:
        opened()
    assert not isinstance(caught.value, Damaged | Locked | StorageFull)
    assert (tmp_path / NAME).read_bytes() == before


def test_one_process_has_the_file(opened) -> None:
    first = opened()
    with pytest.raises(Locked):
        opened()
    first.close()
    opened()


def test_a_full_disk_takes_all_or_nothing(opened) -> None:
    file = opened()
    number = added(file).number
    file.begin(number, "about", "basis")
    [[pages]] = file._database.fetch_all("PRAGMA page_count")
    file._database.fetch_all(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StorageFull):
        added(file, id="two", body=b"x" * 100_000)
    with pytest.raises(StorageFull):
        file.save(number, [answer(i, j) for i in range(100) for j in range(100)])
    assert file.find("alice", "two") is None
    assert file.find("alice", "one").done == 0
    file._database.fetch_all("PRAGMA max_page_count = 1000000")
    file.save(number, [answer(0, 1)])
    assert file.find("alice", "one").done == 1


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JobsUnavailable) as caught:
        JobRepository(SqliteDatabase(tmp_path / "file" / "below"), TTL).open()
    assert "below" not in str(caught.value)


def test_nothing_else_of_jobs_reads_the_time_of_day() -> None:
    """What a caller is told about times, and what expires, goes by the clock that nobody sets."""
    folder = Path(repository.__file__).parent
    readers = {file.name: file.read_text().count("time.time") for file in folder.glob("*.py")}
    assert {name: count for name, count in readers.items() if count} == {"repository.py": 1}
