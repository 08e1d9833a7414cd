"""Spans say which route answered how, and nothing of what a caller wrote."""

import asyncio
import json
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx2
import pytest
from fastapi import APIRouter, FastAPI, Request

from mizzle.errors import MissingExtra
from mizzle.service.telemetry import otel

pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="needs the extra otel")

from opentelemetry import trace
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

CANARY = "canary31337"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"
HEADERS = {"x-api-key": CANARY, "tracestate": f"a={CANARY}", "baggage": f"a={CANARY}", "host": f"{CANARY}:80"}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"):
        monkeypatch.delenv(name, raising=False)


class Told:
    """A small application and what it told.

    Attributes:
        spans: of all requests so far.
    """

    def __init__(self, chosen) -> None:
        self._spans = InMemorySpanExporter()
        self._app = _application(chosen)
        if "tracer_provider" in chosen["telemetry"]:
            chosen["telemetry"]["tracer_provider"].add_span_processor(SimpleSpanProcessor(self._spans))

    def ask(self, method, path, **more):
        async def once():
            transport = httpx2.ASGITransport(self._app, raise_app_exceptions=False)
            async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as http:
                return await http.request(method, path, **more)

        return asyncio.run(once())

    @property
    def spans(self):
        return self._spans.get_finished_spans()

    def text(self):
        """All that would be exported."""
        return "".join(span.to_json() for span in self.spans)


def _application(chosen):
    routes = APIRouter()

    @routes.post("/items/{name}")
    async def item(request: Request, name: str, level: float = 0.5) -> int:
        if name == "bad":
            raise RuntimeError(CANARY)
        return len(await request.body())

    @routes.get("/livez")
    async def livez() -> str:
        return "alive"

    app = FastAPI(**chosen)
    app.include_router(routes)
    return app


@pytest.fixture
def told():
    return Told(otel.options(True, ["/livez"]))


def test_a_request_is_a_span(told) -> None:
    told.ask("POST", "/items/a", content=b"1")
    [span] = told.spans
    kept = {"http.request.method": "POST", "http.route": "/items/{name}", "http.response.status_code": 200}
    assert span.name == "POST /items/{name}"
    assert {key: span.attributes[key] for key in kept} == kept


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", f"/items/{CANARY}?q={CANARY}&level=0.5", 200),
        ("POST", f"/items/a?level={CANARY}", 422),
        ("POST", "/items/bad", 500),
        ("GET", f"/{CANARY}", 404),
        (CANARY.upper(), "/items/a", 405),
    ],
)
@pytest.mark.parametrize("sampled", ["-00", "-01", None])
def test_nothing_that_a_caller_wrote_is_told(told, method, path, status: int, sampled: str | None) -> None:
    headers = HEADERS | ({"traceparent": PARENT + sampled} if sampled else {})
    answer = told.ask(method, path, content=CANARY.encode(), headers=headers)
    assert answer.status_code == status
    assert len(told.spans) == (sampled != "-00")
    assert CANARY not in told.text().lower()


def test_a_span_continues_the_callers_trace(told) -> None:
    told.ask("POST", "/items/a", headers={"traceparent": PARENT + "-01"})
    [span] = told.spans
    assert f"{span.context.trace_id:032x}-{span.parent.span_id:016x}" == PARENT[3:]


def test_an_error_marks_its_span_without_its_message(told) -> None:
    told.ask("POST", "/items/bad")
    [span] = told.spans
    assert span.status.status_code is trace.StatusCode.ERROR
    assert span.status.description is None
    assert not span.events
    assert span.attributes["error.type"] == "RuntimeError"


def test_probes_are_left_out(told) -> None:
    told.ask("GET", "/livez")
    assert not told.spans


def test_the_service_has_a_name_which_the_environment_may_change(
    told, monkeypatch: pytest.MonkeyPatch
) -> None:
    told.ask("POST", "/items/a")
    resource = json.loads(told.spans[0].to_json())["resource"]["attributes"]
    assert resource["service.name"] == "mizzle"
    monkeypatch.setenv("OTEL_SERVICE_NAME", "ours")
    config = otel.options(True)["telemetry"]
    assert config["tracer_provider"].resource.attributes["service.name"] == "ours"


def test_disabled_means_off_even_where_the_process_has_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    other = Told(otel.options(True))
    provider = otel.options(True)["telemetry"]["tracer_provider"]
    provider.add_span_processor(SimpleSpanProcessor(other._spans))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    Told(otel.options(False)).ask("POST", "/items/a")
    assert not other.spans
    # The same application with FastAPI's defaults would have told it.
    Told({"telemetry": {}}).ask("POST", "/items/a")
    assert other.spans


@pytest.mark.parametrize("missing", ["opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http"])
def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.delitem(sys.modules, "mizzle.service.telemetry.sampler", raising=False)
    with pytest.raises(MissingExtra, match=r"mizzle\[otel\].*MIZZLE_TELEMETRY"):
        otel.options(True)
    assert otel.options(False)["telemetry"]["tracing"] is False


class Exporting(HTTPServer):
    """A server that remembers what it took."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Collector)
        self.exported: list[tuple[str, bytes]] = []


class Collector(BaseHTTPRequestHandler):
    """Takes what is exported."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        assert isinstance(self.server, Exporting)
        self.server.exported.append((self.path, body))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_) -> None:
        pass


@contextmanager
def collecting():
    server = Exporting()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_spans_are_exported_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = otel.options(True)
    app = _application(chosen)

    async def live() -> None:
        receive = iter(["lifespan.startup", "lifespan.shutdown"])
        up = asyncio.Event()

        async def told():
            kind = next(receive)
            if kind == "lifespan.shutdown":
                transport = httpx2.ASGITransport(app)
                async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as http:
                    await http.post(f"/items/{CANARY}?q={CANARY}", headers=HEADERS)
            return {"type": kind}

        async def heard(message) -> None:
            up.set()

        await app({"type": "lifespan"}, told, heard)

    with collecting() as server:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        asyncio.run(live())
        chosen["telemetry"]["tracer_provider"].shutdown()
    exported = dict(server.exported)
    assert b"POST /items/{name}" in exported["/v1/traces"]
    assert CANARY.encode() not in exported["/v1/traces"].lower()
