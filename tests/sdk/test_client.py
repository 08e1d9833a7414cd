"""The clients' own duties: tries, deadlines, typed errors, bounded concurrency, event loops."""

import asyncio
import gc
import json
import threading

import httpx2
import pytest

import mizzle
from mizzle import wire
from mizzle.retry import Attempts, Reply, retry_after

URL = "http://mizzle.test"


@pytest.fixture
def answer(fake, draw):
    """A good answer's body."""
    return json.dumps(wire.answer(fake.estimate(*draw()))).encode()


class Scripted:
    """A server that plays a list of responses or exceptions, and the waits between them."""

    def __init__(self, *script):
        self.script = list(script)
        self.asked = 0
        self.waits = []

    def __call__(self, request):
        self.asked += 1
        self.request = request
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    def ask(self, pair, **options):
        http = httpx2.Client(transport=httpx2.MockTransport(self))
        with http, mizzle.Client(URL, http_client=http, **options) as client:
            client._sleep = self.waits.append
            return client.estimate(*pair)

    def ask_async(self, pair, **options):
        async def ask():
            transport = httpx2.MockTransport(self)
            async with httpx2.AsyncClient(transport=transport) as http:
                client = mizzle.AsyncClient(URL, http_client=http, **options)
                client._sleep = wait
                return await client.estimate(*pair)

        async def wait(seconds):
            self.waits.append(seconds)

        return asyncio.run(ask())


@pytest.fixture(params=["ask", "ask_async"])
def ask(request):
    """Both shells."""
    return lambda server, pair, **options: getattr(server, request.param)(pair, **options)


def _problem(status, code, detail="words", **headers):
    return httpx2.Response(status, json={"code": code, "detail": detail}, headers=headers)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_passing_trouble_is_tried_again(ask, draw, answer, status):
    server = Scripted(httpx2.Response(status), httpx2.Response(status), httpx2.Response(200, content=answer))
    assert ask(server, draw()).n == 50
    first, second = server.waits
    assert 0.375 <= first <= 0.625  # 0.5 s give or take a quarter
    assert 0.75 <= second <= 1.25


def test_two_retries_are_the_most(ask, draw):
    server = Scripted(*[_problem(429, "queue_full")] * 3)
    with pytest.raises(mizzle.QueueFull, match="words"):
        ask(server, draw())
    assert server.asked == 3


def test_no_connection_is_tried_again_and_then_explained(ask, draw):
    server = Scripted(*[httpx2.ConnectError("no route")] * 3)
    with pytest.raises(mizzle.ServiceUnreachable, match=r"http://mizzle\.test.*mizzle serve"):
        ask(server, draw())
    assert server.asked == 3


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: _problem(500, "inference_failed"), mizzle.InferenceFailed),
        (lambda: _problem(422, "not_finite"), mizzle.NotFinite),
        (lambda: _problem(413, "too_large"), mizzle.TooLarge),
        (lambda: _problem(422, "code_of_next_year"), mizzle.InvalidInput),
        (lambda: _problem(404, "not_found"), mizzle.ServiceUnreachable),
        (lambda: httpx2.Response(413, text="<html>"), mizzle.TooLarge),
        (lambda: httpx2.Response(500, text="<html>"), mizzle.ServiceUnreachable),
        (lambda: httpx2.Response(301, headers={"location": "/"}), mizzle.ServiceUnreachable),
        (lambda: httpx2.ReadTimeout("slow"), mizzle.ServiceUnreachable),
        (lambda: httpx2.ReadError("gone"), mizzle.ServiceUnreachable),
        (lambda: httpx2.Response(200, text="<html>"), mizzle.ServiceUnreachable),
        (lambda: httpx2.Response(200, text="[" * 100_000), mizzle.ServiceUnreachable),
        (lambda: httpx2.Response(200, json={}), mizzle.ServiceUnreachable),
        (lambda: httpx2.Response(200, json=[1]), mizzle.ServiceUnreachable),
    ],
)
def test_lasting_trouble_is_asked_once(ask, draw, make, error):
    server = Scripted(make())
    with pytest.raises(error) as caught:
        ask(server, draw())
    assert type(caught.value) is error
    assert server.asked == 1


@pytest.mark.parametrize("spoil", [{"mi": None}, {"quantiles": {}}, {"unit": "bans"}, {"n": "x"}])
def test_half_an_answer_is_none(ask, draw, answer, spoil):
    body = json.dumps(json.loads(answer) | spoil)
    with pytest.raises(mizzle.ServiceUnreachable, match="not of the form"):
        ask(Scripted(httpx2.Response(200, text=body)), draw())


def test_not_a_number_in_an_answer_is_refused(ask, draw, answer):
    body = json.dumps(json.loads(answer) | {"mi": float("nan")})
    with pytest.raises(mizzle.ServiceUnreachable):
        ask(Scripted(httpx2.Response(200, text=body)), draw())


def test_the_servers_wait_is_honoured(ask, draw, answer):
    server = Scripted(
        _problem(503, "not_ready", **{"retry-after": "3"}), httpx2.Response(200, content=answer)
    )
    ask(server, draw())
    assert server.waits == [3.0]


def test_a_wait_beyond_the_deadline_is_not_waited(ask, draw):
    server = Scripted(_problem(503, "not_ready", **{"retry-after": "120"}))
    with pytest.raises(mizzle.NotReady):
        ask(server, draw(), timeout=60)
    assert server.waits == []


def test_the_deadline_covers_all_tries():
    now = [0.0]
    attempts = Attempts(1.0, clock=lambda: now[0], random=lambda: 0.5)
    assert attempts.wait(Reply(503)) == 0.5
    now[0] = 0.75
    assert attempts.remaining() == 0.25
    assert attempts.wait(Reply(503)) is None
    now[0] = 5.0
    assert attempts.remaining() > 0


def test_retry_after_reads_seconds_and_dates():
    assert retry_after("7") == 7.0
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert retry_after("Wed, 21 Oct 2099 07:28:00 GMT") > 1e6
    assert retry_after("soon") is retry_after(None) is None


def test_the_whole_grid_is_asked_for(ask, draw, answer):
    server = Scripted(httpx2.Response(200, content=answer))
    ask(server, draw())
    assert json.loads(server.request.content)["levels"] == "all"
    assert server.request.url == URL + "/v1/estimate"


@pytest.mark.parametrize(
    "url", ["", "mizzle", "ftp://a", "http://", "http://a?b=c", "http://a:port", None, 5]
)
def test_an_address_must_be_one(url):
    for client in (mizzle.Client, mizzle.AsyncClient):
        with pytest.raises(mizzle.InvalidInput, match="address"):
            client(url)


@pytest.mark.parametrize("options", [{"timeout": 0}, {"timeout": -1}, {"concurrency": 0}])
def test_options_must_make_sense(options):
    with pytest.raises(mizzle.InvalidInput):
        mizzle.Client(URL, **options)


def test_a_password_in_the_address_stays_out_of_messages(draw):
    def refuse(request):
        raise httpx2.ConnectTimeout("no")

    http = httpx2.Client(transport=httpx2.MockTransport(refuse))
    with http, mizzle.Client("http://me:secret@mizzle.test/sub/", http_client=http) as client:
        client._sleep = lambda _: None
        with pytest.raises(mizzle.ServiceUnreachable) as caught:
            client.estimate(*draw())
        assert "secret" not in str(caught.value) + repr(client)
        assert "http://mizzle.test/sub" in str(caught.value)


def test_nobody_listening_is_explained(draw):
    with mizzle.Client("http://127.0.0.1:9") as client:
        client._sleep = lambda _: None
        with pytest.raises(mizzle.ServiceUnreachable, match="mizzle serve"):
            client.estimate(*draw())


def test_many_stay_within_the_concurrency(draw, answer):
    """With room for 3, the first 3 wait for one another (a barrier) and no fourth is ever there."""
    together, lock, counts = threading.Barrier(3, timeout=20), threading.Lock(), {"now": 0, "most": 0}

    def serve(request):
        with lock:
            counts["now"] += 1
            counts["most"] = max(counts["most"], counts["now"])
        together.wait()
        with lock:
            counts["now"] -= 1
        together.wait()
        return httpx2.Response(200, content=answer)

    http = httpx2.Client(transport=httpx2.MockTransport(serve))
    with http, mizzle.Client(URL, http_client=http, concurrency=3) as client:
        assert len(client.estimate_many([draw()] * 9)) == 9
    assert counts["most"] == 3


def test_many_stay_within_the_concurrency_async(draw, answer):
    counts = {"now": 0, "most": 0}

    async def serve(request):
        counts["now"] += 1
        counts["most"] = max(counts["most"], counts["now"])
        for _ in range(20):
            await asyncio.sleep(0)
        counts["now"] -= 1
        return httpx2.Response(200, content=answer)

    async def ask():
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(serve)) as http:
            client = mizzle.AsyncClient(URL, http_client=http, concurrency=3)
            return await client.estimate_many([draw()] * 9)

    assert len(asyncio.run(ask())) == 9
    assert counts["most"] <= 3


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_one_async_client_serves_several_loops(served, draw):
    """The first loop is gone with its connections when the second asks (a common notebook error)."""
    client = mizzle.AsyncClient(served)
    pair = draw()

    async def last():
        estimate = await client.estimate(*pair)
        await client.aclose()
        return estimate

    assert asyncio.run(client.estimate(*pair)) == asyncio.run(last())
    gc.collect()  # the lost connections complain here, where that is expected


def test_readiness_is_yes_or_no(served):
    async def ask(url):
        async with mizzle.AsyncClient(url) as client:
            return await client.ready()

    for url, ready in ((served, True), ("http://127.0.0.1:9", False)):
        with mizzle.Client(url) as client:
            assert client.ready() is asyncio.run(ask(url)) is ready


@pytest.fixture
def dead_proxy(monkeypatch):
    """The environment sends all HTTP to a port where nobody listens."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")


def test_a_proxy_is_not_asked_for_this_machine(dead_proxy, served, draw):
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
def test_a_proxy_is_asked_for_other_machines(dead_proxy, host, trusted):
    with mizzle.Client(f"http://{host}:8000") as client:
        assert client._http.trust_env is trusted


def test_a_service_that_says_no_is_not_ready():
    def refuse(request):
        assert (request.method, request.url.path) == ("GET", "/readyz")
        return httpx2.Response(503)

    http = httpx2.Client(transport=httpx2.MockTransport(refuse))
    with http, mizzle.Client(URL, http_client=http) as client:
        assert not client.ready()


def test_a_client_given_stays_open(draw, answer):
    http = httpx2.Client(transport=httpx2.MockTransport(lambda _: httpx2.Response(200, content=answer)))
    with mizzle.Client(URL, http_client=http):
        pass
    assert not http.is_closed
    http.close()
