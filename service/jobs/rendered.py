"""Results as bytes: made once for all who read one, and streamed.

However many read a result, and however slowly, it is in memory once. One result is made at a time, and all
that are being read together are bounded.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator
from weakref import WeakValueDictionary

from mizzle.errors import JobFailed, JobsUnavailable, NoSuchJob
from mizzle.service.jobs.memory import to_the_end
from mizzle.service.jobs.repository import JobRepository, StoredHeader
from mizzle.service.jobs.result_formats import WRITERS
from mizzle.service.jobs.rows import AnswerRow, answers_digest, header_of, result_of
from mizzle.service.jobs.store import JobStore

_log = logging.getLogger(__name__)
MAX_BYTES = 128 * 2**20  # of all results that are read at once
_SPARE_BYTES = 32 * 2**20  # of those that nobody reads any more, kept for the next reader
_CHUNK_BYTES = 64 * 2**10
_RETRY_SECONDS = 5.0  # after which a reader may be through
_DAMAGED_TEXT = "the stored result was damaged, and is of no use; send the job again, with a new id"
Key = tuple[int, str]  # number of the job, and media type


class RenderedResult:
    """The bytes of a result, which live as long as somebody reads them."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    async def chunks(self) -> AsyncIterator[bytes]:
        """Return the bytes piece by piece, so that no reader's connection holds them all."""
        for start in range(0, len(self.content), _CHUNK_BYTES):
            yield self.content[start : start + _CHUNK_BYTES]


class RenderedResults:
    """The results that are being read."""

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self._read: WeakValueDictionary[Key, RenderedResult] = WeakValueDictionary()
        self._spare: OrderedDict[Key, RenderedResult] = OrderedDict()
        self._rendering = asyncio.Lock()

    async def get(self, number: int, media: str) -> RenderedResult:
        """Return the result of a job that is done.

        Raises:
            JobFailed: it is not what was stored.
            JobsUnavailable: it cannot be had now; too many others are being read, perhaps.
            NoSuchJob: it has expired since.
        """
        key = number, media
        result = self._read.get(key)
        if result is None:
            async with self._rendering:
                result = self._read.get(key) or await self._render(key)
        self._spare[key] = result
        self._spare.move_to_end(key)
        self._drop_spare(_SPARE_BYTES)
        return result

    def forget(self, number: int | None = None) -> None:
        """Forget the results of a job, or all, but for those who read them."""
        for key in [key for key in self._spare if number in (None, key[0])]:
            del self._spare[key]

    async def _render(self, key: Key) -> RenderedResult:
        number, media = key
        if self._bytes_read >= MAX_BYTES:
            self._drop_spare(0)
        if self._bytes_read >= MAX_BYTES:
            error = JobsUnavailable("too many results are being read now; ask again in a moment")
            error.retry_after = _RETRY_SECONDS
            raise error
        header = await self._store.read(JobRepository.header, number)
        answers = await self._store.read(JobRepository.answers, number)
        if header is None:
            raise NoSuchJob("there is no such job any more")
        self._read[key] = result = RenderedResult(await to_the_end(_write, media, header, answers))
        return result

    @property
    def _bytes_read(self) -> int:
        return sum(len(result.content) for result in self._read.values())

    def _drop_spare(self, max_bytes: int) -> None:
        size = sum(len(result.content) for result in self._spare.values())
        while self._spare and size > max_bytes:
            size -= len(self._spare.popitem(last=False)[1].content)


def _write(media: str, stored: StoredHeader, answers: list[AnswerRow]) -> bytes:
    about, fingerprint, digest = stored
    if digest is not None and answers_digest(about, fingerprint, answers) != digest:
        _log.error("the answers of a job are not those that were stored")
        raise JobFailed(_DAMAGED_TEXT)
    header = header_of(about, fingerprint)
    return WRITERS[media](header, result_of(header, answers))
