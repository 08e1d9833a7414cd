"""What went wrong on the way to a service, in words: no answer, or one that is none of its own."""

import socket
import ssl
from urllib.parse import urlsplit

import httpx2

from mizzle.backends.retry import Reply
from mizzle.errors import MizzleError, NotFound, ServiceUnreachable, Unauthorized

KEY = "MIZZLE_API_KEY"
_RUNNING = "is the service running? mizzle serve starts one"


def failure_of(error: httpx2.RequestError | TimeoutError) -> Reply:
    """No reply at all; only a connection that was never made is worth another try."""
    root = _root(error)
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
        return Reply(failure=f"cannot be reached: {_reason(error, root)}", refused=True, cause=root)
    if isinstance(error, httpx2.TimeoutException | TimeoutError):
        return Reply(failure="did not answer in time; send less or pass a longer timeout", cause=root)
    return Reply(failure="broke the connection off; its log may say why", cause=root)


def _reason(error: Exception, root: BaseException) -> str:
    """Why there is no connection."""
    if isinstance(root, socket.gaierror):
        return "the name of the host is not known; check the address"
    if isinstance(root, ssl.SSLCertVerificationError):
        return "TLS failed, its certificate cannot be trusted; check the address and the certificate"
    if isinstance(root, ssl.SSLError):
        return "TLS failed; a service without TLS has an address that begins with http://"
    if isinstance(root, ConnectionRefusedError):
        return f"the connection was refused; {_RUNNING}"
    if isinstance(error, httpx2.ConnectTimeout):
        return f"nothing answers there; check the address, and {_RUNNING}"
    return f"there is no connection; {_RUNNING}"


def _root(error: BaseException) -> BaseException:
    """The first cause, bare: what stands around it holds the request, and with it the key and the data."""
    cause = error
    while (deeper := _cause(cause)) is not None:
        cause = deeper
    return type(cause)(str(cause)) if isinstance(cause, httpx2.RequestError) else cause.with_traceback(None)


def _cause(error: BaseException) -> BaseException | None:
    """What an error was raised from: of several, for the addresses of a host, the first."""
    if isinstance(error, BaseExceptionGroup):
        return error.exceptions[0]
    wrapped = next((value for value in error.args if isinstance(value, BaseException)), None)
    return error.__cause__ or wrapped  # httpx2's own pool cuts the chain, and keeps the argument


def explained(error: MizzleError, address: str, status: int, has_key: bool) -> MizzleError:
    """An error that a service, or somebody else there, sent, with what the caller can do about it.

    Args:
        address: of the service, which may have a path.
        has_key: whether a key was sent.
    """
    path = urlsplit(address).path
    unknown = type(error) is ServiceUnreachable
    if status == 404 and path and (unknown or type(error) is NotFound):
        base = address.removesuffix(path)
        return type(error)(
            f"there is no mizzle service at {address}; leave {path} out of the address: {base}"
        )
    if isinstance(error, Unauthorized):
        how = f"check the key in {KEY}" if has_key else f"no key was sent: put one into {KEY}"
        return type(error)(f"{address}: {error}; {how}, or pass api_key to the client")
    return ServiceUnreachable(f"{address}: {error}") if unknown else error
