"""The blocking client: performs the steps of a backend with threads and connections of its own."""

import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, overload

import httpx2

from mizzle.backends import conditional, reduced
from mizzle.backends.effects import Compute, Gather, Send, Sleep, Step, Steps, run
from mizzle.backends.exchange import exchange
from mizzle.backends.info import Limits, ModelCard
from mizzle.backends.local import LocalBackend
from mizzle.backends.pairs import Backend, Errors, Outcome
from mizzle.backends.remote import RemoteBackend, positive
from mizzle.backends.retry import Reply
from mizzle.client.asynchronous import AsyncClient
from mizzle.data.samples import Missing
from mizzle.errors import MizzleError
from mizzle.estimator import EstimatorLike
from mizzle.progress import Wanted
from mizzle.types import DEFAULT_UNIT, Estimate, Unit

if TYPE_CHECKING:
    from mizzle.questions.difference import Difference
    from mizzle.questions.lagged import Lagged
    from mizzle.questions.reliability import Check
    from mizzle.questions.significance import Test
    from mizzle.questions.surrogates import Rng
    from mizzle.tables.results import Matrix, Ranking

__all__ = ["AsyncClient", "Client"]
T = TypeVar("T")


class _Abandoned(Exception):
    """The result of this thread is not wanted any more."""


class Client:
    """A client of a mizzle service; may be shared between threads.

    Args:
        url: where the service is, say http://127.0.0.1:8000; MIZZLE_BASE_URL when left out.
        api_key: MIZZLE_API_KEY when left out.
        timeout: seconds for one request, retries and waits included. The service is told.
        concurrency: how many requests `estimate_many` keeps under way.
        model: which one of the service answers, of those in /v1/models; the first when left out.
        http_client: an httpx2 client to send with, which stays the caller's to close.

    Raises:
        InvalidInput: `url` is no http or https address, or another argument cannot be used.
    """

    _backend: RemoteBackend | LocalBackend
    _http: httpx2.Client | None = None
    _owned = False

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | None = None,
        timeout: float = 60.0,
        concurrency: int = 4,
        model: str | None = None,
        http_client: httpx2.Client | None = None,
    ) -> None:
        remote = RemoteBackend(url, api_key, timeout, model)
        self._prepare(remote, positive(concurrency))
        self._owned = http_client is None
        self._http = http_client or httpx2.Client(trust_env=remote.trust_env, verify=remote.tls())

    def _prepare(self, backend: RemoteBackend | LocalBackend, concurrency: int) -> None:
        self._backend = backend
        self._concurrency = concurrency
        self._sleep = time.sleep

    @classmethod
    def local(cls, estimator: EstimatorLike | None = None, *, weights: Path | str | None = None) -> Self:
        """The same object without a service: the estimator runs in this process.

        Args:
            estimator: the one of the package when left out, which is loaded on first use.
            weights: a file of weights, say of `mizzle.adapt`, in place of an estimator.

        Raises:
            InvalidInput: both are there. ModelUnavailable: the weights cannot be used.
        """
        client = cls.__new__(cls)
        client._prepare(LocalBackend.of(estimator, weights), 1)
        return client

    def estimate(
        self,
        x: object,
        y: object,
        *,
        given: object | None = None,
        missing: Missing = "raise",
        unit: Unit = DEFAULT_UNIT,
        reduce: reduced.Reduce | None = None,
        deduplicate: bool = False,
    ) -> Estimate:
        """The same estimate as `mizzle.estimate(x, y)`, made by the service.

        Args:
            reduce: as there; the columns are reduced here and their estimates are asked for together.

        Raises:
            InvalidInput: the samples cannot be answered as they stand.
            Fault: the service failed, or ServiceUnreachable when there is none.
        """
        options: Any = {"missing": missing, "unit": unit, "deduplicate": deduplicate}
        return self._run(conditional.estimate(self._backend, x, y, given, reduce, **options))

    @overload
    def estimate_many(
        self,
        pairs: Iterable[object],
        *,
        progress: Wanted = None,
        errors: Literal["raise"] = "raise",
        missing: Missing = "raise",
        unit: Unit = DEFAULT_UNIT,
        deduplicate: bool = False,
    ) -> list[Estimate]: ...

    @overload
    def estimate_many(
        self,
        pairs: Iterable[object],
        *,
        progress: Wanted = None,
        errors: Literal["return"],
        missing: Missing = "raise",
        unit: Unit = DEFAULT_UNIT,
        deduplicate: bool = False,
    ) -> list[Outcome]: ...

    @overload
    def estimate_many(
        self,
        pairs: Iterable[object],
        *,
        progress: Wanted = None,
        errors: Errors = "raise",
        missing: Missing = "raise",
        unit: Unit = DEFAULT_UNIT,
        deduplicate: bool = False,
    ) -> Sequence[Outcome]: ...

    def estimate_many(
        self,
        pairs: Iterable[object],
        *,
        progress: Wanted = None,
        errors: Errors = "raise",
        missing: Missing = "raise",
        unit: Unit = DEFAULT_UNIT,
        deduplicate: bool = False,
    ) -> Sequence[Outcome]:
        """Many problems in few requests, several of them under way at once, answers in order.

        Args:
            pairs: of two samples each, as for `estimate`.
            progress: None for a bar on stderr where that is a terminal and the work takes longer than two
                seconds; True or False; or a function of (done, total).
            errors: "raise" the first one, or "return" each in the place of its estimate.
            missing, unit, deduplicate: as for `mizzle.estimate`, for all pairs.

        Raises:
            MizzleError: the first error that comes up, with "pair i" in front if it is that pair's; the rest
                is abandoned. Whatever `errors` says: that the service cannot be asked for its limits.
        """
        options: Any = {"missing": missing, "unit": unit, "deduplicate": deduplicate}
        return self._run(self._backend.estimate_many(pairs, progress, errors, **options))

    def test(self, x: object, y: object, **options: Any) -> "Test":
        """`mizzle.test`, its estimates asked for here; surrogates travel as problems of their own."""
        from mizzle.questions import significance

        return self._run(significance.tested(self._backend, x, y, **options))

    def test_many(self, pairs: Iterable[object], **options: Any) -> "Sequence[Test | MizzleError]":
        """`mizzle.test_many`, asked here, test after test."""
        from mizzle.questions import significance

        return self._run(significance.tested_many(self._backend, pairs, **options))

    def matrix(self, frame: object, **options: Any) -> "Matrix":
        """`mizzle.matrix`, asked here."""
        from mizzle import tables

        return tables.matrix(frame, backend=self._for_tables(), **options)

    def rank(self, frame: object, target: Any, **options: Any) -> "Ranking":
        """`mizzle.rank`, asked here."""
        from mizzle import tables

        return tables.rank(frame, target, backend=self._for_tables(), **options)

    def lagged(self, x: object, y: object, **options: Any) -> "Lagged":
        """`mizzle.lagged`, asked here."""
        from mizzle.questions import lagged

        return self._run(lagged.steps(self._backend, x, y, lagged.options_of(**options)))

    def difference(
        self, first: tuple[object, object], second: tuple[object, object], **options: Any
    ) -> "Difference":
        """`mizzle.difference`, asked here."""
        from mizzle.questions import difference

        return self._run(difference.steps(self._backend, first, second, **options))

    def check(
        self,
        x: object,
        y: object,
        *,
        missing: Missing = "raise",
        unit: Unit = DEFAULT_UNIT,
        deduplicate: bool = False,
        progress: Wanted = None,
        rng: "Rng" = 0,
    ) -> "Check":
        """`mizzle.check`, every estimate of which is made by the service; the variants are made here."""
        from mizzle.questions import reliability

        options: Any = {"missing": missing, "unit": unit, "deduplicate": deduplicate}
        return self._run(reliability.steps(self._backend, x, y, progress=progress, rng=rng, **options))

    def ready(self) -> bool:
        """Whether the service is there and answers a known problem rightly; asks once."""
        return self._run(self._backend.ready())

    def limits(self) -> Limits:
        """What can be asked at once; errors as `estimate`."""
        return self._run(self._backend.limits())

    def info(self) -> ModelCard:
        """The model that answers; errors as `estimate`."""
        return self._run(self._backend.info())

    def close(self) -> None:
        """Closes the connections, if this client opened them."""
        if self._owned and self._http is not None:
            self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._backend.location!r})"

    def _for_tables(self) -> Backend:
        """What answers the pairs of a table: this client, or what is faster where there is no service."""
        return self._backend.for_tables() if isinstance(self._backend, LocalBackend) else self

    def _run(self, steps: Steps[T]) -> T:
        return run(steps, self._perform)

    def _perform(self, step: Step) -> Any:
        match step:
            case Send():
                return self._send(step)
            case Sleep(seconds):
                return self._sleep(seconds)
            case Compute(function, arguments):
                return function(*arguments)
            case Gather():
                return self._gather(step)

    def _send(self, send: Send) -> Reply:
        assert isinstance(self._backend, RemoteBackend)
        assert self._http is not None
        request = self._backend.request(self._http, send)
        return exchange(self._http, request, send.call.max_answer_bytes)

    def _gather(self, step: Gather) -> None:
        pool, stopped = ThreadPoolExecutor(self._concurrency), threading.Event()

        def perform(step: Step) -> Any:
            if stopped.is_set():
                raise _Abandoned
            return self._perform(step)

        def work(steps: Steps[Any]) -> Any:
            try:
                return run(steps, perform)
            except Exception:
                stopped.set()  # here, before this thread takes the next of them
                raise

        try:
            tasks = {pool.submit(work, steps): i for i, steps in enumerate(step.tasks)}
            for task in as_completed(tasks):
                if not isinstance(task.exception(), _Abandoned):  # then another one has the reason
                    step.done(tasks[task], task.result())
        finally:
            stopped.set()
            pool.shutdown(cancel_futures=True)
