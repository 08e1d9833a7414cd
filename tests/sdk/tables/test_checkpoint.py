"""A table that is interrupted and resumed says what an uninterrupted one says, and no other file is taken."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tabled import FakeBackend, frame

from mizzle import errors
from mizzle.tables import checkpoint, matrix, plan, rank


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "_MAX_PAIRS", 4)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "table.checkpoint"


def interrupted(path: Path, after: int, columns: Any, **options: Any) -> FakeBackend:
    """A matrix that is interrupted from the keyboard once so many pairs are answered."""
    backend = FakeBackend()

    def meddle(place, answer):
        if place >= after:
            raise KeyboardInterrupt
        return answer

    backend.meddle = meddle
    with pytest.raises(KeyboardInterrupt):
        matrix(columns, checkpoint=path, backend=backend, **options)
    return backend


@pytest.mark.parametrize("after", [0, 3, 4, 9, 14])
def test_interrupted_and_resumed_is_uninterrupted(path: Path, after: int) -> None:
    interrupted(path, after, frame())
    backend = FakeBackend()
    resumed = matrix(frame(), checkpoint=path, backend=backend)
    assert resumed == matrix(frame(), backend=FakeBackend())
    finished = after // 4 * 4  # whole chunks
    again = 1 if finished else 0  # one pair, to see whether the weights are the same
    assert len(backend.pairs) == 15 - finished + again


def test_a_finished_table_is_not_asked_again(path: Path) -> None:
    first = matrix(frame(), checkpoint=path, backend=FakeBackend())
    backend, told = FakeBackend(), []
    again = matrix(frame(), checkpoint=path, backend=backend, progress=lambda *place: told.append(place))
    assert first == again
    assert len(backend.pairs) == 1
    assert told[-1] == (15, 15)


def test_level_unit_and_threshold_may_differ_from_run_to_run(path: Path) -> None:
    matrix(frame(), checkpoint=path, backend=FakeBackend())
    options: dict[str, Any] = {"unit": "bits", "level": 0.5, "threshold": 0.1}
    resumed = matrix(frame(), checkpoint=path, backend=FakeBackend(), **options)
    assert resumed == matrix(frame(), backend=FakeBackend(), **options)


def test_a_ranking_is_resumed_too(path: Path) -> None:
    first = rank(frame(), "c", checkpoint=path, backend=FakeBackend())
    assert first == rank(frame(), "c", checkpoint=path, backend=FakeBackend())


def test_a_ranking_takes_its_pairs_from_the_file_of_a_matrix(path: Path) -> None:
    matrix(frame(), checkpoint=path, backend=FakeBackend())
    backend, progress = FakeBackend(), []
    ranked = rank(frame(), "f", checkpoint=path, backend=backend, progress=lambda *n: progress.append(n))
    assert ranked == rank(frame(), "f", backend=FakeBackend())
    assert len(backend.pairs) == 1
    assert progress == [(5, 5)]


def test_dropped_rows_and_warnings_survive(path: Path) -> None:
    columns = frame()
    columns["a"][3:9] = np.nan
    columns["b"][:] = 1.0
    first = matrix(columns, missing="drop", checkpoint=path, backend=FakeBackend())
    assert first == matrix(columns, missing="drop", checkpoint=path, backend=FakeBackend())
    assert "constant_x" in " ".join(record["warnings"] for record in first.records())


def changed(columns: dict[str, np.ndarray], what: str) -> dict[str, np.ndarray]:
    columns = {name: values.copy() for name, values in columns.items()}
    if what == "a value":
        columns["d"][7] += 1e-9
    elif what == "a name":
        columns = {("z" if name == "d" else name): values for name, values in columns.items()}
    elif what == "a column less":
        del columns["d"]
    elif what == "rows in another order":
        columns = {name: values[::-1] for name, values in columns.items()}
    else:
        columns["d"][7] = np.nan
    return columns


@pytest.mark.parametrize("what", ["a value", "a name", "a column less", "rows in another order", "a gap"])
def test_a_checkpoint_of_other_data_is_refused_and_kept(path: Path, what: str) -> None:
    interrupted(path, 9, frame())
    before, backend = path.read_bytes(), FakeBackend()
    with pytest.raises(errors.InvalidFile, match=r"checkpoint '.*' belongs to other data"):
        matrix(changed(frame(), what), missing="drop", checkpoint=path, backend=backend)
    assert path.read_bytes() == before
    assert backend.pairs == []


def test_a_checkpoint_of_other_weights_is_refused(path: Path) -> None:
    matrix(frame(), checkpoint=path, backend=FakeBackend())
    before, backend = path.read_bytes(), FakeBackend()
    backend.estimator.info = backend.estimator.info._replace(sha256="1" * 64)
    with pytest.raises(errors.InvalidFile, match=r"checkpoint '.*' is of other weights"):
        matrix(frame(), checkpoint=path, backend=backend)
    assert path.read_bytes() == before


def test_errors_are_asked_again(path: Path) -> None:
    backend = FakeBackend()
    backend.meddle = lambda place, answer: errors.InferenceFailed("once") if place == 2 else answer
    first = matrix(frame(), checkpoint=path, backend=backend)
    assert sum(pair.error is not None for pair in first) == 1
    again = FakeBackend()
    assert matrix(frame(), checkpoint=path, backend=again) == matrix(frame(), backend=FakeBackend())
    assert len(again.pairs) == 2


def test_what_was_answered_before_nobody_answered_is_kept(path: Path) -> None:
    backend = FakeBackend()
    backend.meddle = lambda place, answer: errors.ServiceUnreachable("gone") if place >= 8 else answer
    with pytest.raises(errors.ServiceUnreachable):
        matrix(frame(), checkpoint=path, backend=backend)
    again = FakeBackend()
    matrix(frame(), checkpoint=path, backend=again)
    assert len(again.pairs) == 15 - 8 + 1


def damaged(kind: str, whole: bytes) -> bytes:
    return {"empty": b"", "cut": whole[: len(whole) // 2], "text": b"x,y\n1,2\n", "npy": whole[:0] + _npy()}[
        kind
    ]


def _npy() -> bytes:
    import io

    out = io.BytesIO()
    np.save(out, np.zeros(3))
    return out.getvalue()


@pytest.mark.parametrize("kind", ["empty", "cut", "text", "npy"])
def test_a_damaged_file_is_refused_and_kept(path: Path, kind: str) -> None:
    matrix(frame(), checkpoint=path, backend=FakeBackend())
    content = damaged(kind, path.read_bytes())
    path.write_bytes(content)
    with pytest.raises(errors.InvalidFile, match=r"table\.checkpoint' is no checkpoint.*left alone"):
        matrix({"no": "table"}, checkpoint=path, backend=FakeBackend())
    assert path.read_bytes() == content


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    backend = FakeBackend()
    with pytest.raises(errors.InvalidFile, match=r"'.*file' cannot be written"):
        matrix(frame(), checkpoint=tmp_path / "no folder" / "file", backend=backend)
    assert backend.pairs == []


def test_the_file_is_written_on_the_way_and_leaves_no_parts(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "_SECONDS", 0.0)
    monkeypatch.setattr(checkpoint, "_SHARE", 0.0)
    sizes, backend = [], FakeBackend()

    def meddle(place, answer):
        with np.load(path, allow_pickle=False) as parts:
            sizes.append(len(parts["places"]))
        return answer

    backend.meddle = meddle
    matrix(frame(), checkpoint=path, backend=backend)
    assert sorted(set(sizes)) == [0, 4, 8, 12]
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_writing_that_fails_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted(path, 9, frame())
    before = path.read_bytes()

    def failing(*arguments) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mizzle.tables.checkpoint.os.fsync", failing)
    with pytest.raises(errors.InvalidFile, match="No space left"):
        matrix(frame(), checkpoint=path, backend=FakeBackend())
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_the_file_holds_no_data(path: Path) -> None:
    matrix(
        {"secret": np.full(20, 123456.0), "other": np.arange(20.0)}, checkpoint=path, backend=FakeBackend()
    )
    with np.load(path, allow_pickle=False) as parts:
        head = json.loads(parts["head"].tobytes())
        assert sorted(parts.files) == ["head", "in_range", "numbers", "places", "sizes"]
    assert "secret" not in json.dumps(head["fingerprint"])
    assert head["format"] == checkpoint.FORMAT
