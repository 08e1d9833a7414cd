"""docs/openapi.json is what the service says of itself, and is valid OpenAPI."""

import json
import re
from importlib.metadata import version
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from deploy.write_openapi import FILE, text

LOCK = Path(__file__).parents[2] / "deploy" / "requirements.txt"
WRITERS = ("fastapi", "pydantic")  # whose releases word the same interface differently


@pytest.fixture
def locked():
    """The versions with which the document is written."""
    pins = dict(re.findall(r"^([a-z-]+)==(\S+)", LOCK.read_text(), re.MULTILINE))
    return {name: pins[name] for name in WRITERS}


def test_the_document_is_what_the_service_says(locked):
    found = {name: version(name) for name in WRITERS}
    if found != locked:
        pytest.skip(f"written with {locked}, and {found} is installed: make lock openapi")
    assert FILE.read_text("utf-8") == text(), "the interface has changed: run make openapi, and read the diff"


def test_it_is_valid():
    document = json.loads(text())
    assert document["openapi"].startswith("3.1.")
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []
