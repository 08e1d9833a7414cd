"""What lands in the wheel, and that the changelog knows the version."""

import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import mizzle

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names in a wheel built from this tree."""
    for folder in (ROOT / "build").glob("lib*"):
        shutil.rmtree(folder)  # setuptools packs what it finds there
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
        str(out),
        str(ROOT),
    ]
    subprocess.run(command, check=True, capture_output=True)
    (file,) = out.glob("mizzle-*.whl")
    return set(zipfile.ZipFile(file).namelist())


def test_the_wheel_holds_every_room_and_the_weights(wheel: set[str]) -> None:
    wanted = {"__init__.py", "py.typed", "model/estimator.py", "metadata_gen/store/build.py"}
    wanted |= {"service/app.py", "service/http/auth.py"}
    wanted |= {"model/weights/mizzle.safetensors", "model/weights/labels.safetensors"}
    assert {f"mizzle/{name}" for name in wanted} <= wheel


def test_the_wheel_holds_nothing_else(wheel: set[str]) -> None:
    tops = {name.partition("/")[0] for name in wheel}
    assert tops == {"mizzle", f"mizzle-{mizzle.__version__}.dist-info"}
    others = wheel - {"mizzle/selftest.py"}  # a part of the package, for doctor and service
    assert not any("test" in name or "benchmark" in name for name in others)


def test_the_sdist_can_be_tested_and_trained_from(tmp_path: Path) -> None:
    code = "import sys; from setuptools.build_meta import build_sdist; build_sdist(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, tmp_path], cwd=ROOT, check=True, capture_output=True)
    (file,) = tmp_path.glob("mizzle-*.tar.gz")
    with tarfile.open(file) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {
        "train.py",
        "train_labels.py",
        "Makefile",
        "CHANGELOG.md",
        "benchmarks/accuracy.py",
        "examples/breast_cancer.csv",
    }
    wanted |= {str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("*.py")}
    assert wanted <= names
    assert not any("__pycache__" in name for name in names)


def test_the_weights_are_at_most_15_mib() -> None:
    assert (ROOT / "model" / "weights" / "mizzle.safetensors").stat().st_size <= 15 * 2**20


def test_the_changelog_has_this_version() -> None:
    versions = re.findall(r"^## (\S+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == mizzle.__version__


def test_the_citation_has_this_version() -> None:
    assert f"\nversion: {mizzle.__version__}\n" in (ROOT / "CITATION.cff").read_text()
