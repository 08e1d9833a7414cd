"""Looks for secrets in the files that git tracks: `make secrets`.

python3 deploy/secret_scan.py [FILE ...]     1 if there are any, with file, line and kind

All detectors of detect-secrets run, and one for the service's own keys. Left out are files that a digest pins
or that hold a fixture of bytes, and values that are digests by their names. A line that may stay is marked
`pragma: allowlist secret`.
"""

import argparse
import os
import re
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class as known_detectors
from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.filters import heuristic
from detect_secrets.plugins.base import RegexBasedDetector
from detect_secrets.settings import get_settings

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = (
    "service/page/vendor/",  # as published; the manifest has their digests, which a test compares
    "tests/page/vendor/",
    "tests/service/jobs/written_by_0_9.sql",  # a database, as hexadecimal digits
)
# What every detector needs: a word of some length, a name of a secret before it, or an address.
_CANDIDATE = re.compile(r"[\w+/=-]{12}|key|pass|pwd|secret|contrase|://", re.IGNORECASE)
_NUMBERS = re.compile(r'\s*("[\w ]+": )?[-+\d.,e ]*\n?')
_PICTURE = re.compile(r'\s*"image/png": "')
_LOCKED = re.compile(r"\s*--hash=sha256:[0-9a-f]{64}( \\)?\n?")
_DIGEST = r'"(commit|sha256|weights|[\w.-]+\.safetensors)": "{0}"|"{0}",  # \w+\.safetensors'


class MizzleKey(RegexBasedDetector):
    """What `mizzle key` prints."""

    secret_type = "key of a service"  # pragma: allowlist secret
    denylist = (re.compile(r"\bmz_[\w-]{43}\b"),)


def is_harmless(line: str) -> bool:
    """Whether a line holds short words, numbers, a notebook's picture or a locked package's hash."""
    return (
        _CANDIDATE.search(line) is None
        or any(pattern.fullmatch(line) for pattern in (_NUMBERS, _LOCKED))
        or _PICTURE.match(line) is not None
    )


def is_digest(line: str, secret: str) -> bool:
    """Whether the line names a value as a digest or a commit."""
    return re.search(_DIGEST.format(re.escape(secret)), line) is not None


def configure() -> None:
    """Sets this process's detectors and filters."""
    here = f"file://{__file__}"
    settings = get_settings()
    detectors: dict[str, type] = known_detectors()
    settings.configure_plugins([{"name": detector.__name__} for detector in detectors.values()])
    settings.configure_plugins([{"name": MizzleKey.__name__, "path": here}])
    known_detectors.cache_clear()
    settings.disable_filters(f"{heuristic.__name__}.is_swagger_file")  # it leaves files out by their names
    ours: dict[str, dict[str, str]] = {f"{here}::{own.__name__}": {} for own in (is_harmless, is_digest)}
    settings.filters = {**ours, **settings.filters}  # in this order, as most lines are harmless


def scan(paths: list[str]) -> list[str]:
    """What is in files: a line of text for each secret, which does not repeat it."""
    secrets = SecretsCollection(root=str(ROOT))
    for path in paths:
        secrets.scan_file(path)
    return [f"{path}:{secret.line_number}: {secret.type}" for path, secret in secrets]


def tracked() -> list[str]:
    """Paths that git tracks, without those that are left out."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE
    )
    return [path for path in listed.stdout.split("\0") if path and not path.startswith(LEFT_OUT)]


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="Look for secrets in what git tracks.")
    parser.add_argument("files", nargs="*", help="these instead")
    files = parser.parse_args().files or tracked()
    parts = os.cpu_count() or 1
    with ProcessPoolExecutor(parts, initializer=configure) as pool:
        results = pool.map(scan, [files[part::parts] for part in range(parts)])
        secrets = sorted(line for lines in results for line in lines)
    print("\n".join(secrets) or f"no secrets in {len(files)} files")
    return int(bool(secrets))


if __name__ == "__main__":
    sys.exit(main())
