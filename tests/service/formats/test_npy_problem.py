"""What is particular to .npy: its header, its versions, orders and types, and its parameters."""

import io
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from mizzle import errors
from mizzle.service.formats import npy_problem

GRID = (0.005, 0.5, 0.995)
TABLE = np.array([[0.5 * i, (-1.0) ** i, i * i] for i in range(12)])
DATA = TABLE.tobytes()


def written(array, version=(1, 0)):
    """As numpy itself writes it."""
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version=version, allow_pickle=True)
    return file.getvalue()


def made(header, data=DATA, version=1):
    """Any header before any data."""
    text = header if isinstance(header, bytes) else header.encode("latin-1")
    size = 2 if version == 1 else 4
    return b"\x93NUMPY" + bytes([version, 0]) + len(text).to_bytes(size, "little") + text + data


def header(descr="'<f8'", order="False", shape="(12, 3)", rest=""):
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, {rest}}}"


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize("dtype", ["<f4", "<f8", "<i4", "<i8"])
def test_what_numpy_writes(version, order, dtype: str) -> None:
    array = np.array(TABLE, dtype=dtype, order=order)
    content = written(array, version)
    assert (b"True" in content[:100]) == (order == "F")
    found = npy_problem.read_array(content)
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)
    asked = npy_problem.parse_problem(content, {"dim_x": "2"}, GRID)
    np.testing.assert_array_equal(asked.x, array[:, :2].astype(float))
    np.testing.assert_array_equal(asked.y, array[:, 2:].astype(float))


@given(
    rows=st.integers(10, 40), columns=st.integers(2, 9), order=st.sampled_from("CF"), seed=st.integers(0, 99)
)
def test_every_shape_and_order_comes_back(rows, columns, order, seed) -> None:
    array = np.asarray(np.random.default_rng(seed).standard_normal((rows, columns)), order=order)
    for dim_x in range(1, columns):
        asked = npy_problem.parse_problem(written(array), {"dim_x": str(dim_x)}, GRID)
        np.testing.assert_array_equal(np.hstack([asked.x, asked.y]), array)
        assert asked.x.shape[1] == dim_x


def test_a_slice_as_numpy_writes_it() -> None:
    wide = np.zeros((24, 5))
    wide[::2, 1:4] = TABLE
    np.testing.assert_array_equal(npy_problem.read_array(written(wide[::2, 1:4])), TABLE)


@pytest.mark.parametrize(
    "text",
    [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (12, 3), }\n",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (12, 3)}",
        "{'descr':'<f8','fortran_order':False,'shape':(12,3)}          ",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (12, 3,), }",
        "{'shape': (12, 3), 'descr': '<f8', 'fortran_order': False}",
        '{"descr": "float64", "fortran_order": False, "shape": (12, 3)}',
    ],
)
def test_headers_of_other_writers(text: str) -> None:
    np.testing.assert_array_equal(npy_problem.read_array(made(text)), TABLE)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.ones(12), "1 dimensions"),
        (np.array(1.0), "0 dimensions"),
        (np.ones((12, 3, 1)), "3 dimensions"),
        (np.ones((1,) * 30 + (36,)), "31 dimensions"),
        (np.ones((12, 1)), "1 columns"),
        (np.ones((12, 0)), "0 columns"),
        (np.ones((0, 1)), "1 columns"),
    ],
)
def test_other_shapes(array, words: str) -> None:
    with pytest.raises(errors.InvalidShape, match=words):
        npy_problem.parse_problem(written(array), {"dim_x": "1"}, GRID)


def test_no_rows() -> None:
    with pytest.raises(errors.TooFewSamples, match="no rows"):
        npy_problem.parse_problem(written(np.ones((0, 3))), {"dim_x": "1"}, GRID)


RECORD = np.zeros(12, dtype=[("a", "<f8"), ("b", "<f8")])
TYPES = {
    "objects": np.array([[1, None]], dtype=object),
    "text": np.array([["1", "2"]]),
    "bytes": np.array([[b"1", b"2"]]),
    "complex": TABLE.astype(complex),
    "date": np.array([["2020-01-01", "2020-01-02"]], dtype="datetime64[s]"),
    "duration": TABLE.astype("timedelta64[s]"),
    "records": RECORD,
    "boolean": TABLE > 0,
    "long double": TABLE.astype(np.longdouble),
    "half": TABLE.astype("<f2"),
    "big-endian": TABLE.astype(">f8"),
    "big-endian integers": TABLE.astype(">i4"),
    "unsigned": TABLE.astype("<u8"),
    "short": TABLE.astype("<i2"),
    "void": np.zeros((12, 2), dtype="V8"),
}


@pytest.mark.filterwarnings("ignore:Stored array in format 2.0:UserWarning")
@pytest.mark.parametrize("case", TYPES)
def test_other_types(case: str) -> None:
    with pytest.raises(errors.Malformed, match="the array is of a type"):
        npy_problem.parse_problem(written(TYPES[case]), {}, GRID)


GOOD = made(header())
HEADERS = {
    "empty": b"",
    "magic alone": GOOD[:6],
    "version alone": GOOD[:8],
    "length alone": GOOD[:10],
    "another magic": b"\x93NUMPZ" + GOOD[6:],
    "version 0": GOOD[:6] + b"\x00\x00" + GOOD[8:],
    "version 4": GOOD[:6] + b"\x04\x00" + GOOD[8:],
    "version 1.1": GOOD[:6] + b"\x01\x01" + GOOD[8:],
    "a length of 4 GiB": b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + GOOD[10:],
    "a header of 5000": made(header() + " " * 5000),
    "no header": made(""),
    "no dictionary": made("[1]"),
    "code": made("__import__('os').system('true')"),
    "code inside": made(header(shape="(12, __import__('os'))")),
    "nested": made("(" * 3000),
    "minus by the thousand": made(header(shape="(" + "-" * 3900 + "12, 3)")),
    "attributes by the thousand": made("a" + ".a" * 2000),
    "a text never closed": made(header()[:-2] + 3 * "'"),
    "a bracket never closed": made(header()[:-1]),
    "indented": made("  " + header() + "\n x"),
    "NUL inside": made(header(descr="'<f8\0'")),
    "keys of several types": made("{1: 2, 'descr': '<f8', None: 3}"),
    "a dictionary as a type": made(header(descr="{'names': ['a'], 'formats': ['<f8']}")),
    "a type of pairs": made(header(descr="('<f8', (2,))")),
    "a type of texts": made(header(descr="'<f8,<f8'")),
    "beyond numpy": made(header(shape="(0, 1" + "0" * 30 + ")"), b""),
    "far beyond numpy": made(header(shape="(0, 1" + "0" * 3000 + ")"), b""),
    "another key": made(header(rest="'x': 1")),
    "no order": made("{'descr': '<f8', 'shape': (12, 3)}"),
    "order is a number": made(header(order="0")),
    "shape is a list": made(header(shape="[12, 3]")),
    "shape is a number": made(header(shape="36")),
    "negative": made(header(shape="(-12, -3)")),
    "floats": made(header(shape="(12.0, 3.0)")),
    "leading zero": made(header(shape="(012, 3)")),
    "other digits": made(header(shape="(\xb9\xb2, 3)")),
    "NUL": made(header() + "\0"),
    "product 2**64": made(header(shape="(4294967296, 4294967296)"), b""),
    "product overflows to the length": made(header(shape="(2305843009213693956, 8)"), bytes(256)),
    "20 digits": made(header(shape="(18446744073709551628, 3)")),
    "a type of a hundred digits": made(header(descr="'<f" + "8" * 100 + "'")),
    "a type of records": made(header(descr="[('a', '<f8')]")),
    "one byte short": GOOD[:-1],
    "one byte more": GOOD + b"\0",
    "another array behind": GOOD + GOOD,
    "a row short": made(header(shape="(13, 3)")),
    "data for one": made(header(shape="(1, 1)")),
}


@pytest.mark.parametrize("case", HEADERS)
def test_damage(case: str) -> None:
    with pytest.raises(errors.Malformed):
        npy_problem.parse_problem(HEADERS[case], {"dim_x": "1"}, GRID)
    assert npy_problem.parse_problem(GOOD, {"dim_x": "1"}, GRID).x.shape == (12, 1)


@pytest.mark.filterwarnings("default:Reading `.npy`:UserWarning")
def test_sizes_of_python_2_are_read_as_numpy_reads_them() -> None:
    with pytest.warns(UserWarning, match="created on Python 2"):
        np.testing.assert_array_equal(npy_problem.read_array(made(header(shape="(12L, 3L)"))), TABLE)


@pytest.mark.parametrize(
    "shape", ["(1000000000, 100000)", "(100000000000000, 2)", "(999999999999999999, 999)"]
)
@pytest.mark.parametrize("order", ["True", "False"])
def test_nothing_is_allocated_for_a_claim(shape: str, order: str) -> None:
    content = made(header(order=order, shape=shape), b"0123456789")
    tracemalloc.start()
    try:
        with pytest.raises(errors.Malformed, match="not as long as its header says"):
            npy_problem.parse_problem(content, {"dim_x": "1"}, GRID)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def _archive():
    file = io.BytesIO()
    np.savez(file, x=TABLE)
    return file.getvalue()


def _empty_archive():
    file = io.BytesIO()
    zipfile.ZipFile(file, "w").close()
    return file.getvalue()


@pytest.mark.parametrize("content", [_archive(), _empty_archive()])
def test_archives_are_another_media_type(content) -> None:
    with pytest.raises(errors.UnsupportedMedia, match="archive"):
        npy_problem.parse_problem(content, {}, GRID)


def test_two_columns_need_no_dim_x() -> None:
    asked = npy_problem.parse_problem(written(TABLE[:, :2]), {}, GRID)
    assert asked.x.shape == asked.y.shape == (12, 1)


@pytest.mark.parametrize(
    "text", [None, "0", "3", "4", "-1", "1.0", " 1", "+1", "", "one", "²", "1" * 5000, "1_0"]
)
def test_dim_x_leaves_both_sides_a_column(text) -> None:
    with pytest.raises(errors.InvalidRequest, match="dim_x"):
        npy_problem.parse_problem(written(TABLE), {} if text is None else {"dim_x": text}, GRID)


@pytest.mark.parametrize(
    "query", ["dim_x=1&other=1", "dim_x=1&dim_x=1", "dim_x=1&levels=0.5&levels=0.5", "dimx=1"]
)
def test_parameters_are_known_and_come_once(query: str) -> None:
    with pytest.raises(errors.InvalidRequest, match="dim_x, dim_given, levels, missing, unit"):
        npy_problem.parse_problem(written(TABLE), QueryParams(query), GRID)


@pytest.mark.parametrize(("levels", "found"), [("0.5", (0.5,)), ("0.005,5e-1", (0.005, 0.5)), ("all", None)])
def test_levels_of_an_address(levels: str, found) -> None:
    assert (
        npy_problem.parse_problem(written(TABLE), QueryParams(f"dim_x=1&levels={levels}"), GRID).levels
        == found
    )
