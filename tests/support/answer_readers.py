"""How other people's clients read a stream of answers: h11, llhttp (in httptools), http.client and aiohttp's parser."""

import asyncio
import http.client
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from unittest import mock

import h11
import httptools
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpResponseParserPy

from support.readers import Field, ReaderRefuses


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """One final answer. Names are in lower case, values without whitespace around them."""

    status: int
    fields: tuple[Field, ...]
    body: bytes


def _fields(pairs: Any) -> tuple[Field, ...]:
    return tuple((bytes(name).lower(), bytes(value).strip(b" \t")) for name, value in pairs)


def by_h11(data: bytes, methods: Sequence[str]) -> list[ReadAnswer]:
    """Read the answers to requests with these methods. Raises ``ReaderRefuses``, also if one is cut short."""
    reader = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
    reader.receive_data(data)
    read = []
    try:
        for method in methods:
            reader.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
            reader.send(h11.EndOfMessage())
            body = b""
            while type(event := reader.next_event()) is not h11.EndOfMessage:
                if isinstance(event, h11.Response):
                    head = event
                elif isinstance(event, h11.Data):
                    body += bytes(event.data)
                elif event is h11.NEED_DATA:
                    reader.receive_data(b"")  # The end: an error, or the end of an answer without a length.
            read.append(ReadAnswer(head.status_code, _fields(head.headers), body))
            if len(read) < len(methods):
                reader.start_next_cycle()
    except h11.ProtocolError as error:
        raise ReaderRefuses(f"h11: {error} in {data[:500]!r}") from None
    if reader.trailing_data[0]:
        raise ReaderRefuses(f"h11: {reader.trailing_data[0]!r} is left of {data[:500]!r}")
    return read


class _Llhttp:
    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.fields: list[Field] = []
        self.body = b""
        self.done = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name, value))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.done = True


def by_llhttp(data: bytes, methods: Sequence[str]) -> list[ReadAnswer]:
    """Read with llhttp. It is not told the request's method, so it is given each answer's own bytes."""
    read = []
    for method in methods:
        reader = _Llhttp()
        while True:
            place = data.find(b"\r\n\r\n") + 4
            try:
                reader.parser.feed_data(data[:place])
                status = reader.parser.get_status_code()
                if status >= 200:
                    break
                data = data[place:]
                reader = _Llhttp()
            except httptools.HttpParserError as error:
                raise ReaderRefuses(f"llhttp: {error} in {data[:500]!r}") from None
        while not reader.done and method != "HEAD":
            if place >= len(data):
                if any(name.lower() in {b"content-length", b"transfer-encoding"} for name, _ in reader.fields):
                    raise ReaderRefuses(f"llhttp: an answer is cut short in {data[:500]!r}")
                break
            try:
                reader.parser.feed_data(data[place : place + 1])
            except httptools.HttpParserError as error:
                raise ReaderRefuses(f"llhttp: {error} in {data[:500]!r}") from None
            place += 1
        data = data[place:]
        read.append(ReadAnswer(status, _fields(reader.fields), reader.body))
    if data:
        raise ReaderRefuses(f"llhttp: {data[:500]!r} is left")
    return read


class _Shared(io.BytesIO):
    """A socket to http.client, which closes what it reads from after each answer."""

    def makefile(self, *_: object) -> "_Shared":
        return self

    def close(self) -> None:
        pass


def by_http_client(data: bytes, methods: Sequence[str]) -> list[ReadAnswer]:
    """Read with the standard library's client."""
    stream = _Shared(data)
    read = []
    try:
        for method in methods:
            while True:
                answer = http.client.HTTPResponse(stream, method=method)  # type: ignore[arg-type]
                answer.begin()
                if answer.status >= 200:  # It skips 100 only.
                    break
            body = answer.read()
            fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.getheaders()]
            read.append(ReadAnswer(answer.status, _fields(fields), body))
    except (http.client.HTTPException, ValueError) as error:
        raise ReaderRefuses(f"http.client: {error!r} in {data[:500]!r}") from None
    if left := stream.read():
        raise ReaderRefuses(f"http.client: {left!r} is left of {data[:500]!r}")
    return read


def by_aiohttp(data: bytes, methods: Sequence[str]) -> list[ReadAnswer]:
    """Read with aiohttp's own parser, as its client sets it up: for one answer at a time."""
    loop = asyncio.new_event_loop()
    try:
        read = []
        for method in methods:
            parser = HttpResponseParserPy(
                mock.Mock(_reading_paused=False), loop, 1 << 24, max_line_size=1 << 20, max_field_size=1 << 20,
                response_with_body=method != "HEAD", read_until_eof=True, auto_decompress=False,
            )  # fmt: skip
            found: list[Any] = []
            while not found or found[-1][0].code < 200 or not found[-1][1].is_eof():
                if not data:
                    parser.feed_eof()
                    break
                messages, _, _ = parser.feed_data(data[:1])  # By bytes, to know where the answer ends.
                found += messages
                data = data[1:]
            head, payload = found[-1]
            body = b"".join(getattr(payload, "_buffer", ()))
            read.append(ReadAnswer(head.code, _fields(head.raw_headers), body))
    except HttpProcessingError as error:
        raise ReaderRefuses(f"aiohttp: {error!r} in {data[:500]!r}") from None
    finally:
        loop.close()
    if data:
        raise ReaderRefuses(f"aiohttp: {data[:500]!r} is left")
    return read


CLIENTS = (by_h11, by_llhttp, by_http_client, by_aiohttp)
