"""The log: one line a record, with the id of the request that is being answered.

Messages of unforeseen exceptions may quote data, so their tracebacks come without them, except at level
"debug".
"""

import json
import logging
import traceback
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from mizzle.errors import MizzleError

request_id: ContextVar[str | None] = ContextVar("mizzle_request_id", default=None)
_CONTROLS = (*range(32), *range(127, 160), 0x2028, 0x2029)
_ESCAPES = {code: f"\\u{code:04x}" for code in _CONTROLS}


def configure(level: str, as_json: bool) -> None:
    """Make the process log to standard error.

    Args:
        level: the lowest level that is logged, as logging names it, in lower case.
        as_json: whether lines are JSON objects, or text for people.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(Lines(as_json, quoting=level == "debug"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


class Lines(logging.Formatter):
    """Records as lines, with the id of the request and the fields of the record (`extra={"fields": ..}`).

    Args:
        as_json: a JSON object a line; else text, where a traceback follows on indented lines.
        quoting: whether tracebacks have the messages of all exceptions.
    """

    def __init__(self, as_json: bool, quoting: bool = False) -> None:
        super().__init__()
        self._as_json = as_json
        self._quoting = quoting

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": request_id.get(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1]:
            line["traceback"] = _traceback(record.exc_info[1], self._quoting)
        return json.dumps(line).replace("\x7f", "\\u007f") if self._as_json else _text(line)


def _text(line: dict[str, Any]) -> str:
    rows = line.pop("traceback", "").splitlines()
    head = "{} {} {}: {}".format(*(line.pop(name) for name in ("time", "level", "logger", "message")))
    rest = "".join(f" {name}={value}" for name, value in line.items() if value is not None)
    return "\n    ".join(row.translate(_ESCAPES) for row in (head + rest, *rows))


def _traceback(error: BaseException, quoting: bool) -> str:
    return "".join(_frames(origin, quoting) for origin in _origins(error, set()))


def _frames(error: BaseException, quoting: bool) -> str:
    quoted = quoting or isinstance(error, MizzleError)  # ours never repeat data
    last = type(error).__qualname__ + (f": {error}" if quoted else "") + "\n"
    return "".join([*traceback.format_tb(error.__traceback__), last])


def _origins(error: BaseException | None, met: set[int]) -> Iterator[BaseException]:
    """An exception after those that it came from, or that it groups; each once."""
    if error is None or id(error) in met:
        return
    met.add(id(error))
    yield from _origins(error.__cause__ or (None if error.__suppress_context__ else error.__context__), met)
    for part in getattr(error, "exceptions", ()):
        yield from _origins(part, met)
    yield error
