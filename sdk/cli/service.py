"""The commands of those who run a service: serve, make keys, ask for its health."""

from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from mizzle import extras
from mizzle.data.names import quoted_name
from mizzle.errors import InvalidInput

_Host = Annotated[
    str | None, typer.Option(help="Address to listen on; MIZZLE_HOST or 127.0.0.1 when left out.")
]
_Port = Annotated[
    int | None, typer.Option(help="Port to listen on, 0 for any; MIZZLE_PORT or 8000 when left out.")
]
_Device = Annotated[
    Literal["auto", "cpu", "cuda"] | None,
    typer.Option(help="Where to run; MIZZLE_DEVICE or auto when left out."),
]
_Weights = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        help="To answer with, say of mizzle adapt; MIZZLE_WEIGHTS or those that ship when left out. Given "
        "several times, requests name one by its model, or get the first.",
    ),
]
_Sha256 = Annotated[
    str | None,
    typer.Option(help="That the first weights must have; MIZZLE_WEIGHTS_SHA256 or any when left out."),
]
_Name = Annotated[
    str, typer.Argument(metavar="NAME", help="Of the key, in logs and quotas.", show_default=False)
]
_Where = Annotated[int, typer.Option("--port", envvar="MIZZLE_PORT", help="Where it listens.")]


def serve(
    host: _Host = None,
    port: _Port = None,
    device: _Device = None,
    weights: _Weights = None,
    weights_sha256: _Sha256 = None,
) -> int:
    """Answer over HTTP; settings come from MIZZLE_*."""
    settings, server = _of_service("settings"), _of_service("server")
    options: dict[str, Any] = {"host": host, "port": port, "device": device}
    options |= {"weights_sha256": weights_sha256}
    if weights:
        _check_commas(weights[1:])
        options |= {"weights": weights[0], "models": ",".join(map(str, weights[1:])) or None}
    chosen = settings.read(**{name: value for name, value in options.items() if value is not None})
    code: int = server.serve(chosen)
    return code


def _check_commas(paths: list[Path]) -> None:
    """Settings name further weights in one text, with commas between them.

    Raises:
        InvalidInput: there is one inside a path.
    """
    if named := next((path for path in paths if "," in str(path)), None):
        text = f"--weights {quoted_name(str(named))} has a comma, which separates paths in MIZZLE_MODELS"
        raise InvalidInput(f"{text}; give the file another name, or name it first")


def key(name: _Name) -> None:
    """Make an API key for a service."""
    secret, line = _of_service("http.auth").new_key(name)
    print(f"key, for the caller:         {secret}\nline, for the file of keys:  {line}")


def healthcheck(port: _Where = 8000) -> None:
    """Whether the service on this machine is ready."""
    from mizzle.cli import healthcheck

    healthcheck.check(port)
    print("ready")


def _of_service(name: str) -> Any:
    """A module of the service, which needs an extra.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        return import_module(f"mizzle.service.{name}")
    except ModuleNotFoundError as error:
        raise extras.missing(error, "serving", "pip install 'mizzle[service]'") from None
