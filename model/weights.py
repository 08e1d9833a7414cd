"""One safetensors file is the whole model: tensors, and in its header everything needed to trust them.

Reading is strict (finite values, a calibration and a novelty score that can be ones) and never unpickles.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from mizzle.errors import ModelUnavailable
from mizzle.model.native import KINDS
from mizzle.types import ModelInfo

SHIPPED = Path(__file__).parent / "weights" / "mizzle.safetensors"
CALIBRATION = "calibration.levels"
NOVELTY = ("novelty.centre", "novelty.whitening", "novelty.thresholds")
_FEATURES = "standardise.mean"  # of the network's global features, as many as novelty is measured on

Tensors = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class NetConfig:
    """Sizes of the network; they travel in the header of the weights.

    Attributes:
        width, blocks: of the trunk.
        channels: of an embedded token.
        heads, rounds: questions to an axis each time, and how often; once after each of the first blocks.
        axes: which kinds of tokens are attended to, by their names; none leaves the trunk alone.
    """

    width: int = 384
    blocks: int = 3
    channels: int = 64
    heads: int = 4
    rounds: int = 2
    axes: str = " ".join(KINDS)

    def __post_init__(self) -> None:
        sizes = [value for value in asdict(self).values() if isinstance(value, int)]
        if min(sizes) < 1 or self.rounds > self.blocks:
            raise ValueError(f"sizes must be positive, and rounds no more than blocks: {self}")
        if unknown := set(self.axes.split()) - set(KINDS):
            raise ValueError(f"axes are {', '.join(KINDS)}; there is no {', '.join(sorted(unknown))}")


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


class Weights(NamedTuple):
    """A weights file that was read and checked.

    Attributes:
        about: its header as it stands there.
        header: the same, parsed.
        tensors: all tensors by their names.
        info: its name, version and hash.
    """

    about: dict[str, Any]
    header: Header
    tensors: Tensors
    info: ModelInfo


def load(path: Path, code: Mapping[str, Any]) -> Weights:
    """Read and check a weights file; whoever computes with it checks the network's tensors.

    Args:
        code: what the engine computes, which the weights must have been trained on.

    Raises:
        Exception: whatever a damaged file leads to; see `refused_in_one_sentence`.
    """
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    about, tensors = read(path)
    header = parsed(about, code)
    _check_calibration(tensors, about)
    _check_novelty(tensors, about)
    return Weights(about, header, tensors, ModelInfo(header.name, header.version, sha256))


def read(path: Path) -> tuple[dict[str, Any], Tensors]:
    """What a file says and holds.

    Raises:
        Exception: whatever a damaged file leads to; a ValueError for a number that is not finite.
    """
    with safe_open(path, framework="numpy") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        about = json.loads((file.metadata() or {})["mizzle"])
    if not all(np.isfinite(tensor).all() for tensor in tensors.values()):
        raise ValueError("not finite")
    return about, tensors


def parsed(about: Mapping[str, Any], code: Mapping[str, Any]) -> Header:
    """The header; refuses weights that learnt on other statistics than those of the code.

    Raises:
        ValueError, LookupError, TypeError: it is no header of such weights.
    """
    if {name: about[name] for name in code} != code:
        raise ValueError("made by other code")
    text = {name: value for name, value in about.items() if name not in code}
    text["net"] = NetConfig(**text["net"])
    text["rows"], text["columns"] = tuple(text["rows"]), tuple(text["columns"])
    return Header(**text)


@contextmanager
def refused_in_one_sentence(path: Path) -> Iterator[None]:
    """Whatever is wrong with a file.

    Raises:
        ModelUnavailable: in place of any error that a file can lead to.
    """
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
        ModelUnavailable,
    ) as error:
        text = f"{path.name} is no weights file of this version of mizzle, or is damaged"
        raise ModelUnavailable(text) from error


def _shapes(about: Mapping[str, Any]) -> int:
    """How many cells of rows and columns there are."""
    strata = about["strata"]
    return (len(strata["rows"]) + 1) * (len(strata["columns"]) + 1)


def _check_calibration(tensors: Tensors, about: Mapping[str, Any]) -> None:
    """Refuse what is no table of non-decreasing levels within those of the network."""
    table, levels = tensors[CALIBRATION], np.array(about["levels"], np.float32)
    shape = (_shapes(about) * len(about["strata"]["answers"]), len(levels))
    inside = (table >= levels[0]) & (table <= levels[-1])
    if table.shape != shape or not inside.all() or (np.diff(table) < 0).any():
        raise ValueError("no calibration table")


def _check_novelty(tensors: Tensors, about: Mapping[str, Any]) -> None:
    """Refuse shapes that are not those of the network's features, and thresholds that are not positive."""
    features, parts = len(tensors[_FEATURES]), [tensors[name] for name in NOVELTY]
    expected = [(features,), (features, features), (_shapes(about),)]
    if [part.shape for part in parts] != expected or not (parts[-1] > 0).all():
        raise ValueError("no novelty score")
