"""How other people's parsers read a stream of requests, each brought to one form so that they can be compared.

h11, llhttp (in httptools) and gunicorn's own parser are called; nginx is asked over a socket (``support.nginx``).
"""

import re
from dataclasses import dataclass
from typing import Any

import h11
import httptools
from gunicorn.config import Config
from gunicorn.http.errors import NoMoreData, ParseException
from gunicorn.http.parser import RequestParser

Field = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Read:
    """One request. Names are in lower case, values without whitespace around them."""

    method: bytes
    target: bytes
    fields: tuple[Field, ...]
    body: bytes

    @property
    def core(self) -> tuple[bytes, bytes, bytes, bytes]:
        """Method, target, host and body: as much as nginx tells."""
        return self.method, self.target, dict(self.fields).get(b"host", b""), self.body


Reading = list[Read]
"""Of the requests that are complete, in their order."""


class ReaderRefuses(AssertionError):
    """A reference parser takes what it was given for no HTTP; what it had read before is lost."""


def by_h11(data: bytes) -> Reading:
    """Read with h11."""
    reader = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    reader.receive_data(data)
    read: Reading = []
    try:
        while True:
            event = reader.next_event()
            if isinstance(event, h11.Request):
                asked, body = event, b""
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                fields = tuple((bytes(name), bytes(value)) for name, value in asked.headers)
                read.append(Read(asked.method, asked.target, fields, body))
                reader.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
                reader.send(h11.EndOfMessage())
                if reader.their_state is not h11.DONE:
                    return read
                reader.start_next_cycle()
            else:
                assert event is h11.NEED_DATA, event
                return read
    except h11.ProtocolError as error:
        raise ReaderRefuses(f"h11: {error} in {data[:500]!r}") from None


class _Llhttp:
    def __init__(self) -> None:
        self.read: Reading = []
        self.parser = httptools.HttpRequestParser(self)

    def on_message_begin(self) -> None:
        self.target, self.fields, self.body = b"", [], b""

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name.lower(), value.strip(b" \t")))  # It keeps trailing whitespace (RFC 9110 §5.5).

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.read.append(Read(self.parser.get_method(), self.target, tuple(self.fields), self.body))


def by_llhttp(data: bytes) -> Reading:
    """Read with llhttp."""
    reader = _Llhttp()
    try:
        reader.parser.feed_data(data)
    except httptools.HttpParserUpgrade:
        pass
    except httptools.HttpParserError as error:
        raise ReaderRefuses(f"llhttp: {error} in {data[:500]!r}") from None
    return reader.read


def _gunicorn_settings() -> Any:
    settings = Config()
    settings.set("http_parser", "python")
    settings.set("header_map", "dangerous")  # Else it drops names with an underscore.
    settings.set("limit_request_line", 0)
    settings.set("limit_request_field_size", 65_536)
    settings.set("limit_request_fields", 32_768)
    return settings


_GUNICORN = _gunicorn_settings()


def by_gunicorn(data: bytes) -> Reading:
    """Read with gunicorn's parser."""
    read: Reading = []
    parser = RequestParser(_GUNICORN, iter([data]), ("127.0.0.1", 1))
    try:
        for asked in parser:
            body = asked.body.read()
            fields = tuple((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in asked.headers)
            read.append(Read(asked.method.encode(), asked.uri.encode("latin-1"), fields, body))
            if asked.should_close():
                break
    except (NoMoreData, StopIteration):
        return read
    except ParseException as error:
        raise ReaderRefuses(f"gunicorn: {error} in {data[:500]!r}") from None
    return read


_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})|%00")


def refused_by_nginx(method: bytes, target: bytes) -> bool:
    """Whether nginx answers 400 or 405 although it is framed well: TRACE, ``*``, a bad escape, NUL, out of the root."""
    path = target.partition(b"?")[0]
    if method == b"TRACE" or path == b"*" or _BAD_ESCAPE.search(path):
        return True
    depth = 0
    decoded = re.sub(rb"%([0-9A-Fa-f]{2})", lambda escape: bytes([int(escape[1], 16)]), path)
    for segment in decoded.split(b"/")[1:]:
        depth += -1 if segment == b".." else segment not in {b".", b""}
        if depth < 0:
            return True
    return False
