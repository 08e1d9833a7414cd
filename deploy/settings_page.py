"""The settings of the service as one page of Markdown, from where they are declared."""

import inspect
import re
from collections.abc import Iterator

from mizzle.service.settings import Settings

_HEAD = """# Settings of the service

Each is a variable of the environment, read once when the service starts. [Running the service](service.md)
says what they are good for.

| variable | default | what it is |
| --- | --- | --- |"""


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_rows()]) + "\n"


def _rows() -> Iterator[str]:
    text = inspect.getdoc(Settings) or ""
    for names, meaning in re.findall(r"^    ([a-z0-9_, ]+): (.+(?:\n        .+)*)$", text, re.MULTILINE):
        for name in names.split(", "):
            yield f"| `MIZZLE_{name.upper()}` | {_default(name)} | {' '.join(meaning.split()).rstrip('.')} |"


def _default(name: str) -> str:
    field = Settings.model_fields[name]
    if field.default_factory is not None:
        return "cores - 1"
    return "" if field.default in (None, "") else f"`{field.default}`"
