"""The demo as a process: whatever ends it ends its service, too."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from fakes import PATIENCE

DEMO = Path(__file__).parent.parent / "examples" / "demo.py"


@pytest.fixture
def demo() -> Iterator[subprocess.Popen[str]]:
    """The demo in a process group of its own, all of which is gone after the test."""
    process = subprocess.Popen(
        [sys.executable, str(DEMO), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):  # there is none left, as it should be
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def line_with(demo: subprocess.Popen[str], words: str) -> str:
    """The next line of the demo's output that has these words."""
    assert demo.stdout is not None
    return next(line for line in demo.stdout if words in line)


@pytest.mark.parametrize("moment", ["http://", "Serving at"], ids=["as it starts", "as it serves"])
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_signal_ends_the_service_too(
    demo: subprocess.Popen[str], moment: str, stop: signal.Signals
) -> None:
    url = next(word for word in line_with(demo, moment).split() if word.startswith("http://"))
    port = urlsplit(url).port
    demo.send_signal(stop)
    # The service has both pipes, too: that they end within the time says that it has ended.
    _, errors = demo.communicate(timeout=3 * PATIENCE)
    assert (demo.returncode, errors) == (0, "")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), PATIENCE)
