"""Which build of torch is installed, and how large it is: one for CUDA takes several times as much disk.

Read from what the installer noted and from torch's own file of its version: to import torch takes seconds.
"""

import csv
import re
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*(?:\[(.*?)\])?")
_EXTRA = re.compile(r"\bextra\s*==\s*['\"](.+?)['\"]")
_PLATFORM = re.compile(r"^(cuda|hip)\b[^=\n]*= *['\"](.+)['\"]", re.MULTILINE)
_PLATFORMS = {"cuda": "CUDA", "hip": "ROCm"}
_REMEDY = (
    "there is no GPU here that it can use; a build for CPUs is much smaller: "
    "pip uninstall torch triton and what begins with nvidia-, "
    "then pip install torch --index-url with the address of PyTorch's CPU wheels"
)


def described(device: str | None) -> str:
    """Version, build and size of torch, and what to do where it is needlessly large.

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
            needed = _installed(name)
            if needed is not None and needed.name not in packages:
                pending.append((needed, its_extras))
    return packages


def _requirements(package: Distribution, extras: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """Names of what a distribution with these extras needs, each with the extras that are needed of it."""
    for text in package.requires or []:
        requirement, extra = _REQUIREMENT.match(text), _EXTRA.search(text)
        if requirement and (extra is None or extra[1] in extras):
            yield requirement[1], frozenset(re.findall(r"[^,\s]+", requirement[2] or ""))


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def _size(package: Distribution) -> int:
    """Bytes of a distribution's files, as the installer noted them; 0 where it did not."""
    lines = csv.reader((package.read_text("RECORD") or "").splitlines())
    return sum(int(size) for *_, size in lines if size.isdecimal())
