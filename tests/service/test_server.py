"""`mizzle serve` as a process: it announces itself, stops gracefully, and fails in one line."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

import mizzle
from mizzle.service import server
from mizzle.service.settings import Settings

_FAKE = """
import sys
from mizzle import cli
from mizzle.service import server
server.serve.__defaults__ = ("estimators:{load}",)
sys.exit(cli.main({arguments!r}))
"""


def _start(*arguments, load="fake"):
    """The command in a process of its own, whose worker loads a fake."""
    code = _FAKE.format(load=load, arguments=["serve", *arguments])
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parent),
        "MIZZLE_DRAIN_SECONDS": os.environ.get("MIZZLE_DRAIN_SECONDS", "0.2"),
    }
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=pipe, stderr=pipe, text=True, env=environment
    )


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_announces_itself_serves_and_stops_with_0(stop, draw) -> None:
    with _start("--port=0") as process:
        line = process.stdout.readline()
        url = next(word for word in line.split() if word.startswith("http://127.0.0.1:"))
        assert "/openapi.json" in line
        _until_started(url)
        with mizzle.Client(url) as client:
            assert client.estimate(*draw()).n == 50
        process.send_signal(stop)
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")


def _until_started(url) -> None:
    with httpx2.Client(base_url=url, trust_env=False) as http:
        while http.get("/startupz").status_code != 200:
            pass


def test_a_stalled_caller_does_not_hold_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request of which half has come; SIGTERM ends the service within the grace, with 0."""
    monkeypatch.setenv("MIZZLE_GRACE_SECONDS", "1")
    with _start("--port=0") as process:
        url = next(word for word in process.stdout.readline().split() if word.startswith("http"))
        _until_started(url)
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as raw:
            head = b"POST /v1/estimate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            raw.sendall(head + b'Content-Length: 500\r\n\r\n{"x": [1,')
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=20)
    assert process.returncode == 0


def test_sigterm_is_not_ready_first_and_drops_nothing(monkeypatch: pytest.MonkeyPatch, draw) -> None:
    monkeypatch.setenv("MIZZLE_DRAIN_SECONDS", "1")
    with _start("--port=0") as process:
        url = next(word for word in process.stdout.readline().split() if word.startswith("http"))
        _until_started(url)
        with mizzle.Client(url) as client, httpx2.Client(base_url=url, trust_env=False) as http:
            process.send_signal(signal.SIGTERM)
            while http.get("/readyz").status_code == 200:
                pass
            assert http.get("/readyz").json()["code"] == "draining"
            assert client.estimate(*draw()).n == 50
        process.communicate(timeout=20)
    assert process.returncode == 0


def test_connections_have_their_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIZZLE_MAX_CONNECTIONS", "1")
    with _start("--port=0") as process:
        url = next(word for word in process.stdout.readline().split() if word.startswith("http"))
        _until_started(url)
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as busy:
            head = b"POST /v1/estimate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            busy.sendall(head + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n")
            assert b" 100 " in busy.recv(1024)  # it is under way
            with socket.create_connection((host, int(port))) as other:
                assert b" 503 " in other.recv(1024)
        process.terminate()
        process.communicate(timeout=20)


def test_answers_do_not_wait_for_acknowledgements() -> None:
    """asyncio leaves Nagle's algorithm on for such a socket; accepted connections inherit the option."""
    with server._bind("127.0.0.1", 0) as listener:
        address = listener.getsockname()
        with socket.create_connection(address), listener.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6 beside IPv4")
def test_every_address_is_one_of_both_families() -> None:
    with server._bind("::", 0) as listener:
        for host in ("127.0.0.1", "::1"):
            with (
                socket.create_connection((host, listener.getsockname()[1])),
                listener.accept()[0] as accepted,
            ):
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_a_taken_port_is_one_line_and_1() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        _start(f"--port={taken.getsockname()[1]}") as process,
    ):
        out, errors = process.communicate(timeout=20)
    assert (process.returncode, out) == (1, "")
    assert errors.startswith("mizzle: error: cannot listen on 127.0.0.1 port")
    assert errors.count("\n") == 1


def test_no_model_is_one_line_and_1() -> None:
    with _start("--port=0", load="missing") as process:
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (1, "mizzle: error: the weights are missing\n")


def test_a_bad_setting_is_2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIZZLE_MAX_BATCH_ITEMS", "many")
    with _start() as process:
        out, errors = process.communicate(timeout=20)
    assert (process.returncode, out) == (2, "")
    assert "MIZZLE_MAX_BATCH_ITEMS" in errors
    assert "many" not in errors


def test_a_misspelt_setting_is_pointed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no effect, and silence would look like success; it runs, as others may own such names."""
    monkeypatch.setenv("MIZZLE_MAX_WAITT", "1")
    monkeypatch.setenv("MIZZLE_API_KEY", "of the client")
    with _start("--port=0") as process:
        line = process.stdout.readline()
        _until_started(next(word for word in line.split() if word.startswith("http://127.0.0.1:")))
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert errors.count("\n") == 1
    assert "MIZZLE_MAX_WAITT is no setting and has no effect; did you mean MIZZLE_MAX_WAIT_SECONDS?" in errors


def _urls(process) -> tuple[str, str]:
    """Where a service is, and where it answers probes."""
    line = process.stdout.readline()
    return line.split()[3], line.rpartition("; probes: ")[2].strip(" )\n")


@pytest.mark.parametrize(
    "flood",
    [
        b"",
        b"GET /livez HTTP/1.1\r\nHo",
        b"POST /v1/estimate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: 9\r\n\r\n{",
    ],
)
def test_probes_are_answered_while_all_connections_are_taken(monkeypatch, flood: bytes) -> None:
    """On a listener of their own, without keys, and nothing else is."""
    monkeypatch.setenv("MIZZLE_MAX_CONNECTIONS", "4")
    monkeypatch.setenv("MIZZLE_MAX_PEER_CONNECTIONS", "4")
    with _start("--port=0") as process, contextlib.ExitStack() as stack:
        url, probes = _urls(process)
        _until_started(probes)
        host, port = url.removeprefix("http://").split(":")
        for _ in range(12):
            stack.enter_context(socket.create_connection((host, int(port)))).sendall(flood)
        for _ in range(40):  # each on a connection of its own, more than there may be at once
            http = stack.enter_context(httpx2.Client(base_url=probes, trust_env=False))
            assert http.get("/readyz").json() == {"status": "ready"}
        for path in ("/livez", "/readyz", "/startupz", "/metrics"):
            answer = http.get(path)
            assert answer.status_code == 200
            assert {"date", "x-request-id", "x-content-type-options"} <= set(answer.headers)
        assert "mizzle_ready" in http.get("/metrics").text
        assert http.get("/v1/limits").status_code == 404
        assert http.get("/metrics", headers={"host": "page.example"}).status_code == 421
        assert http.get("/readyz", headers={"host": "page.example"}).status_code == 200
        process.terminate()
        process.communicate(timeout=20)
    assert process.returncode == 0


def test_there_may_be_no_listener_for_probes(monkeypatch) -> None:
    monkeypatch.setenv("MIZZLE_ADMIN_PORT", "off")
    with _start("--port=0") as process:
        assert "probes" not in process.stdout.readline()
        process.kill()


def test_a_taken_port_for_probes_is_one_line_and_1(monkeypatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("MIZZLE_ADMIN_PORT", str(taken.getsockname()[1]))
        with _start("--port=0") as process:
            out, errors = process.communicate(timeout=20)
    assert (process.returncode, out) == (1, "")
    assert errors.startswith("mizzle: error: cannot listen on 127.0.0.1 port")
    assert "(MIZZLE_ADMIN_PORT)" in errors
    assert errors.count("\n") == 1


def test_a_port_for_probes_that_nobody_chose_may_be_taken() -> None:
    """Of two services on neighbouring ports, or beside anything else, none gets into another's way."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1] % 50_000 + 1024
    with contextlib.ExitStack() as taken:
        with contextlib.suppress(OSError):  # where somebody else has it
            taken.enter_context(socket.create_server(("127.0.0.1", port + 10_000)))
        with _start(f"--port={port}") as process:
            line = process.stdout.readline()
            process.kill()
    assert "; probes: http://127.0.0.1:" in line
    assert f":{port + 10_000}" not in line


@pytest.mark.parametrize(
    ("port", "chosen", "expected"),
    [
        (8000, None, 18_000),
        (55_535, None, 65_535),
        (55_536, None, 0),
        (0, None, 0),
        (65_535, None, 0),
        (8000, 0, 0),
        (8000, 9000, 9000),
        (8000, "off", None),
    ],
)
def test_where_probes_are_answered(port, chosen, expected) -> None:
    assert Settings(port=port, admin_port=chosen).bound_admin_port == expected
