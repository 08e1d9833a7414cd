"""OpenTelemetry through FastAPI's own support: a span for each request, and nothing of what was in it."""

from collections.abc import Callable, Collection, MutableMapping
from importlib import import_module
from typing import Any

from fastapi.telemetry import TelemetryConfig
from opentelemetry.trace import TracerProvider

from mizzle.errors import MissingExtra

_EXPORTER = "opentelemetry.exporter.otlp.proto.http"


def options(enabled: bool, untraced: Collection[str] = ()) -> dict[str, Any]:
    """What to hand to FastAPI, as keyword arguments.

    Spans go where OTEL_EXPORTER_OTLP_ENDPOINT says, and nowhere without it. While nobody is there, a service
    that stops waits for OTEL_EXPORTER_OTLP_TIMEOUT (10 seconds), after all requests are answered. When not
    enabled, nothing is made, even where the process has providers of its own.

    Args:
        untraced: exact paths that are left out.

    Raises:
        MissingExtra: enabled, and the packages are not installed.
    """
    # Metrics are Prometheus's, logs would quote exceptions, and spans of the framework's steps say little.
    config: TelemetryConfig = {"metrics": False, "logs": False, "operation_spans": False}
    if enabled:
        config |= {"tracer_provider": _provider(), "auto_configure": True, "exclude": _among(untraced)}
    else:
        config |= {"tracing": False, "auto_configure": False}
    return {"telemetry": config}


def _provider() -> TracerProvider:
    try:
        import_module(_EXPORTER)  # which FastAPI would look for only later, and do without
        from mizzle.service.telemetry.sampler import provider
    except ImportError:
        raise MissingExtra(
            "telemetry is on and needs packages that are not installed: pip install 'mizzle[otel]', "
            "or switch it off (MIZZLE_TELEMETRY=0)"
        ) from None
    return provider()


def _among(paths: Collection[str]) -> Callable[[MutableMapping[str, Any]], bool]:
    chosen = frozenset(paths)
    return lambda scope: scope["path"] in chosen
