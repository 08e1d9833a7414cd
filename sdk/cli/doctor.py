"""Whether this installation, and a service, do what they should: one finding a check, with what to do."""

import base64
import csv
import platform
import re
import time
from collections.abc import Callable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mizzle import estimator as estimators
from mizzle import selftest
from mizzle.client import Client
from mizzle.errors import MizzleError
from mizzle.estimator import EstimatorLike
from mizzle.types import ModelInfo

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*(?:\[(.*?)\])?")
_EXTRA = re.compile(r"\bextra\s*==\s*['\"](.+?)['\"]")
_PLATFORM = re.compile(r"^(cuda|hip)\b[^=\n]*= *['\"](.+)['\"]", re.MULTILINE)
_PLATFORMS = {"cuda": "CUDA", "hip": "ROCm"}
_REMEDY = (
    "there is no GPU here that it can use; a build for CPUs is much smaller: "
    "pip uninstall torch triton and what begins with nvidia-, "
    "then pip install torch --index-url with the address of PyTorch's CPU wheels"
)
_EXTRAS = {
    "local": ("torch", "jaxtyping"),
    "service": ("fastapi", "uvicorn", "pydantic"),
    "cli": ("typer", "rich", "pyarrow"),
    "plot": ("matplotlib",),
    "adapt": ("scipy", "zuko"),
    "sklearn": ("scikit-learn",),
}


class Finding(NamedTuple):
    """What a check found: its name, whether all is well, and in words what is, or what to do."""

    name: str
    good: bool
    said: str


def examine(url: str | None = None) -> Iterator[Finding]:
    """All checks, one after another; never raises.

    Args:
        url: of a service, which is then examined, too; where nothing here could answer, it is examined alone.
    """
    yield Finding("python", True, platform.python_version())
    yield from _installed()
    loaded: list[EstimatorLike] = []
    if url is not None and not _can_answer():
        text = "not loaded here: torch is not installed, and asking a service needs none"
        yield Finding("weights", True, text)
    else:
        yield from _here(loaded)
    if url is not None:
        yield from _service(url, loaded[0].info if loaded else None)


def _installed() -> Iterator[Finding]:
    """The package, numpy, and what there is of the extras."""
    mizzle = _version("mizzle")
    text = mizzle or "the package is not installed; run pip install mizzle"
    yield Finding("mizzle", mizzle is not None, text)
    yield Finding("numpy", True, np.__version__)
    for extra, names in _EXTRAS.items():
        versions = {name: _version(name) for name in names}
        lacking = [name for name, known in versions.items() if known is None]
        have = ", ".join(f"{name} {known}" for name, known in versions.items() if known)
        hint = f"without {', '.join(lacking)}; if needed: pip install 'mizzle[{extra}]'" if lacking else ""
        yield Finding(f"extra {extra}", True, "; ".join(filter(None, (have, hint))))


def _can_answer() -> bool:
    """Whether anything in this process could estimate."""
    return estimators.compiled().reason is None or _version("torch") is not None


def _here(loaded: list[EstimatorLike]) -> Iterator[Finding]:
    """The estimator in this process, which is put into the list, and what it runs on."""
    yield _tried("weights", lambda: _weights(loaded))
    yield _tried("engine", lambda: (True, _engine(loaded[0].card.get("engine") if loaded else None)))
    if _version("torch") is not None:
        device = loaded[0].device if loaded else None
        yield _tried("torch", lambda: (True, torch_build(device)))
    if loaded:
        yield Finding("device", True, f"{loaded[0].device}, {loaded[0].threads} threads")
        yield _tried("known answer", lambda: _known(Client.local(loaded[0])))


def _engine(name: str | None) -> str:
    """Which engine answers, if any does, and what is known of the compiled one."""
    instructions, reason = estimators.compiled()
    compiled = reason or f"the compiled engine is here, for {instructions} instructions"
    if name == "native":
        return f"compiled, for {instructions} instructions"
    if reason is None or name is None:
        return f"{name or 'unknown'}; {compiled}"
    return f"{name}, which takes its place and several times as long: {compiled}"


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _tried(name: str, check: Callable[[], tuple[bool, str]]) -> Finding:
    """What a check found, or the error that it ended in."""
    try:
        return Finding(name, *check())
    except MizzleError as error:
        return Finding(name, False, str(error))
    except Exception as error:  # a broken torch may raise anything
        return Finding(
            name, False, f"{type(error).__name__} came up; reinstall: pip install --force-reinstall mizzle"
        )


def _weights(loaded: list[EstimatorLike]) -> tuple[bool, str]:
    """Load them, and compare their hash with the one that the installer noted."""
    model = estimators.load(device="auto")
    noted, text = _noted(), f"{model.info.name} {model.info.version}, sha256 {model.info.sha256}"
    if noted is not None and noted != model.info.sha256:
        return False, f"{text} differs from {noted}, which was installed; reinstall the package"
    loaded.append(model)
    return True, f"{text}, {'as installed' if noted else 'read from a working copy, which notes no hash'}"


def _noted() -> str | None:
    """The weights' SHA-256 in the installation's own list of files; none in an editable installation."""
    try:
        listed = distribution("mizzle").files or []
    except PackageNotFoundError:
        return None
    hashes = [f.hash for f in listed if f.name == "mizzle.safetensors" and f.hash and f.hash.mode == "sha256"]
    if not hashes or hashes[0] is None:
        return None
    return base64.urlsafe_b64decode(hashes[0].value + "=").hex()


def _known(client: Client) -> tuple[bool, str]:
    """The known sample, asked of this client."""
    start = time.perf_counter()
    answer = client.estimate(*selftest.sample())
    took = f"{1000 * (time.perf_counter() - start):.0f} ms"
    text = f"{answer.mi:.3f} nats where {selftest.TRUTH:.3f} is true, in {took}"
    if selftest.is_right(answer.mi):
        return True, text
    return False, f"{text}; that is wrong: the weights, torch or the processor cannot be trusted"


def _service(url: str, here: ModelInfo | None) -> Iterator[Finding]:
    """The service at an address."""
    try:
        client = Client(url)
    except MizzleError as error:
        yield Finding("service", False, str(error))
        return
    with client:
        reached = _tried("service", lambda: (True, _described(client, here)))
        yield reached
        if reached.good:
            yield _tried("service ready", lambda: _ready(client))
            yield _tried("service answer", lambda: _known(client))


def _described(client: Client, here: ModelInfo | None) -> str:
    card = client.info()
    same = "" if here is None else ", as here" if here.sha256 == card.info.sha256 else ", not those here"
    return f"{card.info.name} {card.info.version}, sha256 {card.info.sha256}{same}; {card.device}"


def _ready(client: Client) -> tuple[bool, str]:
    if client.ready():
        return True, "it answers its own known problem rightly"
    return (
        False,
        "it says that it is not; it may be starting or stopping, and its log says what is the matter",
    )


def torch_build(device: str | None) -> str:
    """Version, build and size of torch, and what to do where it is needlessly large.

    Read from what the installer noted and torch's own file of its version: to import torch takes seconds.

    Args:
        device: on which it runs, "cpu" or "cuda"; None where it does not run.

    Raises:
        PackageNotFoundError: it is not installed.
    """
    torch = distribution("torch")
    platform = _platform(torch)
    parts = [f"{torch.version}, a build for {platform}", _disk_space(torch)]
    if device == "cpu" and platform.startswith(tuple(_PLATFORMS.values())):
        parts.append(_REMEDY)
    return "; ".join(filter(None, parts))


def _platform(torch: Distribution) -> str:
    """What torch was built for, say "CUDA 12.8"."""
    try:
        text = Path(str(torch.locate_file("torch/version.py"))).read_text()
    except OSError:
        return "an unknown platform"
    match = _PLATFORM.search(text)
    return f"{_PLATFORMS[match[1]]} {match[2]}" if match else "CPUs"


def _disk_space(torch: Distribution) -> str:
    """How much torch takes with all that it brought along; empty where the installer noted no sizes."""
    packages = _with_requirements(torch)
    size = sum(map(_size, packages.values()))
    others = f" with the {len(packages) - 1} packages that it needs" if len(packages) > 1 else ""
    return f"{size / 1e9:.1f} GB on disk{others}" if size else ""


def _with_requirements(root: Distribution) -> dict[str, Distribution]:
    """A distribution and all that it needs, directly or not, as far as it is installed."""
    packages: dict[str, Distribution] = {}
    pending = [(root, frozenset[str]())]
    while pending:
        package, extras = pending.pop()
        packages[package.name] = package
        for name, its_extras in _requirements(package, extras):
            needed = _distribution(name)
            if needed is not None and needed.name not in packages:
                pending.append((needed, its_extras))
    return packages


def _requirements(package: Distribution, extras: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """Names of what a distribution with these extras needs, each with the extras that are needed of it."""
    for text in package.requires or []:
        requirement, extra = _REQUIREMENT.match(text), _EXTRA.search(text)
        if requirement and (extra is None or extra[1] in extras):
            yield requirement[1], frozenset(re.findall(r"[^,\s]+", requirement[2] or ""))


def _distribution(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def _size(package: Distribution) -> int:
    """Bytes of a distribution's files, as the installer noted them; 0 where it did not."""
    lines = csv.reader((package.read_text("RECORD") or "").splitlines())
    return sum(int(size) for *_, size in lines if size.isdecimal())
