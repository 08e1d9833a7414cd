"""What others wrote and we ship: folders of files with a manifest of version, licence and SHA-256.

A package is renewed by hand: `npm pack NAME@VERSION`, copy the files that its folder lists, set the version
in the manifest, and run `python tests/page/vendored.py`, which writes the hashes of what then lies there.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (ROOT / "service" / "page" / "vendor", ROOT / "tests" / "page" / "vendor")
MANIFEST = "manifest.json"


def manifest(folder: Path) -> dict[str, Any]:
    """The packages of a folder by name: version, licence, licence_file, files (SHA-256 by path)."""
    read: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    return read


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder, by path relative to it; the manifest's own is left out."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def renew(folder: Path) -> None:
    """Write the hashes of the files that lie there into the manifest; a new file needs a package first."""
    packages, found = manifest(folder), hashes(folder)
    for package in packages.values():
        place = package["folder"] + "/" if package["folder"] else ""
        package["files"] = {name: value for name, value in found.items() if name.startswith(place)}
    (folder / MANIFEST).write_text(json.dumps(packages, indent=2) + "\n")


if __name__ == "__main__":
    for each in FOLDERS:
        renew(each)
