"""Jobs of a service: whole tables that are sent once, followed while they are done, and fetched later."""

import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from operator import index
from typing import Any, Self, TypeVar
from uuid import uuid4

import httpx2
import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from mizzle import wire
from mizzle.backends import remote
from mizzle.backends.effects import Call, Send, Sleep, Step, run
from mizzle.backends.encode import narrow
from mizzle.backends.exchange import exchange, lines
from mizzle.backends.retry import Reply
from mizzle.errors import InvalidInput, MizzleError, ServiceUnreachable, by_code
from mizzle.tables.results import Matrix, PairResult, Ranking
from mizzle.tables.variables import Variable
from mizzle.types import Estimate, ModelInfo, Notice, Unit, interval_levels
from mizzle.wire import printable

_EVENTS = "text/event-stream"
_REOPEN_SECONDS = 1.0  # seconds until a stream of events that broke off is opened again
_MAX_EVENT_BYTES = 64 * 2**10
_MAX_LIST_BYTES = 16 * 2**20  # of 30,000 jobs
_MAX_RESULT_BYTES = 256 * 2**20  # of half a million pairs
_MAX_HEADER_BYTES = 32 * 2**20  # of a result, in JSON
_TIMES = ("created", "started", "ended", "expires")
_KEYS = ("id", "what", "state", "pairs", "done", "failed", "created", "started", "ended", "expires", "error")
Job = dict[str, Any]
T = TypeVar("T")


class Jobs:
    """The jobs of one caller.

    Args:
        url: of the service; MIZZLE_BASE_URL when left out. The key comes from MIZZLE_API_KEY.
        timeout: seconds for one request, retries and waits included.

    Raises:
        InvalidInput: `url` is no http or https address.
    """

    def __init__(self, url: str | None = None, timeout: float = 60.0) -> None:
        self._remote = remote.RemoteBackend(url, None, timeout)
        self._http = httpx2.Client(trust_env=self._remote.trust_env, verify=self._remote.tls())
        self._sleep = time.sleep

    def submit(self, variables: list[Variable], fields: Mapping[str, Any], id: str | None = None) -> Job:
        """A new job, or one of the same id and the same content as it stands.

        Args:
            variables: the columns of the table.
            fields: what is asked about it, as the interface names it: what, target, groups, missing, ..
            id: letters, digits, _, . and -, 64 at most; drawn at random when left out.

        Raises:
            InvalidInput: the job cannot be done, or the id belongs to another.
            Fault: the service failed, or there is none.
            MizzleError: what `mizzle.errors` has for it.
        """
        table = np.column_stack([_with_gaps(variable) for variable in variables])
        request = {"columns": [variable.name for variable in variables], **fields}
        body = save({"table": np.ascontiguousarray(narrow(table))}, {"job": json.dumps(request)})
        return self._json(Call("PUT", _path(id or uuid4().hex), body, wire.SAFETENSORS))

    def all(self) -> list[Job]:
        """All jobs, the newest first; errors as `submit`."""
        call = Call("GET", wire.JOBS, max_answer_bytes=_MAX_LIST_BYTES)
        return self._read(self._ask(call), lambda answer: list(map(_job, answer["jobs"])))

    def find(self, id: str) -> Job:
        """A job as it stands; errors as `submit`."""
        return self._json(Call("GET", _path(id)))

    def follow(self, id: str) -> Iterator[Job]:
        """A job at every change, until it has ended; errors as `submit`."""
        while True:
            for job in self._events(id):
                yield job
                if job["ended"] is not None:
                    return
            job = self.find(id)  # the stream broke off: if the service is gone, this says so
            yield job
            if job["ended"] is not None:
                return
            self._sleep(_REOPEN_SECONDS)

    def drop(self, id: str) -> Job | None:
        """Cancel a job, which is returned, or forget one that has ended; errors as `submit`."""
        body = self._ask(Call("DELETE", _path(id)))
        return self._read(body, _job) if body else None

    def result(self, id: str) -> Matrix | Ranking:
        """The answers of a job that is done; errors as `submit`."""
        call = Call("GET", _path(id) + "/result", max_answer_bytes=_MAX_RESULT_BYTES)
        body = self._ask(call, wire.SAFETENSORS)
        try:
            return _result(body)
        except (SafetensorError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
            raise self._malformed_answer() from None

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _json(self, call: Call) -> Job:
        return self._read(self._ask(call), _job)

    def _read(self, body: bytes, form: Callable[[Any], T]) -> T:
        try:
            return wire.read(body, form)
        except ServiceUnreachable:
            raise self._malformed_answer() from None

    def _malformed_answer(self) -> ServiceUnreachable:
        return ServiceUnreachable(
            f"{self._remote.location}: the answer is not of the form of a mizzle service"
        )

    def _ask(self, call: Call, accept: str = wire.JSON) -> bytes:
        """The body of the answer to a request, which is tried again while that may help."""

        def perform(step: Step) -> Reply | None:
            if isinstance(step, Send):
                return self._send(step, accept)
            assert isinstance(step, Sleep)
            self._sleep(step.seconds)
            return None

        return self._remote.body(run(self._remote.replied(call), perform))

    def _send(self, send: Send, accept: str) -> Reply:
        return exchange(self._http, self._request(send, accept), send.call.max_answer_bytes)

    def _request(self, send: Send, accept: str) -> httpx2.Request:
        request = self._remote.request(self._http, send)
        request.headers["accept"] = accept
        return request

    def _events(self, id: str) -> Iterator[Job]:
        """What a stream of events tells; it ends without a word where it breaks off."""
        request = self._request(Send(Call("GET", _path(id) + "/events"), self._remote.timeout), _EVENTS)
        try:
            response = self._http.send(request, stream=True)
            try:
                if response.status_code != 200:
                    return
                for line in lines(response, _MAX_EVENT_BYTES):
                    if line.startswith(b"data:"):
                        yield self._read(line.removeprefix(b"data:"), _job)
            finally:
                response.close()
        except httpx2.RequestError:
            return


def _path(id: str) -> str:
    """The address of a job.

    Raises:
        InvalidInput: no job can have this id.
    """
    if not re.fullmatch(wire.JOB_ID, id):
        raise InvalidInput(
            "the id of a job has 1 to 64 letters, digits, _, . and -, the first a letter or digit"
        )
    return f"{wire.JOBS}/{id}"


def _job(answer: Mapping[str, Any]) -> Job:
    """A job in a service's answer.

    Raises:
        TypeError, KeyError, ValueError: it is none.
    """
    job = {**answer, **{name: answer[name] for name in _KEYS}}
    if min(map(index, (job["pairs"], job["done"], job["failed"] or 0))) < 0:
        raise ValueError("no numbers of pairs")
    if not all(isinstance(job[name], str | None) for name in _TIMES):
        raise ValueError("no times")
    if job["error"] is not None and not isinstance(job["error"]["detail"], str):
        raise ValueError("no error")
    return job


def _with_gaps(variable: Variable) -> np.ndarray:
    """A column with NaN where a value is missing."""
    column = variable.values[:, 0]
    return column if variable.missing is None else np.where(variable.missing, np.nan, column)


def _result(body: bytes) -> Matrix | Ranking:
    """The answers in a safetensors file of the interface."""
    size = int.from_bytes(body[:8], "little")
    if size > _MAX_HEADER_BYTES:
        raise ValueError("a header that is too long")
    metadata = json.loads(body[8 : 8 + size])["__metadata__"]
    head, tensors = json.loads(metadata["job"]), load(body)
    lines = zip(
        *(tensors[name].tolist() for name in ("pairs", "mi", "quantiles", "n", "dropped", "in_range")),
        *(json.loads(metadata[name]) for name in ("warnings", "error")),
        strict=True,
    )
    levels = tuple(tensors["levels"].tolist())
    pairs = tuple(_pair(head, levels, *line) for line in lines)
    options = _options(head, levels)
    # A service of 0.9 sends no notices.
    notices = tuple(
        Notice(printable(notice["code"]), printable(notice["message"])) for notice in head.get("notices", ())
    )
    if head["what"] == "matrix":
        return Matrix(pairs, *options, tuple(head["names"]), notices=notices)
    return Ranking(pairs, *options, head["target"], notices=notices)


def _options(head: dict[str, Any], levels: tuple[float, ...]) -> tuple[float, Unit, float]:
    """Level, unit and threshold of a result, with which its records can be made.

    Raises:
        ValueError, TypeError, KeyError: it has none, or a name in it is no text.
    """
    level, unit, threshold = head["level"], head["unit"], head["threshold"]
    low, high = interval_levels(level)
    if not levels or not levels[0] <= low < high <= levels[-1]:
        raise ValueError("an interval that the answers do not have")
    if unit not in ("nats", "bits") or not 0 <= threshold <= sys.float_info.max:
        raise ValueError("no unit or no threshold")
    if not all(isinstance(name, str) for name in (*head["names"], head.get("target", ""))):
        raise TypeError("no names")
    return level, unit, threshold


def _pair(
    head: dict[str, Any],
    levels: tuple[float, ...],
    place: list[int],
    mi: float,
    values: list[float],
    n: int,
    dropped: int,
    in_range: bool,
    warnings: str,
    error: str | None,
) -> PairResult:
    if min(place) < 0:
        raise ValueError("no pair of columns")
    x, y = (head["names"][i] for i in place)
    if error is not None:
        return PairResult(x, y, None, _error(error), dropped, ())
    model = ModelInfo(*(printable(head["model"][name]) for name in ModelInfo._fields))
    noticed = tuple(Notice(code, code) for code in printable(warnings).split())  # no sentences travel
    # Nor do the numbers of columns of a group, which nobody asks a table for.
    estimate = Estimate(mi, levels, tuple(values), n, 0, 0, in_range, noticed, model, head["unit"])
    if not wire.is_sound(estimate):
        raise ValueError("no usable numbers")
    return PairResult(x, y, estimate, None, dropped, ())


def _error(text: str) -> MizzleError:
    code, _, words = text.partition(": ")
    return (by_code(code) or InvalidInput)(printable(words))
