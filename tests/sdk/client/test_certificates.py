"""Whom a client trusts over TLS: SSL_CERT_FILE counts wherever the service is, this machine included."""

import asyncio
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from fakes import PATIENCE

import mizzle
from mizzle.cli.entry import main
from mizzle.client.jobs import Jobs

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl, to make certificates")
ANSWER = b'HTTP/1.1 200 OK\r\ncontent-length: 12\r\nconnection: close\r\n\r\n{"jobs": []}'
HOSTS = ("localhost", "127.0.0.1", "[::1]")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of this machine that signs itself, with its key beside it."""
    folder = tmp_path_factory.mktemp("tls")
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "own.pem")]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    command = ["openssl", "req", "-x509", *kind, "-subj", "/CN=localhost", "-addext", names, *files]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "own.pem"


@pytest.fixture(params=HOSTS)
def url(request: pytest.FixtureRequest, certificate: Path) -> Iterator[str]:
    """The address of a server with TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    host, family = request.param.strip("[]"), socket.AF_INET6 if ":" in request.param else socket.AF_INET
    try:
        listener = socket.create_server((host, 0), family=family)
    except OSError:
        pytest.skip(f"this machine has no {host}")
    stopped = threading.Event()

    def serve() -> None:
        while not stopped.is_set():
            with suppress(OSError):
                connection, _ = listener.accept()
                connection.settimeout(PATIENCE)
                with context.wrap_socket(connection, server_side=True) as secure:
                    secure.recv(65536)
                    secure.sendall(ANSWER)

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"https://{request.param}:{listener.getsockname()[1]}"
    stopped.set()
    with suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(PATIENCE)


def blocking(url: str) -> bool:
    with mizzle.Client(url) as client:
        return client.ready()


def asynchronous(url: str) -> bool:
    async def ready() -> bool:
        async with mizzle.AsyncClient(url) as client:
            return await client.ready()

    return asyncio.run(ready())


def jobs(url: str) -> bool:
    with Jobs(url) as client, suppress(mizzle.ServiceUnreachable):
        client._sleep = lambda _: None
        return client.all() == []
    return False


SHELLS = [blocking, asynchronous, jobs]


@pytest.mark.parametrize("ready", SHELLS)
def test_certificates_of_the_environment_are_trusted(
    ready: Callable[[str], bool], url: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    assert not ready(url)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert ready(url)


@pytest.mark.parametrize("ready", SHELLS)
@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_no_certificates_are_said(
    ready: Callable[[str], bool], content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In words, and only where they are needed: a service without TLS is asked all the same."""
    file = tmp_path / "certificates.pem"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with pytest.raises(mizzle.InvalidInput, match="SSL_CERT_FILE"):
        ready("https://127.0.0.1:9")
    with mizzle.Client("http://127.0.0.1:9") as client:
        assert not client.ready()


def test_the_command_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere.pem")
    assert main(["info", "--url", "https://127.0.0.1:9"]) == 2
    assert "SSL_CERT_FILE" in capsys.readouterr().err
