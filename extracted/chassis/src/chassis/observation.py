"""What is kept of each answered request: Prometheus metrics, and a line in the access log where one is asked for."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The service's registry, with what is measured of every request. A service adds its own to `registry`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        labels = ("method", "route", "status")
        self.requests = Counter("http_requests", "Answered requests", labels, registry=self.registry)
        self.seconds = Histogram(
            "http_request_duration_seconds",
            "From the request's head to the answer's last byte",
            ("method", "route"),
            buckets=_SECONDS,
            registry=self.registry,
        )

    def router(self) -> APIRouter:
        router = APIRouter(include_in_schema=False)

        @router.get("/metrics")
        def metrics() -> Response:
            return Response(generate_latest(self.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

        return router


class AccessLog:
    """A file that gets one JSON line per request when its answer begins, in the form of the shop's own access log.

    `start` (UTC) is when the request's head had been read; `status` is null if nothing was answered.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Unbuffered and in append mode: each line is one write, whole even when processes share the file.
        self._file = path.open("ab", buffering=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def write(self, scope: Scope, status: int | None, started: datetime, seconds: float) -> None:
        path: bytes = scope.get("raw_path") or scope["path"].encode()
        query: bytes = scope["query_string"]
        line = {
            "start": started.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "request_id": scope["state"]["correlation"].request_id,
            "method": scope["method"],
            "target": (path + b"?" + query if query else path).decode("latin-1"),
            "status": status,
            "seconds": round(seconds, 6),
            "pid": os.getpid(),
        }
        self._file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))


class ObservationMiddleware:
    """Stands inside CorrelationMiddleware, whose ids it writes down, and outside everything that answers."""

    def __init__(self, app: ASGIApp, metrics: Metrics, access_log: AccessLog | None = None) -> None:
        self.app = app
        self.metrics = metrics
        self.access_log = access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status: int | None = None
        started, clock = datetime.now(UTC), time.perf_counter()

        async def send_noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._log(scope, status, started, time.perf_counter() - clock)
            await send(message)

        try:
            await self.app(scope, receive, send_noting_status)
        finally:
            if status is None:
                self._log(scope, None, started, time.perf_counter() - clock)
            self._measure(scope, status, time.perf_counter() - clock)

    def _log(self, scope: Scope, status: int | None, started: datetime, seconds: float) -> None:
        if self.access_log is not None:
            self.access_log.write(scope, status, started, seconds)

    def _measure(self, scope: Scope, status: int | None, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        # The template and never the path: a label per product would be a time series per product.
        route = getattr(scope.get("route"), "path_format", "other")
        self.metrics.requests.labels(method, route, str(status or "none")).inc()
        self.metrics.seconds.labels(method, route).observe(seconds)
