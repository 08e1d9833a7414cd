"""Records of estimates and of pairs as frames of other libraries, as lines of text and as HTML.

Everything here takes plain values: records with the keys of `mizzle.tables.results.KEYS`, and the header that
they share (level, unit, threshold ..). pandas, polars and pyarrow are imported when a frame is wanted.
"""

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Literal

from mizzle.data.names import quoted_name
from mizzle.errors import InvalidInput
from mizzle.extras import load
from mizzle.types import SHOWN_NOTICES, severest

Library = Literal["pandas", "polars", "pyarrow"]
Record = Mapping[str, Any]
_TEXT, _FLOAT, _INT, _BOOL = range(4)
_KINDS = {
    **dict.fromkeys(("x", "y", "warnings", "error", "unit", "reduced"), _TEXT),
    **dict.fromkeys(("mi", "low", "high", "median", "below", "pvalue", "pvalue_bh"), _FLOAT),
    **dict.fromkeys(("n", "dropped", "dim_x", "dim_y", "dim_z"), _INT),
    "in_range": _BOOL,
    "lag": _INT,
    "pvalue": _FLOAT,
    "pvalue_bh": _FLOAT,
}
_TYPES = {
    "pandas": ("string", "float64", "Int64", "boolean"),
    "polars": ("String", "Float64", "Int64", "Boolean"),
    "pyarrow": ("string", "float64", "int64", "bool_"),
}
_CLASS = "mizzle tex2jax_ignore mathjax_ignore"  # a notebook would set dollars in names as formulas


def frame(
    records: Sequence[Record], keys: Sequence[str], library: Library, header: Record | None = None
) -> Any:
    """Records as a frame of that library, whose types do not depend on the values.

    Args:
        keys: the columns, in order; every record has them.
        header: what the records have in common; JSON under `mizzle` in the metadata of a pyarrow table.

    Raises:
        InvalidInput: the library is none of "pandas", "polars" and "pyarrow".
        MissingExtra: it is not installed.
    """
    if library not in _TYPES:
        raise InvalidInput("the library must be 'pandas', 'polars' or 'pyarrow'")
    module = load(library, f"pip install {library}")
    types = {key: _TYPES[library][_KINDS[key]] for key in keys}
    cells = {key: [record[key] for record in records] for key in keys}
    if library == "pandas":
        return module.DataFrame({key: module.Series(cells[key], dtype=types[key]) for key in keys})
    if library == "polars":
        return module.DataFrame(cells, schema={key: getattr(module, types[key]) for key in keys})
    metadata = {} if header is None else {"mizzle": json.dumps(header)}
    schema = module.schema([(key, getattr(module, types[key])()) for key in keys], metadata=metadata)
    return module.table(cells, schema=schema)


def text(title: str, records: Sequence[Record], total: int, header: Record) -> str:
    """A title, a line for each record, and a line that says how many of `total` records are left out."""
    left = total - len(records)
    more = [f"  and {left} more; to_frame() has all"] if left else []
    return "\n".join([title, *(f"  {_line(record, header)}" for record in records), *more])


def _line(record: Record, header: Record) -> str:
    """A pair in one line; of a ranking, every `y` is the target and is not repeated."""
    keys = ("x",) if header["kind"] == "ranking" else ("x", "y")
    names = ", ".join(quoted_name(record[key]) for key in keys)
    if record["error"] is not None:
        return f"{names}: {_message(record)}"
    interval = f"{100 * header['level']:.4g}% [{_number(record['low'])}, {_number(record['high'])}]"
    codes = _codes(record)
    noticed = f" ({', '.join(codes)})" if codes else ""
    return f"{names}: {_number(record['mi'])} {header['unit']}, {interval}{_pvalue(record)}{noticed}"


def _pvalue(record: Record) -> str:
    """The p-values of a pair that has some."""
    if record.get("pvalue") is None:
        return ""
    return f", p={record['pvalue']:.3g} (BH {record['pvalue_bh']:.3g})"


def html(title: str, records: Sequence[Record], total: int, header: Record) -> str:
    """Records of pairs as an HTML table; names and messages are escaped.

    Args:
        total: how many records there are, of which `records` are the strongest.
    """
    interval, below = f"{100 * header['level']:.4g} % interval", f"below {header['threshold']:.4g}"
    tested = ("p (BH)",) if "surrogates" in header else ()
    heads = ("x", "y", f"MI ({header['unit']})", interval, below, "rows", *tested, "noticed")
    more = f"; the strongest {len(records)}" if len(records) < total else ""
    noticed = "".join(f"; {notice['message']}" for notice in header["notices"])
    return _table(f"{title}{more}{noticed}", heads, [_cells(record) for record in records])


def estimate_html(record: Record, messages: str) -> str:
    """A single estimate as an HTML table of one line.

    Args:
        messages: of its warnings.
    """
    width = f"{record['dim_x']} + {record['dim_y']}"
    heads = (f"MI ({record['unit']})", "90 % interval", "rows", "columns", "warnings")
    cells = [_number(record["mi"]), _interval(record), str(record["n"]), width, escape(messages)]
    return _table("", heads, [cells])


def _cells(record: Record) -> list[str]:
    """A pair's cells of HTML."""
    names = [escape(record["x"]), escape(record["y"])]
    tested = [_pvalue(record).removeprefix(", p=")] if "pvalue" in record else []
    if record["error"] is not None:
        return [*names, "", "", "", "", *tested, escape(_message(record))]
    dropped = f" ({record['dropped']} dropped)" if record["dropped"] else ""
    numbers = [_number(record["mi"]), _interval(record), f"{record['below']:.1%}"]
    return [*names, *numbers, f"{record['n']}{dropped}", *tested, escape(" ".join(_codes(record)))]


def _codes(record: Record) -> list[str]:
    """The notices that a line shows; the record has all."""
    return severest(record["warnings"].split(), SHOWN_NOTICES)


def _message(record: Record) -> str:
    """The sentence of an error, without the code that stands before it."""
    return str(record["error"]).partition(": ")[2]


def _number(value: float) -> str:
    return f"{value:.3f}"


def _interval(record: Record) -> str:
    return f"{_number(record['low'])} to {_number(record['high'])}"


def _table(caption: str, heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Cells that are escaped already; the caption is not yet."""
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    top = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    rows = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in line) + "</tr>" for line in lines)
    return f'<table class="{_CLASS}">{title}<thead><tr>{top}</tr></thead><tbody>{rows}</tbody></table>'
