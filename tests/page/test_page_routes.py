"""The pages over HTTP: types, caching, policy, and who may read them."""

import gzip

import httpx2
import pytest
from fakes import FakeEstimator

from mizzle.service.http.auth import Keys, new_key
from mizzle.service.routes import page

TYPES = {
    "/": "text/html; charset=utf-8",
    "/docs": "text/html; charset=utf-8",
    "/page/app.js": "text/javascript; charset=utf-8",
    "/page/base.css": "text/css; charset=utf-8",
    "/page/icon.svg": "image/svg+xml",
    "/page/data/known.csv": "text/csv; charset=utf-8",
    "/page/vendor/manifest.json": "application/json",
    "/page/vendor/d3/LICENSE": "text/plain; charset=utf-8",
    "/page/vendor/fzstd/fzstd.mjs": "text/javascript; charset=utf-8",
}
STRANGE = [
    "/page",
    "/page/",
    "/page/index.html",
    "/page/docs.html",
    "/page/nothing.js",
    "/page/vendor",
    "/page/%2e%2e/page_routes.py",
    "/page/..%2fpage_routes.py",
    "/page//app.js",
    "/page/app.js/",
    "/page/app.js%00",
    "/page/%2fetc/passwd",
    "/index.html",
    "/docs/",
]


@pytest.fixture(scope="module")
def http(quick: str):
    with httpx2.Client(base_url=quick, trust_env=False) as client:
        yield client


@pytest.mark.parametrize(("path", "media"), TYPES.items())
def test_files_have_their_types_and_a_policy(http, path, media) -> None:
    answer = http.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, media)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    policy = answer.headers["content-security-policy"]
    assert policy == (page.POLICY if "html" in media else "default-src 'none'; frame-ancestors 'none'")


def test_the_policy_leaves_nothing_open() -> None:
    rules = dict(rule.strip().split(" ", 1) for rule in page.POLICY.split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["frame-ancestors"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert "unsafe" not in page.POLICY


def test_all_of_them_are_there(http, paths: tuple[str, ...]) -> None:
    assert [path for path in paths if http.get(path).status_code != 200] == []


@pytest.mark.parametrize("path", TYPES)
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_head_says_what_get_says(http, path: str, encoding: str) -> None:
    headers = {"accept-encoding": encoding}
    answers = [http.request(method, path, headers=headers) for method in ("GET", "HEAD")]
    get, head = [{k: v for k, v in a.headers.items() if k not in ("x-request-id", "date")} for a in answers]
    assert get == head
    assert (answers[1].status_code, answers[1].content) == (200, b"")


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_copy_that_is_still_good_is_not_sent_again(http, encoding: str) -> None:
    headers = {"accept-encoding": encoding}
    first = http.get("/page/app.js", headers=headers)
    assert first.headers["cache-control"] == "no-cache"
    assert first.headers["vary"] == "accept-encoding"
    for tag in (first.headers["etag"], f'"other", W/{first.headers["etag"]}'):
        again = http.get("/page/app.js", headers={**headers, "if-none-match": tag})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
    assert http.get("/page/app.js", headers={**headers, "if-none-match": '"other"'}).status_code == 200


def test_large_files_are_packed_for_those_who_can_unpack(http) -> None:
    with http.stream("GET", "/page/app.js", headers={"accept-encoding": "br, gzip"}) as answer:
        raw = b"".join(answer.iter_raw())
    plain = http.get("/page/app.js", headers={"accept-encoding": "identity"})
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(raw) == plain.content
    assert answer.headers["etag"] != plain.headers["etag"]
    assert "content-encoding" not in http.get("/page/icon.svg").headers


@pytest.mark.parametrize("path", STRANGE)
def test_there_is_nothing_else(http, path: str) -> None:
    answer = http.get(httpx2.URL(http.base_url, raw_path=path.encode()))
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_they_can_only_be_read(http, method: str) -> None:
    assert http.request(method, "/").status_code == 405


def test_they_ask_for_no_key_and_the_interface_does(serve, paths: tuple[str, ...]) -> None:
    key, line = new_key("me")
    with serve(FakeEstimator(), keys=Keys.parse(line)) as url, httpx2.Client(trust_env=False) as http:
        assert [path for path in paths if http.get(url + path).status_code != 200] == []
        for path in ("/v1/limits", "/openapi.json", "/page/nothing.js", "/docs/"):
            assert http.get(url + path).status_code == 401
        assert http.get(f"{url}/v1/limits", headers={"authorization": f"Bearer {key}"}).status_code == 200


def test_they_are_no_part_of_the_interface(http) -> None:
    assert not [
        path for path in http.get("/openapi.json").json()["paths"] if path.startswith(("/page", "/docs"))
    ]
