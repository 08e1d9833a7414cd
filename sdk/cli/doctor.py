"""Whether this installation, and a service, do what they should: one finding a check, with what to do."""

import base64
import platform
import time
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, distribution, version
from typing import NamedTuple

import numpy as np

from mizzle import estimator as estimators
from mizzle import selftest
from mizzle.cli import torch_build
from mizzle.client import Client
from mizzle.errors import MizzleError
from mizzle.estimator import EstimatorLike
from mizzle.types import ModelInfo

_EXTRAS = {
    "local": ("torch", "jaxtyping"),
    "service": ("fastapi", "uvicorn", "pydantic"),
    "cli": ("typer", "rich", "pyarrow"),
    "plot": ("matplotlib",),
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
        yield _tried("torch", lambda: (True, torch_build.described(device)))
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
