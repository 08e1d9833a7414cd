"""Start the service, ask it about a real data set through the Python client, print the answers.

python examples/demo.py           and keep serving until Ctrl-C
python examples/demo.py --stop    and stop
"""

import argparse
import signal
import socket
import subprocess
import sys
import threading
import time

from questions import FILE, QUESTIONS, TARGET, pairs

import mizzle
from mizzle import Estimate

HOST = "127.0.0.1"
_PATIENCE = 120.0  # seconds for the first start, which compiles bytecode on a slow disk


def main() -> int:
    """Command line; the service's exit code if it fails to start."""
    parser = argparse.ArgumentParser(description="Estimates on a real data set, through the service.")
    parser.add_argument("--stop", action="store_true", help="stop the service afterwards")
    parser.add_argument("--port", type=int, default=8000, help="0 picks a free one (default: 8000)")
    options = parser.parse_args()
    port = options.port or _free_port()
    # As Ctrl-C: otherwise a demo that is terminated would leave its service running.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    command = [sys.executable, "-m", "mizzle", "serve", "--host", HOST, "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        return _demonstrate(server, f"http://{HOST}:{port}", options.stop)
    except KeyboardInterrupt:
        return 0
    finally:
        server.terminate()
        server.wait()


def _demonstrate(server: subprocess.Popen[str], url: str, stop: bool) -> int:
    if not _listening(server):
        print(f"demo: no service of ours at {url}, see above; --port 0 picks a free port", file=sys.stderr)
        return server.wait() or 1
    with mizzle.Client(url) as client:
        if not _ready(client, server):
            return server.poll() or 1
        print_table(client.estimate_many(pairs()))
    if not stop:
        print(f"\nServing at {url} (API description: {url}/openapi.json). Ctrl-C stops it.", flush=True)
        return server.wait()
    return 0


def _listening(server: subprocess.Popen[str]) -> bool:
    """Wait for the service's first line, which it prints once the port is its own.

    Without it, another service on the port would answer in the place of one that never started.
    """
    assert server.stdout is not None
    print(line := server.stdout.readline(), end="", flush=True)
    # Whatever it prints later is passed on, as a full pipe would stop it.
    threading.Thread(target=sys.stdout.writelines, args=(server.stdout,), daemon=True).start()
    return bool(line)


def _ready(client: mizzle.Client, server: subprocess.Popen[str]) -> bool:
    """Wait until the service answers a known problem rightly, or ends."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        if client.ready():
            return True
        time.sleep(0.2)
    return False


def print_table(estimates: list[Estimate]) -> None:
    """One line a question: posterior mean, 90 % interval, and what was noticed."""
    first = estimates[0]
    print(
        f"\nHow much do measures of a cell nucleus say about its {TARGET[0]}? ({FILE.name}, n = {first.n})\n"
    )
    print(f"{'columns':36}{'nats':>7}  {'90 % interval':17}noticed")
    for names, estimate in zip(QUESTIONS, estimates, strict=True):
        low, high = estimate.interval(0.9)
        codes = ", ".join(w.code for w in estimate.warnings) or "-"
        print(f"{' + '.join(names):36}{estimate.mi:7.3f}  {low:6.3f} to {high:6.3f} {codes}")
    print(f"\nmodel {first.model.name} {first.model.version}, sha256 {first.model.sha256[:12]}", flush=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main())
