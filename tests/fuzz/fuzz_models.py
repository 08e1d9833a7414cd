"""Files of weights, as they are and signed anew, so that what is behind the checksums is reached, too."""

import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from mutator import TENSORS
from safetensors import SafetensorError
from safetensors.numpy import load, save
from target import Target

from mizzle.errors import ModelUnavailable
from mizzle.model import weights
from mizzle.model.labels import network

_LEVELS = [0.05, 0.5, 0.95]
_CODE = {"levels": _LEVELS, "strata": {"rows": [30], "columns": [2], "answers": ["low"]}}
_CELLS = 4  # of one bound on rows, and one on columns
_ABOUT = {
    **_CODE,
    "name": "test",
    "version": "0",
    "net": {"width": 4, "blocks": 1, "channels": 2, "heads": 1, "rounds": 1, "axes": ""},
    "rows": [10, 100],
    "columns": [1, 4],
    "prior": {"a": [1, 2]},
    "training": {"seed": 3},
}


def _saved(metadata: dict[str, str], tensors: dict[str, np.ndarray]) -> bytes:
    content: bytes = save(tensors, weights.with_checksums(metadata, tensors))
    return content


@cache
def _model() -> bytes:
    """The smallest file that is one."""
    tensors = {
        "standardise.mean": np.zeros(2),
        weights.CALIBRATION: np.tile(_LEVELS, (_CELLS, 1)),
        **dict(zip(weights.NOVELTY, (np.zeros(2), np.eye(2), np.ones(_CELLS)), strict=True)),
    }
    return _saved({"mizzle": json.dumps(_ABOUT)}, {n: t.astype(np.float32) for n, t in tensors.items()})


@cache
def _labels() -> bytes:
    tensors = {
        f"{kind}.{part}": np.ones(shape, np.float32)
        for kind in network.KINDS
        for part, shape in {"centre": 2, "spread": 2, "weight.0": (2, 3), "bias.0": 3}.items()
    }
    return _saved({"about": json.dumps({"stretch": dict.fromkeys(network.KINDS, 1.0)})}, tensors)


@cache
def _file() -> Path:
    """Of this process."""
    return Path(tempfile.mkdtemp(prefix="mizzle-fuzz-")) / "a.safetensors"


def _signed(content: bytes) -> bytes:
    """A file with the checksums of what it holds, if it holds anything that can have one."""
    try:
        header: dict[str, Any] = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        metadata = {n: text for n, text in header["__metadata__"].items() if n != "checksums"}
        return _saved(metadata, load(content))
    except (SafetensorError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return content


def _refused(error: ModelUnavailable) -> str:
    """The word for an error that says the same of whatever is wrong."""
    assert str(error) == f"{_file().name} is no weights file of this version of mizzle, or is damaged"
    return "ModelUnavailable"


def _check_model(content: bytes) -> str:
    file = _file()
    file.write_bytes(content)
    try:
        with weights.refused_in_one_sentence(file):
            read = weights.load(file, _CODE)
    except ModelUnavailable as error:
        return _refused(error)
    assert all(np.isfinite(tensor).all() for tensor in read.tensors.values())
    assert all(tensor.dtype == np.float32 for tensor in read.tensors.values())
    table = read.tensors[weights.CALIBRATION]
    assert table.shape == (_CELLS, len(_LEVELS))
    assert (np.diff(table) >= 0).all()
    assert read.info.name.isprintable()
    for bounds in (read.header.rows, read.header.columns):
        low, high = bounds
        assert 0 < low <= high
    return "read"


def _check_flipped(content: bytes) -> str:
    """Nothing but what was saved is read: other bytes with the same meaning, at most."""
    outcome = _check_model(content)
    if outcome == "read":
        assert load(content).keys() == load(_model()).keys()
        assert all((tensor == load(_model())[name]).all() for name, tensor in load(content).items())
    return outcome


def _check_labels(content: bytes) -> str:
    file = _file()
    file.write_bytes(_signed(content))
    try:
        with weights.refused_in_one_sentence(file):
            parts = network._read(file)
            networks = {kind: network._network(kind, *parts) for kind in network.KINDS}
    except ModelUnavailable as error:
        return _refused(error)
    for net in networks.values():
        assert isinstance(net.stretch, float | int)
        outputs = net.outputs(np.zeros(len(net.centre)))
        assert outputs.ndim == 1
    return "read"


_PARTS = (b'"F16"', b"[0, 0]", b"standardise.mean", b"calibration.levels", b"novelty.centre", b"checksums")
TARGETS = (
    Target("weights", _check_flipped, TENSORS, _PARTS, lambda: [_model()], executions=1000),
    Target(
        "weights-signed",
        lambda content: _check_model(_signed(content)),
        TENSORS,
        _PARTS,
        lambda: [_model()],
        executions=1000,
    ),
    Target(
        "weights-labels",
        _check_labels,
        TENSORS,
        _PARTS,
        lambda: [_labels()],
        executions=1000,
    ),
)
