"""Builds the image for real and holds it to what the Dockerfile promises: `make container`, minutes, as root.

python3 deploy/container_test.py [--base IMAGE] [--keep]

Everything lies in build/container, and goes in the end.
"""

import argparse
import hashlib
import json
import os
import secrets
import shutil
import stat
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import NormalDist

import build_image
from build_image import ROOT, Buildah
from sandbox import SECRET, Image, Sandbox

_STORAGE = ROOT / "build" / "container"
_TOOLS = ("buildah", "debootstrap", "ip", "unshare", "nsenter", "setpriv")
_HOME = "opt/mizzle"
_START_SECONDS = 180.0
_STOP_SECONDS = 25.0  # the drain and the grace of the service, and a margin
_ASK = """
import http.client, json, sys
asked = json.load(sys.stdin)
to = http.client.HTTPConnection("127.0.0.1", 8000, timeout=60)
to.request(asked["method"], asked["path"], asked.get("body"), asked["headers"])
answer = to.getresponse()
print(json.dumps([answer.status, answer.read().decode()]))
"""
_TRUTH = 0.83  # nats of a bivariate normal with correlation 0.9: -ln(1 - 0.81) / 2


def main() -> int:
    """Command line; 1 if a tool is missing or a promise is broken."""
    parser = argparse.ArgumentParser(description="Build the image and try it.")
    parser.add_argument("--base", help="an image that can be pulled, instead of one made by debootstrap")
    parser.add_argument("--keep", action="store_true", help="leave buildah's storage in build/container")
    options = parser.parse_args()
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if missing or os.geteuid() != 0:
        packages = "buildah debootstrap iproute2"
        print(f"this needs root and {', '.join(_TOOLS)}: apt-get install --no-install-recommends {packages}")
        return 1
    shutil.rmtree(_STORAGE, ignore_errors=True)
    try:
        _test(Buildah(_STORAGE), options.base)
    finally:
        if not options.keep:
            shutil.rmtree(_STORAGE)
    return 0


def _test(buildah: Buildah, base: str | None) -> None:
    if base is None:
        with _step("base image by debootstrap"):
            base = build_image.make_base(buildah)
    with _step("build"):
        name = build_image.build(buildah, base)
    with _step("unpack"):
        image = _unpacked(buildah, name)
    print(f"image   {_mib(image.root)} MiB, of which {_mib(image.root / _HOME)} MiB in /{_HOME}")
    for promise in (says_how_it_is_run, holds_what_runs, refuses_without_keys):
        with _step(promise.__name__):
            promise(image)
    keys = _STORAGE / "keys"
    key = _new_key(keys)
    with Sandbox(image, {"MIZZLE_KEYS_FILE": SECRET}, keys) as running:
        with _step("is ready"):
            _await_ready(running)
        for check in (answers, has_no_privileges, wrote_nothing, stops):
            with _step(check.__name__):
                check(running, key)


def says_how_it_is_run(image: Image) -> None:
    """The image's own description."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        version = tomllib.load(file)["project"]["version"]
    wanted = {
        "User": "65532:65532",
        "StopSignal": "SIGTERM",
        "Entrypoint": ["mizzle"],
        "Cmd": ["serve"],
        "ExposedPorts": {"8000/tcp": {}},
    }
    said = {name: image.config.get(name) for name in wanted}
    _hold(said == wanted, f"{said}")
    health = image.config["Healthcheck"]
    _hold(isinstance(health, dict) and health["Test"] == ["CMD", "mizzle", "healthcheck"], f"{health}")
    labels = image.config["Labels"]
    found = labels.get("org.opencontainers.image.version") if isinstance(labels, dict) else None
    _hold(found == version, f"version {found}, not {version}")
    unsafe = [word for word in image.words("Env") if word.startswith(("MIZZLE_INSECURE", "PIP_"))]
    _hold(not unsafe, f"{unsafe}")


def holds_what_runs(image: Image) -> None:
    """The weights and bytecode, all of it root's and read-only for others; no tests, headers or pip."""
    home = image.root / _HOME
    (packages,) = home.glob("lib/python3.*/site-packages")
    _hold((packages / "mizzle/model/weights/mizzle.safetensors").is_file(), "no weights")
    for path in home.rglob("*"):
        _hold(_is_roots_alone(path.lstat()), f"{path} can be changed by others")
    modules = packages.glob("mizzle/**/*.py")
    bare = [path for path in modules if not list(path.parent.glob(f"__pycache__/{path.stem}.*.pyc"))]
    _hold(not bare, f"no bytecode of {bare}")
    strays = [*home.rglob("tests"), *home.rglob("include"), *home.rglob("*.a"), *packages.glob("pip")]
    strays += [image.root / "src", image.root / "opt/pip", image.root / "etc/pip.conf"]
    left = [path for path in strays if path.exists()]
    _hold(not left, f"left in the image: {left}")


def refuses_without_keys(image: Image) -> None:
    """It is reachable by others, so it does not start without API keys, and says what to do."""
    with Sandbox(image, {}) as running:
        code, printed = running.wait(60)
    _hold(code == 2 and "MIZZLE_KEYS_FILE" in printed, f"exit code {code}, {printed!r}")


def answers(running: Sandbox, key: str) -> None:
    """A sample of a normal distribution with a key; nothing without one; its health by its own command."""
    done = running.execute(["mizzle", "healthcheck"])
    _hold((done.returncode, done.stdout) == (0, "ready\n"), f"{done}")
    status, _ = _ask(running, "GET", "/readyz")
    _hold(status == 200, f"/readyz answered {status}")
    x = [_quantile((i + 0.5) / 400) for i in range(400)]
    noise = [x[(157 * i + 11) % 400] for i in range(400)]
    body = json.dumps({"x": x, "y": [0.9 * a + 0.19**0.5 * b for a, b in zip(x, noise, strict=True)]})
    status, text = _ask(running, "POST", "/v1/estimate", body)
    _hold(status == 401, f"without a key it answered {status}")
    status, text = _ask(running, "POST", "/v1/estimate", body, key)
    _hold(status == 200, f"{status} {text}")
    mi = json.loads(text)["mi"]
    _hold(abs(mi - _TRUTH) < 0.15, f"{mi} nats instead of {_TRUTH}")
    print(f"        {mi:.3f} nats where {_TRUTH} are true")


def has_no_privileges(running: Sandbox, _: str) -> None:
    """The service and its worker: user 65532, no group besides, no capability, none to be had."""
    resident = 0
    for pid in running.processes():
        status = dict(_pairs(Path(f"/proc/{pid}/status")))
        _hold(status["Uid"].split() == status["Gid"].split() == ["65532"] * 4, f"{status['Uid']}")
        _hold(set(status["Groups"].split()) <= {"65532"}, f"groups {status['Groups']}")
        _hold(int(status["CapEff"], 16) == 0 and status["NoNewPrivs"] == "1", "it has privileges")
        resident += int(status["VmRSS"].split()[0])
    print(f"        {len(running.processes())} processes, {resident // 1024} MiB resident")


def wrote_nothing(running: Sandbox, _: str) -> None:
    """Its root cannot be written to, and the memory file systems are empty still."""
    done = running.execute(["find", "/tmp", "/dev/shm", "-mindepth", "1"])
    _hold((done.returncode, done.stdout) == (0, ""), f"written: {done}")
    done = running.execute(["touch", "/opt/mizzle/touched"])
    _hold("Read-only file system" in done.stderr, f"{done}")


def stops(running: Sandbox, _: str) -> None:
    """On SIGTERM, with 0, in time."""
    code, printed = running.stop(_STOP_SECONDS)
    _hold(code == 0, f"exit code {code}; it printed:\n{printed}")


def _await_ready(running: Sandbox) -> None:
    last = "it ended"
    deadline = time.monotonic() + _START_SECONDS
    while running.alive and time.monotonic() < deadline:
        done = running.execute(["mizzle", "healthcheck"])
        if done.returncode == 0:
            return
        last = done.stderr
        time.sleep(0.5)
    _, printed = running.wait(0)
    _hold(False, f"not ready: {last}\n{printed}")


def _ask(running: Sandbox, method: str, path: str, body: str = "", key: str = "") -> tuple[int, str]:
    headers = {"content-type": "application/json"} if body else {}
    headers |= {"authorization": f"Bearer {key}"} if key else {}
    asked = {"method": method, "path": path, "body": body or None, "headers": headers}
    done = running.execute(["python3", "-c", _ASK], json.dumps(asked))
    _hold(done.returncode == 0, done.stderr)
    status, text = json.loads(done.stdout)
    return int(status), str(text)


def _new_key(file: Path) -> str:
    key = secrets.token_urlsafe(32)
    file.write_text(f"container-test:{hashlib.sha256(key.encode()).hexdigest()}\n")
    return key


def _quantile(p: float) -> float:
    return NormalDist().inv_cdf(p)


def _unpacked(buildah: Buildah, name: str) -> Image:
    container = buildah.run("from", "--signature-policy", buildah.policy, name)
    described = json.loads(buildah.run("inspect", "--type", "image", name))
    return Image(Path(buildah.run("mount", container)), described["Docker"]["config"])


def _is_roots_alone(found: os.stat_result) -> bool:
    writable = stat.S_IMODE(found.st_mode) & 0o022 and not stat.S_ISLNK(found.st_mode)
    return found.st_uid == found.st_gid == 0 and not writable


def _pairs(status: Path) -> Iterator[tuple[str, str]]:
    for line in status.read_text().splitlines():
        name, _, value = line.partition(":")
        yield name, value.strip()


def _mib(tree: Path) -> int:
    command = ("du", "--summarize", "--block-size=1M", "--one-file-system", str(tree))
    return int(subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout.split()[0])


def _hold(kept: bool, what: str) -> None:
    if not kept:
        raise SystemExit(f"FAILED  {what}")


@contextmanager
def _step(name: str) -> Iterator[None]:
    start = time.monotonic()
    yield
    print(f"ok      {name.replace('_', ' ')}  ({time.monotonic() - start:.1f} s)", flush=True)


if __name__ == "__main__":
    sys.exit(main())
