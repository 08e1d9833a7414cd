"""API keys: who has none is admitted to the probes and nowhere else, however the address is written."""

import ast
import hashlib
import re
from pathlib import Path

import pytest
from fakes import FakeEstimator
from fastapi import FastAPI
from raw import call, exchange, listening
from starlette.requests import Request

from mizzle import wire
from mizzle.errors import InvalidInput
from mizzle.service.app import PROBES, create_app
from mizzle.service.http import auth
from mizzle.service.http.auth import (
    Auth,
    Keys,
    check_bind,
    key_name,
    new_key,
)
from mizzle.service.routes import page
from mizzle.service.routes.about import METRICS
from mizzle.service.settings import Settings

OPEN = ("/livez", "/readyz", "/startupz")
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "ANYTHING"]
ALIASES = [
    "/",
    "",
    "//v1/estimate",
    "/v1/estimate/",
    "/v1//estimate",
    "/v1/%65stimate",
    "/V1/ESTIMATE",
    "/v1/estimate;livez",
    "/livez/",
    "//livez",
    "/livez/..",
    "/livez/../v1/estimate",
    "/./livez",
    "/%2e/livez",
    "/livez%2f",
    "/livez?",
    "/livez#",
    "/LIVEZ",
    "/livez ",
    "/livez\0",
    "livez",
    "/livez/v1/estimate",
    "http://localhost/livez",
    "*",
    "/nothing",
    "/metrics",
    "/openapi.json",
    "/docs",
]
ALICE, LINE = new_key("alice")
BOB, BOBS_LINE = new_key("bob-2.x_y")


@pytest.fixture
def keys():
    return Keys.parse(f"{LINE}\n{BOBS_LINE}\n")


@pytest.fixture
def app():
    """Some routes, which tell whose request it is."""
    app = FastAPI(redirect_slashes=True)

    for path in (*OPEN, "/metrics", "/v1/estimate", "/v1/models/{name}"):

        @app.api_route(path, methods=["GET", "POST"], operation_id=path)
        async def whose(request: Request) -> str:
            return key_name(request.scope)

    return app


@pytest.fixture
def guarded(app, keys):
    return Auth(app, keys, OPEN)


def bearer(text):
    return ("Authorization", f"Bearer {text}")


def refused(answer) -> None:
    answer.problem(401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("method", METHODS)
def test_every_route_but_the_open_ones_asks_for_a_key(app, guarded, method: str) -> None:
    walked = [getattr(route, "path", "/") for route in app.routes]
    assert set(walked) > {"/openapi.json", *OPEN}
    for path in (*walked, *ALIASES):
        if path not in OPEN:
            refused(call(guarded, method=method, path=path, root_path=""))


@pytest.mark.parametrize("method", METHODS)
def test_so_does_every_route_of_the_service(keys, method: str) -> None:
    app = create_app(Settings(), FakeEstimator(), keys=keys)
    paths = {*app.openapi()["paths"], "/openapi.json", *ALIASES} - {*page.PATHS}
    assert paths > {wire.PATH, wire.BATCH_PATH, wire.LIMITS, wire.MODELS, METRICS, *PROBES}
    for path in paths - {*PROBES}:
        refused(call(app, ("Host", "localhost"), method=method, path=path))
    assert call(app, ("Host", "localhost"), method=method, path=PROBES[0]).status in (200, 405)


@pytest.mark.parametrize("path", OPEN)
def test_probes_ask_for_none(guarded, path: str) -> None:
    answer = call(guarded, path=path, root_path="")
    assert (answer.status, answer.body) == (200, b'"anonymous"')


def test_metrics_are_open_if_told_so(app, keys) -> None:
    refused(call(Auth(app, keys, OPEN), path="/metrics", root_path=""))
    assert call(Auth(app, keys, (*OPEN, "/metrics")), path="/metrics", root_path="").status == 200


def test_without_keys_everybody_is_anonymous(app) -> None:
    answer = call(Auth(app, Keys()), bearer("whatever"), path="/v1/estimate", root_path="")
    assert (answer.status, answer.body) == (200, b'"anonymous"')


@pytest.mark.parametrize(
    "header", [bearer(ALICE), ("authorization", f"bEARER   {ALICE} "), ("X-API-Key", ALICE)]
)
def test_a_key_tells_who_asks(guarded, header) -> None:
    answer = call(guarded, header, path="/v1/estimate", root_path="")
    assert (answer.status, answer.body) == (200, b'"alice"')


def test_a_scheme_of_a_proxy_is_no_key(guarded) -> None:
    headers = [("Authorization", "Basic YTpi"), ("X-API-Key", BOB)]
    assert call(guarded, *headers, path="/v1/estimate", root_path="").body == b'"bob-2.x_y"'


WRONG = {
    "empty": [bearer("")],
    "no scheme": [("Authorization", ALICE)],
    "another scheme": [("Authorization", f"Basic {ALICE}")],
    "empty header": [("X-API-Key", "")],
    "shortened": [bearer(ALICE[:-1])],
    "lengthened": [bearer(ALICE + "a")],
    "in capitals": [bearer(ALICE.upper())],
    "its hash": [bearer(LINE.partition(":")[2])],
    "its line": [bearer(LINE)],
    "its name": [bearer("alice")],
    "twice": [bearer(ALICE), bearer(ALICE)],
    "two": [bearer(ALICE), ("X-API-Key", BOB)],
    "right and wrong": [("X-API-Key", ALICE), ("X-API-Key", "wrong")],
    "not ASCII": [bearer("é" * 40)],
    "in a cookie": [("Cookie", f"api_key={ALICE}")],
    "in the query": [],
}


@pytest.mark.parametrize("case", WRONG)
def test_anything_else_does_not(guarded, case: str) -> None:
    query = f"key={ALICE}&api_key={ALICE}".encode()
    answer = call(guarded, *WRONG[case], path="/v1/estimate", root_path="", query_string=query)
    refused(answer)
    assert ALICE.encode() not in answer.body


def test_aliases_on_a_socket(guarded) -> None:
    """The path is what the server makes of the target; nothing in it or in Host opens another route."""
    with listening(guarded) as address:
        whole = ("http://livez/v1/estimate", "http://h//livez", "http://h/v1/estimate?/livez")
        for target in ("//livez", "/%2e/livez", "/livez/", "/livez%3f", "/v1/estimate", *whole):
            for method in ("GET", "OPTIONS", "TRACE"):
                head = f"{method} {target} HTTP/1.1\r\nHost: a/livez?\r\nConnection: close\r\n\r\n"
                [answer] = exchange(address, head.encode())
                refused(answer)


def test_names_in_code_are_not_compared_directly() -> None:
    """`==` and `in` stop at the first difference, and so tell by their time how much was right."""
    for node in ast.walk(ast.parse(Path(auth.__file__).read_text())):
        if isinstance(node, ast.Compare):
            names = {getattr(n, "id", getattr(n, "attr", "")) for n in ast.walk(node)}
            assert not any(re.search("key|token|secret|digest|hash|stored", n, re.I) for n in names)


def test_all_keys_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [new_key(f"name{i}") for i in range(10)]
    keys, compared = Keys.parse("\n".join(line for _, line in lines)), []
    monkeypatch.setattr(
        "mizzle.service.http.auth.hmac.compare_digest", lambda a, b: compared.append(a) or a == b
    )
    assert keys.name_of(lines[0][0].encode()) == "name0"
    assert keys.name_of(b"wrong") is None
    assert len(compared) == 20


def test_a_new_key_is_known_by_its_line_alone() -> None:
    made, line = new_key("a")
    assert re.fullmatch(r"mz_[A-Za-z0-9_-]{43}", made)
    assert line == f"a:{hashlib.sha256(made.encode()).hexdigest()}"
    assert made != new_key("a")[0]
    assert Keys.parse(line).name_of(made.encode()) == "a"


def test_a_file_may_have_comments_blanks_and_two_keys_of_one_name(tmp_path: Path) -> None:
    _, other = new_key("alice")
    path = tmp_path / "keys"
    path.write_text(f"# ours\n\n  {LINE}  \r\n{other.upper().replace('ALICE', 'alice')}\n")
    keys = Keys.read(path)
    assert (len(keys), keys.name_of(ALICE.encode())) == (2, "alice")


BAD = {
    "nothing": ("", "no API key"),
    "comments": ("# nothing\n\n", "no API key"),
    "the key itself": (f"# a\n{ALICE}", "line 2"),
    "a key for a hash": (f"alice:{ALICE}", "line 1"),
    "no name": (LINE[5:], "line 1"),
    "short": (LINE[:-1], "line 1"),
    "long": (LINE + "0", "line 1"),
    "no hexadecimal": (LINE[:-1] + "g", "line 1"),
    "name with space": ("a b:" + LINE[6:], "line 1"),
    "name with control": ("a\x1bb:" + LINE[6:], "line 1"),
    "long name": ("a" * 65 + ":" + LINE[6:], "line 1"),
    "taken name": ("anonymous:" + LINE[6:], "line 1"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_lines_are_named_and_not_repeated(case: str) -> None:
    text, words = BAD[case]
    with pytest.raises(InvalidInput, match=words) as caught:
        Keys.parse(text)
    for secret in (ALICE, LINE[6:20], "\x1b"):
        assert secret not in str(caught.value)


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No such file") as caught:
        Keys.read(tmp_path / "secret-place")
    assert "secret-place" not in str(caught.value)
    (tmp_path / "keys").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidInput, match="UTF-8"):
        Keys.read(tmp_path / "keys")


def test_reload_takes_new_keys_or_leaves_the_old(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(LINE)
    keys = Keys.read(path)
    path.write_text(BOBS_LINE)
    keys.reload()
    assert [keys.name_of(key.encode()) for key in (ALICE, BOB)] == [None, "bob-2.x_y"]
    path.write_text("# empty, which must not open the service to everybody")
    with pytest.raises(InvalidInput):
        keys.reload()
    assert keys
    assert keys.name_of(BOB.encode())
    Keys.parse(LINE).reload()


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\n", "a" * 65, "anonymous", "#a"])
def test_a_name_has_few_characters(name) -> None:
    with pytest.raises(InvalidInput, match="name"):
        new_key(name)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_this_machine_needs_no_key(host: str) -> None:
    check_bind(host, Keys(), False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "10.0.0.1", "192.0.2.1", "fd00::1", "::ffff:10.0.0.1"])
def test_other_addresses_do(host: str, keys) -> None:
    with pytest.raises(InvalidInput, match="MIZZLE_KEYS_FILE"):
        check_bind(host, Keys(), False)
    check_bind(host, keys, False)
    check_bind(host, Keys(), True)


def test_a_name_counts_with_all_its_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(0, 0, 0, "", ("127.0.0.1", 0)), (0, 0, 0, "", ("192.0.2.1", 0))]
    monkeypatch.setattr("mizzle.service.http.auth.socket.getaddrinfo", lambda *_, **__: found)
    with pytest.raises(InvalidInput, match="MIZZLE_KEYS_FILE"):
        check_bind("mizzle.example", Keys(), False)


def test_a_host_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(InvalidInput, match="resolved"):
        check_bind("nothing.invalid", Keys(), False)
    with pytest.raises(InvalidInput, match="resolved"):
        check_bind("a" * 100, Keys(), False)


@pytest.mark.parametrize(
    ("file", "folder", "words"),
    [
        (0o600, 0o700, []),
        (0o644, 0o755, []),
        (0o600, 0o1777, []),
        (0o660, 0o755, ["the keys file"]),
        (0o602, 0o1777, ["the keys file"]),
        (0o600, 0o775, ["its folder"]),
        (0o666, 0o777, ["the keys file", "its folder"]),
    ],
)
def test_who_else_could_make_keys_is_pointed_out(tmp_path: Path, file: int, folder: int, words) -> None:
    """Through a link, too, as secrets are mounted."""
    path = tmp_path / "keys"
    path.write_text(f"a:{'0' * 64}")
    (tmp_path / "links").mkdir(0o700)
    link = tmp_path / "links" / "keys"
    link.symlink_to(path)
    path.chmod(file)
    tmp_path.chmod(folder)
    for place in (path, link):
        sentences = Keys.read(place).warnings()
        assert len(sentences) == len(words)
        assert all(f"can write to {word}," in text for word, text in zip(words, sentences, strict=True))


def test_keys_of_no_file_are_nobodys_to_write() -> None:
    assert Keys().warnings() == []
