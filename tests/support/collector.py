"""A collector of traces for tests: takes OTLP over HTTP, and keeps the spans that it was sent."""

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from support.processes import free_port


class Collector:
    """What came, by path and service."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.status = 200
        self.spans: list[Span] = []
        self.services: set[str] = set()
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []

    def take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        message = ExportTraceServiceRequest.FromString(body)
        for resource in message.resource_spans:
            self.services.update(
                item.value.string_value for item in resource.resource.attributes if item.key == "service.name"
            )
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)
        self.headers.append(headers)
        self.paths.append(path)


def attributes(span: Span) -> dict[str, Any]:
    """By name, as plain values."""
    return {item.key: getattr(item.value, item.value.WhichOneof("value") or "") for item in span.attributes}


@contextlib.contextmanager
def collector() -> Iterator[Collector]:
    """A collector that runs for the length of the block."""
    running = Collector(port := free_port())

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if running.status == 200:
                running.take(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            self.send_response(running.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
