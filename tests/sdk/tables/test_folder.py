"""A folder of tiles: whole or not at all, of one table only, and read as the matrix that it is."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tabled import frame

from mizzle import Matrix, errors
from mizzle.backends.local import shared_estimator
from mizzle.tables import execution, folder, matrix, plan, rank, run, tiles

parquet = pytest.importorskip("pyarrow.parquet")
dataset = pytest.importorskip("pyarrow.dataset")


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "_SHORTEST", 0.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "results"


def names(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.iterdir())


def test_a_matrix_in_a_folder_is_the_matrix(path: Path) -> None:
    columns = frame(p=11)
    columns["k"][:] = 1.0
    columns["j"] = columns["a"].copy()
    stored, whole = matrix(columns, folder=path), matrix(columns)
    assert stored == whole
    assert whole == stored
    assert len(stored) == 55
    assert np.array_equal(stored.values, whole.values, equal_nan=True)
    assert [stored.pairs[k] for k in (0, 17, 54, -1)] == [whole.pairs[k] for k in (0, 17, 54, -1)]
    assert tuple(stored.pairs[3:40:5]) == tuple(whole.pairs[3:40:5])
    assert stored["k", "b"] == whole["b", "k"]
    assert stored.to_json() == whole.to_json()
    assert stored.to_csv() == whole.to_csv()
    assert str(stored) == str(whole)
    assert stored != matrix(frame(p=11))
    with pytest.raises(errors.MissingColumn):
        stored["a", "z"]


def test_it_opens_again_in_other_units(path: Path) -> None:
    matrix(frame(), folder=path)
    options: dict[str, Any] = {"unit": "bits", "level": 0.5, "threshold": 0.1}
    assert Matrix.open(path, **options) == matrix(frame(), **options)
    wrong: list[dict[str, Any]] = [{"unit": "dits"}, {"level": 2}, {"threshold": -1}]
    for option in wrong:
        with pytest.raises(errors.InvalidInput, match=next(iter(option))):
            Matrix.open(path, **option)


def test_any_reader_of_parquet_reads_it(path: Path) -> None:
    whole = matrix(frame(p=11), folder=path)
    table = dataset.dataset(path).to_table().sort_by([("i", "ascending"), ("j", "ascending")])
    assert table["mi"].to_pylist() == [pair.mi for pair in whole]
    assert table["x"].to_pylist() == [pair.x for pair in whole]
    assert table["q0.5"].to_pylist() == [pair.estimate.median for pair in whole if pair.estimate]


def test_tiles_that_are_there_are_not_made_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    matrix(frame(p=11), folder=path)
    lost = sorted(path.glob("tile-*"))[1:3]
    lost[0].unlink()
    lost[1].write_bytes(lost[1].read_bytes()[:-9])  # as a broken disk leaves it
    with pytest.raises(errors.InvalidFile, match=r"lacks 1 of 6 tiles; the same call as before makes them"):
        Matrix.open(path)
    before = {file.name: file.stat().st_mtime_ns for file in path.glob("tile-*")}
    progress: list[tuple[int, int]] = []
    again = matrix(frame(p=11), folder=path, progress=lambda *place: progress.append(place))
    after = {file.name: file.stat().st_mtime_ns for file in path.glob("tile-*")}
    assert {name for name in after if before.get(name) != after[name]} == {file.name for file in lost}
    assert again == matrix(frame(p=11))
    assert progress[-1] == (55, 55)


def test_every_pair_is_in_one_tile() -> None:
    for p, size in ((2, 4), (9, 4), (16, 4), (33, 8)):
        every = plan.Plan((), plan.AllPairs(p))
        some = plan.Plan((), tuple(place for place in plan.AllPairs(p) if sum(place) % 3))
        target = plan.Plan((), tuple((i, p - 1) for i in range(p - 1)))
        for planned in (every, some, target):
            made = list(tiles.tiles(planned, size))
            assert sorted(place for tile in made for place in tile.places) == sorted(planned.places)
            assert [tile.number for tile in made] == list(range(len(made)))
            assert max(len(tile.places) for tile in made) <= size**2
            bands = [min(tile.places) for tile in made]
            assert [tile.band for tile in made] == sorted(tile.band for tile in made)
            assert bands[0] == planned.places[0]
        assert list(plan.AllPairs(p)) == [plan.AllPairs(p)[k] for k in range(p * (p - 1) // 2)]


def changed(what: str) -> tuple[dict[str, np.ndarray], Any]:
    columns, ask = frame(), matrix
    if what == "a value":
        columns["d"][7] += 1e-9
    elif what == "a name":
        columns["z"] = columns.pop("f")
    elif what == "a ranking":
        return columns, lambda frame, **options: rank(frame, "f", **options)
    return columns, ask


@pytest.mark.parametrize("what", ["a value", "a name", "a ranking"])
def test_a_folder_of_another_table_is_refused_and_left(path: Path, what: str) -> None:
    matrix(frame(), folder=path)
    before = {name: (path / name).read_bytes() for name in names(path)}
    columns, ask = changed(what)
    with pytest.raises(errors.InvalidFile, match=r"folder 'results' belongs to another table.*left alone"):
        ask(columns, folder=path)
    assert {name: (path / name).read_bytes() for name in names(path)} == before


def test_a_folder_of_other_weights_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    matrix(frame(), folder=path)
    model = shared_estimator()
    monkeypatch.setattr(model, "info", model.info._replace(sha256="1" * 64))
    with pytest.raises(errors.InvalidFile, match=r"folder 'results' is of other weights than answer now"):
        matrix(frame(), folder=path)


def test_a_tile_of_another_table_is_refused(path: Path, tmp_path: Path) -> None:
    matrix(frame(seed=1), folder=path)
    matrix(frame(seed=2), folder=tmp_path / "other")
    (tmp_path / "other" / "tile-000000.parquet").replace(path / "tile-000000.parquet")
    with pytest.raises(errors.InvalidFile, match=r"tile-000000\.parquet belongs to another table"):
        matrix(frame(seed=1), folder=path)
    with pytest.raises(errors.InvalidFile, match=r"tile-000000\.parquet belongs to another table"):
        list(Matrix.open(path))


def test_a_folder_with_something_else_is_refused(path: Path) -> None:
    path.mkdir()
    (path / "holiday.jpg").touch()
    with pytest.raises(
        errors.InvalidFile, match=r"holds 'holiday.jpg', which is no part of a table's results"
    ):
        matrix(frame(), folder=path)
    for content in (None, "", "{}", json.dumps({"format": "of another kind", "key": "k"})):
        if content is not None:
            (path / folder.MANIFEST).write_text(content)
        with pytest.raises(errors.InvalidFile, match=r"is no folder with the results of a table"):
            Matrix.open(path)


def test_a_ranking_is_no_matrix(path: Path) -> None:
    ranked = rank(frame(), "c", folder=path)
    assert rank(frame(), "c", folder=path) == ranked
    with pytest.raises(errors.InvalidFile, match=r"holds a ranking and no matrix"):
        Matrix.open(path)


def test_a_full_disk_leaves_what_is_finished(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = folder._sync
    times = []

    def full(part: Path) -> None:
        times.append(part)
        if len(times) == 4:  # the manifest, two tiles
            raise OSError(28, "No space left on device")
        synced(part)

    monkeypatch.setattr(folder, "_sync", full)
    with pytest.raises(errors.InvalidFile, match=r"into 'results': No space left.*same call goes on"):
        matrix(frame(p=11), folder=path)
    assert names(path) == ["_mizzle.json", "tile-000000.parquet", "tile-000001.parquet"]
    assert matrix(frame(p=11), folder=path) == matrix(frame(p=11))


def test_a_place_that_cannot_be_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(errors.InvalidFile, match=r"folder 'file' cannot be used"):
        matrix(frame(), folder=tmp_path / "file")


def test_errors_of_the_moment_are_computed_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answered = run.outcomes_of

    def failing(*arguments: Any) -> list[Any]:
        outcomes = list(answered(*arguments))
        return [errors.InferenceFailed("once"), *outcomes[1:]] if len(outcomes) > 1 else outcomes

    monkeypatch.setattr(execution, "outcomes_of", failing)
    first = matrix(frame(), folder=path)
    assert [str(pair.error) for pair in first if pair.error] == ["once"]
    assert first.records()[0]["error"] == "inference_failed: once"
    monkeypatch.undo()
    monkeypatch.setattr(tiles, "_SHORTEST", 0.0)
    assert matrix(frame(), folder=path) == matrix(frame())


def test_pairs_with_too_few_rows_keep_their_error(path: Path) -> None:
    columns = frame(n=14)
    columns["a"][:6] = np.nan
    stored = matrix(columns, missing="drop", folder=path)
    whole = matrix(columns, missing="drop")
    assert stored.records() == whole.records()
    assert isinstance(stored["a", "b"].error, errors.TooFewSamples)
    times = {file.name: os.stat(file).st_mtime_ns for file in path.iterdir()}
    matrix(columns, missing="drop", folder=path)
    assert {file.name: os.stat(file).st_mtime_ns for file in path.iterdir()} == times
