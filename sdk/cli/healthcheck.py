"""Whether the service on this machine is ready: what a container's health check asks."""

from http.client import HTTPConnection, HTTPException

from mizzle import wire
from mizzle.errors import NotReady, ServiceUnreachable

_LOOPBACK = "127.0.0.1"
_LARGEST_BODY = 4096
SECONDS = 8.0


def check(port: int, seconds: float = SECONDS) -> None:
    """Returns if the service at this port of the loopback interface is ready.

    Args:
        port: where it listens.
        seconds: how long to wait for each part of the answer.

    Raises:
        NotReady: it is not, as the service says why.
        ServiceUnreachable: nothing answers there.
    """
    # Not urllib and not the client's library: they obey the proxy settings of the environment.
    connection = HTTPConnection(_LOOPBACK, port, timeout=seconds)
    try:
        connection.request("GET", wire.READY, headers={"connection": "close"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise NotReady(str(wire.read_problem(answer.status, answer.read(_LARGEST_BODY))))
    except (OSError, HTTPException, OverflowError):  # the last one: no such port
        raise ServiceUnreachable(f"no answer at port {port}; does the service listen there?") from None
    finally:
        connection.close()
