"""The files of docs/ that are written by command say what the code says; the description is valid OpenAPI."""

import json
import re
from importlib.metadata import version
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from write_pages import DOCS, pages

LOCK = Path(__file__).parents[2] / "deploy" / "requirements.txt"
WRITERS = ("fastapi", "pydantic")  # whose releases word the same interface differently


@pytest.fixture
def locked():
    """The versions with which the document is written."""
    pins = dict(re.findall(r"^([a-z-]+)==(\S+)", LOCK.read_text(), re.MULTILINE))
    return {name: pins[name] for name in WRITERS}


@pytest.mark.parametrize("name", pages())
def test_what_is_written_by_command_is_up_to_date(name, locked) -> None:
    found = {name: version(name) for name in WRITERS}
    if found != locked:
        pytest.skip(f"written with {locked}, and {found} is installed: make lock openapi")
    assert (DOCS / name).read_text("utf-8") == pages()[name], "run make openapi, and read the diff"


def test_it_is_valid() -> None:
    document = json.loads(pages()["openapi.json"])
    assert document["openapi"].startswith("3.1.")
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []
