"""The models of a service: an engine each, of which the first answers whoever names none."""

import asyncio
from collections.abc import Callable, Sequence

from mizzle.errors import MizzleError, ModelUnavailable, NoSuchModel
from mizzle.service.inference.engine import Engine
from mizzle.types import Estimate, ModelInfo


class Models:
    """Engines that start, prove themselves, drain and close together."""

    def __init__(self, engines: Sequence[Engine]) -> None:
        self.engines = tuple(engines)
        self._taken: set[str] = set()
        for engine in self.engines:
            engine.check_model = self._take_name

    @property
    def first(self) -> Engine:
        """The engine for requests that name no model."""
        return self.engines[0]

    def named(self, name: str | None) -> Engine:
        """The engine of a model; the first without a name.

        Raises:
            NoSuchModel: there is none of this name.
            NotReady, ModelUnavailable: names are not known, yet or for good.
        """
        if name is None:
            return self.first
        known = {engine.info.name: engine for engine in self.engines}
        if name not in known:
            raise NoSuchModel(f"this service has no model of this name; it has {', '.join(known)}")
        return known[name]

    @property
    def failure(self) -> MizzleError | None:
        """Why one of them has no model, once that is known."""
        return next((engine.failure for engine in self.engines if engine.failure is not None), None)

    @property
    def starting(self) -> bool:
        """Whether one of them still loads."""
        return any(engine.state == "starting" for engine in self.engines)

    @property
    def queue_fill(self) -> float:
        """Of the fullest queue, as a share of what may wait in it."""
        return max(engine.queue_fill for engine in self.engines)

    def start(self) -> None:
        """Begin to load all of them."""
        for engine in self.engines:
            engine.start()

    def on_failure(self, call: Callable[[MizzleError], None]) -> None:
        """What to do once one of them has no model."""
        for engine in self.engines:
            engine.on_failure = call

    async def loaded(self) -> None:
        """Return when all are there; errors as of `Engine.loaded`."""
        await asyncio.gather(*(engine.loaded() for engine in self.engines))

    async def check_health(self) -> list[Estimate]:
        """A known problem, asked of each; errors as of `Engine.check_health`."""
        return await asyncio.gather(*(engine.check_health() for engine in self.engines))

    def drain(self) -> None:
        """None is ready any more."""
        for engine in self.engines:
            engine.drain()

    async def close(self) -> None:
        """Finish what is admitted, together."""
        await asyncio.gather(*(engine.close() for engine in self.engines))

    def _take_name(self, info: ModelInfo) -> None:
        """Keep the name of a model that was loaded.

        Raises:
            ModelUnavailable: another one has it, so that no request could tell them apart.
        """
        if info.name in self._taken:
            raise ModelUnavailable(
                f"two weights files hold a model called {info.name}; serve one of them, or adapt again with "
                "another name (mizzle adapt --name)"
            )
        self._taken.add(info.name)
