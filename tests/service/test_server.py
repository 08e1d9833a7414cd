"""`mizzle serve` as a process: it announces itself, stops gracefully, and fails in one line."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import mizzle
from mizzle.service import server, settings

_FAKE = """
import sys
sys.path.insert(0, {tests!r})
import conftest
from mizzle import cli, estimator
estimator.load = lambda path: {load}
sys.exit(cli.main({arguments!r}))
"""


def _start(*arguments, load="conftest.FakeEstimator()"):
    tests = str(Path(__file__).resolve().parents[1])
    code = _FAKE.format(tests=tests, load=load, arguments=["serve", *arguments])
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_announces_itself_serves_and_stops_with_0(stop, draw):
    with _start("--port=0") as process:
        line = process.stdout.readline()
        url = next(word for word in line.split() if word.startswith("http://127.0.0.1:"))
        assert "/openapi.json" in line
        with mizzle.Client(url) as client:
            assert client.estimate(*draw()).n == 50
        process.send_signal(stop)
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")


def test_answers_do_not_wait_for_acknowledgements():
    """asyncio leaves Nagle's algorithm on for such a socket; accepted connections inherit the option."""
    with server._bind(settings.Settings(port=0)) as listener:
        address = listener.getsockname()
        with socket.create_connection(address), listener.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_a_taken_port_is_one_line_and_1():
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        _start(f"--port={taken.getsockname()[1]}") as process,
    ):
        out, errors = process.communicate(timeout=20)
    assert (process.returncode, out) == (1, "")
    assert errors.startswith("mizzle: error: cannot listen on 127.0.0.1 port")
    assert errors.count("\n") == 1


def test_no_model_is_one_line_and_1():
    with _start("--port=0", load="conftest.no_model()") as process:
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (1, "mizzle: error: the weights are missing\n")


def test_a_bad_setting_is_2(monkeypatch):
    monkeypatch.setenv("MIZZLE_MAX_BATCH_ITEMS", "many")
    with _start() as process:
        out, errors = process.communicate(timeout=20)
    assert (process.returncode, out) == (2, "")
    assert "MIZZLE_MAX_BATCH_ITEMS" in errors
    assert "many" not in errors
