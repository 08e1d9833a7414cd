"""One safetensors file is the whole model: tensors, and in its header everything needed to trust them.

Loading is strict (every tensor, every shape, finite) and never unpickles.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from mizzle.errors import ModelUnavailable
from mizzle.model.calibrate import ANSWERS, COLUMN_EDGES, ROW_EDGES, Calibration
from mizzle.model.net import Net, NetConfig
from mizzle.model.novelty import Novelty
from mizzle.model.quantiles import LEVELS
from mizzle.model.statistics import registry
from mizzle.types import ModelInfo

SHIPPED = Path(__file__).parent / "weights" / "mizzle.safetensors"
_CALIBRATION = "calibration.levels"
_NOVELTY = ("novelty.centre", "novelty.whitening", "novelty.thresholds")


@dataclass(frozen=True)
class Header:
    """What a weights file says about itself.

    Attributes:
        name, version: of the model, not of the package.
        net: sizes of the network.
        rows, columns: smallest and largest n, and columns per side, of the training.
        prior: ranges and weights of the meta-distribution.
        training: seeds, steps, data sets, wall time, commit, package version, date.
    """

    name: str
    version: str
    net: NetConfig
    rows: tuple[int, int]
    columns: tuple[int, int]
    prior: dict[str, Any]
    training: dict[str, Any]


def code() -> dict[str, Any]:
    """What this code computes, as in the header of weights, which must have been trained on the same."""
    return {
        "format": 2,
        "levels": list(LEVELS),
        "tokens": registry.settings(),
        "strata": {"rows": list(ROW_EDGES), "columns": list(COLUMN_EDGES), "answers": list(ANSWERS)},
    }


def save(path: Path, net: Net, calibration: Calibration, novelty: Novelty, header: Header) -> None:
    """Write the model as one file, atomically."""
    tensors = {name: t.detach().contiguous() for name, t in net.state_dict().items()}
    tensors[_CALIBRATION] = calibration.levels.contiguous()
    parts = (novelty.centre, novelty.whitening, novelty.thresholds)
    tensors |= {name: part.contiguous() for name, part in zip(_NOVELTY, parts, strict=True)}
    text = {**header.__dict__, "net": net.describe(), **code()}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    save_file(tensors, partial, metadata={"mizzle": json.dumps(text)})
    partial.chmod(0o644)
    partial.replace(path)


def load(path: Path) -> tuple[Net, Calibration, Novelty, Header, ModelInfo]:
    """Read and check a weights file.

    Raises:
        ModelUnavailable: the file is absent, damaged, or of another format.
    """
    with _in_one_sentence(path):
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        about, tensors = _read(path)
        header = _header(about, code())
        calibration = Calibration.checked(tensors.pop(_CALIBRATION))
        statistics = registry.channels(registry.OVERALL)
        novelty = Novelty.checked(statistics, *(tensors.pop(name) for name in _NOVELTY))
        net = Net(header.net)
        net.load_state_dict(tensors)
    return net.eval(), calibration, novelty, header, ModelInfo(header.name, header.version, sha256)


def extended(path: Path) -> Net:
    """The network of weights that may know fewer statistics than there are now, to be trained on.

    New channels come last in their kind of token; what reads them starts at zero, and their input scales are
    left 0 for `Net.fit_inputs`, so that the network answers as it did. Over how many rows a statistic is
    averaged may differ: that changes its precision and not its meaning.

    Raises:
        ModelUnavailable: the file is absent or damaged, or learnt on other statistics, not on fewer.
    """
    with _in_one_sentence(path):
        about, tensors = _read(path)
        now = code()
        known = {name: now["tokens"].get(name) for name in about["tokens"]}
        known |= {name: about["tokens"][name] for name in registry.AVERAGED if name in known}
        net = Net(_header(about, {**now, "tokens": known}).net)
        net.load_state_dict({name: _padded(tensors[name], like) for name, like in net.state_dict().items()})
    return net


def training(path: Path) -> dict[str, Any]:
    """How weights were trained, by this code or by older."""
    how: dict[str, Any] = _read(path)[0]["training"]
    return how


def _padded(tensor: Tensor, like: Tensor) -> Tensor:
    """Zeros behind what is there, up to the shape of `like`."""
    missing = [size - own for size, own in zip(like.shape, tensor.shape, strict=True)]
    if min(missing, default=0) < 0:
        raise ValueError("learnt on more statistics than there are")
    return F.pad(tensor, [side for size in reversed(missing) for side in (0, size)])


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What a file says and holds."""
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        about = json.loads((file.metadata() or {})["mizzle"])
    if not all(bool(torch.isfinite(t).all()) for t in tensors.values()):
        raise ValueError("not finite")
    return about, tensors


@contextmanager
def _in_one_sentence(path: Path) -> Iterator[None]:
    """Whatever is wrong with a file."""
    try:
        yield
    except FileNotFoundError as error:
        raise ModelUnavailable(f"there are no weights at {path.name}; train or reinstall") from error
    except (
        OSError,
        SafetensorError,
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
        RuntimeError,
    ) as error:
        text = f"{path.name} is no weights file of this version of mizzle, or is damaged"
        raise ModelUnavailable(text) from error


def _header(text: dict[str, Any], expected: dict[str, Any]) -> Header:
    """Parse the header; refuse weights that learnt on other statistics than are expected."""
    if {name: text.pop(name) for name in expected} != expected:
        raise ValueError("made by other code")
    text["net"] = NetConfig(**text["net"])
    text["rows"], text["columns"] = tuple(text["rows"]), tuple(text["columns"])
    return Header(**text)
