"""The result of a job in three formats, and which of them a caller takes."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mizzle.errors import NotAcceptable
from mizzle.service.formats.registry import JSON, SAFETENSORS
from mizzle.service.jobs.rows import Head
from mizzle.tables.results import Matrix, Ranking, Record, csv_of

CSV = "text/csv"
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
_NUMBERS = ("mi", "low", "high", "median", "below")
_TYPES = {"f8": "F64", "i8": "I64", "b1": "BOOL"}
Result = Matrix | Ranking


def chosen(accept: str) -> str:
    """The media type of the answer to a header Accept; JSON where it leaves the choice.

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
    """How welcome a media type is: the most exact range decides (RFC 9110, 12.5.1)."""
    patterns = ("*/*", f"{media.partition('/')[0]}/*", media)
    found = {}
    for part in accept.lower().split(","):
        name, *parameters = map(str.strip, part.split(";"))
        if name in patterns:
            found[patterns.index(name)] = _weight(parameters)
    return found[max(found)] if found else 0.0


def _weight(parameters: list[str]) -> float:
    texts = [text.removeprefix("q=") for text in parameters if text.startswith("q=")]
    try:
        return min(max(float(texts[0]), 0.0), 1.0) if texts else 1.0
    except ValueError:
        return 0.0


def as_json(head: Head, result: Result) -> bytes:
    """An object: what all pairs have in common, and a record for each."""
    found = {**_common(head), "pairs": result.records()}
    return json.dumps(found, allow_nan=False).encode()


def as_csv(head: Head, result: Result) -> bytes:
    """The records with a header line (RFC 4180).

    A spreadsheet would compute a text that begins like a formula, so such names get an apostrophe in front.
    """
    return csv_of(map(_harmless, result.records()), result.shared()).encode()


def as_safetensors(head: Head, result: Result) -> bytes:
    """Tensors of one line a pair; names, warnings and errors as JSON in the metadata."""
    records = result.records()
    places = {name: place for place, name in enumerate(head.names)}
    tensors = {
        "pairs": np.array([(places[r["x"]], places[r["y"]]) for r in records], np.int64).reshape(-1, 2),
        "levels": np.array(head.levels),
        "quantiles": np.array([_quantiles(head, pair.estimate) for pair in result]),
        "n": np.array([r["n"] or 0 for r in records], np.int64),
        "dropped": np.array([r["dropped"] for r in records], np.int64),
        "in_range": np.array([bool(r["in_range"]) for r in records]),
        **{key: np.array([np.nan if r[key] is None else r[key] for r in records]) for key in _NUMBERS},
    }
    told = {key: json.dumps([r[key] for r in records]) for key in ("warnings", "error")}
    return _file(tensors, {"job": json.dumps(_common(head)), **told})


WRITERS: dict[str, Callable[[Head, Result], bytes]] = {
    JSON: as_json,
    CSV: as_csv,
    SAFETENSORS: as_safetensors,
}


def _common(head: Head) -> dict[str, Any]:
    """What all pairs of a result have in common."""
    shown = {"level": head.level, "unit": head.unit, "threshold": head.threshold}
    target = {} if head.what == "matrix" else {"target": head.names[-1]}
    return {
        "what": head.what,
        "names": list(head.names),
        **target,
        **shown,
        "model": head.model._asdict(),
    }


def _harmless(record: Record) -> Record:
    """Numbers stay numbers, a negative one too."""
    return {key: _quoted(cell) if isinstance(cell, str) else cell for key, cell in record.items()}


def _quoted(text: str) -> str:
    return f"'{text}" if text.startswith(_RISKY) else text


def _quantiles(head: Head, estimate: Any) -> tuple[float, ...]:
    if estimate is None:
        return (float("nan"),) * len(head.levels)
    values: tuple[float, ...] = estimate.values
    return values


def _file(tensors: Mapping[str, np.ndarray], metadata: dict[str, str]) -> bytes:
    """A safetensors file; the room of the service does without the package."""
    header: dict[str, Any] = {"__metadata__": metadata}
    end = 0
    for name, tensor in tensors.items():
        kind = _TYPES[tensor.dtype.str[1:]]
        offsets = [end, end := end + tensor.nbytes]
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": offsets}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *(t.tobytes() for t in tensors.values())])
