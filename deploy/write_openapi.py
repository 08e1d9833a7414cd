"""Writes docs/openapi.json, which is what /openapi.json answers: `make openapi`."""

import json
from pathlib import Path

from mizzle.service.app import create_app
from mizzle.service.settings import Settings

FILE = Path(__file__).resolve().parent.parent / "docs" / "openapi.json"


def text() -> str:
    """The document with one member a line, so that a change of it can be read."""
    return json.dumps(create_app(Settings()).openapi(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), "utf-8")
