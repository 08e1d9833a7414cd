"""The worker seen from the service: a process of its own, watched, and replaced when it dies or hangs.

A process and not a thread, so that whatever a batch does to its interpreter or its device, the service
answers on. While idle it is asked for a sign of life twice a second. Of every exchange, from the first byte
that is sent to the last that is received, the event loop keeps the time: a process that computes nothing for
too long, or takes too long, is killed, which ends whatever is waited for.
"""

import asyncio
import json
import logging
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from mizzle import cost
from mizzle.errors import ModelUnavailable
from mizzle.service.inference import ipc
from mizzle.service.inference.batcher import OutOfMemory, WorkerLost
from mizzle.service.inference.ipc import Pair
from mizzle.service.inference.observer import Observer
from mizzle.service.inference.progress import Progress
from mizzle.service.inference.runner import ModelFacts
from mizzle.service.inference.throughput import Throughput
from mizzle.types import Estimate

_log = logging.getLogger(__name__)
_LOAD_SECONDS = 120.0
_IDLE_SECONDS = 0.5  # between signs of life
_LOOK_SECONDS = 0.25  # between two looks at a busy worker
_STILL_SECONDS = 1.5  # without any progress, after which a worker counts as hung
_LOADING_STILL_SECONDS = 3.0  # the same while another one loads; longer where the first one needed it
_PATIENCE_FACTOR = 8.0  # times the seconds that a batch should take
_YIELDING_FACTOR = 8.0  # times that, where others come first on the cores
_MAX_DEATHS, _DEATHS_SECONDS = 5, 60.0  # so many in so many seconds, and the service gives up


class Worker:
    """Runs batches in a process; see `runner.Runner`.

    Args:
        loader: `module:function` that gives the estimator, called in the process.
        options: its keyword arguments, and what `worker_process` takes beside; they must survive JSON.

    Attributes:
        on_failure: called when too many workers died in a short time.
    """

    def __init__(self, loader: str, options: Mapping[str, Any], observer: Observer) -> None:
        self._command = (loader, json.dumps(dict(options)))
        self._patience_factor = _PATIENCE_FACTOR * (_YIELDING_FACTOR if options.get("niceness") else 1.0)
        self.on_failure: Callable[[ModelUnavailable], None] = lambda error: _log.error("%s", error)
        self._observer = observer
        self._turn = asyncio.Lock()  # one exchange at a time
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: ipc.Pipe | None = None
        self._throughput = Throughput(1.0)
        self._loaded, self._loading_still = False, _LOAD_SECONDS
        self._deaths: deque[float] = deque(maxlen=_MAX_DEATHS)
        self._watching: asyncio.Task[None] | None = None

    @property
    def up(self) -> bool:
        """Whether there is a process that answers, as far as is known."""
        return self._pipe is not None

    @property
    def pid(self) -> int | None:
        """Of the process, while there is one."""
        return self._process.pid if self._process else None

    async def start(self) -> ModelFacts:
        """Start the process and watch it.

        Raises:
            ModelUnavailable: it has no model to run, or did not start.
        """
        async with self._turn:
            facts = await self._open()
            self._start_to_watch()
        return facts

    async def run(self, pairs: list[Pair]) -> Sequence[Estimate | Exception]:
        """As `Runner.run`; waits for a process where there is none, for the first time or any more."""
        async with self._turn:
            while self._pipe is None:
                try:
                    await self._open()
                except WorkerLost:
                    continue  # while it loaded: no fault of these pairs
                except ModelUnavailable as error:
                    self.on_failure(error)
                    raise
            self._start_to_watch()
            cells = sum(cost.size(len(x), x.shape[1], y.shape[1]).cells for x, y in pairs)
            start = time.monotonic()
            answer = await self._exchange(ipc.request(pairs), self._throughput.seconds(cells))
            self._throughput.observe(cells, time.monotonic() - start)
        if "out_of_memory" in answer:
            raise OutOfMemory
        return ipc.results(answer["done"])

    async def close(self) -> None:
        """End the process; it is idle, or nobody waits for what it does."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait({self._watching})
        self._end()

    async def _open(self) -> ModelFacts:
        ours, theirs = socket.socketpair()
        with theirs:
            module = ("-m", "mizzle.service.inference.worker_process", str(theirs.fileno()), *self._command)
            self._process = subprocess.Popen((sys.executable, *module), pass_fds=(theirs.fileno(),))
        self._pipe = await ipc.Pipe.over(ours)
        progress = Progress(self._process.pid)
        try:
            answer = await self._timed(progress, self._loading_still, _LOAD_SECONDS, self._received())
        except (EOFError, OSError) as error:  # a TimeoutError is an OSError
            if isinstance(error, TimeoutError) and self._loaded:
                self._lose("hung")  # a model that was there once will be there again
                raise WorkerLost from None
            self._end()
            raise ModelUnavailable("the worker did not start; the log says why") from None
        if "failed" in answer:
            self._end()
            raise ModelUnavailable(answer["failed"]["detail"])
        facts = ModelFacts.read(answer["ready"])
        self._throughput = Throughput(facts.cells_per_second, facts.overhead)
        if not self._loaded:  # drivers and disks are waited for, and how long is known now
            self._loaded, self._loading_still = True, max(_LOADING_STILL_SECONDS, 2 * progress.longest)
        return facts

    async def _exchange(self, frame: bytes, seconds: float) -> dict[str, Any]:
        """The answer to a frame that should take so many seconds.

        Raises:
            WorkerLost: the process died, or did not answer in time and was killed.
        """
        assert self._process is not None
        progress, still = Progress(self._process.pid), max(seconds, _STILL_SECONDS)
        patience = max(self._patience_factor * seconds, _STILL_SECONDS)
        try:
            return await self._timed(progress, still, patience, self._sent_and_received(frame))
        except (EOFError, OSError, ValueError) as error:  # a TimeoutError is an OSError
            self._lose("hung" if isinstance(error, TimeoutError) else "died")
            raise WorkerLost from None

    async def _timed(
        self, progress: Progress, still: float, patience: float, work: Coroutine[Any, Any, dict[str, Any]]
    ) -> dict[str, Any]:
        """What `work` gives.

        Raises:
            TimeoutError: it took longer than `patience`, or the process stood still for longer than `still`
                seconds; the process was killed.
        """
        assert self._process is not None
        deadline = time.monotonic() + patience
        running = asyncio.create_task(work)
        try:
            while not (await asyncio.wait({running}, timeout=min(_LOOK_SECONDS, patience)))[0]:
                if progress.still_seconds() >= still or time.monotonic() >= deadline:
                    self._process.kill()
                    raise TimeoutError
            return running.result()
        finally:
            running.cancel()

    async def _sent_and_received(self, frame: bytes) -> dict[str, Any]:
        assert self._pipe is not None
        await self._pipe.send(frame)
        return await self._received()

    async def _received(self) -> dict[str, Any]:
        assert self._pipe is not None
        return ipc.read(await self._pipe.receive())

    def _lose(self, reason: str) -> None:
        _log.error("the worker %s; a new one is started", reason)
        self._observer.worker_restarted(reason)
        self._end()
        self._deaths.append(time.monotonic())
        if len(self._deaths) == _MAX_DEATHS and self._deaths[-1] - self._deaths[0] < _DEATHS_SECONDS:
            text = (
                f"the worker was lost {_MAX_DEATHS} times in {_DEATHS_SECONDS:.0f} seconds; the log says more"
            )
            self.on_failure(ModelUnavailable(text))

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._pipe is not None:
            self._pipe.close()
        self._pipe = self._process = None

    def _start_to_watch(self) -> None:
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch(), name="mizzle-worker-watch")

    async def _watch(self) -> None:
        """Ask an idle worker for a sign of life, and replace it before anybody needs it."""
        while True:
            await asyncio.sleep(_IDLE_SECONDS)
            async with self._turn:
                try:
                    if self._pipe is None:
                        await self._open()
                    await self._exchange(ipc.request([]), 0.0)
                except WorkerLost:
                    continue
                except ModelUnavailable as error:
                    self.on_failure(error)
                    return
