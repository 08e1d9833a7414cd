"""The body of a request, from the socket: counted and timed while it arrives."""

import asyncio
from collections.abc import Collection

from starlette.exceptions import HTTPException
from starlette.requests import Request

from mizzle.errors import TooLarge, UnsupportedMedia

_MAX_CHUNKS = 65_536  # each costs about a hundred bytes, however little it brings
_MAX_LENGTH_DIGITS = 18  # Python refuses to read thousands of them


async def read(
    request: Request, media_types: Collection[str], max_bytes: int, seconds: float
) -> tuple[str, bytes]:
    """The media type and the whole body.

    Args:
        media_types: those to take, in lower case.
        seconds: until the body must be there, however steadily it comes.

    Raises:
        TooLarge: by the declared length before a byte is read, or by what came, in bytes or in pieces.
        UnsupportedMedia: another media type, or any encoding.
        HTTPException: 408 for a body that does not arrive in time.
    """
    media = _media(request, media_types)
    _check_length(request, max_bytes)
    chunks, size = [], 0
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                chunks.append(chunk)
                size += len(chunk)
                if size > max_bytes:
                    raise _too_large(max_bytes)
                if len(chunks) > _MAX_CHUNKS:
                    raise TooLarge(f"the body came in more than {_MAX_CHUNKS} pieces; send larger ones")
    except TimeoutError:
        raise HTTPException(408) from None
    return media, b"".join(chunks)


def _media(request: Request, media_types: Collection[str]) -> str:
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMedia("the body has a content encoding; send it as it is, without one")
    media, *parameters = map(str.strip, request.headers.get("content-type", "").lower().split(";"))
    charsets = [p.removeprefix("charset=").strip('"') for p in parameters if p.startswith("charset=")]
    if media not in media_types or any(charset != "utf-8" for charset in charsets):
        allowed = ", ".join(sorted(media_types))
        raise UnsupportedMedia(f"set the header content-type to one of {allowed}, and no charset but utf-8")
    return media


def _check_length(request: Request, max_bytes: int) -> None:
    length = request.headers.get("content-length", "").lstrip("0")
    if length.isdecimal() and (len(length) > _MAX_LENGTH_DIGITS or int(length) > max_bytes):
        raise _too_large(max_bytes)


def _too_large(max_bytes: int) -> TooLarge:
    return TooLarge(f"the body is larger than {max_bytes} bytes; send fewer rows or columns")
