"""Triton's own client and the service, on a real socket: each reads what the other sends."""

import asyncio
import json

import numpy as np
import pytest
from fakes import FakeEstimator

from mizzle.service.settings import Settings

_NEEDED = "the client of Triton is not installed: pip install 'tritonclient[http]'"
monkey = pytest.importorskip("gevent.monkey", reason=_NEEDED)  # which the client without its extra lacks
triton = pytest.importorskip("tritonclient.http", reason=_NEEDED)
aio = pytest.importorskip("tritonclient.http.aio", reason=_NEEDED)
utils = pytest.importorskip("tritonclient.utils", reason=_NEEDED)

DEFAULT = (0.05, 0.25, 0.5, 0.75, 0.95)
DTYPES = {"FP16": np.float16, "FP32": np.float32, "FP64": np.float64, "INT32": np.int32, "INT64": np.int64}
OUTPUTS = ("mi", "median", "quantiles", "levels", "in_range", "warnings")


@pytest.fixture(scope="module")
def address(serve_here, new_fake: type[FakeEstimator]):
    """Host and port of one service."""
    with serve_here(Settings(), new_fake()) as url:
        yield url.removeprefix("http://")


@pytest.fixture
def client(address):
    with triton.InferenceServerClient(address, concurrency=4) as made:
        yield made


@pytest.fixture
def pair(draw):
    """Integers, so that every datatype holds them."""
    x, y = draw()
    return (8 * x).round(), (8 * y).round()


def inputs_of(x, y, datatype="FP64", binary=True, kind=triton.InferInput):
    made = []
    for name, side in (("x", x), ("y", y)):
        tensor = kind(name, list(side.shape), datatype)
        made.append(tensor.set_data_from_numpy(side.astype(DTYPES[datatype]), binary_data=binary))
    return made


def assert_answers(result, estimates, levels=DEFAULT) -> None:
    """Whether the client reads exactly what the estimates say."""
    assert result.as_numpy("mi").tolist() == [e.mi for e in estimates]
    assert result.as_numpy("median").tolist() == [e.median for e in estimates]
    assert result.as_numpy("quantiles").tolist() == [[e.quantile(q) for q in levels] for e in estimates]
    assert result.as_numpy("levels").tolist() == list(levels)
    assert result.as_numpy("in_range").tolist() == [e.in_range for e in estimates]
    notices = [[notice._asdict() for notice in e.warnings] for e in estimates]
    assert [json.loads(text) for text in result.as_numpy("warnings")] == notices


def test_importing_the_client_changes_nothing_else() -> None:
    """gevent can replace sockets, threads and clocks of the whole process; this client does not ask it to."""
    modules = ("socket", "ssl", "select", "threading", "time", "signal", "subprocess", "os")
    assert not any(map(monkey.is_module_patched, modules))


def test_health(client) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("fake")
    assert client.is_model_ready("fake", "0.0.1")
    assert not client.is_model_ready("other")
    assert not client.is_model_ready("fake", "7")


def test_metadata(client) -> None:
    assert client.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    model = client.get_model_metadata("fake")
    assert model == client.get_model_metadata("fake", "0.0.1")
    assert model["versions"] == ["0.0.1"]
    assert {tensor["name"] for tensor in model["inputs"]} == {"x", "y"}
    assert {tensor["name"] for tensor in model["outputs"]} == set(OUTPUTS)
    entry = {"name": "fake", "version": "0.0.1", "state": "READY", "reason": ""}
    assert client.get_model_repository_index() == [entry]


@pytest.mark.parametrize("datatype", DTYPES)
@pytest.mark.parametrize("binary", [True, False])
def test_every_datatype_in_and_all_outputs_binary(
    client, fake: FakeEstimator, pair, datatype: str, binary: bool
) -> None:
    result = client.infer("fake", inputs_of(pair[0], pair[1], datatype, binary))
    assert_answers(result, [fake.estimate(*pair)])
    assert all("parameters" in result.get_output(name) for name in OUTPUTS)
    assert "id" not in result.get_response()


@pytest.mark.parametrize("binary", [True, False])
def test_outputs_in_binary_and_in_json(client, fake: FakeEstimator, pair, binary: bool) -> None:
    wanted = [triton.InferRequestedOutput(name, binary_data=binary) for name in OUTPUTS]
    result = client.infer("fake", inputs_of(*pair), "0.0.1", outputs=wanted, request_id="a/b 7")
    assert_answers(result, [fake.estimate(*pair)])
    assert result.get_response()["id"] == "a/b 7"
    assert all(("data" in result.get_output(name)) is not binary for name in OUTPUTS)


def test_a_part_of_the_outputs_some_in_binary(client, fake: FakeEstimator, pair) -> None:
    x, y = pair
    wanted = [("quantiles", True), ("mi", False), ("warnings", True)]
    outputs = [triton.InferRequestedOutput(name, binary_data=binary) for name, binary in wanted]
    result = client.infer("fake", inputs_of(x, 0 * y), outputs=outputs, parameters={"levels": "0.05,0.95"})
    assert [output["name"] for output in result.get_response()["outputs"]] == ["quantiles", "mi", "warnings"]
    assert result.as_numpy("mi").tolist() == [0.0]
    assert result.as_numpy("quantiles").tolist() == [[0.0, 0.0]]
    [text] = result.as_numpy("warnings")
    assert json.loads(text) == [{"code": "constant_y", "message": "y does not vary"}]
    assert result.as_numpy("median") is None


@pytest.mark.parametrize("binary", [True, False])
def test_a_batch(client, fake: FakeEstimator, draw, binary: bool) -> None:
    pairs = [draw(seed=seed) for seed in range(5)]
    x, y = (np.stack(side) for side in zip(*pairs, strict=True))
    result = client.infer("fake", inputs_of(x, y, binary=binary), parameters={"levels": "all"})
    assert_answers(result, [fake.estimate(*one) for one in pairs], fake.levels)


def test_one_dimension_is_one_column(client, fake: FakeEstimator, pair) -> None:
    x, y = pair
    assert_answers(client.infer("fake", inputs_of(x[:, 0], y[:, 0])), [fake.estimate(x[:, :1], y)])


def test_many_at_once(client, fake: FakeEstimator, draw) -> None:
    pairs = [draw(seed=seed, dx=1 + seed % 3) for seed in range(12)]
    asked = [client.async_infer("fake", inputs_of(*one)) for one in pairs]
    for waiting, one in zip(asked, pairs, strict=True):
        assert_answers(waiting.get_result(), [fake.estimate(*one)])


def test_the_asynchronous_client(address, fake: FakeEstimator, pair) -> None:
    """It is another one, over aiohttp, which says application/octet-stream whatever it sends."""

    async def scenario():
        async with aio.InferenceServerClient(address) as client:
            assert await client.is_server_ready()
            return [
                await client.infer("fake", inputs_of(pair[0], pair[1], binary=binary))
                for binary in (True, False)
            ]

    for result in asyncio.run(scenario()):
        assert_answers(result, [fake.estimate(*pair)])


def refusal(call, *arguments, **more):
    """Status and sentence of a refusal, as the client understood them."""
    with pytest.raises(utils.InferenceServerException) as caught:
        call(*arguments, **more)
    return caught.value.status(), caught.value.message()


def test_refusals_reach_the_client_in_words(client, pair) -> None:
    x, y = pair
    assert refusal(client.infer, "fake", inputs_of(x, y[:-1])) == (
        "422",
        "x has 50 rows and y has 49; row i of x and row i of y must be one observation",
    )
    status, text = refusal(client.infer, "other", inputs_of(x, y))
    assert (status, text.split(";")[0]) == ("404", "there is nothing at this address")
    status, text = refusal(client.infer, "fake", inputs_of(np.where(x > 8, np.nan, x), y))
    assert status == "422"
    assert "NaN or infinite" in text
    status, text = refusal(client.infer, "fake", inputs_of(x, y), timeout=1)
    assert status == "504"
    status, text = refusal(client.infer, "fake", inputs_of(x, y), priority=1)
    assert status == "422"
    assert "levels, timeout, binary_data_output" in text
    status, text = refusal(client.infer, "fake", inputs_of(x, y), request_compression_algorithm="gzip")
    assert status == "415"
    wanted = [triton.InferRequestedOutput("entropy")]
    status, text = refusal(client.infer, "fake", inputs_of(x, y), outputs=wanted)
    assert (status, text) == ("422", f"the outputs are {', '.join(OUTPUTS)}; each may be named once")


def test_the_connection_survives_a_refusal(client, fake: FakeEstimator, pair) -> None:
    x, y = pair
    refusal(client.infer, "fake", inputs_of(x[:5], y[:5]))
    assert_answers(client.infer("fake", inputs_of(x, y)), [fake.estimate(x, y)])
