"""The body of a request, from the socket: counted, timed and charged while it arrives."""

import asyncio
from collections.abc import Collection

from starlette.exceptions import HTTPException
from starlette.requests import Request

from mizzle.errors import TooLarge, UnsupportedMedia
from mizzle.service.formats.registry import JSON, NPY, SAFETENSORS
from mizzle.service.http.memory import Charge
from mizzle.service.http.problem_details import UnsupportedEncoding
from mizzle.service.settings import Settings

_MAX_CHUNKS = 65_536  # each costs more to receive than a byte of its data
_STALL_SECONDS = 10.0  # by which a body may be behind the slowest rate
_NUMBER_BYTES = 8  # of the widest
_MAX_LENGTH_DIGITS = 18  # Python refuses to read thousands of them


async def read(
    request: Request,
    media_types: Collection[str],
    charge: Charge,
    settings: Settings,
    max_bytes: int,
    max_json_bytes: int | None = None,
) -> tuple[str, bytes]:
    """The media type and the whole body.

    Args:
        media_types: those to take, in lower case.
        charge: rises to the declared length before a byte is read, or with what comes.
        settings: with the time until the body must be there, however steadily it comes, and the slowest rate.
        max_json_bytes: of a body in JSON, where that is less than `max_bytes`.

    Raises:
        TooLarge: by the declared length before a byte is read, or by what came, in bytes or in pieces.
        UnsupportedMedia: another media type, or any encoding.
        QueueFull: there is no room for so many bytes now.
        HTTPException: 408 for a body that does not arrive in time, or too slowly.
    """
    media = _media(request, media_types)
    limit, refuse = max_bytes, _too_large
    if media == JSON and max_json_bytes is not None and max_json_bytes < max_bytes:
        limit, refuse = max_json_bytes, _too_large_for_json
    if (length := _declared_length(request)) > limit:
        raise refuse(str(length), limit)
    charge.resize(length)
    content, chunks = bytearray(), 0  # and no list of pieces: a small one takes many times its size
    try:
        schedule = _Schedule(settings)
        async with asyncio.timeout_at(schedule.due) as deadline:
            async for chunk in request.stream():
                chunks += 1
                content += chunk
                if len(content) > limit:
                    raise refuse(f"more than {limit}", limit)
                if chunks > _MAX_CHUNKS:
                    raise TooLarge(f"the body came in more than {_MAX_CHUNKS} pieces; send larger ones")
                charge.extend(len(content))
                schedule.note(len(chunk))
                deadline.reschedule(schedule.due)
    except TimeoutError:
        raise HTTPException(408) from None
    return media, bytes(content)


class _Schedule:
    """Until when more of a body must be there: a piece buys time, of which little is saved."""

    def __init__(self, settings: Settings) -> None:
        self._now = asyncio.get_running_loop().time
        self._min_rate = settings.min_body_rate
        self._end = self._now() + settings.body_seconds
        self._behind = self._now() + _STALL_SECONDS

    @property
    def due(self) -> float:
        """In seconds of the loop's clock."""
        return min(self._behind, self._end)

    def note(self, size: int) -> None:
        """So many bytes came."""
        self._behind = min(self._behind + size / self._min_rate, self._now() + _STALL_SECONDS)


def _media(request: Request, media_types: Collection[str]) -> str:
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedEncoding("the body has a content encoding; send it as it is, without one")
    media, *parameters = map(str.strip, request.headers.get("content-type", "").lower().split(";"))
    charsets = [p.removeprefix("charset=").strip('"') for p in parameters if p.startswith("charset=")]
    if media not in media_types or any(charset != "utf-8" for charset in charsets):
        allowed = ", ".join(sorted(media_types))
        raise UnsupportedMedia(f"set the header content-type to one of {allowed}, and no charset but utf-8")
    return media


def least_numbers(request: Request) -> int:
    """Numbers that a body of this length must hold; 0 where that cannot be told, as of JSON."""
    binary = request.headers.get("content-type", "").lower().startswith((NPY, SAFETENSORS))
    return _declared_length(request) // _NUMBER_BYTES if binary else 0


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
