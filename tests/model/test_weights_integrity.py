"""Only the bytes that were meant are loaded: no flipped bits, no other shapes, no file that changes."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from small_model import HEADER, all_familiar, identity

from mizzle import estimator as door
from mizzle.cli.entry import main
from mizzle.errors import InvalidInput, ModelUnavailable
from mizzle.model import Estimator, native, torch_weights, weights
from mizzle.model.labels import network
from mizzle.model.net import Net
from mizzle.model.statistics import registry
from mizzle.service import app, settings

not_built = pytest.mark.skipif(not native.available(), reason=str(native.reason()))
ENGINES = ["torch", pytest.param("native", marks=not_built)]
OTHER = "0" * 64
Tensors = dict[str, Any]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small file with checksums."""
    torch.manual_seed(0)
    file = tmp_path_factory.mktemp("weights") / "saved.safetensors"
    familiar = all_familiar(registry.channels(registry.OVERALL))
    torch_weights.save(file, Net(HEADER.net), identity(), familiar, HEADER)
    return file


@pytest.fixture(params=["saved", "shipped"])
def whole(request: pytest.FixtureRequest, saved: Path) -> Path:
    """A file with checksums, and the shipped one, whose SHA-256 is known."""
    return saved if request.param == "saved" else weights.SHIPPED


def load(path: Path, engine: str = "auto", **options: Any) -> Estimator:
    return Estimator.load(path, engine=engine, **options)


def refused(path: Path, engine: str = "auto") -> None:
    """In the one sentence for whatever is wrong with a file."""
    with pytest.raises(ModelUnavailable) as caught:
        load(path, engine)
    assert str(caught.value) == f"{path.name} is no weights file of this version of mizzle, or is damaged"


def metadata(path: Path) -> dict[str, str]:
    with safe_open(path, framework="numpy") as file:
        texts: dict[str, str] = file.metadata()
        return texts


def flips(size: int, header: int, count: int) -> Iterator[tuple[int, int]]:
    """Places of bits, a quarter of them in the header."""
    rng = np.random.default_rng(0)
    for i in range(count):
        yield int(rng.integers(0, 8 + header) if i % 4 == 0 else rng.integers(8 + header, size)), i % 8


def test_no_bit_that_flipped_is_overlooked(whole: Path, tmp_path: Path) -> None:
    content = bytearray(whole.read_bytes())
    copy = tmp_path / "flipped.safetensors"
    for place, bit in flips(len(content), int.from_bytes(content[:8], "little"), 100):
        content[place] ^= 1 << bit
        copy.write_bytes(content)
        refused(copy)
        content[place] ^= 1 << bit
    copy.write_bytes(content)
    assert load(copy).info == load(whole).info


def _first(tensors: Tensors) -> str:
    """The first table that is not square."""
    return next(name for name, t in tensors.items() if t.ndim == 2 and t.shape[0] != t.shape[1])


def _cast(tensor: Any, dtype: Any) -> Any:
    return tensor.clip(-100, 100).astype(dtype)


def _of_dtype(dtype: Any) -> Callable[[Tensors], Tensors]:
    return lambda tensors: {name: _cast(tensor, dtype) for name, tensor in tensors.items()}


def _one_of_dtype(dtype: Any, name: str) -> Callable[[Tensors], Tensors]:
    return lambda tensors: tensors | {name: _cast(tensors[name], dtype)}


def _transposed(tensors: Tensors) -> Tensors:
    name = _first(tensors)
    return tensors | {name: np.ascontiguousarray(tensors[name].reshape(tensors[name].shape[::-1]))}


def _flat(tensors: Tensors) -> Tensors:
    name = _first(tensors)
    return tensors | {name: tensors[name].reshape(-1)}


def _swapped(tensors: Tensors) -> Tensors:
    names = [name for name in tensors if name.endswith("norm.bias")][:2]
    return tensors | {names[0]: tensors[names[0]] + 1, names[1]: tensors[names[1]] + 2}


def _scaled(tensors: Tensors) -> Tensors:
    return {name: tensor * np.float32(0.98) for name, tensor in tensors.items()}


def _other_calibration(tensors: Tensors) -> Tensors:
    return tensors | {weights.CALIBRATION: np.sqrt(tensors[weights.CALIBRATION]).clip(0.005, 0.995)}


def _extra(tensors: Tensors) -> Tensors:
    return tensors | {"extra": np.zeros(3, np.float32)}


def _missing(tensors: Tensors) -> Tensors:
    return {name: tensor for name, tensor in tensors.items() if name != _first(tensors)}


CHANGES = {
    "double precision": _of_dtype(np.float64),
    "half precision": _of_dtype(np.float16),
    "integers": _of_dtype(np.int8),
    "a bias in half precision": _one_of_dtype(np.float16, "head.bias"),
    "the calibration in half precision": _one_of_dtype(np.float16, weights.CALIBRATION),
    "transposed": _transposed,
    "flat": _flat,
    "swapped": _swapped,
    "scaled": _scaled,
    "another calibration": _other_calibration,
    "one more": _extra,
    "one less": _missing,
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_tensors_are_exactly_those_that_were_saved(
    change: Callable[[Tensors], Tensors], engine: str, whole: Path, tmp_path: Path
) -> None:
    """With the header that the file had."""
    copy = tmp_path / "changed.safetensors"
    save_file(change(load_file(whole)), copy, metadata(whole))
    refused(copy, engine)


@pytest.mark.parametrize("name", ["name", "version", "rows", "columns", "levels", "strata", "net", "prior"])
def test_the_header_is_exactly_the_one_that_was_saved(name: str, whole: Path, tmp_path: Path) -> None:
    texts = metadata(whole)
    about = json.loads(texts["mizzle"])
    about[name] = {"name": "mizzle-evil", "version": "9", "rows": [1, 9], "columns": [1, 9]}.get(name, {})
    copy = tmp_path / "changed.safetensors"
    save_file(load_file(whole), copy, texts | {"mizzle": json.dumps(about)})
    refused(copy)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int32])
def test_checksums_of_another_precision_help_nothing(
    dtype: Any, engine: str, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though whoever saved them meant them."""
    copy = tmp_path / "other.safetensors"
    tensors = _of_dtype(dtype)(load_file(saved))
    texts = {"mizzle": metadata(saved)["mizzle"]}
    with pytest.raises(ValueError, match="single precision"):
        weights.with_checksums(texts, tensors)
    with monkeypatch.context() as patch:
        patch.setattr(weights, "_checksum", lambda tensor: "0")
        save_file(tensors, copy, weights.with_checksums(texts, tensors))
        refused(copy, engine)


@pytest.mark.parametrize("name", ["a\nb", "\x1b[2J", "x" * 101, 5, None])
def test_names_of_weights_are_names(name: Any, saved: Path, tmp_path: Path) -> None:
    for field in ("name", "version"):
        text = json.dumps(json.loads(metadata(saved)["mizzle"]) | {field: name})
        copy, tensors = tmp_path / "named.safetensors", load_file(saved)
        save_file(tensors, copy, weights.with_checksums({"mizzle": text}, tensors))
        refused(copy)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "change", [lambda p: os.truncate(p, 0), lambda p: p.write_bytes(b"\xff" * 10**6), Path.unlink]
)
def test_a_file_that_changes_later_changes_nothing(
    change: Callable[[Path], Any], engine: str, whole: Path, tmp_path: Path
) -> None:
    """Not even a mapping of it is left, which would end the process when the file is cut off."""
    copy = tmp_path / "copy.safetensors"
    shutil.copy(whole, copy)
    estimator, rng = load(copy, engine), np.random.default_rng(0)
    pair = rng.normal(size=(60, 1)), rng.normal(size=(60, 2))
    before = estimator.estimate(*pair)
    change(copy)
    assert estimator.estimate(*pair) == before
    assert "copy.safetensors" not in Path("/proc/self/maps").read_text()


def test_what_is_no_regular_file_is_not_waited_for(tmp_path: Path) -> None:
    pipe, folder = tmp_path / "pipe", tmp_path / "folder"
    os.mkfifo(pipe)
    folder.mkdir()
    for path in (pipe, folder, Path("/dev/zero")):
        refused(path)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_pin_holds(engine: str, whole: Path) -> None:
    sha256 = load(whole).info.sha256
    for pin in (sha256, sha256.upper()):
        assert load(whole, engine, sha256=pin).info.sha256 == sha256
    for call in (load, door.load):
        with pytest.raises(ModelUnavailable, match=rf"{whole.name} has another SHA-256 than .* must have"):
            call(whole, engine=engine, sha256=OTHER)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_file_without_checksums_must_be_pinned(engine: str, saved: Path, tmp_path: Path) -> None:
    """One of an older version, say."""
    older = tmp_path / "older.safetensors"
    save_file(load_file(saved), older, {"mizzle": metadata(saved)["mizzle"]})
    refused(older, engine)
    sha256 = hashlib.sha256(older.read_bytes()).hexdigest()
    assert load(older, engine, sha256=sha256).info.sha256 == sha256


def test_the_setting_is_a_sha256(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIZZLE_WEIGHTS_SHA256", OTHER)
    assert settings.read().weights_sha256 == OTHER
    for text in ("abc", OTHER + "0", "g" * 64, OTHER + "\n"):
        with pytest.raises(InvalidInput, match="MIZZLE_WEIGHTS_SHA256"):
            settings.read(weights_sha256=text)


def test_the_networks_of_labels_are_checked_when_weights_are_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytearray(network.SHIPPED.read_bytes())
    copy = tmp_path / network.SHIPPED.name
    monkeypatch.setattr(network, "SHIPPED", copy)
    for place, bit in flips(len(content), int.from_bytes(content[:8], "little"), 40):
        content[place] ^= 1 << bit
        copy.write_bytes(content)
        network.shipped.cache_clear()
        with pytest.raises(ModelUnavailable, match=r"^labels\.safetensors is no weights file"):
            load(weights.SHIPPED)
        content[place] ^= 1 << bit
    network.shipped.cache_clear()


def test_the_networks_of_labels_are_saved_with_checksums(tmp_path: Path) -> None:
    from mizzle.model.training.labels import write

    path = tmp_path / "labels.safetensors"
    write(path, network.shipped(), {"seed": 1})
    assert weights.open_verified(path).is_verified
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="checksum"):
        weights.open_verified(path)


def test_the_worker_of_a_service_gets_the_pin() -> None:
    chosen = settings.read(weights_sha256=OTHER)
    engine = app.create_app(chosen).state.engine
    for worker in (engine._runner, engine._large_runner):
        assert json.loads(worker._command[1])["sha256"] == OTHER
    assert main(["serve", "--weights-sha256", "abc"]) == 2
