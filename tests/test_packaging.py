"""What lands in the wheel, and that the changelog knows the version."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

import mizzle

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from this tree."""
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
    return file


@pytest.fixture(scope="module")
def wheel(wheel_file: Path) -> set[str]:
    """Names in the wheel."""
    return set(zipfile.ZipFile(wheel_file).namelist())


@pytest.fixture(scope="module")
def materials(wheel_file: Path) -> str:
    """The wheel's bill of materials, where PEP 770 has it."""
    name = f"mizzle-{mizzle.__version__}.dist-info/sboms/mizzle.cdx.json"
    return zipfile.ZipFile(wheel_file).read(name).decode()


def test_the_wheel_holds_every_room_and_the_weights(wheel: set[str]) -> None:
    wanted = {"__init__.py", "py.typed", "model/estimator.py", "metadata_gen/store/build.py"}
    wanted |= {"service/app.py", "service/http/auth.py"}
    wanted |= {f"model/weights/{name}.safetensors" for name in ("mizzle", "labels", "conditional")}
    assert {f"mizzle/{name}" for name in wanted} <= wheel


def test_the_wheel_holds_every_module(wheel: set[str]) -> None:
    """The list of packages in pyproject.toml must not lack one: an installed package would not even start."""
    rooms = {"sdk": "mizzle", **{name: f"mizzle/{name}" for name in ("service", "model", "metadata_gen")}}
    modules = {
        f"{package}/{path.relative_to(ROOT / room).as_posix()}"
        for room, package in rooms.items()
        for path in (ROOT / room).rglob("*.py")
    }
    assert modules <= wheel


def test_the_wheel_holds_nothing_else(wheel: set[str]) -> None:
    tops = {name.partition("/")[0] for name in wheel}
    assert tops == {"mizzle", f"mizzle-{mizzle.__version__}.dist-info"}
    others = wheel - {"mizzle/selftest.py"}  # a part of the package, for doctor and service
    assert not any("test" in name or "benchmark" in name for name in others)


def test_the_bill_of_materials_is_valid_and_of_this_version(materials: str) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(materials) is None
    own = json.loads(materials)["metadata"]["component"]
    assert own["purl"] == f"pkg:pypi/mizzle@{mizzle.__version__}"


def test_the_bill_of_materials_names_the_vendored_libraries(materials: str) -> None:
    manifest = json.loads((ROOT / "service/page/vendor/manifest.json").read_text())
    wanted = {(name, library["version"], library["licence"]) for name, library in manifest.items()}
    libraries = [part for part in json.loads(materials)["components"] if part["type"] == "library"]
    listed = {
        (
            "/".join(filter(None, (part.get("group"), part["name"]))),
            part["version"],
            part["licenses"][0]["license"]["id"],
        )
        for part in libraries
    }
    assert listed == wanted
    assert all(part["purl"].startswith("pkg:npm/") for part in libraries)


def test_the_bill_of_materials_has_the_digests_of_all_vendored_files_and_weights(
    wheel_file: Path, wheel: set[str], materials: str
) -> None:
    parts = json.loads(materials)["components"]
    files = [file for part in parts for file in (part.get("components") or [part])]
    listed = {file["name"]: file["hashes"][0]["content"] for file in files}
    vendored = {name for name in wheel if name.startswith("mizzle/service/page/vendor/")}
    weights = {name for name in wheel if name.endswith(".safetensors")}
    assert set(listed) == vendored - {"mizzle/service/page/vendor/manifest.json"} | weights
    with zipfile.ZipFile(wheel_file) as archive:
        assert listed == {name: hashlib.sha256(archive.read(name)).hexdigest() for name in listed}


def test_the_sdist_can_be_tested_and_trained_from(tmp_path: Path) -> None:
    code = "import sys; from setuptools.build_meta import build_sdist; build_sdist(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, tmp_path], cwd=ROOT, check=True, capture_output=True)
    (file,) = tmp_path.glob("mizzle-*.tar.gz")
    with tarfile.open(file) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {
        "train.py",
        "train_labels.py",
        "train_conditional.py",
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
