"""A client without its transport: where the service is, what to send, when to try again, what came back."""

import math
import os
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from ipaddress import ip_address
from typing import Any, TypeVar
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

import httpx2
import numpy as np
from numpy.typing import NDArray

from mizzle import progress, wire
from mizzle.backends import encode
from mizzle.backends.batches import Batch, answerable, batches, room
from mizzle.backends.connection_errors import KEY, explained
from mizzle.backends.effects import Call, Compute, Gather, Send, Sleep, Steps
from mizzle.backends.info import Limits, ModelCard, parse_card, parse_limits
from mizzle.backends.pairs import Collector, Errors, Outcome, Pair, finished, problems_of, read_samples
from mizzle.backends.retry import STATUSES, Attempts, Reply, retry_after
from mizzle.data.arrays import FloatArray
from mizzle.data.samples import Missing, Sample, read_sample
from mizzle.errors import InvalidInput, MizzleError, ServiceUnreachable, TooLarge
from mizzle.types import DEFAULT_UNIT, Estimate, Unit, check_unit

T = TypeVar("T")
_URL = "MIZZLE_BASE_URL"
_CONNECT_SECONDS = 5.0
_GRACE_SECONDS = 1.0  # beyond the deadline that the service was told, for its own word that it is over


class RemoteBackend:
    """A service as a backend: every method gives the steps to its answer.

    Args:
        url: where the service is; MIZZLE_BASE_URL when left out.
        api_key: MIZZLE_API_KEY when left out; without either, none is sent.
        timeout: seconds for one request, retries and waits included.
        model: which one of the service is asked, by name; the first when left out.

    Attributes:
        location: the address as messages may show it.
        timeout: as a float.
        trust_env: whether the proxies of the environment are for this address.

    Raises:
        InvalidInput: there is no address, or one of these cannot be used.
    """

    def __init__(
        self, url: str | None, api_key: str | None, timeout: float, model: str | None = None
    ) -> None:
        parts = _split(os.environ.get(_URL) if url is None else url)
        self._base = parts.geturl().rstrip("/")
        host = parts.netloc.rpartition("@")[2]  # a password in the url stays out of messages
        self.location = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
        self.timeout = _seconds(timeout)
        self._headers = {"accept": wire.JSON, "accept-encoding": "gzip", **_key_header(api_key, parts)}
        self._model = model
        self._limits: Limits | None = None
        self._has_tls = parts.scheme == "https"
        # HTTP_PROXY is for elsewhere: a proxy cannot reach this machine's own loopback interface.
        self.trust_env = not _loopback(parts.hostname or "")

    def tls(self) -> ssl.SSLContext:
        """Whom to trust: those of SSL_CERT_FILE or SSL_CERT_DIR, or else of the system; nobody without TLS.

        Raises:
            InvalidInput: these name no certificates.
        """
        if not self._has_tls:
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            return httpx2.create_ssl_context()
        except OSError:  # an ssl.SSLError is one, too
            text = "SSL_CERT_FILE or SSL_CERT_DIR names no certificates that can be read"
            raise InvalidInput(text) from None

    def request(self, http: httpx2.Client | httpx2.AsyncClient, send: Send) -> httpx2.Request:
        """What is to be sent, as the library's request."""
        headers = {**self._headers, "x-request-timeout": f"{send.seconds:.3f}"}
        if send.call.media:
            headers["content-type"] = send.call.media
        wait = send.seconds + _GRACE_SECONDS
        timeout = httpx2.Timeout(wait, connect=min(send.seconds, _CONNECT_SECONDS))
        call, url = send.call, self._base + send.call.path
        return http.build_request(
            call.method, url, content=call.content or None, headers=headers, timeout=timeout
        )

    def estimate(
        self,
        x: object,
        y: object,
        *,
        missing: Missing = "raise",
        unit: Unit = DEFAULT_UNIT,
        deduplicate: bool = False,
    ) -> Steps[Estimate]:
        """The estimate of one problem."""
        check_unit(unit)
        sample: Sample = yield Compute(read_sample, (x, y, missing, None, deduplicate))
        call: Call = yield Compute(encode.estimate_call, (sample.x, sample.y, self._model))
        shape = (len(sample.x), sample.x.shape[1], sample.y.shape[1])
        answer = yield from self._ask(call, partial(wire.estimate_of, shape=shape))
        return sample.noted(answer).to(unit)

    def estimate_many(
        self,
        pairs: Iterable[object],
        wanted: progress.Wanted,
        errors: Errors,
        *,
        missing: Missing = "raise",
        unit: Unit = DEFAULT_UNIT,
        deduplicate: bool = False,
    ) -> Steps[list[Outcome]]:
        """The estimates of many, or what became of them instead, in order."""
        check_unit(unit)
        samples: list[Sample | InvalidInput] = yield Compute(
            read_samples, (pairs, errors, missing, deduplicate)
        )
        if not samples:
            return []
        problems = problems_of(samples)
        limits = self._limits or (yield from self.limits())
        with progress.track(wanted, len(problems)) as advance:
            collector = Collector(len(problems), errors, advance)
            planned: list[Batch] = yield Compute(_plan, (problems, limits, collector))
            tasks = [self._batch_or_errors(batch.pairs, errors) for batch in planned]
            yield Gather(tasks, lambda i, outcomes: collector.add(planned[i].places, outcomes))
        return finished(samples, collector.results(), unit)

    def estimate_reordered(
        self, x: FloatArray, y: FloatArray, orders: Sequence[NDArray[np.intp]]
    ) -> Steps[list[Outcome]]:
        """The estimates of a checked x with the rows of y in other orders."""
        return (yield from self.estimate_many([(x, y[order]) for order in orders], False, "raise"))

    def limits(self) -> Steps[Limits]:
        """What the service takes at once; `estimate_many` goes by the last time that it was asked."""
        self._limits = yield from self._ask(Call("GET", wire.LIMITS), parse_limits)
        return self._limits

    def info(self) -> Steps[ModelCard]:
        """The model that is asked."""
        if self._model is None:
            return (yield from self._ask(Call("GET", wire.MODELS), _first_card))
        return (yield from self._ask(Call("GET", f"{wire.MODELS}/{quote(self._model, safe='')}"), parse_card))

    def ready(self) -> Steps[bool]:
        """Whether the service is there and answers a known problem rightly; asks once."""
        reply: Reply = yield Send(Call("GET", wire.READY), self.timeout)
        return reply.status == 200

    def _batch_or_errors(self, pairs: list[Pair], errors: Errors) -> Steps[list[Outcome]]:
        """The outcomes of a batch; its failure, if it may be returned, is that of each of its problems."""
        try:
            return (yield from self._batch(pairs))
        except MizzleError as error:
            if errors == "raise":
                raise
            return [error] * len(pairs)

    def _batch(self, pairs: list[Pair], attempts: Attempts | None = None) -> Steps[list[Outcome]]:
        """The outcomes of problems that are sent together; in halves where that is too much at once."""
        call: Call = yield Compute(encode.batch_call, (pairs, self._model))
        tries = attempts or Attempts(self.timeout)
        try:
            shapes = [(len(x), x.shape[1], y.shape[1]) for x, y in pairs]
            outcomes = yield from self._ask(call, partial(wire.estimates, shapes=shapes), tries)
            return (yield from self._retried(pairs, outcomes, tries))
        except TooLarge:
            if len(pairs) == 1:
                raise
        half = len(pairs) // 2
        first = yield from self._batch(pairs[:half], attempts)
        return first + (yield from self._batch(pairs[half:], attempts))

    def _retried(
        self, pairs: list[Pair], outcomes: list[Outcome], attempts: Attempts
    ) -> Steps[list[Outcome]]:
        """The outcomes of a batch, of which those that speak of the moment are asked for again."""
        again = [i for i, outcome in enumerate(outcomes) if _status(outcome) in STATUSES]
        wait = attempts.wait(Reply(_status(outcomes[again[0]]))) if again else None
        if wait is None:
            return outcomes
        yield Sleep(wait)
        try:
            latest = yield from self._batch([pairs[i] for i in again], attempts)
        except MizzleError:  # each has an error of its own already, which says more
            return outcomes
        for i, outcome in zip(again, latest, strict=True):
            outcomes[i] = outcome
        return outcomes

    def _ask(self, call: Call, form: Callable[[Any], T], attempts: Attempts | None = None) -> Steps[T]:
        """What `form` makes of the answer to a request."""
        reply = yield from self.replied(call, attempts)
        answer: T = yield Compute(self._read, (reply, form))
        return answer

    def replied(self, call: Call, attempts: Attempts | None = None) -> Steps[Reply]:
        """The last reply to a request, which is tried again while that may help.

        Args:
            attempts: that it shares with requests before; its own when left out.
        """
        attempts = attempts or Attempts(self.timeout)
        while True:
            reply: Reply = yield Send(call, attempts.remaining())
            wait = attempts.wait(reply)
            if wait is None:
                return reply
            yield Sleep(wait)

    def _read(self, reply: Reply, form: Callable[[Any], T]) -> T:
        """What `form` makes of a reply, or the error that it is instead."""
        body = self.body(reply)
        try:
            return wire.read(body, form)
        except MizzleError as error:
            raise self._explained(error, reply) from None

    def body(self, reply: Reply) -> bytes:
        """The body of an answer.

        Raises:
            MizzleError: there is none; the reply is an error, or no reply.
        """
        if reply.failure is not None:
            raise ServiceUnreachable(f"{self.location} {reply.failure}") from reply.cause
        if not 200 <= reply.status < 300:
            raise self._explained(wire.read_problem(reply.status, reply.body), reply)
        return reply.body

    def _explained(self, error: MizzleError, reply: Reply) -> MizzleError:
        """The error with what the reply and the address say besides."""
        has_key = bool({"authorization", "x-api-key"} & set(self._headers))
        complete = explained(error, self.location, reply.status, has_key)
        complete.retry_after, complete.request_id = reply.retry_after, reply.request_id
        return complete


def _plan(problems: list[Pair | InvalidInput], limits: Limits, collector: Collector) -> list[Batch]:
    """Batches of the problems that can be sent; the others are answered at once."""
    return list(batches(answerable(problems, limits, collector), room(limits)))


def _first_card(answer: Mapping[str, Any]) -> ModelCard:
    """The model of a service that answers where none is named."""
    return parse_card(answer["models"][0])


def _status(outcome: Outcome) -> int:
    """The status of an item, as of a whole request; 0 for an estimate and for an error of no known code."""
    if not isinstance(outcome, MizzleError) or type(outcome) is ServiceUnreachable:
        return 0
    return outcome.status


def reply_of(response: httpx2.Response, body: bytes) -> Reply:
    """What came back."""
    headers = response.headers
    wait, request_id = retry_after(headers), headers.get("x-request-id")
    return Reply(response.status_code, body, wait, request_id=request_id and wire.printable(request_id))


def _seconds(timeout: float) -> float:
    """A time as a float, of whatever type of number it comes.

    Raises:
        InvalidInput: it is no number, or not positive, or has no end.
    """
    try:
        seconds = float(timeout)
    except (TypeError, ValueError, OverflowError):
        seconds = math.nan
    if isinstance(timeout, str | bytes) or not 0 < seconds < math.inf:
        raise InvalidInput("timeout must be a positive number of seconds")
    return seconds


def positive(concurrency: int) -> int:
    """A number of requests at once.

    Raises:
        InvalidInput: it is below 1.
    """
    if concurrency < 1:
        raise InvalidInput("concurrency must be at least 1")
    return concurrency


def _split(url: str | None) -> SplitResult:
    """The parts of a service's address."""
    if url is None:
        raise InvalidInput(f"there is no address of a service; pass url (--url in the shell), or set {_URL}")
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.query
        httpx2.URL(url)
    except (ValueError, TypeError, AttributeError, httpx2.InvalidURL):
        good = False
    if not good:
        raise InvalidInput("url must be an address like http://127.0.0.1:8000, without a query")
    return parts


def _key_header(api_key: str | None, parts: SplitResult) -> dict[str, str]:
    key = os.environ.get(KEY) if api_key is None else api_key
    if not key:
        return {}
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise InvalidInput("the API key must be printable ASCII without spaces")
    # A name in the address is sent as Authorization: Basic, for a proxy in front, and would replace the key.
    return {"x-api-key": key} if parts.username else {"authorization": f"Bearer {key}"}


def _loopback(host: str) -> bool:
    """Whether a host is this machine by name or address: localhost, 127.0.0.0/8, ::1."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
