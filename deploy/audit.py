"""Known faults of what is shipped: locked packages (by pip-audit) and the page's libraries: `make audit`.

python3 deploy/audit.py [--online] [NAME==VERSION ...]     these packages beside the locked ones

It ends with 1 if a fault is known or the check fails. Where the database is out of reach it says NOT CHECKED
and ends with 0, or with 1 if it must be `--online`. A package with faults shows that the database answers.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections import defaultdict
from itertools import zip_longest
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
DATABASE = "https://api.osv.dev/v1/query"
FAULTY = ("PyPI", "jinja2", "2.4.1")
_SECONDS = 15


def faults(database: str, ecosystem: str, name: str, version: str) -> list[str]:
    """Identifiers of the faults that the database knows of a version.

    Raises:
        urllib.error.HTTPError: it answered with an error.
        OSError: it is out of reach.
    """
    query = {"package": {"ecosystem": ecosystem, "name": name}, "version": version}
    request = urllib.request.Request(
        database, json.dumps(query).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
        return [fault["id"] for fault in json.load(answer).get("vulns", [])]


def locked(folder: Path = ROOT / "deploy") -> list[Requirement]:
    """What the lock files name, for any platform and Python."""
    lines = [
        line for file in sorted(folder.glob("requirements*.txt")) for line in file.read_text().splitlines()
    ]
    return [Requirement(line.rstrip("\\ ")) for line in lines if re.match(r"\w\S*==", line)]


def rounds(pins: list[Requirement]) -> list[list[str]]:
    """Lines for pip-audit, which takes one version of a package, and drops what a marker excludes."""
    versions: dict[str, set[str]] = defaultdict(set)
    for pin in pins:
        versions[pin.name].add(f"{pin.name}{pin.specifier}")
    columns = zip_longest(*(sorted(lines) for lines in versions.values()))
    return [[line for line in column if line] for column in columns]


def audit_packages(database: str, pins: list[Requirement]) -> bool:
    """Whether pip-audit knows no fault of any; it prints what it knows."""
    clean = True
    with tempfile.TemporaryDirectory() as folder:
        for number, lines in enumerate(rounds(pins)):
            file = Path(folder) / f"{number}.txt"
            file.write_text("\n".join(lines))
            options = ("--no-deps", "--disable-pip", "--strict", "--progress-spinner", "off")
            service = ("--vulnerability-service", "osv", "--osv-url", database)
            command = [sys.executable, "-m", "pip_audit", *options, *service, "--requirement", str(file)]
            clean &= subprocess.run(command, check=False).returncode == 0
    return clean


def audit_page(database: str) -> bool:
    """Whether no fault is known of the page's libraries; it prints those that are."""
    libraries = json.loads((ROOT / "service/page/vendor/manifest.json").read_text())
    known = {name: faults(database, "npm", name, entry["version"]) for name, entry in libraries.items()}
    for name, identifiers in known.items():
        print(f"{name}: {', '.join(identifiers) or 'no known faults'}")
    return not any(known.values())


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="Look up known faults of what is shipped.")
    parser.add_argument("--online", action="store_true", help="fail where the database is out of reach")
    parser.add_argument("--database", default=DATABASE, help="an address that answers as OSV does")
    parser.add_argument("pins", nargs="*", type=Requirement, help="more packages, as NAME==VERSION")
    options = parser.parse_args()
    try:
        answers = faults(options.database, *FAULTY)
    except urllib.error.HTTPError:
        raise
    except OSError as error:
        print(f"NOT CHECKED: {options.database} is out of reach ({error})")
        return int(options.online)
    if not answers:
        print(f"NOT CHECKED: {options.database} knows no fault of {' '.join(FAULTY[1:])}, which has some")
        return 1
    clean = [audit_packages(options.database, [*locked(), *options.pins]), audit_page(options.database)]
    return int(not all(clean))


if __name__ == "__main__":
    sys.exit(main())
