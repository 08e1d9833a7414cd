"""API keys: stored as hashes with a name, compared in constant time, and asked for everywhere by default.

A keys file has one `name:sha256` a line, the hash in hexadecimal; blank lines and lines with # are skipped.
Two keys may share a name, so that one can replace the other. A key is 32 random bytes, so that its plain
hash tells nothing about it.
"""

import hashlib
import hmac
import re
import secrets
import socket
import stat
from collections.abc import Callable, Collection
from functools import lru_cache
from ipaddress import IPv4Address, ip_address, ip_network
from pathlib import Path

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mizzle.errors import InvalidInput, Unauthorized
from mizzle.service.http.headers import values
from mizzle.service.http.problem_details import problem_of

_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH
ANONYMOUS = "anonymous"
_STATE = "mizzle.key"
_PREFIX = "mz_"
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_HASH = re.compile(r"[0-9A-Fa-f]{64}")

Stored = tuple[tuple[str, bytes], ...]


class Keys:
    """The keys that the service knows; none, and so false, without arguments."""

    def __init__(self, stored: Stored = (), path: Path | None = None) -> None:
        self._stored = stored
        self._path = path

    @classmethod
    def read(cls, path: Path) -> "Keys":
        """The keys in a file, which `reload` reads again.

        Raises:
            InvalidInput: it cannot be read, or not as keys.
        """
        return cls(_parsed(_text(path)), path)

    @classmethod
    def parse(cls, text: str) -> "Keys":
        """The keys in a text of the form of a keys file.

        Raises:
            InvalidInput: it is not of that form, or holds no key.
        """
        return cls(_parsed(text))

    def reload(self) -> None:
        """Read the file again; without one, nothing happens.

        Raises:
            InvalidInput: as `read`; the keys stay as they were.
        """
        if self._path is not None:
            self._stored = _parsed(_text(self._path))

    def warnings(self) -> list[str]:
        """Sentences about who else can write to the file, or put another in its place, and so make keys.

        Whoever reads it learns nothing: it holds hashes of random keys.
        """
        if self._path is None:
            return []
        path = self._path.resolve()
        try:
            writable = {"the keys file": path.stat().st_mode, "its folder": path.parent.stat().st_mode}
        except OSError:  # gone since
            return []
        if writable["its folder"] & stat.S_ISVTX:  # where everybody may write, but not replace
            del writable["its folder"]
        names = [name for name, mode in writable.items() if mode & _OTHERS_MAY_WRITE]
        text = "other users of this machine can write to {}, and so make keys; chmod go-w forbids it"
        return [text.format(name) for name in names]

    def __len__(self) -> int:
        return len(self._stored)

    def name_of(self, presented: bytes) -> str | None:
        """The name of a key, or None for a wrong one; takes equally long for either."""
        digest = hashlib.sha256(presented).digest()
        match = None
        for name, stored in self._stored:  # to the end: the place of a match must not show in the time
            if hmac.compare_digest(stored, digest):
                match = name
        return match


class Auth:
    """Admits requests with a valid key, and without one to the open paths alone.

    `key_name` tells the routes whose request it is.

    Args:
        keys: without any, everybody is admitted.
        open_paths: exact paths, as the router sees them.
    """

    def __init__(
        self,
        app: ASGIApp,
        keys: Keys,
        open_paths: Collection[str] = (),
        refused: Callable[[str], None] = lambda reason: None,
    ) -> None:
        self._app = app
        self._refused = refused
        self._keys = keys
        self._open = frozenset(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection of ASGI."""
        refusal = None if scope["type"] == "lifespan" else self._refusal(scope)
        if refusal:
            self._refused("unauthorized")
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        """None for who is admitted, whose name is then in the scope."""
        if not self._keys or scope["path"] in self._open:
            return None
        presented = presented_keys(scope)
        if len(presented) != 1:
            text = "send one API key, as Authorization: Bearer KEY or as X-API-Key: KEY"
            return problem_of(Unauthorized(text))
        name = self._keys.name_of(presented[0].encode("latin-1"))
        if name is None:
            return problem_of(Unauthorized("this API key is not known"))
        scope.setdefault("state", {})[_STATE] = name
        return None


def key_name(scope: Scope) -> str:
    """The name of the key that a request came with, or "anonymous"."""
    name: str = scope.get("state", {}).get(_STATE, ANONYMOUS)
    return name


def caller_name(scope: Scope) -> str:
    """Who shares the service with others: the name of the key, or the address where there is none."""
    name: str | None = scope.get("state", {}).get(_STATE)
    return name or address_name((scope.get("client") or ("", 0))[0])


@lru_cache(1024)
def address_name(host: str) -> str:
    """The name of whoever has this address; of IPv6, the network of 64 bits, which belongs to one host."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:  # a socket of Unix, or none
        return host or ANONYMOUS
    if isinstance(address, IPv4Address):
        return host
    if address.ipv4_mapped:  # of a socket that listens to both
        return str(address.ipv4_mapped)
    return str(ip_network((address, 64), strict=False))


def new_key(name: str) -> tuple[str, str]:
    """A new key, and the line for the keys file.

    Raises:
        InvalidInput: the name is not of the form of one.
    """
    if not _is_name(name):
        raise InvalidInput(_NAME_RULE)
    key = _PREFIX + secrets.token_urlsafe(32)
    return key, f"{name}:{hashlib.sha256(key.encode()).hexdigest()}"


def check_bind(host: str, keys: Keys, insecure: bool) -> None:
    """Whether it is safe to listen there: on this machine alone, or with keys, or on demand.

    Raises:
        InvalidInput: it is not, or the host cannot be resolved.
    """
    if not keys and not insecure and not is_loopback(host):
        raise InvalidInput(
            "other machines could reach this service and it has no API keys: "
            "name a file of them (MIZZLE_KEYS_FILE), listen on 127.0.0.1, or allow it (MIZZLE_INSECURE=1)"
        )


_NAME_RULE = f'a name of a key has 1 to 64 letters, digits, "_", "." or "-", and is not "{ANONYMOUS}"'


def _is_name(name: str) -> bool:
    return name != ANONYMOUS and _NAME.fullmatch(name) is not None


def is_loopback(host: str) -> bool:
    """Every address of a name counts; no name at all means every interface."""
    try:
        resolved = socket.getaddrinfo(host or "::", None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise InvalidInput("the host to listen on cannot be resolved; name an address") from None
    return all(ip_address(str(address[0]).partition("%")[0]).is_loopback for *_, address in resolved)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise InvalidInput(f"the keys file cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InvalidInput("the keys file is not UTF-8 text") from None


def _parsed(text: str) -> Stored:
    lines = ((number, line.strip()) for number, line in enumerate(text.splitlines(), 1))
    stored = tuple(_entry(number, line) for number, line in lines if line and not line.startswith("#"))
    if not stored:
        raise InvalidInput("there is no API key among the keys; add a line name:sha256, or give no keys")
    return stored


def _entry(number: int, line: str) -> tuple[str, bytes]:
    name, _, hashed = map(str.strip, line.partition(":"))
    if not _is_name(name):
        raise InvalidInput(f"keys, line {number}: {_NAME_RULE}; the form is name:sha256")
    if not _HASH.fullmatch(hashed):
        raise InvalidInput(f"keys, line {number}: a SHA-256 of 64 hexadecimal digits must follow the name")
    return name, bytes.fromhex(hashed)


def presented_keys(scope: Scope) -> list[str]:
    """Every key that came with a request."""
    schemes = (value.partition(" ") for value in values(scope, "authorization"))
    bearers = [rest.strip() for scheme, _, rest in schemes if scheme.lower() == "bearer"]
    return bearers + values(scope, "x-api-key")
