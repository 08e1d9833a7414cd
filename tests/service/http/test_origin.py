"""Names and pages that the service does not answer to; and the headers of every answer."""

import pytest
from fakes import FakeEstimator
from raw import call, plain

from mizzle.errors import InvalidInput
from mizzle.service.app import create_app
from mizzle.service.http.headers import SecurityHeaders
from mizzle.service.http.origin import Guard
from mizzle.service.settings import Settings

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "ANYTHING"]
PATHS = ["/", "/livez", "/metrics", "/v1/estimate", "/nothing"]
OURS = [
    "localhost",
    "LocalHost:8000",
    "127.0.0.1",
    "127.0.0.1:1",
    "[::1]",
    "[::1]:65535",
    "mizzle.example",
    "MIZZLE.example:443",
    "[fd00::1]:8000",
]
FOREIGN = [
    None,
    "",
    ":8000",
    "evil.example",
    "localhost.evil.example",
    "evil.example:8000",
    "localhost:",
    "localhost:80a",
    "localhost:999999",
    "localhost:80:80",
    "localhost.",
    ".localhost",
    "localhost/healthz?",
    "localhost/?x=",
    "x@localhost",
    "localhost@evil.example",
    "localhost evil.example",
    "localhost,evil.example",
    "localhost\t",
    "localhost\x1b",
    "localhóst",
    "::1",
    "[::1",
    "[::2]",
    "127.1",
    "2130706433",
    "0.0.0.0",
    "10.0.0.1",
    "*",
]
# headers besides Host: localhost:8000, and whether they may ask.
PAGES = [
    ([], True),
    ([("Origin", "http://localhost:8000")], True),
    ([("Origin", "https://localhost:8000")], True),
    ([("Origin", "HTTP://LOCALHOST:8000")], True),
    ([("Origin", "https://page.example")], True),
    ([("Origin", "https://page.example"), ("Sec-Fetch-Site", "cross-site")], True),
    ([("Sec-Fetch-Site", "same-origin")], True),
    ([("Sec-Fetch-Site", "same-site")], True),
    ([("Sec-Fetch-Site", "none")], True),
    ([("Sec-Fetch-Site", "cross-site")], False),
    ([("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "cross-site")], False),
    ([("Sec-Fetch-Site", "cross-site"), ("Origin", "http://localhost:8000")], False),
    ([("Origin", "null")], False),
    ([("Origin", "")], False),
    ([("Origin", "localhost:8000")], False),
    ([("Origin", "http://localhost")], False),
    ([("Origin", "http://localhost:8001")], False),
    ([("Origin", "http://127.0.0.1:8000")], False),
    ([("Origin", "http://evil.example")], False),
    ([("Origin", "http://localhost:8000.evil.example")], False),
    ([("Origin", "http://localhost:8000@evil.example")], False),
    ([("Origin", "http://localhost:8000/")], False),
    ([("Origin", "file://")], False),
    ([("Origin", "ftp://localhost:8000")], False),
    ([("Origin", "http://page.example")], False),
    ([("Origin", "https://page.example:8443")], False),
    ([("Origin", "https://sub.page.example")], False),
    ([("Origin", "http://localhost:8000"), ("Origin", "http://evil.example")], False),
    ([("Origin", "http://evil.example, http://localhost:8000")], False),
]


@pytest.fixture(scope="module")
def guarded():
    return Guard(plain, ["mizzle.example", "fd00::1"], ["https://page.example"])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("host", OURS)
def test_its_own_names_are_answered(guarded, host: str, method: str) -> None:
    for path in PATHS:
        assert call(guarded, ("Host", host), method=method, path=path).status == 200


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("host", FOREIGN)
def test_other_names_are_not(guarded, host: str | None, method: str) -> None:
    headers = [] if host is None else [("Host", host)]
    for path in PATHS:
        call(guarded, *headers, method=method, path=path).problem(421, "wrong_host")


def test_two_hosts_are_none(guarded) -> None:
    call(guarded, ("Host", "localhost"), ("Host", "localhost")).problem(421, "wrong_host")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("headers", "welcome"), PAGES)
def test_pages_of_other_origins_are_refused(guarded, headers, welcome: bool, method: str) -> None:
    for path in PATHS:
        answer = call(guarded, ("Host", "localhost:8000"), *headers, method=method, path=path)
        if welcome:
            assert answer.status == 200
        else:
            answer.problem(403, "forbidden")


@pytest.mark.parametrize("host", ["anything.example", "10.0.0.1:8000", "localhost"])
def test_a_star_takes_every_host_but_no_malformed_one_and_no_foreign_page(host: str) -> None:
    guarded = Guard(plain, ["*"])
    assert call(guarded, ("Host", host)).status == 200
    assert call(guarded, ("Host", host), ("Origin", f"http://{host}")).status == 200
    call(guarded, ("Host", f"{host}/?x=")).problem(421, "wrong_host")
    call(guarded, ("Host", host), ("Origin", "http://evil.example")).problem(403, "forbidden")


@pytest.mark.parametrize("host", ["http://a", "a:80", "a/b", "", "*.a", "a b", "[::1"])
def test_a_host_that_no_request_could_name_is_an_error(host: str) -> None:
    with pytest.raises(InvalidInput, match="host"):
        Guard(plain, [host])


@pytest.mark.parametrize(
    "origin", ["a", "*", "null", "https://a/", "https://a/b", "ftp://a", "https://a:b", ""]
)
def test_an_origin_that_no_request_could_name_is_an_error(origin: str) -> None:
    with pytest.raises(InvalidInput, match="origin"):
        Guard(plain, origins=[origin])


def test_refusals_repeat_nothing_of_the_request(guarded) -> None:
    for headers in (
        [("Host", "canary.example")],
        [("Host", "localhost"), ("Origin", "http://canary.example")],
    ):
        assert b"canary" not in call(guarded, *headers).body


def test_a_life_passes() -> None:
    events = []

    async def app(scope, receive, send) -> None:
        events.append(scope["type"])

    for surrounded in (Guard(app), SecurityHeaders(app)):
        coroutine = surrounded({"type": "lifespan"}, None, None)  # type: ignore[arg-type]
        with pytest.raises(StopIteration):
            coroutine.send(None)
    assert events == ["lifespan"] * 2


def test_a_web_socket_is_guarded_too(guarded) -> None:
    sent = []

    async def send(message) -> None:
        sent.append(message)

    with pytest.raises(StopIteration):
        guarded({"type": "websocket", "headers": [], "path": "/"}, None, send).send(None)
    assert sent[0] | {"headers": 0} == {"type": "websocket.http.response.start", "status": 421, "headers": 0}


@pytest.mark.parametrize("path", ["/", "/v1/estimate", "/v2", "/metrics"])
def test_every_answer_has_the_security_headers(path: str) -> None:
    for app in (plain, Guard(plain)):  # an answer, and a refusal
        headers = call(SecurityHeaders(app), path=path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers.get("cache-control") == ("no-store" if path.startswith("/v") else None)


def test_a_route_may_set_its_own() -> None:
    own = {"content-security-policy": "default-src 'self'", "cache-control": "max-age=60"}

    async def page(scope, receive, send) -> None:
        raw = [(name.encode(), value.encode()) for name, value in own.items()]
        await send({"type": "http.response.start", "status": 200, "headers": raw})
        await send({"type": "http.response.body"})

    assert own.items() <= call(SecurityHeaders(page), path="/v1/page").headers.items()


PROBES = ["/livez", "/startupz", "/readyz", "/v2/health/live", "/v2/health/ready"]


@pytest.mark.parametrize("host", FOREIGN)
def test_probes_are_answered_under_every_name(host: str | None) -> None:
    """Orchestrators ask by an address; that something answers is all that there is to be read."""
    guarded = Guard(plain, nameless=PROBES)
    headers = [] if host is None else [("Host", host)]
    for path in PROBES:
        assert call(guarded, *headers, path=path).status == 200
        for other in (f"{path}/", f"{path}x", path.upper(), "/metrics", "/v1/estimate"):
            call(guarded, *headers, path=other).problem(421, "wrong_host")


@pytest.mark.parametrize(("headers", "welcome"), PAGES)
def test_pages_of_other_origins_may_not_use_probes(headers, welcome: bool) -> None:
    guarded = Guard(plain, origins=["https://page.example"], nameless=PROBES)
    answer = call(guarded, ("Host", "localhost:8000"), *headers, path=PROBES[0])
    assert answer.status == (200 if welcome else 403)


def test_the_services_probes_are_these(settings: Settings, fake: FakeEstimator, in_lifespan, connect) -> None:
    """As kubelet asks, by the address of a pod."""

    async def scenario(app):
        async with connect(app) as http:
            elsewhere = {"host": "10.1.2.3:8000"}
            return [(await http.get(path, headers=elsewhere)).status_code for path in (*PROBES, "/v2")]

    assert in_lifespan(create_app(settings, fake), scenario) == [*[200] * len(PROBES), 421]


@pytest.mark.parametrize(("mode", "status"), [("navigate", 200), ("cors", 403), ("no-cors", 403)])
def test_a_link_on_any_page_may_lead_to_the_page(mode: str, status: int) -> None:
    """It may be opened from elsewhere, and not be read from there."""
    app = create_app(Settings(), FakeEstimator())
    found = call(
        app, ("Host", "localhost"), ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", mode), path="/"
    )
    assert found.status == status
    asked = (("Host", "localhost"), ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"))
    assert call(app, *asked, path="/v1/limits").status == 403
