"""OpenTelemetry's spans, set up to keep out of them what callers wrote. Needs the extra `otel`.

FastAPI writes the path, the query string, the host and the method into a span as they came, and takes over
the caller's tracestate. A sampler is what the SDK asks before it makes a span, and what it lets through is
all that the span begins with.
"""

from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes

from mizzle.version import __version__

HARMLESS = frozenset({"http.request.method", "http.route", "http.response.status_code", "error.type"})


class RedactingSampler(Sampler):
    """Decides as another sampler does, and drops all attributes but the harmless, and the tracestate."""

    def __init__(self, decides: Sampler) -> None:
        self._decides = decides

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Whether to make a span, and with what."""
        result = self._decides.should_sample(parent_context, trace_id, name, kind, attributes, links)
        harmless = {key: value for key, value in (result.attributes or {}).items() if key in HARMLESS}
        return SamplingResult(result.decision, harmless)

    def get_description(self) -> str:
        """For the SDK."""
        return f"Redacting{{{self._decides.get_description()}}}"


def provider() -> TracerProvider:
    """Makes spans, and has no exporter yet; OTEL_TRACES_SAMPLER says how many.

    OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES have the last word on who tells.
    """
    ours = Resource({"service.name": "mizzle", "service.version": __version__})
    resource = Resource.create().merge(ours).merge(OTELResourceDetector().detect())
    tracing = TracerProvider(resource=resource, shutdown_on_exit=False)
    tracing.sampler = RedactingSampler(tracing.sampler)
    return tracing
