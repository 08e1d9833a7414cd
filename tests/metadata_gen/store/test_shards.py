"""Data sets on disk: the same bytes whatever the workers and the kills, and nothing is read unverified."""

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mizzle.errors import ExecutorFailed, Fault, InvalidInput, MissingExtra
from mizzle.metadata_gen.__main__ import main
from mizzle.metadata_gen.prior import ranges
from mizzle.metadata_gen.prior.ranges import Limits
from mizzle.metadata_gen.store import build as building
from mizzle.metadata_gen.store import shards, summary
from mizzle.metadata_gen.store.build import Recipe, build
from mizzle.metadata_gen.store.shards import Shards, pack, rounded
from mizzle.metadata_gen.stream import dataset

LIMITS = Limits(60, 4)
RECIPE = Recipe(3, 40, 12, LIMITS)  # three shards of 12 and one of 4
FLAGS = ["--seed", "3", "--count", "40", "--max-rows", "60", "--max-columns", "4"]
SHARD = ["--shard", "12"]
SECOND = RECIPE.files()[1]
LARGEST = float(np.finfo(np.float32).max)

# The command, but before the n-th rename of a temporary file something happens.
DISTURBED = """
import os, signal, sys
from pathlib import Path
from mizzle.metadata_gen import __main__

renames, replace = 0, Path.replace

def disturbed(partial, target):
    global renames
    renames += 1
    if renames == int(sys.argv[2]):
        {disturb}
    return replace(partial, target)

Path.replace = disturbed
sys.exit(__main__.main(sys.argv[3:]))
"""
KILL = "os.kill(os.getpid(), signal.SIGKILL)"
TEAR_AND_KILL = f"os.truncate(partial, partial.stat().st_size // 2); {KILL}"
INTERRUPT = "os.killpg(0, signal.SIGINT)"


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder made in this process without a stop."""
    folder = tmp_path_factory.mktemp("straight")
    assert build(folder, RECIPE) == 4
    return folder


@pytest.fixture
def copy(straight: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(straight, tmp_path / "copy"))


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def disturbed(disturb: str, rename: int, folder: Path, workers: int) -> subprocess.CompletedProcess[str]:
    """Run the command; this returns only when its workers too have let go of its output."""
    code = DISTURBED.format(disturb=disturb)
    command = ["-c", code, "-", str(rename), "--out", str(folder), "--workers", str(workers), *FLAGS, *SHARD]
    return subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, timeout=60, start_new_session=True
    )


# Making


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_do_not_matter(straight: Path, tmp_path: Path, workers: int) -> None:
    build(tmp_path, RECIPE, workers)
    assert content(tmp_path) == content(straight)


def test_the_folder_holds_shards_and_manifest(straight: Path) -> None:
    assert content(straight).keys() == {"manifest.json", *RECIPE.files()}
    manifest = json.loads((straight / "manifest.json").read_text())
    totals = manifest["totals"]
    assert totals["count"] == sum(totals["families"].values()) == sum(totals["nats"].values()) == 40
    assert [shard["count"] for shard in manifest["shards"]] == [12, 12, 12, 4]
    assert manifest["recipe"]["limits"] == {"rows": 60, "columns": 4}


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def _disown(folder: Path) -> None:
    """As if killed between the rename of the second shard and that of the manifest."""
    records = dict(enumerate(shards.read_manifest(folder)["shards"]))
    del records[1]
    building._write_manifest(folder, RECIPE, records)


HARMS: dict[str, tuple[int, Callable[[Path], object]]] = {
    "deleted": (1, lambda folder: (folder / SECOND).unlink()),
    "truncated": (1, lambda folder: os.truncate(folder / SECOND, 100)),
    "flipped bit": (1, lambda folder: _flip(folder / SECOND)),
    "not vouched for": (1, _disown),
    "temporary file": (0, lambda folder: (folder / (SECOND + ".partial")).write_bytes(b"torn")),
}


@pytest.mark.parametrize(("repaired", "harm"), HARMS.values(), ids=HARMS.keys())
def test_a_second_run_makes_what_is_missing(
    straight: Path, copy: Path, repaired: int, harm: Callable[[Path], object]
) -> None:
    harm(copy)
    assert build(copy, RECIPE) == repaired
    assert content(copy) == content(straight)


def test_an_executor_does_not_matter(straight: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as executor:
        build(tmp_path, RECIPE, executor=executor)
    assert content(tmp_path) == content(straight)


def test_a_worker_that_draws_otherwise_is_named() -> None:
    about = {**RECIPE.describe(), "numpy": "0.1"}
    with pytest.raises(ExecutorFailed, match=r"a worker is not as this process: numpy 0\.1 \(here"):
        building.pack_elsewhere({}, (RECIPE, about, 0))


def test_killed_again_and_again_it_gets_there(straight: Path, tmp_path: Path) -> None:
    """A run renames the manifest, a shard, the manifest, a shard, ...: the last kill leaves one shard."""
    for disturb, rename, workers in [(TEAR_AND_KILL, 1, 0), (TEAR_AND_KILL, 2, 0), (KILL, 4, 2)]:
        assert disturbed(disturb, rename, tmp_path, workers).returncode == -signal.SIGKILL
        assert [name for name in content(tmp_path) if name.endswith(".partial")]
    assert build(tmp_path, RECIPE) == 3
    assert content(tmp_path) == content(straight)


def test_interrupt_ends_with_130_and_a_way_to_go_on(straight: Path, tmp_path: Path) -> None:
    """Ctrl-C reaches the whole process group."""
    done = disturbed(INTERRUPT, 3, tmp_path, 2)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr.endswith("and the same command goes on from there\n")
    assert "Traceback" not in done.stderr
    build(tmp_path, RECIPE)
    assert content(tmp_path) == content(straight)


def test_a_failing_data_set_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def failing(seed: int, i: int, limits: Limits) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(building, "dataset", failing)
    with pytest.raises(Fault, match=r"dataset\(3, 0, Limits\(rows=60, columns=4\)\) failed: ZeroDivision"):
        build(tmp_path, RECIPE)


# Refusing


def test_a_complete_folder_is_left_alone(copy: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in copy.iterdir()}
    assert build(copy, RECIPE) == 0
    assert {path: path.stat().st_mtime_ns for path in copy.iterdir()} == before


@pytest.mark.parametrize(
    ("recipe", "reason"),
    [
        (Recipe(4, 40, 12, LIMITS), r"with seed 3 \(here 4\)"),
        (Recipe(3, 41, 12, LIMITS), r"with count 40 \(here 41\)"),
        (Recipe(3, 40, 13, LIMITS), r"with shard 12 \(here 13\)"),
        (Recipe(3, 40, 12, Limits(60, 5)), "with limits "),
    ],
)
def test_another_recipe_is_refused(copy: Path, recipe: Recipe, reason: str) -> None:
    before = content(copy)
    with pytest.raises(InvalidInput, match=reason):
        build(copy, recipe)
    assert content(copy) == before


def test_another_prior_code_or_version_is_refused(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(ranges, "describe", dict)
        with pytest.raises(InvalidInput, match="with prior_sha256 "):
            build(copy, RECIPE)
    with monkeypatch.context() as patch:
        patch.setattr(building, "_sources_sha256", lambda: "edited")
        with pytest.raises(InvalidInput, match="with code_sha256 "):
            build(copy, RECIPE)
    monkeypatch.setattr(building, "version", lambda name: "0")
    with pytest.raises(InvalidInput, match=r"with mizzle .* \(here 0\), numpy "):
        build(copy, RECIPE)


@pytest.mark.parametrize("name", ["notes.txt", SECOND])
def test_a_folder_in_other_use_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(InvalidInput, match=name):
        build(tmp_path, RECIPE)
    assert content(tmp_path) == {name: b"mine"}


def test_a_foreign_manifest_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("[]")
    with pytest.raises(InvalidInput, match="is not the manifest"):
        build(tmp_path, RECIPE)


def test_two_writers_are_refused(tmp_path: Path) -> None:
    with building._exclusive(tmp_path), pytest.raises(InvalidInput, match="another process is writing"):
        build(tmp_path, RECIPE)


@pytest.mark.parametrize(
    "numbers",
    [
        (-1, 1),
        (0, 0),
        (0, 1, 0),
        (0, 1, 1, Limits(9, 4)),
        (0, 1, 1, Limits(ranges.EVERYTHING.rows + 1, 4)),
        (0, 1, 1, Limits(60, 0)),
    ],
)
def test_nonsense_is_refused(numbers: tuple[int, int]) -> None:
    with pytest.raises(InvalidInput):
        Recipe(*numbers)


# 32 bits


def check_order(columns: np.ndarray) -> int:
    """Ranks with ties are what they were; what did not move is the nearest 32-bit number."""
    ordered, nudged = rounded(columns)
    with np.errstate(over="ignore"):
        nearest = columns.astype(np.float32)
    assert np.isfinite(ordered).all()
    assert nudged == (ordered != nearest).sum()
    for before, after in zip(columns, ordered, strict=True):
        places, moved = (np.unique(v, return_inverse=True)[1] for v in (before, after))
        assert np.array_equal(places, moved)
    return nudged


finite = st.floats(allow_nan=False, allow_infinity=False)
close = st.integers(-3, 3).map(lambda k: 1.0 + k * 2.0**-40)
edges = st.sampled_from([LARGEST, 2 * LARGEST, 1e300, -1e300, -LARGEST, 0.0, -0.0, 5e-324, -5e-324, 1e-46])


@given(hnp.arrays(np.float64, (2, 9), elements=st.one_of(finite, close, edges)))
def test_rounding_keeps_order_and_ties(columns: np.ndarray) -> None:
    check_order(columns)


def test_rounding_moves_no_more_than_it_must() -> None:
    normal = np.random.default_rng(0).standard_normal((200, 2000))
    assert 0 < check_order(normal) < 20
    assert check_order(np.floor(3.0 * normal)) == 0
    assert check_order(np.array([[1.0, 1.0 + 2.0**-30, 2.0]])) == 1
    assert check_order(np.array([[1e300, 2e300, 1.0]])) == 2


def test_a_value_that_is_not_finite_is_a_fault() -> None:
    data = dataset(3, 0, LIMITS)
    with pytest.raises(Fault, match="data set 0 "):
        pack([data._replace(x=np.full_like(data.x, np.nan))], {})


# Reading


def test_items_are_the_data_sets(straight: Path) -> None:
    stored = Shards(straight)
    assert len(stored) == 40
    for i, data in enumerate(stored):
        drawn = dataset(3, i, LIMITS)
        assert (data.index, data.family, data.truth) == (i, drawn.family, drawn.truth)
        columns = np.concatenate([drawn.x.T, drawn.y.T])
        assert np.array_equal(np.concatenate([data.x.T, data.y.T]), rounded(columns)[0])
        assert (data.x.shape, data.y.shape) == (drawn.x.shape, drawn.y.shape)
        assert data.x.dtype == data.y.dtype == np.float64


def test_access_is_that_of_a_sequence(straight: Path) -> None:
    stored = pickle.loads(pickle.dumps(Shards(str(straight))))
    assert stored[-1].index == 39
    assert [data.index for data in stored[11:14]] == [11, 12, 13]
    with pytest.raises(IndexError):
        stored[40]


def test_summary_is_that_of_the_draws(straight: Path) -> None:
    drawn = summary.drawn(3, range(40), LIMITS)
    for here, there in zip(Shards(straight).summary(), drawn, strict=True):
        assert here.tolist() == there.tolist()


def test_the_former_name_of_summary_warns(straight: Path) -> None:
    shards = Shards(straight)
    with pytest.warns(DeprecationWarning, match="Shards.summary"):
        assert shards.facts().rows.tolist() == shards.summary().rows.tolist()


def test_an_absent_or_unfinished_folder_is_not_read(copy: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="is not the manifest"):
        Shards(tmp_path / "nowhere")
    _disown(copy)
    with pytest.raises(InvalidInput, match="28 of 40 data sets"):
        Shards(copy)


@pytest.mark.parametrize("harm", ["deleted", "truncated"])
def test_missing_bytes_are_noticed_at_once(copy: Path, harm: str) -> None:
    HARMS[harm][1](copy)
    with pytest.raises(InvalidInput, match=SECOND):
        Shards(copy)


def test_changed_bytes_are_noticed_when_read(copy: Path) -> None:
    _flip(copy / SECOND)
    stored = Shards(copy)
    assert stored[11].index == 11
    with pytest.raises(InvalidInput, match=SECOND):
        stored[12]


# The command


def test_the_command_makes_refuses_and_describes(
    straight: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", str(tmp_path / "made"), "--workers", "0", *SHARD]
    assert main([*out, *FLAGS]) == 0
    assert content(tmp_path / "made") == content(straight)
    assert main([*out, *FLAGS]) == 0
    assert main([*out, *FLAGS, "--seed", "4"]) == 2
    capsys.readouterr()

    assert main(["describe", str(tmp_path / "made")]) == 0
    there = capsys.readouterr().out
    assert main(["describe", *FLAGS]) == 0
    assert capsys.readouterr().out == there
    assert there.startswith("40 data sets of seed 3: at most 60 rows, and 4 columns a side\n")


def test_bins_hold_their_upper_ends() -> None:
    counts = summary.by_nats(np.array([0.0, 1e-9, 0.01, 0.02, 10.0, 11.0]))
    known = {"0": 1, "0 to 0.01": 2, "0.01 to 0.03": 1, "3 to 10": 1, "above 10": 1}
    assert counts == dict.fromkeys(summary.LABELS, 0) | known


def test_the_picture_is_drawn(straight: Path, tmp_path: Path) -> None:
    assert main(["describe", str(straight), "--out", str(tmp_path / "prior.png")]) == 0
    assert (tmp_path / "prior.png").read_bytes().startswith(b"\x89PNG")


def test_the_picture_names_what_it_misses(straight: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mizzle.metadata_gen.store import picture

    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtra, match=r"mizzle\[train\]"):
        picture.draw(Shards(straight).summary(), "", Path("never.png"))
