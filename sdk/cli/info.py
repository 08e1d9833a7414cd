"""The commands that say what there is, and whether it is as it should be."""

import json
from typing import Any

from mizzle.backends.info import ModelCard
from mizzle.cli import doctor as doctors
from mizzle.cli import options
from mizzle.cli.estimate import client_for
from mizzle.cli.terminal import fields, mark


def info(url: options.Url = None, as_json: options.Json = False) -> None:
    """Which weights answer, and what they were trained on."""
    with client_for(url) as client:
        card = client.info()
    if as_json:
        print(json.dumps(_json(card), allow_nan=False))
    else:
        fields(_lines(card))


def doctor(url: options.Url = None, as_json: options.Json = False) -> int:
    """Check the installation, the weights, the device and a known answer; with --url a service, too."""
    findings = []
    for finding in doctors.examine(url):
        findings.append(finding)
        if not as_json:
            mark(finding.good, f"{finding.name:<16}{finding.said}")
    good = all(finding.good for finding in findings)
    if as_json:
        print(json.dumps({"ok": good, "checks": [finding._asdict() for finding in findings]}))
    return 0 if good else 1


def _json(card: ModelCard) -> dict[str, Any]:
    ranges = {"rows": card.rows, "columns": card.columns, "levels": [card.levels[0], card.levels[-1]]}
    where = {"device": card.device, "threads": card.threads, "training": card.training}
    return {**card.info._asdict(), **ranges, **where}


def _lines(card: ModelCard) -> list[tuple[str, str]]:
    return [
        ("weights", f"{card.info.name} {card.info.version}"),
        ("sha256", card.info.sha256),
        ("trained rows", _range(card.rows)),
        ("trained columns", _range(card.columns, " a side")),
        ("levels", f"{card.levels[0]:g} to {card.levels[-1]:g}"),
        ("device", f"{card.device}, {card.threads} threads"),
    ]


def _range(bounds: tuple[int, int] | None, of: str = "") -> str:
    return "not said" if bounds is None else f"{bounds[0]} to {bounds[1]}{of}"
