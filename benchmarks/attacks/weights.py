"""Part 7: the weights that were meant, or none."""

import json
import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from attacks.judging import Attack, Figures, Group, Outcome
from attacks.service import SEED, serving, until
from mizzle import estimator
from mizzle.errors import ModelUnavailable
from mizzle.model.weights import SHIPPED


def is_all_refused(figures: Figures) -> bool:
    """Whether no false file was loaded."""
    return bool(figures["refused"] == figures["files"] > 0)


def is_unmoved(figures: Figures) -> bool:
    """Whether a file that changes after it was read changes no answer."""
    return bool(figures["status"] == 200 and figures["same"])


def is_ended(figures: Figures) -> bool:
    """Whether the service ended by itself, with an error."""
    return bool(figures["code"] not in (0, None))


TRUNCATED = Attack(
    7, "the weights file is cut to nothing while it is served", "answers stay as they were",
    "{status}, the same answer: {same}", is_unmoved,
)  # fmt: skip
FLIPS = Attack(
    7, "single bits of the weights file are flipped", "all refused", "{refused} of {files} refused",
    is_all_refused,
)  # fmt: skip
WRONG_PIN = Attack(
    7, "weights other than MIZZLE_WEIGHTS_SHA256 says", "the service ends with an error",
    "exit code {code}", is_ended,
)  # fmt: skip
LIES = Attack(
    7, "tensors of other precision, shape, number or scale under the file's own header", "all refused",
    "{refused} of {files} refused", is_all_refused,
)  # fmt: skip


def _truncated(quick: bool) -> Iterator[Outcome]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(shutil.copy(SHIPPED, folder))
        with serving(weights=path) as service:
            before = service.estimate()
            os.truncate(path, 0)
            after = service.estimate()
            yield TRUNCATED.outcome(status=after.status, same=_mi(before.json) == _mi(after.json))


def _mi(answer: Any) -> Any:
    return answer.get("mi")


def _wrong_pin(quick: bool) -> Iterator[Outcome]:
    with serving(weights_sha256="0" * 64, ready=False) as service:
        until(lambda: not service.alive, 15.0)
        yield WRONG_PIN.outcome(code=service.process.poll())


def _false_files(quick: bool) -> Iterator[Outcome]:
    with tempfile.TemporaryDirectory() as folder:
        yield FLIPS.outcome(**_refused(_flips(Path(folder) / "flipped.safetensors", 15 if quick else 100)))
        yield LIES.outcome(**_refused(_lies(Path(folder) / "false.safetensors")))


def _refused(files: Iterator[Path]) -> dict[str, int]:
    verdicts = [_is_refused(path) for path in files]
    return {"files": len(verdicts), "refused": sum(verdicts)}


def _is_refused(path: Path) -> bool:
    try:
        estimator.load(path)
    except ModelUnavailable:
        return True
    return False


def _flips(path: Path, count: int) -> Iterator[Path]:
    """Copies of the shipped file with one flipped bit; a quarter of them in the header."""
    content, rng = bytearray(SHIPPED.read_bytes()), random.Random(SEED)
    end = 8 + int.from_bytes(content[:8], "little")
    for i in range(count):
        place = rng.randrange(end) if i % 4 == 0 else rng.randrange(end, len(content))
        content[place] ^= 1 << i % 8
        path.write_bytes(content)
        yield path
        content[place] ^= 1 << i % 8


def _lies(path: Path) -> Iterator[Path]:
    """Files whose tensors are not those that the header was written for."""
    with safe_open(SHIPPED, framework="numpy") as file:
        metadata = file.metadata()
    tensors = load_file(SHIPPED)
    first = next(name for name, t in tensors.items() if t.ndim == 2 and t.shape[0] != t.shape[1])
    changes: list[dict[str, np.ndarray]] = [
        {name: tensor.astype(dtype) for name, tensor in tensors.items()} for dtype in (np.float16, np.float64)
    ]
    changes += [
        tensors | {first: tensors[first].astype(np.float16)},
        tensors | {first: np.ascontiguousarray(tensors[first].T)},
        tensors | {first: tensors[first].reshape(-1)},
        tensors | {first: tensors[first] * np.float32(1.02)},
        tensors | {first: np.full_like(tensors[first], np.nan)},
        tensors | {"one more": np.zeros(3, np.float32)},
        {name: tensor for name, tensor in tensors.items() if name != first},
    ]
    for change in changes:
        save_file(change, path, metadata)
        yield path
    about = json.loads(metadata["mizzle"]) | {"version": "99"}
    save_file(tensors, path, metadata | {"mizzle": json.dumps(about)})
    yield path


GROUPS = (
    Group(_truncated, (TRUNCATED,)),
    Group(_wrong_pin, (WRONG_PIN,)),
    Group(_false_files, (FLIPS, LIES)),
)
