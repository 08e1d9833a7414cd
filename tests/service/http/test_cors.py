"""Pages of named origins may ask and read; no browser hears of any other page that it may."""

import pytest
from fakes import FakeEstimator
from raw import call, plain

from mizzle.service.app import create_app
from mizzle.service.http.auth import Keys, new_key
from mizzle.service.http.cors import Cors
from mizzle.service.http.origin import Guard
from mizzle.service.settings import Settings

PAGE = "https://page.example"
ORIGIN = ("Origin", PAGE)
HOST = ("Host", "localhost")
CROSS = ("Sec-Fetch-Site", "cross-site")
FOREIGN = ["https://evil.example", "http://page.example", "https://page.example:8443", "null"]
SENT = ["authorization", "content-type", "inference-header-content-length", "x-api-key", "x-request-timeout"]
SHOWN = {"location", "retry-after", "retry-after-ms", "x-request-id", "inference-header-content-length"}
KEY, LINE = new_key("page")


@pytest.fixture(scope="module")
def app():
    return Guard(Cors(plain, [PAGE.upper()]), origins=[PAGE])


def preflight(app, *headers, origin=PAGE, method="POST", path="/v1/estimate"):
    """What a browser asks before it sends a request with such a method and such headers."""
    asked = [("Access-Control-Request-Headers", ",".join(headers))] if headers else []
    asked += [("Origin", origin), ("Access-Control-Request-Method", method), CROSS, HOST]
    return call(app, *asked, method="OPTIONS", path=path)


def about_pages(answer):
    return {name for name in answer.headers if name.startswith("access-control-")}


def listed(answer, name):
    return {word.strip().lower() for word in answer.headers[name].split(",")}


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_preflight_of_a_named_page_is_welcome(app, method: str) -> None:
    answer = preflight(app, *SENT, method=method)
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert listed(answer, "access-control-allow-headers") >= set(SENT)
    assert method.lower() in listed(answer, "access-control-allow-methods")
    assert "origin" in listed(answer, "vary")


@pytest.mark.parametrize(
    ("headers", "method"), [((), "PATCH"), ((), "TRACE"), ((), "ANY"), (["cookie"], "POST"), (["x-a"], "GET")]
)
def test_a_preflight_for_what_nobody_needs_is_refused(app, headers, method: str) -> None:
    answer = preflight(app, *headers, method=method)
    answer.problem(403, "forbidden")
    assert not about_pages(answer)


def test_a_page_of_the_internet_may_reach_this_machine_if_it_is_named(app) -> None:
    asked = ("Access-Control-Request-Private-Network", "true")
    headers = [HOST, ORIGIN, CROSS, ("Access-Control-Request-Method", "POST"), asked]
    answer = call(app, *headers, method="OPTIONS")
    assert answer.headers["access-control-allow-private-network"] == "true"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_answer_says_who_may_read_it_and_what(app, method: str) -> None:
    answer = call(app, HOST, ORIGIN, CROSS, method=method)
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert listed(answer, "access-control-expose-headers") == SHOWN
    assert "origin" in listed(answer, "vary")


@pytest.mark.parametrize("origin", FOREIGN)
def test_no_other_page_hears_that_it_may(app, origin: str) -> None:
    refused = [preflight(app, origin=origin), call(app, HOST, ("Origin", origin), CROSS)]
    for answer in refused:
        answer.problem(403, "forbidden")
        assert not about_pages(answer)


@pytest.mark.parametrize("origin", FOREIGN)
def test_nor_does_it_without_the_guard(origin: str) -> None:
    bare = Cors(plain, [PAGE])
    answers = [preflight(bare, origin=origin), call(bare, HOST, ("Origin", origin), CROSS)]
    assert all("access-control-allow-origin" not in answer.headers for answer in answers)
    assert [answer.status for answer in answers] == [403, 200]


def test_what_is_no_page_gets_no_leave_but_caches_are_told(app) -> None:
    answer = call(app, HOST)
    assert not about_pages(answer)
    assert listed(answer, "vary") == {"origin"}


def test_credentials_are_never_allowed(app) -> None:
    for answer in (preflight(app), call(app, HOST, ORIGIN, CROSS)):
        assert "access-control-allow-credentials" not in answer.headers


@pytest.fixture
def service(settings: Settings, fake: FakeEstimator):
    """The whole application, which asks for a key."""
    return create_app(settings.model_copy(update={"origins": PAGE}), fake, keys=Keys.parse(LINE))


def test_a_preflight_needs_no_key_and_has_the_headers_of_every_answer(service) -> None:
    answer = preflight(service, *SENT)
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert {"x-request-id", "x-content-type-options"} <= answer.headers.keys()


def test_refusals_can_be_read_by_the_page(service, in_lifespan, connect, draw, as_body) -> None:
    page = {"origin": PAGE, "sec-fetch-site": "cross-site"}
    mine = {**page, "x-api-key": KEY}

    async def scenario(app):
        async with connect(app) as http:
            good = await http.post("/v1/estimate", json=as_body(draw()), headers=mine)
            late = {**mine, "x-request-timeout": "1e-9"}
            return [
                good,
                await http.post("/v1/estimate", headers=page),
                await http.get("/nothing", headers=mine),
                await http.post("/v1/estimate", json=as_body(draw()), headers=late),
            ]

    answers = in_lifespan(service, scenario)
    assert [answer.status_code for answer in answers] == [200, 401, 404, 504]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == PAGE
        assert "X-Request-Id" in answer.headers["access-control-expose-headers"]


def test_without_named_origins_nothing_is_said_to_browsers(settings: Settings, fake: FakeEstimator) -> None:
    app = create_app(settings, fake)
    answers = [
        preflight(app),
        call(app, HOST, ORIGIN, CROSS),
        call(app, HOST, ("Origin", "http://localhost"), path="/nothing"),
    ]
    assert [answer.status for answer in answers] == [403, 403, 404]
    assert not any(about_pages(answer) for answer in answers)
