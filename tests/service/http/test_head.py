"""HEAD is GET without a body, on every address."""

import asyncio
import re

import pytest
from raw import call

from mizzle.service.http.head import HeadAsGet


@pytest.fixture
def paths(app):
    """Addresses with GET that need no job; parameters are filled in."""
    described = [path for path, methods in app.openapi()["paths"].items() if "get" in methods]
    return ["/", "/docs", "/openapi.json", *(re.sub(r"{.*?}", "fake", path) for path in described)]


def test_the_head_is_that_of_get(app, play, paths) -> None:
    async def scenario(http):
        for path in paths:
            get, head = await http.get(path), await http.head(path)
            assert head.status_code == get.status_code, path
            if path != "/metrics":  # which counts these very requests
                assert head.headers["content-length"] == get.headers["content-length"], path
                assert head.headers["content-type"] == get.headers["content-type"], path

    assert len(paths) > 10
    play(scenario)


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/startupz", "/v2/health/live", "/v2/health/ready"])
def test_probes_answer_head(play, path: str) -> None:
    async def scenario(http):
        assert (await http.head(path)).status_code == 200

    play(scenario)


def test_what_only_takes_post_takes_no_head(app) -> None:
    answer = call(app, ("Host", "localhost"), method="HEAD", path="/v1/estimate")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


def test_other_methods_are_told_of_head(app) -> None:
    answer = call(app, ("Host", "localhost"), method="DELETE", path="/livez")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


def test_it_is_logged_and_counted_as_head(app, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "mizzle"):
        call(app, ("Host", "localhost"), method="HEAD", path="/livez")
    fields = [record.fields for record in caplog.records if hasattr(record, "fields")]
    assert [(f["method"], f["route"]) for f in fields] == [("HEAD", "/livez")]
    exposition = call(app, ("Host", "localhost"), path="/metrics").body.decode()
    assert 'method="HEAD",route="/livez"' in exposition or 'route="/livez",method="HEAD"' in exposition


def test_the_head_of_a_stream_ends(app) -> None:
    async def stream(scope, receive, send):
        assert scope["method"] == "GET"
        scope["route"] = "a route"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(3):
            await send({"type": "http.response.body", "body": b"event", "more_body": True})

    sent = []
    scope = {"type": "http", "method": "HEAD", "path": "/"}

    async def send(message):
        sent.append(message)

    asyncio.run(HeadAsGet(stream)(scope, None, send))  # type: ignore[arg-type]
    assert [message.get("more_body") for message in sent] == [None, False]
    assert (scope["method"], scope["route"]) == ("HEAD", "a route")
