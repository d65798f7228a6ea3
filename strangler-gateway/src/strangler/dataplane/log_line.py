"""One line of the access log from one request: JSON, whatever the client sent."""

import json
import re
import time
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from strangler.model.failure import Failure
from strangler.model.telemetry import LogSettings

if TYPE_CHECKING:
    from strangler.dataplane.exchange import Exchange

REDACTED = b"REDACTED"
LONGEST_TEXT = 256
"""Bytes of a client's words, such as its User-Agent, that go into a line."""

_PLAIN = bytes(byte for byte in range(0x20, 0x7F) if byte not in b'"\\')
"""What stands in JSON as it is."""
_PARAMETER = re.compile(rb"([&;]?)([^&;=]*)(=[^&;]*)?")


class Refusal:
    """A request that was refused before there was enough of it to be one."""

    __slots__ = ("client", "failure", "moment", "request_id", "status")

    def __init__(self, moment: float, request_id: bytes, client: str, status: int, failure: Failure) -> None:
        self.moment = moment
        self.request_id = request_id
        self.client = client
        self.status = status
        self.failure = failure


def line(exchange: "Exchange", epoch: float, settings: LogSettings) -> bytes:
    """The line of a finished request. ``epoch``: what makes a time of day of ``time.perf_counter``.

    The query and all header fields are left out unless the settings ask for them: they may hold secrets.
    """
    head, ids, route, took = exchange.head, exchange.ids, exchange.route, exchange.took
    moment = exchange.began + epoch
    seconds = int(moment)
    path = head.path
    if path.translate(None, _PLAIN):
        path = _escaped(path)
    decision = exchange.decision if exchange.arm is not None else None
    # Host, method and ids were checked to be of harmless characters where they came in.
    return (
        b'{"time":"%b.%06dZ","request_id":"%b","trace_id":"%b","client":%b,"scheme":"%b",'
        b'"protocol":"HTTP/1.%d","method":"%b","host":"%b","path":"%b","status":%d,%b,"attempts":%d,"first_byte_ms":%b,"duration_ms":%.3f,"bytes_in":%d,'
        b'"bytes_out":%d%b}\n'
    ) % (
        _second(seconds),
        (moment - seconds) * 1e6,
        ids.request_id,
        ids.trace_id,
        _quoted(exchange.client),
        exchange.scheme,
        head.minor,
        head.method,
        head.host,
        path,
        exchange.status,
        _place(
            route.route.name if route is not None else "",
            decision.arm if decision is not None else "",
            decision.reason if decision is not None else "",
            exchange.endpoint,
        ),
        exchange.attempts,
        _first_byte(exchange),
        took * 1000,
        exchange.bytes_in,
        exchange.bytes_out,
        _rest(exchange, settings)
        if settings.also or exchange.attempts > 1 or exchange.held or exchange.failure is not None
        else b"",
    )


def refusal_line(refusal: Refusal, epoch: float) -> bytes:
    """The line of what did not become a request."""
    moment = refusal.moment + epoch
    seconds = int(moment)
    return b'{"time":"%b.%06dZ","request_id":"%b","client":%b,"status":%d,"failure":"%b"}\n' % (
        _second(seconds),
        (moment - seconds) * 1e6,
        refusal.request_id,
        _quoted(refusal.client),
        refusal.status,
        refusal.failure.label.encode(),
    )


def is_kept(exchange: "Exchange", settings: LogSettings) -> bool:
    """Whether a request gets its line whatever the share of the others is."""
    if settings.errors:
        failure = exchange.failure
        if exchange.status >= 500 or (failure is not None and failure.culprit != "client"):
            return True
    return settings.slow is not None and exchange.took >= settings.slow


def redacted(query: bytes, secret: frozenset[bytes]) -> bytes:
    """The query with the values of these parameters (lower case) replaced, however their names are written."""

    def judge(pair: re.Match[bytes]) -> bytes:
        separator, name, value = pair[1], pair[2], pair[3]
        if value is not None and unquote_to_bytes(name.replace(b"+", b" ")).strip().lower() in secret:
            return separator + name + b"=" + REDACTED
        return pair[0]

    return _PARAMETER.sub(judge, query)


def _first_byte(exchange: "Exchange") -> bytes:
    """Milliseconds until the head of the answer came; that of a small answer comes with its end, and is not noted."""
    if exchange.answered:
        return b"%.3f" % ((exchange.answered - exchange.began) * 1000)
    return b"%.3f" % (exchange.took * 1000) if exchange.failure is None else b"null"


def _held(exchange: "Exchange") -> float:
    """Seconds; of a request that ended while it was held, those until its end."""
    return exchange.held if exchange.held > 0 else exchange.held + exchange.began + exchange.took


def _rest(exchange: "Exchange", settings: LogSettings) -> bytes:
    """What only some lines have."""
    parts = []
    if exchange.held:
        parts.append(b',"held_ms":%.3f' % (_held(exchange) * 1000))
    if "query" in settings.also and exchange.head.query:
        parts.append(b',"query":"%b"' % _escaped(redacted(exchange.head.query, _secret(settings.redact))))
    if "user_agent" in settings.also and b"user-agent" in exchange.head.fields.names:
        parts.append(b',"user_agent":"%b"' % _escaped(exchange.head.fields.values(b"user-agent")[0][:LONGEST_TEXT]))
    subject = getattr(exchange.identity, "subject", None) if "subject" in settings.also else None
    if subject:
        parts.append(b',"subject":%b' % _quoted(str(subject)[:LONGEST_TEXT]))
    if exchange.recovered_from is not None:
        parts.append(b',"recovered_from":"%b"' % exchange.recovered_from.label.encode())
    if exchange.failure is not None:
        parts.append(b',"failure":"%b"' % exchange.failure.label.encode())
    return b"".join(parts)


def _escaped(text: bytes) -> bytes:
    """As it stands between the quotes of JSON; bytes that are not UTF-8 as ``\\xff``."""
    return json.dumps(text.decode("utf-8", "backslashreplace"))[1:-1].encode()


@lru_cache(maxsize=4096)
def _quoted(text: str) -> bytes:
    return json.dumps(text).encode()


@lru_cache(maxsize=4096)
def _place(route: str, arm: str, reason: str, endpoint: str) -> bytes:
    """Four fields that few values go together in."""
    values = tuple(json.dumps(str(value)) for value in (route, arm, reason, endpoint))
    return '"route":{},"arm":{},"reason":{},"endpoint":{}'.format(*values).encode()


@lru_cache(maxsize=8)
def _secret(names: tuple[str, ...]) -> frozenset[bytes]:
    return frozenset(name.lower().encode() for name in names)


@lru_cache(maxsize=8)
def _second(seconds: int) -> bytes:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)).encode()
