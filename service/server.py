"""Runs the application under uvicorn: one line when it starts, one line when it cannot."""

import signal
import socket
import sys
from types import FrameType

import uvicorn

from mizzle.service.app import create_app
from mizzle.service.settings import Settings
from mizzle.version import __version__
from mizzle.wire import PATH

_MAX_HEADER_BYTES = 16 * 1024
_BACKLOG = 2048


def serve(settings: Settings) -> int:
    """Serves until SIGINT or SIGTERM; returns 0 after a graceful stop and 1 otherwise."""
    try:
        listener = _bind(settings)
    except OSError as error:
        return _complain(f"cannot listen on {settings.host} port {settings.port}: {error.strerror}")
    app = create_app(settings)
    server = uvicorn.Server(_config(app, settings))
    app.state.engine.on_failure = lambda _: setattr(server, "should_exit", True)
    _stop_on_signals(server)
    _announce(listener)
    with listener:
        server.run(sockets=[listener])
    if app.state.engine.failure is not None:
        return _complain(str(app.state.engine.failure))
    return 0 if server.started else 1


def _bind(settings: Settings) -> socket.socket:
    """Not left to uvicorn, so that a taken port is one line and port 0 can be announced."""
    [(family, _, _, _, address), *_] = socket.getaddrinfo(
        settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    listener = socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    # asyncio sets this only on sockets that name their protocol, which these do not. Without it an answer in
    # two parts waits 40 ms for the caller's delayed acknowledgement. Accepted connections inherit it.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _config(app: object, settings: Settings) -> uvicorn.Config:
    """h11 and not httptools, which sets no limit to headers."""
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        http="h11",
        h11_max_incomplete_event_size=_MAX_HEADER_BYTES,
        ws="none",
        lifespan="on",
        log_level=settings.log_level,
        access_log=settings.log_level in ("info", "debug"),
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=settings.grace_seconds,
    )


def _stop_on_signals(server: uvicorn.Server) -> None:
    """uvicorn raises the signal again after its graceful stop; here that does no harm."""

    def stop(_: int, __: FrameType | None) -> None:
        server.should_exit = True

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)


def _announce(listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    base = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    print(
        f"mizzle {__version__} at {base}  (POST {PATH}; {base}/openapi.json; {base}/readyz)",
        flush=True,
    )


def _complain(message: str) -> int:
    print(f"mizzle: error: {message}", file=sys.stderr, flush=True)
    return 1
