"""The page at `/` and the description of the interface at `/docs`: files of this package, open to everybody.

Which files there are is known before the first request, so that no path of a request ever reaches a disk. The
pages themselves are no secret; what they ask of the interface needs a key like anybody's question.
"""

import gzip
import hashlib
from functools import cached_property
from pathlib import Path

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from mizzle.service.http.deadline import run_in_thread_if_large

_FOLDER = Path(__file__).parent.parent / "page"
_PREFIX = "/page/"
_PAGES = {"/": "index.html", "/docs": "docs.html"}
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".csv": "text/csv; charset=utf-8",
    ".svg": "image/svg+xml",
    "": "text/plain; charset=utf-8",  # licences
    ".txt": "text/plain; charset=utf-8",
}
_MIN_PACKED_BYTES = 1024  # fewer are not worth compressing
# No word about styles and scripts inside a page: there are none, and none would be run.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class _File:
    """A file as it is sent."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.media_type = _TYPES[path.suffix]

    @cached_property
    def content(self) -> bytes:
        return self._path.read_bytes()

    @cached_property
    def packed(self) -> bytes:
        """The content in gzip, the same bytes every time."""
        return gzip.compress(self.content, 6, mtime=0)

    @cached_property
    def tag(self) -> str:
        return hashlib.sha256(self.content).hexdigest()[:32]


def _load_files() -> dict[str, _File]:
    """Every file below the folder by the path that it is asked for at, the pages at theirs."""
    pages = {name: path for path, name in _PAGES.items()}
    files = sorted(path for path in _FOLDER.rglob("*") if path.is_file() and path.suffix in _TYPES)
    names = {path.relative_to(_FOLDER).as_posix(): path for path in files}
    return {pages.get(name, _PREFIX + name): _File(path) for name, path in names.items()}


_FILES = _load_files()
PATHS = tuple(_FILES)

router = APIRouter(include_in_schema=False)


@router.get("/")
@router.get("/docs")
@router.get(_PREFIX + "{file:path}")
async def page(request: Request) -> Response:
    """The file at a path, or the word that the browser's copy is still good."""
    file = _FILES.get(request.scope["path"])
    if file is None:
        raise HTTPException(404)
    packs = "gzip" in request.headers.get("accept-encoding", "") and len(file.content) > _MIN_PACKED_BYTES
    headers = _headers(file, packs)
    if headers["etag"] in _tags(request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    content = await run_in_thread_if_large(len(file.content), lambda: file.packed if packs else file.content)
    headers |= {"content-type": file.media_type, "content-length": str(len(content))}
    if packs:
        headers["content-encoding"] = "gzip"
    return Response(content, headers=headers)


def _headers(file: _File, packs: bool) -> dict[str, str]:
    """What a file and the word that it has not changed have in common."""
    headers = {
        "etag": f'"{file.tag}{"-gzip" if packs else ""}"',
        "cache-control": "no-cache",  # keep, and ask whether it is still good
        "vary": "accept-encoding",
    }
    if file.media_type == _TYPES[".html"]:
        headers["content-security-policy"] = POLICY
        headers["cross-origin-opener-policy"] = "same-origin"
    return headers


def _tags(listed: str) -> set[str]:
    """The tags of an If-None-Match, which compares weakly (RFC 9110, 13.1.2)."""
    return {tag.strip().removeprefix("W/") for tag in listed.split(",")}
