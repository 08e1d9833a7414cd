"""Runs an unpacked image as a container engine would: its user, a read-only root, no network but loopback.

The process is PID 1 in namespaces of its own, without privileges, with memory file systems at /tmp, /run and
/dev/shm; the options are those of compose.yaml.
"""

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

SECRET = "/run/secrets/mizzle_keys"
_DEVICES = "null zero full random urandom"
_SETUP = f"""set -eu
ip link set lo up
mount --bind "$ROOT" "$ROOT"
mount -o remount,bind,ro "$ROOT"
mount -t proc proc "$ROOT/proc"
mount -t tmpfs -o mode=1777,nosuid,nodev,noexec,size=64m tmpfs "$ROOT/tmp"
mount -t tmpfs -o mode=755 tmpfs "$ROOT/dev"
for node in {_DEVICES}; do touch "$ROOT/dev/$node"; mount --bind "/dev/$node" "$ROOT/dev/$node"; done
mkdir -m 1777 "$ROOT/dev/shm"
mount -t tmpfs -o mode=1777,nosuid,nodev,noexec,size=64m tmpfs "$ROOT/dev/shm"
mount -t tmpfs -o mode=755 tmpfs "$ROOT/run"
mkdir "$ROOT/run/secrets"
if [ -n "$KEYS" ]; then install -m 444 "$KEYS" "$ROOT{SECRET}"; fi
mount -o remount,ro "$ROOT/run"
exec setpriv --no-new-privs chroot --userspec="$OWNER" --groups= "$ROOT" """


class Image(NamedTuple):
    """An image, unpacked.

    Attributes:
        root: where its files lie.
        config: what it says about itself, in Docker's words ("User", "Env", "Entrypoint", ..).
    """

    root: Path
    config: dict[str, object]

    def words(self, name: str) -> list[str]:
        """An entry that is a list, such as "Cmd"."""
        found = self.config[name]
        assert isinstance(found, list)
        return [str(word) for word in found]

    @property
    def owner(self) -> tuple[str, str]:
        """Numbers of the user and the group."""
        user, _, group = str(self.config["User"]).partition(":")
        return user, group


class Sandbox:
    """One run of an image's own command.

    Args:
        keys: a file of API keys on this machine, which lies at SECRET inside; None for none.
        settings: added to the image's environment.
    """

    def __init__(self, image: Image, settings: Mapping[str, str], keys: Path | None = None) -> None:
        self._image = image
        self._environment = [*image.words("Env"), *(f"{name}={value}" for name, value in settings.items())]
        command = self._inside([*image.words("Entrypoint"), *image.words("Cmd")])
        spaces = ("--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child")
        self._unshare = subprocess.Popen(
            ["unshare", *spaces, "sh", "-c", _SETUP + shlex.join(command)],
            env={
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                "ROOT": str(image.root),
                "OWNER": ":".join(image.owner),
                "KEYS": str(keys or ""),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        while self.alive and not self._entered():
            time.sleep(0.01)

    def _entered(self) -> bool:
        """Whether all is set up, and its own command runs."""
        try:
            return any(os.readlink(f"/proc/{pid}/root") != "/" for pid in _children(self._unshare.pid))
        except OSError:  # it has ended
            return False

    @property
    def pid(self) -> int:
        """Of its PID 1, seen from outside."""
        return next(_children(self._unshare.pid))

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._unshare.poll() is None

    def processes(self) -> list[int]:
        """All of its processes, seen from outside."""
        return [self.pid, *_children(self.pid)]

    def execute(self, command: Sequence[str], text: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command beside it, as its user, and as `docker exec` would."""
        user, group = self._image.owner
        enter = (
            "nsenter",
            f"--target={self.pid}",
            "--mount",
            "--pid",
            "--net",
            "--ipc",
            "--uts",
            "--root",
            "--wd",
        )
        whole = [*enter, f"--setuid={user}", f"--setgid={group}", *self._inside(command)]
        return subprocess.run(whole, input=text, capture_output=True, text=True, timeout=120)

    def stop(self, patience: float) -> tuple[int, str]:
        """SIGTERM; the exit code and all that it printed; -9 if it had to be killed."""
        os.kill(self.pid, signal.SIGTERM)
        return self.wait(patience)

    def wait(self, patience: float) -> tuple[int, str]:
        """Until it ends by itself; otherwise as `stop`."""
        try:
            printed, _ = self._unshare.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            self._unshare.kill()  # and --kill-child all of its processes
            printed, _ = self._unshare.communicate()
        return self._unshare.returncode, printed

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_: object) -> None:
        self._unshare.kill()
        self._unshare.communicate()

    def _inside(self, command: Sequence[str]) -> list[str]:
        return ["env", "-i", *self._environment, *command]


def _children(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        yield from map(int, task.read_text().split())
