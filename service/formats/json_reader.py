"""JSON texts as Python values, by the parser that pydantic brings.

It holds the interpreter's lock until a text is read, and makes up to thirty times its size in objects, so the
size of bodies in JSON is limited: see `max_json_bytes` in the settings. Numbers of any size are read as they
are, and the literals NaN and Infinity, so that whoever checks the values can name the place of each. Of two
equal keys the last counts. A byte order mark may stand before the text (RFC 8259, 8.1).
"""

import codecs
import gc
from typing import Any

from pydantic_core import from_json

from mizzle.errors import Malformed


def parse_json(content: bytes) -> Any:
    """The value of a text.

    Raises:
        Malformed: it is no JSON in UTF-8, is nested deeper than 200 levels, or has an integer of more than
            4300 digits or half of a surrogate pair. The message tells the place and repeats nothing.
    """
    gc.disable()  # or every list made would be looked through for circles again and again: 156 ms for 49
    try:
        return from_json(content.removeprefix(codecs.BOM_UTF8), cache_strings=False)
    except ValueError as error:
        raise Malformed(f"the body is no JSON in UTF-8: {error}") from None
    finally:
        gc.enable()
