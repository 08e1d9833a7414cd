"""What is particular to safetensors: the header, the places of the tensors, the types."""

import json
import tracemalloc

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import torch

from mizzle import errors
from mizzle.service.formats import safetensors_problem
from mizzle.service.formats.problem import Problem

GRID = (0.005, 0.5, 0.995)
X = np.array([[0.5 * i, (-1.0) ** i] for i in range(12)])
Y = np.arange(12.0)


def entry(dtype="F64", shape=(12, 2), at=(0, 192), **more):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(at), **more}


PLACES = {"x": entry(), "y": entry(shape=(12,), at=(192, 288))}
DATA = X.tobytes() + Y.tobytes()


def made(header, data=DATA):
    """Any header before any data."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"])
def test_what_the_library_writes(dtype: str) -> None:
    x = (np.abs(X) * 2).astype(dtype)
    found, metadata = safetensors_problem.read_tensors(safetensors.numpy.save({"x": x, "y": Y}))
    assert found["x"].dtype == x.dtype
    np.testing.assert_array_equal(found["x"], x)
    np.testing.assert_array_equal(found["y"], Y)
    assert metadata == {}


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_what_torch_writes(dtype) -> None:
    x = torch.linspace(-3e4, 6e4, 24, dtype=torch.float64).reshape(12, 2).to(dtype)
    content = safetensors.torch.save({"x": x, "y": torch.arange(12)})
    asked = safetensors_problem.parse_problem(content, GRID)
    np.testing.assert_array_equal(asked.x, x.double().numpy())
    np.testing.assert_array_equal(asked.y[:, 0], Y)


def test_every_bfloat16_is_read_rightly() -> None:
    bits = np.arange(2**16, dtype=np.uint16)
    places = {"x": entry("BF16", bits.shape, (0, bits.nbytes))}
    found = safetensors_problem.read_tensors(made(places, bits.tobytes()))[0]["x"]
    expected = torch.from_numpy(bits.view(np.int16)).view(torch.bfloat16).float().numpy()
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dtype", ["BF16", "F16"])
def test_halves_that_are_not_finite(dtype: str) -> None:
    bits = np.zeros(12, dtype="<u2")
    bits[7] = {"BF16": 0x7F80, "F16": 0x7C00}[dtype]
    places = {"x": entry(dtype, (12,), (0, 24)), "y": entry(shape=(12,), at=(24, 120))}
    with pytest.raises(errors.NotFinite, match="x row 7, column 0"):
        safetensors_problem.parse_problem(made(places, bits.tobytes() + Y.tobytes()), GRID)


@pytest.mark.parametrize("value", [2**53 + 1, 2**63, 2**64 - 1])
def test_of_unsigned_integers_beyond_exactness_the_order_counts(value) -> None:
    x = np.zeros(12, dtype=np.uint64)
    x[5], x[6] = value, value - 1
    asked = safetensors_problem.parse_problem(safetensors.numpy.save({"x": x, "y": Y}), GRID)
    assert asked.x[4:8, 0].tolist() == [0, 2, 1, 0]


@pytest.mark.parametrize("more", [{}, {"__metadata__": None}, {"__metadata__": {}}])
def test_order_and_padding_of_a_file_are_free(more) -> None:
    """Names in any order, tensors in any order, spaces behind the header, members that nobody knows."""
    places = {"y": entry(shape=(12,), at=(0, 96)), "x": entry(at=(96, 288), strides=[16, 8]), **more}
    text = json.dumps(places).encode() + b" " * 7
    asked = safetensors_problem.parse_problem(made(text, Y.tobytes() + X.tobytes()), GRID)
    np.testing.assert_array_equal(asked.x, X)
    np.testing.assert_array_equal(asked.y[:, 0], Y)


def test_what_is_empty_takes_no_place() -> None:
    places = {"x": entry(shape=(0, 3), at=(0, 0)), "y": entry(shape=(0,), at=(0, 0))}
    with pytest.raises(errors.TooFewSamples, match="x has no rows"):
        safetensors_problem.parse_problem(made(places, b""), GRID)


def _without(member):
    return PLACES | {"x": {key: value for key, value in entry().items() if key != member}}


DAMAGE = {
    "empty": b"",
    "seven bytes": b"\x02" + bytes(6),
    "length alone": bytes(8),
    "a length of 2**63": (2**63).to_bytes(8, "little") + made(PLACES)[8:],
    "a length of 2**64 - 1": b"\xff" * 8 + made(PLACES)[8:],
    "a header of two megabytes": made(json.dumps(PLACES).encode() + b" " * 2**21),
    "length one less": made(json.dumps(PLACES).encode()[:-1], b"}" + DATA),
    "not UTF-8": made(json.dumps(PLACES).encode().replace(b"x", b"\xff")),
    "byte order mark": made(b"\xef\xbb\xbf" + json.dumps(PLACES).encode()),
    "a list": made([PLACES]),
    "a number": made(1),
    "two objects": made(json.dumps(PLACES).encode() + b"{}"),
    "nested": made(b'{"a":' * 100_000 + b"}"),
    "brackets": made(b"{" + b"[" * 1_000_000 + b"}"),
    "a name twice": made(b'{"x": 1, "x": 1}'),
    "a member twice": made(json.dumps(PLACES).encode().replace(b'"shape"', b'"dtype": "F64", "shape"', 1)),
    "metadata twice": made(b'{"__metadata__": {}, "__metadata__": {}}'),
    "metadata is a list": made(PLACES | {"__metadata__": []}),
    "levels are a number": made(PLACES | {"__metadata__": {"levels": 1}}),
    "levels are a list": made(PLACES | {"__metadata__": {"levels": [0.5]}}),
    "a tensor is null": made(PLACES | {"x": None}),
    "no dtype": made(_without("dtype")),
    "no shape": made(_without("shape")),
    "no offsets": made(_without("data_offsets")),
    "lower case": made(PLACES | {"x": entry("f64")}),
    "an 8-bit float": made(PLACES | {"x": entry("F8_E4M3", (12, 16))}),
    "complex": made(PLACES | {"x": entry("C64", (12, 2))}),
    "dtype is a number": made(PLACES | {"x": entry(8)}),
    "dtype is a list": made(PLACES | {"x": entry(["F64"])}),
    "shape is a number": made(PLACES | {"x": entry() | {"shape": 24}}),
    "shape of text": made(PLACES | {"x": entry(shape=("12", "2"))}),
    "shape of floats": made(PLACES | {"x": entry(shape=(12.0, 2.0))}),
    "shape of booleans": made({"x": entry(shape=(True,), at=(0, 8)), "y": entry(shape=(35,), at=(8, 288))}),
    "negative shape": made(PLACES | {"x": entry(shape=(-12, -2))}),
    "shape beyond numpy": made(PLACES | {"x": entry(shape=(2**63, 0), at=(0, 0))}, DATA[192:]),
    "shape whose size overflows": made(PLACES | {"x": entry(shape=(2**47, 2**47, 0), at=(0, 0))}, DATA[192:]),
    "shape beyond everything": made(PLACES | {"x": entry(shape=(10**400, 2))}),
    "5000 digits": made(json.dumps(PLACES).encode().replace(b"288", b"9" * 5000)),
    "40 dimensions": made(PLACES | {"x": entry(shape=(12, 2) + (1,) * 40)}),
    "NaN": made(json.dumps(PLACES).encode().replace(b"288", b"NaN")),
    "three offsets": made(PLACES | {"x": entry(at=(0, 192, 192))}),
    "one offset": made(PLACES | {"x": entry(at=(192,))}),
    "offsets of text": made(PLACES | {"x": entry(at=("0", "192"))}),
    "negative offsets": made(PLACES | {"x": entry(at=(-192, 0))}),
    "offsets fall": made(PLACES | {"x": entry(shape=(0, 2), at=(192, 191))}),
    "a hole before": made({"x": entry(at=(8, 200)), "y": entry(shape=(11,), at=(200, 288))}),
    "a hole between": made({"x": entry(at=(0, 192)), "y": entry(shape=(11,), at=(200, 288))}),
    "overlap": made({"x": entry(at=(0, 192)), "y": entry(shape=(13,), at=(184, 288))}),
    "the same place": made({"x": entry(at=(0, 192)), "y": entry(at=(0, 192))}, X.tobytes()),
    "longer than its shape": made(PLACES | {"x": entry(shape=(11, 2))}),
    "one byte short": made(PLACES)[:-1],
    "one byte more": made(PLACES) + b"\0",
    "the file twice": made(PLACES) * 2,
    "pickle": b"\x80\x04K\x01.",
}


@pytest.mark.parametrize(
    "read",
    [
        safetensors_problem.parse_problem,
        lambda content, grid: safetensors_problem.parse_batch(content, grid, 8),
    ],
)
@pytest.mark.parametrize("case", DAMAGE)
def test_damage(read, case: str) -> None:
    with pytest.raises(errors.Malformed, match=r"safetensors file|a tensor of the file"):
        read(DAMAGE[case], GRID)
    assert safetensors_problem.parse_problem(made(PLACES), GRID).x.shape == (12, 2)


@pytest.mark.parametrize("shape", [[2**47, 2**47], [10**9, 10**5]])
def test_nothing_is_allocated_for_a_claim(shape) -> None:
    size = 8 * shape[0] * shape[1]
    content = made(PLACES | {"x": entry(shape=shape, at=(0, size))})
    tracemalloc.start()
    try:
        with pytest.raises(errors.Malformed):
            safetensors_problem.parse_problem(content, GRID)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("shape", [[2**47, 0], [0, 2**47], [0] * 32, []])
def test_shapes_that_hold_next_to_nothing(shape) -> None:
    size = 0 if shape else 8
    places = {"x": entry(shape=shape, at=(0, size)), "y": entry(shape=(12,), at=(size, size + 96))}
    with pytest.raises((errors.InvalidShape, errors.TooFewSamples), match="x has"):
        safetensors_problem.parse_problem(made(places, bytes(size) + Y.tobytes()), GRID)


@pytest.mark.parametrize(
    "names", [(), ("x",), ("y",), ("x", "z"), ("x", "y", "z"), ("x.0", "y.0"), ("X", "Y"), ("x ", "y")]
)
def test_one_problem_has_x_and_y(names) -> None:
    content = safetensors.numpy.save(dict.fromkeys(names, Y))
    with pytest.raises(errors.InvalidRequest, match="two tensors, x and y"):
        safetensors_problem.parse_problem(content, GRID)


@pytest.mark.parametrize(
    "names",
    [
        ("x", "y"),
        ("x.0",),
        ("x.0", "y.1"),
        ("x.1", "y.1"),
        ("x.0", "y.0", "x.1"),
        ("x.0", "y.0", "x.2", "y.2"),
        ("x.0", "y.0", "x.01", "y.01"),
        ("x.0", "y.0", "x.-1", "y.-1"),
        ("x.0", "y.0", "z.0", "z.1"),
    ],
)
def test_many_problems_are_numbered_without_a_gap(names) -> None:
    content = safetensors.numpy.save(dict.fromkeys(names, Y))
    with pytest.raises(errors.InvalidRequest, match="without a gap"):
        safetensors_problem.parse_batch(content, GRID, 8)


def test_numbers_have_the_order_of_numbers() -> None:
    """x.10 comes behind x.9, wherever it stands in the file."""
    sides = {f"{name}.{i}": Y + i for i in range(12) for name in "xy"}
    found = safetensors_problem.parse_batch(safetensors.numpy.save(sides), GRID, 12)
    assert [asked.x[0, 0] for asked in found if isinstance(asked, Problem)] == list(range(12))


@pytest.mark.parametrize(("text", "levels"), [("0.5", (0.5,)), ("0.005,0.5", (0.005, 0.5)), ("all", None)])
def test_levels_stand_in_the_metadata(text: str, levels) -> None:
    content = safetensors.numpy.save({"x": X, "y": Y}, {"levels": text})
    assert safetensors_problem.parse_problem(content, GRID).levels == levels


@pytest.mark.parametrize("metadata", [{"format": "pt"}, {"levels": "0.5", "format": "np"}, {"": ""}])
def test_metadata_hold_nothing_else(metadata) -> None:
    with pytest.raises(errors.InvalidRequest, match="it may hold levels"):
        safetensors_problem.parse_problem(safetensors.numpy.save({"x": X, "y": Y}, metadata), GRID)
