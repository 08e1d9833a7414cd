"""Exports survive the disk, betray damage, and never mix with estimates made from other data."""

import json
import sys
from pathlib import Path
from typing import Any

import environments
import numpy as np
import pytest
from exports import Case, intact, neural, neural_path, read_export, sha256, write_export, write_json


def cases(count: int = 3) -> list[Case]:
    """Data sets of different sizes and types; x is a strided view, as MIST's are."""
    drawn = []
    for i in range(count):
        table = np.random.default_rng(i).standard_normal((10 + i, 5)).astype(np.float32 if i else np.float64)
        drawn.append(Case(table[:, :2], table[:, 2:], 0.5 * i, f"task-{i}", f"Täsk {i}", i % 2))
    return drawn


def written(folder: Path, **extra: Any) -> Path:
    """One export with its manifest."""
    return write_export(folder / "bmi-n10.safetensors", "bmi", "n10", cases(), ["numpy"], **extra)


def recorded(path: Path, **changes: Any) -> None:
    """Estimates of neural peers on an export."""
    estimates = {"mine": {"0": 0.25, "2": -3.0}, "infonce": {}}
    record = {"export": path.stem, "sha256": sha256(path), "estimates": estimates}
    write_json(neural_path(path.stem, path.parent), record | changes)


def test_an_export_comes_back_bit_by_bit(tmp_path: Path) -> None:
    back = read_export(written(tmp_path))
    assert (back.stem, back.suite, back.split) == ("bmi-n10", "bmi", "n10")
    for written_case, read in zip(cases(), back.cases, strict=True):
        assert written_case[2:] == read[2:]
        for before, after in zip(written_case[:2], read[:2], strict=True):
            assert before.dtype == after.dtype
            np.testing.assert_array_equal(before, after)


def test_equal_data_make_equal_files(tmp_path: Path) -> None:
    """The safetensors library orders its header differently every time."""
    assert len({sha256(written(tmp_path / str(i))) for i in range(8)}) == 1


def test_only_exports_are_read(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"mizzle-export-1", b"mizzle-export-0"))
    with pytest.raises(ValueError, match="mizzle-export-0"):
        read_export(path)


def test_intact_means_whole_and_wide_enough(tmp_path: Path) -> None:
    path = written(tmp_path, seeds=[0, 1])
    assert intact(path)
    assert intact(path, [1])
    assert not intact(path, [0, 1, 2])
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert not intact(path)
    path.unlink()
    assert not intact(path)


def test_nothing_half_written_stays(tmp_path: Path) -> None:
    path = written(tmp_path, seed=90)
    assert intact(path, [90])
    assert {file.name for file in tmp_path.iterdir()} == {path.name, "bmi-n10.json"}


def test_neural_estimates_fill_their_places(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert neural(path.stem, tmp_path) == {}
    recorded(path)
    estimates = neural(path.stem, tmp_path)
    # -3 is a failed lower bound: mutual information is at least 0.
    np.testing.assert_array_equal(estimates["mine"], [0.25, np.nan, 0.0])
    np.testing.assert_array_equal(estimates["infonce"], [np.nan] * 3)


def test_neural_estimates_of_other_data_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    recorded(path, sha256="0" * 64)
    with pytest.raises(ValueError, match="another bmi-n10"):
        neural(path.stem, tmp_path)


def test_an_environment_is_ready_only_with_the_present_pins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environments, "FOLDER", tmp_path)
    assert environments.ready("bmi") is None
    python = tmp_path / "bmi" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    # Interrupted before the stamp was written.
    assert environments.ready("bmi") is None
    stamp = tmp_path / "bmi" / environments.STAMP
    stamp.write_text(json.dumps(environments.REQUIREMENTS["bmi"], indent=2) + "\n")
    assert environments.ready("bmi") == python
    monkeypatch.setitem(environments.REQUIREMENTS, "bmi", (("numpy==1.26.3",),))
    assert environments.ready("bmi") is None


def test_without_an_old_python_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of the right name that does not run, like a shim of pyenv, does not count."""
    (tmp_path / "python3.11").write_text("#!/bin/sh\nexit 127\n")
    (tmp_path / "python3.11").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python3.11"))
    with pytest.raises(SystemExit, match=r"3\.11 or 3\.10"):
        environments.interpreter()
