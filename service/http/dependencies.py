"""What routes are given by FastAPI's `Depends`: the service that they belong to, and who asks.

What a dependency raises is the answer, before anything of a body is read.
"""

from typing import Annotated, NamedTuple

from fastapi import Depends
from starlette.requests import Request

from mizzle.service.http.deadline import caller
from mizzle.service.http.memory import RequestMemory
from mizzle.service.inference.engine import Caller, Engine
from mizzle.service.inference.models import Models
from mizzle.service.settings import Settings
from mizzle.service.telemetry.metrics import Metrics


class Service(NamedTuple):
    """What the routes of an application work with; it is the application's `state.service`."""

    models: Models
    settings: Settings
    metrics: Metrics
    memory: RequestMemory

    @property
    def engine(self) -> Engine:
        """The engine for requests that name no model."""
        return self.models.first


def service_of(request: Request) -> Service:
    """The service that a request is for."""
    service: Service = request.app.state.service
    return service


async def _service(request: Request) -> Service:
    return service_of(request)


ServiceDep = Annotated[Service, Depends(_service)]


def admitted_caller(
    request: Request, service: Service, least_cells: int = 0, engine: Engine | None = None
) -> Caller:
    """Who asks and until when, while there is room for any answer; to be called before a body is read.

    Args:
        engine: of the model that is asked for; the first where it is left out.
        least_cells: that the problem must have, where that is known by now.

    Raises:
        InvalidRequest: the header with the deadline is no positive number.
        Fault: there is no room, or no model.
    """
    who = caller(request, service.settings.request_seconds)
    (engine or service.engine).check_capacity(who, least_cells=least_cells)
    return who
