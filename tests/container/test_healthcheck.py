"""The health check's command: one line and 0 for ready, 1 for anything else."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from mizzle import cli
from mizzle.cli import healthcheck
from mizzle.errors import NotReady, ServiceUnreachable
from mizzle.service.settings import Settings


@contextmanager
def answering(status: int, body: bytes = b"") -> Iterator[tuple[int, list[str]]]:
    """A server on loopback that gives one answer to everything; its port, and the paths that were asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing, where the test's output is."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port, asked
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*arguments: str) -> tuple[int, str, str]:
        code = cli.main(["healthcheck", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def closed() -> Iterator[int]:
    """A port where nobody listens, and nobody else can."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def test_ready(run, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(200, b'{"status":"ready"}') as (port, asked):
        monkeypatch.setenv("MIZZLE_PORT", str(port))
        assert run() == (0, "ready\n", "")
    assert asked == ["/readyz"]


def test_the_option_comes_before_the_environment(run, monkeypatch: pytest.MonkeyPatch, closed: int) -> None:
    monkeypatch.setenv("MIZZLE_PORT", str(closed))
    with answering(200) as (port, _):
        assert run("--port", str(port))[0] == 0


def test_not_ready_says_why(run) -> None:
    problem = {"code": "not_ready", "detail": "the service is loading its model", "status": 503}
    with answering(503, json.dumps(problem).encode()) as (port, _):
        code, out, err = run("--port", str(port))
    assert (code, out, err) == (1, "", "mizzle: error: the service is loading its model\n")


@pytest.mark.parametrize("status", [204, 301, 401, 404, 421, 429, 500, 502])
def test_only_200_is_ready(status: int) -> None:
    """And every other answer is one kind of error, so that the exit code is 1: Docker reserves 2."""
    with answering(status) as (port, _), pytest.raises(NotReady):
        healthcheck.check(port)


def test_nobody_listens(run, closed: int) -> None:
    code, out, err = run("--port", str(closed))
    assert (code, out) == (1, "")
    assert err == f"mizzle: error: no answer at port {closed}; does the service listen there?\n"


@pytest.mark.parametrize("port", [-1, 65536])
def test_no_such_port(port: int) -> None:
    with pytest.raises(ServiceUnreachable):
        healthcheck.check(port)


def test_something_that_is_not_http() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_greet, args=(listener,))
        thread.start()
        with pytest.raises(ServiceUnreachable):
            healthcheck.check(listener.getsockname()[1])
        thread.join()


def _greet(listener: socket.socket) -> None:
    accepted, _ = listener.accept()
    with accepted:
        accepted.recv(1024)
        accepted.sendall(b"220 not a web server\r\n")


def test_silence_ends() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(ServiceUnreachable):
        healthcheck.check(listener.getsockname()[1], seconds=0.05)


def test_proxies_are_not_asked(run, monkeypatch: pytest.MonkeyPatch, closed: int) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed}")
    with answering(200) as (port, _):
        assert run("--port", str(port))[0] == 0


@pytest.mark.parametrize("value", [None, ""])
def test_the_default_is_the_services(run, monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    """An empty variable counts as none, as the service's own settings take it."""
    asked: list[int] = []
    monkeypatch.setattr(healthcheck, "check", asked.append)
    monkeypatch.delenv("MIZZLE_PORT", raising=False)
    if value is not None:
        monkeypatch.setenv("MIZZLE_PORT", value)
    assert run()[0] == 0
    assert asked == [Settings.model_fields["port"].default]
