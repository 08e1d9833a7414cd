"""The library itself: built from these sources, with Python's numbers, and refused where it does not fit."""

import os
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from torch_path import reference

from mizzle.errors import ModelUnavailable
from mizzle.model import native, torch_weights
from mizzle.model.native import library
from mizzle.model.statistics import registry
from mizzle.model.weights import NetConfig

ROOT = Path(__file__).parent.parent.parent.parent
built = pytest.mark.skipif(not native.available(), reason=str(native.reason()))


@pytest.fixture
def fresh() -> Iterator[None]:
    """The library is looked for once more, and afterwards again."""
    library.load.cache_clear()
    yield
    library.load.cache_clear()


@built
def test_it_is_built_from_these_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    with mock.patch("setuptools.setup"):
        digest = runpy.run_path("setup.py")["digest"]()
    assert library.load().mizzle_sources().decode() == digest, "run: make native"


def test_a_library_of_other_sources_is_built_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """However new it is, as copies and moved sources have any times."""
    monkeypatch.chdir(ROOT)
    with mock.patch("setuptools.setup"):
        build = runpy.run_path("setup.py")
    library = tmp_path / "libmizzle.so"
    assert not build["is_built"](library)
    library.write_bytes(b"ELF " + b"0" * 64)
    assert not build["is_built"](library)
    library.write_bytes(b"ELF " + build["digest"]().encode())
    assert build["is_built"](library)
    os.utime(library, (0, 0))  # older than the flags in setup.py
    assert not build["is_built"](library)


@built
def test_its_settings_are_those_of_python() -> None:
    assert library.settings() == torch_weights.code()


@built
def test_its_channels_are_those_of_python() -> None:
    assert tuple(library.KINDS) == registry.kinds()
    tokens = (*registry.kinds(), registry.OVERALL)
    assert library.channels() == {token: registry.channels(token) for token in tokens}


@built
@pytest.mark.parametrize(
    "name", ["net", "calibration.levels", "novelty.whitening", "axes.rows.embed.0.weight"]
)
def test_weights_that_do_not_fit_are_refused(name: str) -> None:
    small = reference(NetConfig(width=8, channels=4, heads=1))
    if name == "net":
        small.about["net"]["width"] = 9
    else:
        del small.tensors[name]
    with pytest.raises(ModelUnavailable, match="do not fit"):
        native.Engine(small.about, small.tensors)


@built
def test_weights_of_other_statistics_are_refused() -> None:
    small = reference(NetConfig(width=8, channels=4, heads=1))
    small.about["tokens"] = {**small.about["tokens"], "bins": [8, 5]}
    with pytest.raises(ModelUnavailable, match="another version"):
        native.Engine(small.about, small.tensors)


@pytest.mark.usefixtures("fresh")
def test_a_library_that_is_missing_is_missed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MIZZLE_NATIVE_LIBRARY", str(tmp_path / "libmizzle.so"))
    assert native.reason() == "the compiled engine was not built when mizzle was installed"
    assert not native.available()


@pytest.mark.usefixtures("fresh")
def test_what_is_no_library_is_no_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "libmizzle.so"
    path.write_text("nothing")
    monkeypatch.setenv("MIZZLE_NATIVE_LIBRARY", str(path))
    assert "does not load" in (native.reason() or "")


OUT_OF_MEMORY = """
import resource
import numpy as np
from mizzle.model import native, weights
from mizzle.model.preprocess import prepare

rng = np.random.default_rng(0)
small, large = (prepare(*rng.normal(size=(2, n, 3))) for n in (50, 100_000))
trained = weights.load(weights.SHIPPED, native.settings())
engine = native.Engine(trained.about, trained.tensors)
engine.run([small])
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**20, resource.getrlimit(resource.RLIMIT_AS)[1]))
for answer in (engine.run, native.tokens):
    try:
        answer([large])
    except MemoryError as error:
        print(error)
assert len(engine.run([small]).mean) == 1
"""


@built
@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited by Linux's means")
def test_out_of_memory_is_an_error_and_no_crash() -> None:
    run = subprocess.run([sys.executable, "-c", OUT_OF_MEMORY], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["not enough memory"] * 2
