"""The body of a request, from the socket: counted and timed while it arrives."""

import asyncio
from collections.abc import Collection

from starlette.exceptions import HTTPException
from starlette.requests import Request

from mizzle.errors import TooLarge, UnsupportedMedia
from mizzle.service.formats.registry import JSON, NPY, SAFETENSORS
from mizzle.service.http.problem_details import UnsupportedEncoding

_MAX_CHUNKS = 65_536  # each costs about a hundred bytes, however little it brings
_MAX_LENGTH_DIGITS = 18  # Python refuses to read thousands of them


async def read(
    request: Request,
    media_types: Collection[str],
    max_bytes: int,
    seconds: float,
    max_json_bytes: int | None = None,
) -> tuple[str, bytes]:
    """The media type and the whole body.

    Args:
        media_types: those to take, in lower case.
        seconds: until the body must be there, however steadily it comes.
        max_json_bytes: of a body in JSON, where that is less than `max_bytes`.

    Raises:
        TooLarge: by the declared length before a byte is read, or by what came, in bytes or in pieces.
        UnsupportedMedia: another media type, or any encoding.
        HTTPException: 408 for a body that does not arrive in time.
    """
    media = _media(request, media_types)
    limit, refuse = max_bytes, _too_large
    if media == JSON and max_json_bytes is not None and max_json_bytes < max_bytes:
        limit, refuse = max_json_bytes, _too_large_for_json
    if (length := _declared_length(request)) > limit:
        raise refuse(str(length), limit)
    chunks, size = [], 0
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                chunks.append(chunk)
                size += len(chunk)
                if size > limit:
                    raise refuse(f"more than {limit}", limit)
                if len(chunks) > _MAX_CHUNKS:
                    raise TooLarge(f"the body came in more than {_MAX_CHUNKS} pieces; send larger ones")
    except TimeoutError:
        raise HTTPException(408) from None
    return media, b"".join(chunks)


def _media(request: Request, media_types: Collection[str]) -> str:
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedEncoding("the body has a content encoding; send it as it is, without one")
    media, *parameters = map(str.strip, request.headers.get("content-type", "").lower().split(";"))
    charsets = [p.removeprefix("charset=").strip('"') for p in parameters if p.startswith("charset=")]
    if media not in media_types or any(charset != "utf-8" for charset in charsets):
        allowed = ", ".join(sorted(media_types))
        raise UnsupportedMedia(f"set the header content-type to one of {allowed}, and no charset but utf-8")
    return media


def _declared_length(request: Request) -> int:
    """What the header Content-Length says; 0 where it is no number, and no more than 10**18."""
    length = request.headers.get("content-length", "").lstrip("0")
    if not length.isdecimal():
        return 0
    return int(length) if len(length) <= _MAX_LENGTH_DIGITS else 10**_MAX_LENGTH_DIGITS


def _too_large(size: str, limit: int) -> TooLarge:
    return TooLarge(f"the body is larger than {limit} bytes; send fewer rows or columns")


def _too_large_for_json(size: str, limit: int) -> TooLarge:
    return TooLarge(
        f"the body has {size} bytes, and in JSON it may have {limit}; send one problem as {NPY}, "
        f"or many as {SAFETENSORS}"
    )
