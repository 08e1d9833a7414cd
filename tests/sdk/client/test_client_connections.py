"""Where a client connects and as whom: addresses, keys, proxies, event loops."""

import asyncio
import gc
import math
import re
import socket
import ssl
from decimal import Decimal
from fractions import Fraction
from typing import Any

import httpx2
import numpy as np
import pytest
from scripted import URL, Scripted, problem

import mizzle
from mizzle.backends.remote import RemoteBackend

KEY = "mz_31337"


@pytest.fixture(autouse=True)
def no_service_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MIZZLE_BASE_URL", "MIZZLE_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def headers():
    """The headers that a client of these arguments sends."""

    def sent(*arguments, **options):
        server = Scripted(httpx2.Response(200))
        http = httpx2.Client(transport=httpx2.MockTransport(server))
        with http, mizzle.Client(*arguments, http_client=http, **options) as client:
            assert client.ready()
        return server.request

    return sent


@pytest.mark.parametrize(
    "url", ["", "mizzle", "ftp://a", "http://", "http://a?b=c", "http://a:port", None, 5]
)
def test_an_address_must_be_one(url: Any) -> None:
    for client in (mizzle.Client, mizzle.AsyncClient):
        with pytest.raises(mizzle.InvalidInput, match="address"):
            client(url)


NO_TIMES: tuple[Any, ...] = (0, -1, None, "5", b"5", [5], "nan", 10**400, math.nan, math.inf, 1j)
NO_TIMES += tuple(Decimal(text) for text in ("0", "-1", "NaN", "sNaN", "Infinity", "1e999999", "1e-999999"))


@pytest.mark.parametrize(
    "options", [*({"timeout": value} for value in NO_TIMES), {"concurrency": 0}], ids=str
)
def test_options_must_make_sense(options: Any) -> None:
    for client in (mizzle.Client, mizzle.AsyncClient):
        with pytest.raises(mizzle.InvalidInput, match="must be"):
            client(URL, **options)


@pytest.mark.parametrize("timeout", [Decimal("2.5"), Fraction(5, 2), np.float32(2.5), 3, True])
def test_a_timeout_may_be_any_number(timeout: Any, failing) -> None:
    for error in failing("http://127.0.0.1:9", timeout=timeout):
        assert isinstance(error, mizzle.ServiceUnreachable)


def test_a_password_in_the_address_stays_out_of_messages(draw) -> None:
    def refuse(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectTimeout("no")

    http = httpx2.Client(transport=httpx2.MockTransport(refuse))
    # pragma: allowlist nextline secret
    with http, mizzle.Client("http://me:secret@mizzle.test/sub/", http_client=http) as client:
        client._sleep = lambda _: None
        with pytest.raises(mizzle.ServiceUnreachable) as caught:
            client.estimate(*draw())
        assert "secret" not in str(caught.value) + repr(client)
        assert "http://mizzle.test/sub" in str(caught.value)


def test_nobody_listening_is_explained(draw) -> None:
    with mizzle.Client("http://127.0.0.1:9") as client:
        client._sleep = lambda _: None
        with pytest.raises(mizzle.ServiceUnreachable, match="mizzle serve"):
            client.estimate(*draw())


@pytest.fixture
def failing():
    """What blocking and asynchronous clients of these arguments raise."""

    def errors(*arguments, **options):
        async def ask() -> None:
            async with mizzle.AsyncClient(*arguments, **options) as client:
                client._sleep = lambda _: asyncio.sleep(0)  # type: ignore[assignment]
                await client.limits()

        with mizzle.Client(*arguments, **options) as client:
            client._sleep = lambda _: None
            for call in (client.limits, lambda: asyncio.run(ask())):
                with pytest.raises(mizzle.MizzleError) as caught:
                    call()
                yield caught.value

    return errors


def test_why_there_is_no_connection_is_said(failing, served: str) -> None:
    cases = {
        "http://127.0.0.1:9": ("the connection was refused", ConnectionRefusedError),
        "http://mizzle.invalid": ("the name of the host is not known", socket.gaierror),
        served.replace("http:", "https:"): ("TLS failed; .*begins with http://", ssl.SSLError),
    }
    for url, (words, cause) in cases.items():
        for error in failing(url, api_key=KEY):
            assert re.search(f"{url} cannot be reached: .*{words}", str(error))
            assert isinstance(error.__cause__, cause)
            assert error.__cause__.__traceback__ is None  # whose frames would hold the request


def test_a_path_too_much_in_the_address_is_said(failing, served: str) -> None:
    for error in failing(f"{served}/v1"):
        assert isinstance(error, mizzle.NotFound)
        assert f"leave /v1 out of the address: {served}" in str(error)


@pytest.mark.parametrize(("key", "words"), [("", "no key was sent: put one into"), (KEY, "check the key in")])
def test_where_a_key_goes_is_said(key, words: str, draw) -> None:
    for ask in ("ask", "ask_async"):
        server = Scripted(problem(401, "unauthorized", "this API key is not known"))
        with pytest.raises(mizzle.Unauthorized) as caught:
            getattr(server, ask)(draw(), api_key=key)
        expected = f"{URL}: this API key is not known; {words} MIZZLE_API_KEY, or pass api_key to the client"
        assert str(caught.value) == expected


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_one_async_client_serves_several_loops(served: str, draw) -> None:
    """The first loop is gone with its connections when the second asks (a common notebook error)."""
    client = mizzle.AsyncClient(served)
    pair = draw()

    async def last():
        estimate = await client.estimate(*pair)
        await client.aclose()
        return estimate

    assert asyncio.run(client.estimate(*pair)) == asyncio.run(last())
    gc.collect()  # the lost connections complain here, where that is expected


def test_readiness_is_yes_or_no(served: str) -> None:
    async def ask(url):
        async with mizzle.AsyncClient(url) as client:
            return await client.ready()

    for url, ready in ((served, True), ("http://127.0.0.1:9", False)):
        with mizzle.Client(url) as client:
            assert client.ready() is asyncio.run(ask(url)) is ready


@pytest.fixture
def dead_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment sends all HTTP to a port where nobody listens."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")


def test_a_proxy_is_not_asked_for_this_machine(dead_proxy, served: str, draw) -> None:
    async def ask():
        async with mizzle.AsyncClient(served) as client:
            return await client.ready(), await client.estimate(*draw())

    with mizzle.Client(served) as client:
        assert (client.ready(), client.estimate(*draw())) == asyncio.run(ask())
        assert client.ready()


@pytest.mark.parametrize(
    ("host", "trusted"),
    [
        ("localhost", False),
        ("LOCALHOST", False),
        ("127.0.0.1", False),
        ("127.8.8.8", False),
        ("[::1]", False),
        ("mizzle.test", True),
        ("localhost.test", True),
        ("10.0.0.1", True),
        ("[::2]", True),
    ],
)
def test_a_proxy_is_asked_for_other_machines(dead_proxy, host: str, trusted: bool) -> None:
    with mizzle.Client(f"http://{host}:8000") as client:
        assert client._http
        assert client._http.trust_env is trusted


def test_a_service_that_says_no_is_not_ready() -> None:
    def refuse(request):
        assert (request.method, request.url.path) == ("GET", "/readyz")
        return httpx2.Response(503)

    http = httpx2.Client(transport=httpx2.MockTransport(refuse))
    with http, mizzle.Client(URL, http_client=http) as client:
        assert not client.ready()


def test_a_client_given_stays_open() -> None:
    http = httpx2.Client(transport=httpx2.MockTransport(lambda _: httpx2.Response(200)))
    with mizzle.Client(URL, http_client=http) as client:
        assert client.ready()
    assert not http.is_closed
    http.close()


def test_the_environment_names_the_service_and_the_key(headers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIZZLE_BASE_URL", URL + "/sub/")
    monkeypatch.setenv("MIZZLE_API_KEY", KEY)
    request = headers()
    assert request.url == URL + "/sub/readyz"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    other = headers("http://other.test", api_key="mz_2")
    assert (other.url.host, other.headers["authorization"]) == ("other.test", "Bearer mz_2")


def test_without_a_key_none_is_sent(headers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIZZLE_API_KEY", "")
    assert not {"authorization", "x-api-key"} & set(headers(URL).headers)


def test_a_password_for_a_proxy_does_not_replace_the_key(headers) -> None:
    request = headers("http://me:secret@mizzle.test", api_key=KEY)
    assert request.headers["authorization"].startswith("Basic ")
    assert request.headers["x-api-key"] == KEY


@pytest.mark.parametrize("key", ["31337 2", "31337\n", "31337\u00e4"])
def test_a_key_that_no_header_can_hold_is_refused_without_showing_it(key: str) -> None:
    for client in (mizzle.Client, mizzle.AsyncClient):
        with pytest.raises(mizzle.InvalidInput, match="API key") as caught:
            client(URL, api_key=key)
        assert "31337" not in str(caught.value)


def test_the_key_is_shown_nowhere(draw) -> None:
    server = Scripted(problem(401, "unauthorized", "this API key is not known"))
    http = httpx2.Client(transport=httpx2.MockTransport(server))
    with http, mizzle.Client(URL, api_key=KEY, http_client=http) as client:
        with pytest.raises(mizzle.Unauthorized) as caught:
            client.estimate(*draw())
        texts = [repr(client), str(client), repr(client._backend), str(caught.value), repr(caught.value)]
    assert not any(KEY in text for text in texts)
    assert KEY not in repr(mizzle.AsyncClient(URL, api_key=KEY))


def test_every_loop_that_lives_keeps_its_connections() -> None:
    """Two loops that take turns, each alive: neither loses its pool to the other."""
    client, loops = mizzle.AsyncClient("http://127.0.0.1:9"), [asyncio.new_event_loop() for _ in range(2)]

    async def pool():
        assert isinstance(client._backend, RemoteBackend)
        return client._http(client._backend)

    first, second = (loop.run_until_complete(pool()) for loop in loops)
    assert first is not second
    assert [loop.run_until_complete(pool()) for loop in loops] == [first, second]
    loops[0].run_until_complete(client.aclose())
    assert first.is_closed
    loops[0].close()
    loops[1].run_until_complete(client.aclose())
    loops[1].close()
    assert not client._own


def test_connections_are_used_again(served: str, draw) -> None:
    with mizzle.Client(served) as client:
        for _ in range(3):
            client.estimate(*draw())
        assert client._http
        transport = client._http._transport
        assert isinstance(transport, httpx2.HTTPTransport)
        assert len(transport._pool.connections) == 1
