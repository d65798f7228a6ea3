"""Request id and W3C trace context: taken from the request, put on every log line and on the answer."""

import re
import secrets
import uuid
from dataclasses import dataclass

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Printable, without separators: an id goes into headers and log lines as it came.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._~:/+=@-]{1,128}")
# https://www.w3.org/TR/trace-context-2/#traceparent-header; a later version may have more fields behind these.
_TRACEPARENT = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<parent>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?P<more>-.*)?"
)
_NO_TRACE = "0" * 32
_NO_SPAN = "0" * 16


@dataclass(frozen=True, slots=True)
class Correlation:
    """The ids of one request. `span_id` is this service's own part of the trace, `parent_id` the caller's."""

    request_id: str
    trace_id: str
    span_id: str
    parent_id: str | None
    flags: str

    @property
    def traceparent(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


def correlate(request_id: str | None, traceparent: str | None) -> Correlation:
    """Continue the caller's ids where they are well-formed, and make new ones where they are not."""
    if request_id is None or not _REQUEST_ID.fullmatch(request_id):
        request_id = str(uuid.uuid4())
    span_id = secrets.token_hex(8)
    found = _TRACEPARENT.fullmatch(traceparent or "")
    if found is None or not _valid(found):
        return Correlation(request_id, secrets.token_hex(16), span_id, parent_id=None, flags="00")
    sampled = int(found["flags"], 16) & 1
    return Correlation(request_id, found["trace"], span_id, parent_id=found["parent"], flags=f"{sampled:02x}")


def _valid(found: re.Match[str]) -> bool:
    if found["version"] == "ff" or (found["version"] == "00" and found["more"]):
        return False
    return found["trace"] != _NO_TRACE and found["parent"] != _NO_SPAN


class CorrelationMiddleware:
    """Gives `scope["state"]["correlation"]`, binds the ids to the logs and answers with `X-Request-ID`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        ids = correlate(headers.get("x-request-id"), headers.get("traceparent"))
        scope.setdefault("state", {})["correlation"] = ids

        async def send_with_ids(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                answer["X-Request-ID"] = ids.request_id
                answer["traceresponse"] = ids.traceparent
            await send(message)

        with structlog.contextvars.bound_contextvars(
            request_id=ids.request_id, trace_id=ids.trace_id, span_id=ids.span_id
        ):
            await self.app(scope, receive, send_with_ids)
