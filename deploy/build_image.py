"""Builds the image without a daemon: buildah on a base made by debootstrap. As root, on Debian.

python3 deploy/build_image.py --storage DIR [--base IMAGE]     what stays in DIR is buildah's storage

What pip is told on this machine about indexes, wheels and certificates also holds inside the build. uv is
told of the folders with wheels, and looks nowhere else if a CPU wheel of torch is among them.
"""

import argparse
import ast
import configparser
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IMAGE = "localhost/mizzle:test"
_BASE = "localhost/python:slim"
_SUITE = "bookworm"
_PACKAGES = "python3,python3-venv,ca-certificates"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_TRUST_ALL = {"default": [{"type": "insecureAcceptAnything"}]}
_SCOPES = ("global", "user", "site", ":env:")  # of pip's settings, the last one wins


class Buildah:
    """The program with a storage of its own."""

    def __init__(self, storage: Path) -> None:
        self.storage = storage
        self._scratch = storage / "tmp"
        self._scratch.mkdir(parents=True, exist_ok=True)
        self.policy = storage / "policy.json"
        self.policy.write_text(json.dumps(_TRUST_ALL))

    def run(self, *arguments: object, show: bool = False) -> str:
        """What it prints; `show` lets it through instead.

        Raises:
            CalledProcessError: it failed.
        """
        at = ("--root", self.storage / "root", "--runroot", self.storage / "run")
        done = subprocess.run(
            list(map(str, ("buildah", "--storage-driver", "vfs", *at, *arguments))),
            check=True,
            text=True,
            stdout=None if show else subprocess.PIPE,
            env={**os.environ, "TMPDIR": str(self._scratch)},  # its cache mounts lie there
        )
        return (done.stdout or "").strip()


def make_base(buildah: Buildah) -> str:
    """A Debian with Python and little else, as an image; its name."""
    container = buildah.run("from", "scratch")
    tree = Path(buildah.run("mount", container))
    bootstrap = ("debootstrap", "--variant=minbase", f"--include={_PACKAGES}", _SUITE, tree)
    subprocess.run(list(map(str, bootstrap)), check=True, stdout=subprocess.DEVNULL)
    for emptied in ("var/cache/apt", "var/lib/apt/lists"):
        shutil.rmtree(tree / emptied)
        (tree / emptied).mkdir()
    buildah.run("umount", container)
    buildah.run("config", "--env", f"PATH={_PATH}", container)
    buildah.run("commit", "--quiet", "--rm", "--format", "docker", container, _BASE)
    return _BASE


def build(buildah: Buildah, base: str) -> str:
    """The image of this tree; its name."""
    settings = pip_settings()
    texts = {"/etc/pip.conf": _as_ini(settings), "/etc/uv/uv.toml": _for_uv(settings)}
    mounts = {inside: _written(buildah.storage / Path(inside).name, text) for inside, text in texts.items()}
    mounts |= {str(path): path for path in _paths(settings)}
    buildah.run(
        *("bud", "--isolation", "chroot", "--format", "docker", "--layers=false"),
        *("--signature-policy", buildah.policy),
        *(f"--volume={path}:{inside}:ro" for inside, path in mounts.items()),
        *(f"--build-arg=PYTHON_IMAGE={base}", "--tag", IMAGE, ROOT),
        show=True,
    )
    return IMAGE


def pip_settings() -> dict[str, str]:
    """What pip goes by on this machine: its configuration files and PIP_*, by name without section."""
    command = (sys.executable, "-m", "pip", "config", "list")
    listed = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout.splitlines()
    pairs = (line.partition("=")[::2] for line in listed)
    found = [(*name.rpartition(".")[::2], ast.literal_eval(value)) for name, value in pairs]
    found.sort(key=lambda setting: _SCOPES.index(setting[0]) if setting[0] in _SCOPES else 0)
    return {name: value for _, name, value in found}


def _as_ini(settings: dict[str, str]) -> str:
    parser = configparser.RawConfigParser()
    lines = [f"{name} = {value}".replace("\n", "\n  ") for name, value in settings.items()]
    parser.read_string("\n".join(["[global]", *lines]))  # what pip could not read fails here
    return "\n".join(["[global]", *lines, ""])


def _paths(settings: dict[str, str]) -> Iterator[Path]:
    """Files and folders that settings point to; of an index on disk also the files beside its pages."""
    for word in " ".join(settings.values()).split():
        path = Path(word.removeprefix("file://"))
        if path.is_absolute() and path.exists():
            yield path.parent if word.startswith("file://") else path


def _for_uv(settings: dict[str, str]) -> str:
    """uv's settings: the folders, in which a CPU wheel of torch stands for the index of such wheels."""
    folders = settings.get("find-links", "").split()
    there = any(list(Path(folder).glob("torch-*+cpu-*.whl")) for folder in folders)
    return f"find-links = {json.dumps(folders)}\noffline = {json.dumps(there)}\n"


def _written(file: Path, text: str) -> Path:
    file.write_text(text)
    return file


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Build the image with buildah.")
    parser.add_argument("--storage", type=Path, required=True, help="a folder for buildah's storage")
    parser.add_argument("--base", help="an image that can be pulled, instead of one made by debootstrap")
    options = parser.parse_args()
    buildah = Buildah(options.storage.resolve())
    print(build(buildah, options.base or make_base(buildah)))


if __name__ == "__main__":
    main()
