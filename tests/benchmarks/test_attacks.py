"""The table of attacks: every part is listed, verdicts follow from figures, and the page from the result."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attacks_page
import load
import pytest
from attacks import (
    GROUPS,
    client,
    connections,
    cost,
    disk,
    fairness,
    memory,
    overload,
    peers,
    protocol,
    weights,
    worker,
)
from attacks.judging import Attack, Group, Outcome, all_outcomes
from readme import ATTACKS, pages
from results import read_newest

PARTS = set(range(1, 11))
ALL = [attack for group in GROUPS for attack in group.attacks]
Figures = dict[str, Any]

MEMORY = {"honest": 200, "peak_mib": 900.0, "status": 413, "sent_mib": 3000}
OPEN = {"open": 9, "livez": 200, "livez_seconds": 0.1, "requests": 20, "answered": 20, "left": 0}
FAIR = {"requests": 200, "answered": 198, "p99_ms": 30.0, "p99_alone_ms": 10.0}
SHED = {"goodput_share": 0.9, "p99_over_low": 2.0, "refused_p99_ms": 50.0, "others": 0}
ENDED = {"outcome": "refused", "seconds": 3.5, "peak_mib": 60.0, "requests": 9, "printable": True}
HEAVY = {"status": 200, "seconds": 2.0, "requests": 9, "answered": 9, "p99_ms": 2010.0, "p99_alone_ms": 11.0}
# By what judges: figures that are within the bound, and changes each of which is beyond it.
CASES: dict[Any, tuple[Figures, list[Figures]]] = {
    memory.is_within: (MEMORY, [{"honest": 0}, {"honest": 503}, {"peak_mib": 4096.0}]),
    memory.is_refused: (MEMORY, [{"status": 202}, {"status": 0}, {"honest": 0}, {"peak_mib": 5e3}]),
    memory.is_every_reader_answered: (
        MEMORY | {"readers": 60, "whole": 40, "later": 20},
        [{"whole": 39}, {"whole": 0, "later": 60}, {"peak_mib": 5e3}],
    ),
    memory.is_interrupted: (
        {"state": "failed/job_interrupted", "other": "done"},
        [{"state": "running"}, {"state": "done"}, {"other": "queued"}],
    ),
    worker.is_answered: (
        {"stops": 12, "answered": 12, "slowest_seconds": 5.1, "batch_seconds": 0.2},
        [{"answered": 11}, {"slowest_seconds": 5.3}],
    ),
    connections.is_open_to_others: (
        OPEN,
        [
            {"livez": 0},
            {"livez": 503},
            {"livez_seconds": 1.1},
            {"answered": 19},
            {"requests": 0, "answered": 0},
        ],
    ),
    connections.is_rid_of_the_slow: (OPEN, [{"left": 1}, {"livez_seconds": 1.1}]),
    connections.is_answered_at_once: ({"status": 401, "seconds": 0.1}, [{"status": 0}, {"seconds": 1.1}]),
    connections.is_admin_open: (
        {"statuses": [200, 200, 200], "slowest_seconds": 0.5},
        [{"statuses": [200, 503, 200]}, {"statuses": []}, {"slowest_seconds": 1.1}],
    ),
    fairness.is_fair: (
        FAIR,
        [{"answered": 197}, {"requests": 0, "answered": 0}, {"p99_ms": 30.1}, {"p99_ms": float("nan")}],
    ),
    fairness.is_done_soon: ({"state": "done", "seconds": 2.0}, [{"state": "queued"}, {"seconds": 11.0}]),
    overload.is_all_answered: (
        {"requests": 64, "answered": 64},
        [{"answered": 63}, {"requests": 0, "answered": 0}],
    ),
    overload.is_shed_well: (
        SHED,
        [{"goodput_share": 0.89}, {"p99_over_low": 2.1}, {"refused_p99_ms": 51.0}, {"others": 1}],
    ),
    disk.is_freed: (
        {"full": 503, "deleted": 204, "next": 202},
        [{"full": 202}, {"full": 500}, {"deleted": 503}, {"next": 503}],
    ),
    disk.is_noticed: ({"gone": 503, "next": 202}, [{"gone": 202}, {"next": 503}]),
    disk.is_set_aside: (
        {"files": ["damaged-jobs.sqlite3", "damaged-jobs.sqlite3.1"], "statuses": [202, 202, 202]},
        [{"files": ["damaged-jobs.sqlite3"]}, {"statuses": [202, 202, 503]}],
    ),
    disk.is_refused: ({"before": 200, "after": 409}, [{"before": 404}, {"after": 200}, {"after": 500}]),
    weights.is_unmoved: ({"status": 200, "same": True}, [{"status": 0}, {"same": False}]),
    weights.is_all_refused: ({"files": 100, "refused": 100}, [{"refused": 99}, {"files": 0, "refused": 0}]),
    weights.is_ended: ({"code": 1}, [{"code": 0}, {"code": None}]),
    client.is_ended: (ENDED, [{"outcome": "answered"}, {"seconds": 5.1}, {"peak_mib": 500.0}]),
    client.is_patient: (ENDED, [{"requests": 500}, {"outcome": "answered"}]),
    client.is_plain: (ENDED, [{"printable": False}, {"seconds": 60.0}]),
    client.is_none_believed: (
        {"answers": 7, "refused": 7, "true_answer": "answered"},
        [{"refused": 6}, {"true_answer": "refused"}],
    ),
    cost.is_bearable: (HEAVY, [{"status": 0}, {"seconds": 31.0}, {"answered": 8}, {"p99_ms": 2012.0}]),
    cost.is_learnt: (
        {"statuses": [200, 413, 413], "small": 200, "limit_seconds": 0.4},
        [{"statuses": [200, 200, 200]}, {"small": 429}],
    ),
    protocol.is_refused: ({"status": 400, "livez": 200}, [{"status": 200}, {"status": 0}, {"livez": 0}]),
    protocol.is_returned: ({"before_mib": 90.0, "after_mib": 100.0}, [{"after_mib": 155.0}]),
    protocol.is_steady: ({"seconds_off": -2.0}, [{"seconds_off": 3e8}, {"seconds_off": -3e8}]),
    protocol.is_warned: ({"warned": True}, [{"warned": False}]),
}


def test_a_refused_request_costs_nobody_anything() -> None:
    assert cost.is_bearable({"status": 413})


def test_every_part_of_the_audit_has_attacks() -> None:
    assert {attack.part for attack in ALL} == PARTS == set(attacks_page.TITLES)
    assert len({attack.name for attack in ALL}) == len(ALL)


@pytest.mark.parametrize("attack", ALL, ids=lambda attack: attack.name)
def test_verdicts_follow_from_figures(attack: Attack) -> None:
    good, changes = CASES[attack.check]
    outcome = attack.outcome(**good)
    assert outcome.holds is True
    assert outcome.measured
    assert outcome.figures == good
    for change in changes:
        assert attack.outcome(**good | change).holds is False, change


def broken(quick: bool) -> Iterator[Outcome]:
    raise OSError("no service | here")
    yield


def test_every_part_is_listed_even_where_nothing_can_be_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    groups = [Group(broken, group.attacks) for group in GROUPS]
    assert load.attacked(True, tmp_path, groups) == 1
    [path] = tmp_path.glob("attack-quick-*.json")
    result = json.loads(path.read_text())
    assert {row["part"] for row in result["attacks"]} == PARTS
    assert {row["attack"] for row in result["attacks"]} == {attack.name for attack in ALL}
    assert {row["measured"] for row in result["attacks"]} == {"broke off: OSError: no service | here"}
    assert all(attack.name in capsys.readouterr().out for attack in ALL[:1])
    assert result["weights"]["sha256"]
    assert {"date", "commit", "machine", "seed", "quick"} <= set(result)


def test_what_was_measured_before_a_group_broke_off_stays() -> None:
    first, second = protocol.BARE_LF, protocol.TRAILERS

    def measure(quick: bool) -> Iterator[Outcome]:
        yield first.outcome(status=400, livez=200)
        raise RuntimeError("the end")

    outcomes = list(all_outcomes([Group(measure, (first, second))], False))
    assert [(o.attack, o.holds) for o in outcomes] == [(first.name, True), (second.name, False)]


def test_what_is_skipped_fails_nothing(tmp_path: Path) -> None:
    attack = disk.FULL_DISK
    group = Group(lambda quick: iter([attack.skipped("needs root")]), (attack,))
    assert load.attacked(False, tmp_path, [group]) == 0
    row = json.loads(next(tmp_path.glob("attack-*.json")).read_text())["attacks"][0]
    assert row["holds"] == "skipped: needs root"


def test_a_small_disk_needs_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    [outcome] = Group(disk._full_disk, (disk.FULL_DISK,)).outcomes(True)
    assert str(outcome.holds).startswith("skipped: ")


def test_an_attack_on_a_real_service_is_carried_through() -> None:
    """Whether its bounds hold is for the full run to say."""
    outcomes = list(protocol.GROUPS[0].outcomes(True))
    assert [outcome.attack for outcome in outcomes] == [attack.name for attack in protocol.GROUPS[0].attacks]
    assert all(outcome.figures for outcome in outcomes)


def test_the_table_of_a_page_is_made_of_the_rows() -> None:
    rows = [
        disk.QUOTA.outcome(full=503, deleted=204, next=202),
        disk.FULL_DISK.skipped("no root"),
        protocol.KEYS.outcome(warned=False),
    ]
    result = {
        "file": "attack-2026-01-01.json", "date": "2026-01-01", "minutes": 1.0,
        "weights": {"sha256": "0" * 64}, "machine": {"cores": 2, "processor": "P"},
        "attacks": [row._asdict() for row in rows],
    }  # fmt: skip
    text = attacks_page.page(result)
    assert "1 of 2 bounds hold; 1 could not be made there" in text
    assert [line.rpartition("| ")[2] for line in text.splitlines() if line.startswith("| ")] == [
        "holds |", "--- |", "yes |", "skipped: no root |", "holds |", "--- |", "**no** |"
    ]  # fmt: skip
    assert text.index("## The disk") < text.index("## Bytes")
    assert attacks_page.page({}).count("\n## ") == 0


def test_the_page_is_that_of_the_newest_result() -> None:
    result = read_newest("attack")
    assert {row["part"] for row in result["attacks"]} == PARTS
    assert pages()[ATTACKS] == ATTACKS.read_text(), "run: python benchmarks/readme.py"


@pytest.mark.parametrize(
    ("text", "status", "whole"),
    [
        (b"", 0, False),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab", 200, True),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\na", 200, False),
        (b"HTTP/1.1 503 X\r\nretry-after: 1\r\n", 503, False),
        (b"nonsense", 0, False),
    ],
)
def test_answers_are_read_as_far_as_they_came(text: bytes, status: int, whole: bool) -> None:
    assert (peers.status(text), peers.is_whole(text)) == (status, whole)


def test_bytes_are_pushed_as_far_as_they_are_taken() -> None:
    ours, theirs = socket.socketpair()
    full, _other = socket.socketpair()
    with ours, theirs, full, _other:
        for connection in (ours, full):
            connection.setblocking(False)
        gone, end = socket.socketpair()
        end.close()
        gone.setblocking(False)
        assert peers.push([gone], 2**20, 5.0) == 0
        gone.close()
        assert peers.push([full], 2**30, 0.0) == 0
        assert peers.open_ones([full, ours]) == [full, ours]
        theirs.close()
        assert peers.open_ones([ours]) == []
