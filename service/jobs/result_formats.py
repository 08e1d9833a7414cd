"""Write the result of a job in three formats, and choose the one that a caller prefers."""

import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from safetensors.numpy import save

from mizzle.errors import NotAcceptable
from mizzle.service.formats.registry import JSON, SAFETENSORS
from mizzle.service.jobs.rows import ResultHeader
from mizzle.tables.results import Matrix, Ranking, Record, csv_of
from mizzle.types import Estimate

CSV = "text/csv"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{0,9})?")  # float() would take words, spaces and underscores
_NUMBERS = ("mi", "low", "high", "median", "below")
Result = Matrix | Ranking


def preferred_media(accept: str) -> str:
    """Return the media type of the answer to a header Accept; JSON where it leaves the choice.

    Raises:
        NotAcceptable: it takes none of them.
    """
    quality = {media: _quality(media, accept or "*/*") for media in WRITERS}
    best = max(quality, key=lambda media: quality[media])
    if not quality[best]:
        raise NotAcceptable(
            f"the result comes as {', '.join(WRITERS)}; name one of them in the header Accept"
        )
    return best


def _quality(media: str, accept: str) -> float:
    """Return the quality of a media type: the most exact range decides (RFC 9110, 12.5.1)."""
    patterns = ("*/*", f"{media.partition('/')[0]}/*", media)
    by_exactness = {}
    for part in accept.lower().split(","):
        name, *parameters = map(str.strip, part.split(";"))
        if name in patterns:
            by_exactness[patterns.index(name)] = _weight(parameters)
    return by_exactness[max(by_exactness)] if by_exactness else 0.0


def _weight(parameters: list[str]) -> float:
    texts = [text.removeprefix("q=") for text in parameters if text.startswith("q=")]
    if not texts:
        return 1.0
    return min(float(texts[0]), 1.0) if _NUMBER.fullmatch(texts[0]) else 0.0


def as_json(header: ResultHeader, result: Result) -> bytes:
    """Write an object: what all pairs have in common, and a record for each."""
    content = {**_common(header), "pairs": result.records()}
    return json.dumps(content, allow_nan=False).encode()


def as_csv(header: ResultHeader, result: Result) -> bytes:
    """Write the records with a header line (RFC 4180).

    A spreadsheet would compute a text that begins like a formula, so such names get an apostrophe in front.
    """
    return csv_of(map(_without_formulas, result.records()), result.shared()).encode()


def as_safetensors(header: ResultHeader, result: Result) -> bytes:
    """Write tensors of one line a pair; names, warnings and errors as JSON in the metadata."""
    records = result.records()
    places = {name: place for place, name in enumerate(header.names)}
    tensors = {
        "pairs": np.array([(places[r["x"]], places[r["y"]]) for r in records], np.int64).reshape(-1, 2),
        "levels": np.array(header.levels),
        "quantiles": np.array([_quantiles(header, pair.estimate) for pair in result]),
        "n": np.array([r["n"] or 0 for r in records], np.int64),
        "dropped": np.array([r["dropped"] for r in records], np.int64),
        "in_range": np.array([bool(r["in_range"]) for r in records]),
        **{key: np.array([np.nan if r[key] is None else r[key] for r in records]) for key in _NUMBERS},
    }
    texts = {key: json.dumps([r[key] for r in records]) for key in ("warnings", "error")}
    return save(tensors, {"job": json.dumps(_common(header)), **texts})


WRITERS: dict[str, Callable[[ResultHeader, Result], bytes]] = {
    JSON: as_json,
    CSV: as_csv,
    SAFETENSORS: as_safetensors,
}


def _common(header: ResultHeader) -> dict[str, Any]:
    """Return what all pairs of a result have in common."""
    target = {} if header.what == "matrix" else {"target": header.names[-1]}
    return {
        "what": header.what,
        "names": list(header.names),
        **target,
        "level": header.level,
        "unit": header.unit,
        "threshold": header.threshold,
        "model": header.model._asdict(),
        "notices": [notice._asdict() for notice in header.notices],
    }


def _without_formulas(record: Record) -> Record:
    """Quote texts that a spreadsheet would compute; numbers stay numbers, a negative one too."""
    return {key: _quoted(cell) if isinstance(cell, str) else cell for key, cell in record.items()}


def _quoted(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _quantiles(header: ResultHeader, estimate: Estimate | None) -> tuple[float, ...]:
    return (float("nan"),) * len(header.levels) if estimate is None else estimate.values
