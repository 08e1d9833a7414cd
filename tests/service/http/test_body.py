"""The reading of a body: its type, its size, its pieces, its time; without a socket, on requests of ASGI."""

import asyncio
from collections import deque

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from mizzle import errors
from mizzle.service.formats.registry import MEDIA_TYPES
from mizzle.service.http import body
from mizzle.service.http.memory import RequestMemory
from mizzle.service.http.problem_details import problem_of
from mizzle.service.settings import Settings

MOST = 1000
PIECES = 65_536


def received(chunks, seconds=60.0, most=MOST, most_json=None, memory=None, caller="", **headers):
    """What `read` makes of chunks that come one by one; None is one that never comes."""
    settings = Settings(body_seconds=seconds)
    memory = memory or RequestMemory(settings)
    waiting = deque(chunks)

    async def receive():
        chunk = waiting.popleft()
        if chunk is None:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": chunk, "more_body": bool(waiting)}

    lines = {"content-type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
    raw = [(name.encode(), value.encode("latin-1")) for name, value in lines.items()]
    request = Request({"type": "http", "method": "POST", "headers": raw}, receive)
    with memory.charged(caller) as charge:
        read = body.read(request, MEDIA_TYPES, charge, settings, most, most_json)
        return asyncio.run(read), len(waiting)


@pytest.mark.parametrize("media", sorted(MEDIA_TYPES))
@pytest.mark.parametrize("chunks", [[b""], [b"abc"], [b"a", b"", b"b", b"c"], [b"a" * MOST]])
def test_a_body_in_any_pieces(media, chunks) -> None:
    assert received(chunks, content_type=media) == ((media, b"".join(chunks)), 0)


@pytest.mark.parametrize(
    "spelled",
    [
        "application/x-npy",
        "APPLICATION/X-NPY",
        " application/x-npy ; charset=UTF-8",
        'application/x-npy;charset="utf-8"',
    ],
)
def test_a_media_type_in_any_spelling(spelled: str) -> None:
    assert received([b"a"], content_type=spelled)[0] == ("application/x-npy", b"a")


@pytest.mark.parametrize(
    "headers",
    [
        {"content_type": ""},
        {"content_type": "text/plain"},
        {"content_type": "application/json, application/x-npy"},
        {"content_type": "application/jsonx"},
        {"content_type": "application/json; charset=utf-16"},
        {"content_type": "application/x-npy; charset="},
        {"content_type": "application/octet-stream"},
        {"content_type": "multipart/form-data; boundary=x"},
        {"content_encoding": "gzip"},
        {"content_encoding": "gzip, gzip"},
        {"content_encoding": "br"},
        {"content_encoding": ""},
    ],
)
def test_other_types_and_encodings(headers) -> None:
    with pytest.raises(errors.UnsupportedMedia):
        received([None], **headers)


def test_a_refused_encoding_names_the_one_that_is_taken() -> None:
    """And a refused media type does not: callers tell the two by this header (RFC 9110, 12.5.3)."""
    with pytest.raises(errors.UnsupportedMedia) as caught:
        received([None], content_encoding="gzip")
    assert problem_of(caught.value).headers["accept-encoding"] == "identity"
    with pytest.raises(errors.UnsupportedMedia) as caught:
        received([None], content_type="text/plain")
    assert "accept-encoding" not in problem_of(caught.value).headers


def test_identity_is_no_encoding() -> None:
    assert received([b"a"], content_encoding="Identity")[0][1] == b"a"


@pytest.mark.parametrize("length", ["1001", "01001", "9" * 18, "9" * 19, "9" * 5000, "0" * 5000 + "1001"])
def test_a_length_beyond_the_limit_is_refused_before_a_byte_is_read(length) -> None:
    with pytest.raises(errors.TooLarge, match="larger than 1000 bytes"):
        received([None], content_length=length)


@pytest.mark.parametrize("length", ["1000", "0", "", "-1", "+5", "1e9", "²", "0" * 5000 + "1000"])
def test_any_other_length_is_not_believed(length) -> None:
    assert received([b"a"], content_length=length)[0][1] == b"a"


@pytest.mark.parametrize("chunks", [[b"a" * (MOST + 1), None], [b"a"] * (MOST + 1) + [None]])
def test_what_comes_is_counted(chunks) -> None:
    with pytest.raises(errors.TooLarge, match="larger than 1000 bytes"):
        received(chunks)


@pytest.mark.parametrize(
    ("chunks", "headers", "size"),
    [
        ([None], {"content_length": "501"}, "501"),
        ([None], {"content_length": "1" + "0" * 99}, "1000000000000000000"),
        ([b"a"] * 501 + [None], {}, "more than 500"),
    ],
)
def test_json_has_a_limit_of_its_own(chunks, headers, size: str) -> None:
    words = f"has {size} bytes, and in JSON it may have 500; send one problem as application/x-npy"
    with pytest.raises(errors.TooLarge, match=words):
        received(chunks, most_json=500, **headers)
    assert received([b"a" * 500], most_json=500)[0][1] == b"a" * 500
    assert received([b"a" * 501], most_json=500, content_type="application/x-npy")[0][1] == b"a" * 501


def test_a_limit_of_json_beyond_the_limit_of_all_bodies_changes_nothing() -> None:
    with pytest.raises(errors.TooLarge, match="larger than 1000 bytes"):
        received([None], most_json=2000, content_length="1001")


def test_pieces_are_counted() -> None:
    with pytest.raises(errors.TooLarge, match="more than 65536 pieces"):
        received([b"a"] * (PIECES + 1) + [None], most=2 * PIECES)
    assert len(received([b"a"] * (PIECES - 1), most=2 * PIECES)[0][1]) == PIECES - 1


def test_the_deadline_is_absolute() -> None:
    """However steadily it comes: the deadline has passed, so the first wait is the last."""
    with pytest.raises(HTTPException) as caught:
        received([b"a", None], seconds=1e-9)
    assert caught.value.status_code == 408


@pytest.mark.parametrize("chunks", [[None], [b"a", None], [b"a"] * 100 + [None]])
def test_a_body_that_comes_too_slowly_is_cut_long_before_its_deadline(monkeypatch, chunks) -> None:
    """Whatever came before: a steady start buys no long silence."""
    monkeypatch.setattr(body, "_STALL_SECONDS", 0.0)
    with pytest.raises(HTTPException) as caught:
        received(chunks, seconds=1e9)
    assert caught.value.status_code == 408
