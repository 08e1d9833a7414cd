"""Runs the application under uvicorn: one line when it starts, one line when it cannot."""

import gc
import logging
import signal
import socket
import sys
import time
from types import FrameType
from typing import Any

import uvicorn

from mizzle.errors import InvalidInput, MizzleError
from mizzle.service import logs
from mizzle.service.app import LOADER, create_admin_app, create_app
from mizzle.service.http.auth import Keys, check_bind
from mizzle.service.http.memory import configure_allocator
from mizzle.service.inference.models import Models
from mizzle.service.settings import Settings, unknown_variables
from mizzle.service.transport.admin import AdminListener
from mizzle.service.transport.connections import allowed_connections, capped
from mizzle.service.transport.protocol import protocol_class
from mizzle.service.transport.shedding import LoadShedder
from mizzle.version import __version__
from mizzle.wire import PATH

_MAX_HEADER_BYTES = 16 * 1024
_BACKLOG = 2048
# Longer than balancers and clients keep an idle connection, or we would close it while they ask again.
_IDLE_SECONDS = 75
# Python's own 5 ms begin anew whenever numpy lets go of the interpreter's lock for a moment. A thread that
# reads a large body does so every 2 ms, and the event loop then waited for the lock until the body was read.
_SWITCH_SECONDS = 0.001
_log = logging.getLogger(__name__)


def serve(settings: Settings, loader: str = LOADER) -> int:
    """Serves until SIGINT or SIGTERM; returns 0 after a graceful stop and 1 otherwise.

    Raises:
        InvalidInput: the keys file cannot be read, or none protects an address beyond this machine.
    """
    keys = Keys.read(settings.keys_file) if settings.keys_file else Keys()
    check_bind(settings.host, keys, settings.insecure)
    try:
        listener = _bind(settings.host, settings.port)
    except OSError as error:
        return _complain(f"cannot listen on {settings.host} port {settings.port}: {error.strerror}")
    try:
        admin_listener = _bind_admin(settings)
    except OSError as error:
        place = f"{settings.admin_host} port {settings.bound_admin_port}"
        return _complain(f"cannot listen on {place} (MIZZLE_ADMIN_PORT): {error.strerror}")
    logs.configure(settings.log_level, settings.log_json)
    for sentence in (*unknown_variables(), *keys.warnings()):
        _log.warning(sentence)
    app = create_app(settings, loader=loader, keys=keys)
    shedder = LoadShedder(app.state.engine, app.state.metrics, keys)
    admin = AdminListener(create_admin_app(app, settings), admin_listener) if admin_listener else None
    server = Server(_config(app, settings, shedder), app.state.models, settings.drain_seconds, admin)
    app.state.models.on_failure(server.give_up)
    signal.signal(signal.SIGHUP, lambda *_: _reload(keys))
    _announce(listener, admin_listener)
    configure_allocator()
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.freeze()  # the application stays: a full collection of it would hold every request up
    with listener:
        server.run(sockets=[listener])
    if app.state.models.failure is not None:
        return _complain(str(app.state.models.failure))
    return 0 if server.started else 1


class Server(uvicorn.Server):
    """uvicorn's server, which stops in two steps: first not ready any more, then deaf.

    SIGTERM starts the first, so that whoever routes requests here has time to see it; SIGINT, a second signal
    and a lost model skip it.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        models: Models,
        drain_seconds: float,
        admin: AdminListener | None = None,
    ) -> None:
        super().__init__(config)
        self._models = models
        self._admin = admin
        self._drain_seconds = drain_seconds
        self._terminated_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """On a signal; uvicorn would raise it again after a graceful stop, and exit with its number."""
        if sig == signal.SIGTERM and self._terminated_at is None:
            self._terminated_at = time.monotonic()
        elif self.should_exit:
            self.force_exit = True
        else:
            self.should_exit = True

    def give_up(self, _: MizzleError) -> None:
        """There is no model and there will be none."""
        self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second."""
        if self._terminated_at is not None:
            self._models.drain()
            if time.monotonic() - self._terminated_at >= self._drain_seconds:
                self.should_exit = True
        if self.should_exit:
            self._models.drain()  # or streams of events would hold the stop up
        stops = await super().on_tick(counter)
        if self._admin is not None:
            self._admin.state.default_headers = self.server_state.default_headers
        return stops

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        if self._admin is not None:
            await self._admin.start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish what there is; probes are answered to the end."""
        try:
            await super().shutdown(sockets)
        finally:
            if self._admin is not None:
                self._admin.close()


def _bind_admin(settings: Settings) -> socket.socket | None:
    port = settings.bound_admin_port
    if port is None:
        return None
    try:
        return _bind(settings.admin_host, port)
    except OSError:
        if settings.admin_port is not None:
            raise
        return _bind(settings.admin_host, 0)  # nobody chose the one that is taken


def _bind(host: str, port: int) -> socket.socket:
    """Not left to uvicorn, so that a taken port is one line and port 0 can be announced."""
    [(family, _, _, _, address), *_] = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    # "::" is every address of this machine, so those of IPv4, too; Python would leave them out.
    both = address[0] == "::" and socket.has_dualstack_ipv6()
    listener = socket.create_server(address[:2], family=family, backlog=_BACKLOG, dualstack_ipv6=both)
    # asyncio sets this only on sockets that name their protocol, which these do not. Without it an answer in
    # two parts waits 40 ms for the caller's delayed acknowledgement. Accepted connections inherit it.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _config(app: Any, settings: Settings, shedder: LoadShedder) -> uvicorn.Config:
    """h11 and not httptools, which sets no limit to headers."""
    # The application answers a slow body itself; the protocol cuts what is then still open.
    protocol = protocol_class(
        settings.header_seconds, settings.body_seconds + 1, settings.max_headers, shedder
    )
    return uvicorn.Config(
        app,
        http=capped(
            protocol,
            allowed_connections(settings.max_connections),
            app.state.metrics.refused,
            settings.max_peer_connections,
        ),
        h11_max_incomplete_event_size=_MAX_HEADER_BYTES,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        timeout_keep_alive=_IDLE_SECONDS,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=settings.grace_seconds,
    )


def _announce(listener: socket.socket, admin: socket.socket | None) -> None:
    base, probes = _url(listener), f"; probes: {_url(admin)}" if admin else ""
    print(
        f"mizzle {__version__} at {base}  "
        f"(page: {base}/; POST {PATH}; {base}/openapi.json; {base}/readyz{probes})",
        flush=True,
    )


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _reload(keys: Keys) -> None:
    try:
        keys.reload()
        for sentence in keys.warnings():
            _log.warning(sentence)
    except InvalidInput as error:
        _log.error("the keys stay as they were: %s", error)


def _complain(message: str) -> int:
    print(f"mizzle: error: {message}", file=sys.stderr, flush=True)
    return 1
