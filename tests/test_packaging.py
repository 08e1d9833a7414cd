"""What lands in the wheel, and that the changelog knows the version."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import mizzle

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names in a wheel built from this tree."""
    out = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        out,
        ROOT,
    ]
    subprocess.run(command, check=True, capture_output=True)
    (file,) = out.glob("mizzle-*.whl")
    return set(zipfile.ZipFile(file).namelist())


def test_the_wheel_holds_every_room_and_the_weights(wheel: set[str]) -> None:
    wanted = {"__init__.py", "py.typed", "model/estimator.py", "metadata_gen/prior.py", "service/app.py"}
    wanted.add("model/weights/mizzle.safetensors")
    assert {f"mizzle/{name}" for name in wanted} <= wheel


def test_the_wheel_holds_nothing_else(wheel: set[str]) -> None:
    tops = {name.partition("/")[0] for name in wheel}
    assert tops == {"mizzle", f"mizzle-{mizzle.__version__}.dist-info"}
    assert not any("test" in name or "benchmark" in name for name in wheel)


def test_the_weights_are_at_most_15_mib() -> None:
    assert (ROOT / "model" / "weights" / "mizzle.safetensors").stat().st_size <= 15 * 2**20


def test_the_changelog_has_this_version() -> None:
    versions = re.findall(r"^## (\S+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == mizzle.__version__
