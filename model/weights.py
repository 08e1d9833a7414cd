"""One safetensors file is the whole model: tensors, and in its header everything needed to trust them.

A file is read once, into memory: what is hashed is what is used, whatever becomes of the file. Its header
has a checksum of every tensor and of its own text, so that a bit that flipped is noticed. Reading is strict
besides (single precision, finite values, a calibration and a novelty score that can be ones), and never
unpickles.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from operator import index
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, deserialize

from mizzle.errors import ModelUnavailable
from mizzle.model.native import KINDS
from mizzle.types import ModelInfo

SHIPPED = Path(__file__).parent / "weights" / "mizzle.safetensors"
METHOD = 3  # the second part of the version: counted up when answers change, by the weights or the way there
CALIBRATION = "calibration.levels"
ADAPTED = "adapted"  # in what a header says of the training: the weights were made from others, and how
NOVELTY = ("novelty.centre", "novelty.whitening", "novelty.thresholds")
# Files from before there were checksums, by their SHA-256.
_KNOWN = (
    "2bfeea6527026653587d88a12d8ee71a7c8bebe4eacb22f228963ffbf07c4e27",  # labels.safetensors
)
_CHECKSUMS = "checksums"
_MAX_BYTES = 2**30  # of a file, which is in memory as a whole
_LONGEST_NAME = 100
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


class TensorFile(NamedTuple):
    """A file of tensors, as it was when it was read.

    Attributes:
        metadata: texts of its header, without the checksums.
        tensors: all tensors by their names; nobody else has their memory.
        sha256: of all its bytes.
        is_verified: whether these are the bytes that were meant: by checksums, or by the SHA-256.
    """

    metadata: dict[str, str]
    tensors: Tensors
    sha256: str
    is_verified: bool


class _OtherWeights(Exception):
    """A file has another SHA-256 than it must have."""


class _OtherParent(Exception):
    """A file was adapted from other weights than those that ship."""


def load(path: Path, code: Mapping[str, Any], sha256: str | None = None) -> Weights:
    """Read and check a weights file; whoever computes with it checks the network's tensors.

    Args:
        code: what the engine computes, which the weights must have been trained on.
        sha256: that the file must have. A file without checksums, of an older version, must be named so.

    Raises:
        Exception: whatever a damaged file leads to; see `refused_in_one_sentence`.
    """
    file = open_verified(path, sha256)
    about = _about(file)
    header = parsed(about, code)
    _check_parent(header)
    _check_calibration(file.tensors, about)
    _check_novelty(file.tensors, about)
    info = ModelInfo(header.name, f"{header.version}.{METHOD}", file.sha256)
    return Weights(about, header, file.tensors, info)


def read(path: Path) -> tuple[dict[str, Any], Tensors]:
    """What a file says and holds, which may be of a version that wrote no checksums.

    Raises:
        Exception: whatever a damaged file leads to; a ValueError for a number that is not finite.
    """
    file = _opened(path, None)
    return _about(file), file.tensors


def open_verified(path: Path, sha256: str | None = None) -> TensorFile:
    """A file whose bytes are those that were meant.

    Args:
        sha256: that it must have, as 64 hexadecimal digits.

    Raises:
        Exception: whatever a damaged file leads to, as `load`.
    """
    file = _opened(path, sha256)
    if not file.is_verified:
        raise ValueError("no checksums")
    return file


def with_checksums(metadata: Mapping[str, str], tensors: Mapping[str, NDArray[Any]]) -> dict[str, str]:
    """Texts for the header of a file of tensors in single precision, and a checksum of everything."""
    return {**metadata, _CHECKSUMS: json.dumps(_checksums(metadata, tensors))}


def in_order(content: bytes) -> bytes:
    """A file of tensors with its texts sorted by name; safetensors writes them in an order of its own."""
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # tensors start at a multiple of 8 bytes
    return len(text).to_bytes(8, "little") + text + content[end:]


def _about(file: TensorFile) -> dict[str, Any]:
    about: dict[str, Any] = json.loads(file.metadata["mizzle"])
    return about


def _opened(path: Path, sha256: str | None) -> TensorFile:
    content = _content(path)
    digest = hashlib.sha256(content).hexdigest()
    if sha256 is not None and digest != sha256.lower():
        raise _OtherWeights
    tensors = {name: _tensor(entry) for name, entry in deserialize(content)}
    metadata = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")]).get("__metadata__") or {}
    stated = metadata.pop(_CHECKSUMS, None)
    if stated is not None and json.loads(stated) != _checksums(metadata, tensors):
        raise ValueError("a checksum that is wrong")
    is_verified = stated is not None or sha256 is not None or digest in _KNOWN
    return TensorFile(metadata, tensors, digest, is_verified)


def _content(path: Path) -> bytes:
    """All bytes of a file, which may change from now on."""
    if path.exists() and not path.is_file():
        raise ValueError("no regular file")  # a pipe may have no end
    with path.open("rb") as file:
        # One more byte than it has, to see that it grew: room for what is read is made before it is read.
        content = file.read(min(os.fstat(file.fileno()).st_size, _MAX_BYTES) + 1)
    if len(content) > _MAX_BYTES:
        raise ValueError("too large")
    return content


def _tensor(entry: Mapping[str, Any]) -> NDArray[np.float32]:
    """A tensor in memory of its own, whose numbers are all finite."""
    if entry["dtype"] != "F32":
        raise ValueError("not in single precision")
    tensor = np.frombuffer(entry["data"], "<f4").astype(np.float32).reshape(entry["shape"])
    if not np.isfinite(tensor).all():
        raise ValueError("not finite")
    return tensor


def _checksums(metadata: Mapping[str, str], tensors: Mapping[str, NDArray[Any]]) -> dict[str, dict[str, str]]:
    """SHA-256 of every text of a header, and of every tensor with its shape."""
    return {
        "metadata": {name: hashlib.sha256(text.encode()).hexdigest() for name, text in metadata.items()},
        "tensors": {name: _checksum(tensor) for name, tensor in tensors.items()},
    }


def _checksum(tensor: NDArray[Any]) -> str:
    if tensor.dtype != np.float32:
        raise ValueError("tensors are saved in single precision")
    shape = json.dumps([int(size) for size in tensor.shape]).encode()
    return hashlib.sha256(shape + np.ascontiguousarray(tensor, "<f4").tobytes()).hexdigest()


def parsed(about: Mapping[str, Any], code: Mapping[str, Any]) -> Header:
    """The header; refuses weights that learnt on other statistics than those of the code.

    Raises:
        ValueError, LookupError, TypeError: it is no header of such weights.
    """
    if {name: about[name] for name in code} != code:
        raise ValueError("made by other code")
    text = {name: value for name, value in about.items() if name not in code}
    text["net"] = NetConfig(**text["net"])
    text["rows"], text["columns"] = _range(text["rows"]), _range(text["columns"])
    if not all(_is_name(text[name]) for name in ("name", "version")):
        raise ValueError("no name of weights")
    return Header(**text)


def _check_parent(header: Header) -> None:
    """Refuse weights adapted from others than those that ship, on which their report no longer holds."""
    about = header.training.get(ADAPTED)
    if about is not None and about["parent"] != hashlib.sha256(_content(SHIPPED)).hexdigest():
        raise _OtherParent


def _range(bounds: Any) -> tuple[int, int]:
    """A smallest and a largest number of things."""
    low, high = map(index, bounds)
    if not 0 < low <= high:
        raise ValueError("no range")
    return low, high


def _is_name(text: Any) -> bool:
    """Whether a text can name weights wherever they are shown."""
    return isinstance(text, str) and text.isprintable() and len(text) <= _LONGEST_NAME


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
    except _OtherWeights as error:
        text = f"{path.name} has another SHA-256 than these weights must have"
        raise ModelUnavailable(f"{text}; get the file again, or correct the setting") from error
    except _OtherParent as error:
        text = f"{path.name} was adapted from other weights than this version of mizzle has"
        raise ModelUnavailable(f"{text}; adapt again, with mizzle.adapt or mizzle adapt") from error
    except (
        OSError,
        SafetensorError,
        ArithmeticError,
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
