"""HTTP/1.1 by hand, for tests that must see every byte: a client on a socket, and an upstream that a test scripts.

Both read messages by a small strict reader of their own and know nothing of the gateway's parsers.
"""

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

WAIT = 10.0
"""Seconds within which whatever a test waits for must have happened."""
_RESET = struct.pack("ii", 1, 0)


class EndedError(AssertionError):
    """The other side ended the connection where more of a message was due."""

    def __init__(self, how: str, received: bytes) -> None:
        self.how = how
        """``closed`` (FIN) or ``reset`` (RST)."""
        self.received = received
        super().__init__(f"the connection was {how} after {len(received)} bytes of a message: {received[:300]!r}")


class GarbledError(AssertionError):
    """What came is not one HTTP/1.1 message."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it was read. Header fields keep their order and spelling."""

    start: bytes
    """The first line, without its CRLF."""
    headers: list[tuple[bytes, bytes]]
    body: bytes
    framing: str
    """How its end was known: ``none``, ``length``, ``chunked`` or ``close``."""
    raw: bytes

    @property
    def status(self) -> int:
        """Of a response."""
        return int(self.start.split(b" ", 2)[1])

    @property
    def method(self) -> bytes:
        """Of a request."""
        return self.start.split(b" ")[0]

    @property
    def target(self) -> bytes:
        """Of a request."""
        return self.start.split(b" ")[1]

    def values(self, name: str) -> list[bytes]:
        """The values of every field of this name, in their order."""
        return [value for key, value in self.headers if key.lower() == name.lower().encode()]

    def value(self, name: str) -> bytes | None:
        """The value of the one field of this name; None without one."""
        values = self.values(name)
        assert len(values) <= 1, f"{name} stands more than once: {values}"
        return values[0] if values else None


def request(
    method: str,
    target: str,
    *headers: str,
    body: bytes | None = None,
    chunks: tuple[bytes, ...] | None = None,
    host: str | None = "shop.example",
    version: str = "1.1",
) -> bytes:
    """The bytes of a request: ``body`` with a Content-Length or ``chunks``; ``headers`` are whole lines."""
    lines = [f"{method} {target} HTTP/{version}", *([f"Host: {host}"] if host is not None else []), *headers]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    if chunks is not None:
        lines.append("Transfer-Encoding: chunked")
    head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
    return head + (body or b"") + (chunked(*chunks) if chunks is not None else b"")


def chunked(*pieces: bytes) -> bytes:
    """A whole chunked body."""
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def response(*headers: str, status: int = 200, body: bytes | None = b"ok") -> bytes:
    """The bytes of a response, with a Content-Length unless ``body`` is None."""
    lines = [f"HTTP/1.1 {status} Scripted", *headers, *([f"Content-Length: {len(body)}"] if body is not None else [])]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


class Wire:
    """One end of a connection, with a strict reader of messages."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.received = bytearray()
        """Every byte that ever came, unless ``forget`` was called."""
        self._remember = True
        self._buffer = b""

    def forget(self) -> None:
        """Do not keep what comes from now on: it is too much."""
        self._remember = False

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def send_slowly(self, data: bytes, size: int = 1) -> None:
        """Send in pieces of ``size`` bytes, each in a segment of its own."""
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(data), size):
            self.socket.sendall(data[start : start + size])

    def shut(self) -> None:
        """End this direction (FIN)."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """End the connection by a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.socket.close()

    def close(self) -> None:
        self.socket.close()

    def rest(self) -> tuple[bytes, str]:
        """Everything until the other side ends the connection, and how it ended: ``closed`` or ``reset``."""
        data = self._buffer
        try:
            while piece := self._receive():
                data += piece
        except ConnectionError:
            return data, "reset"
        finally:
            self._buffer = b""
        return data, "closed"

    def wait_for(self, part: bytes) -> None:
        """Wait until this has come; what is read stays to be read again. Raises ``EndedError``."""
        while part not in self._buffer:
            self._more()

    def message(self, *, bodiless: bool = False, ends_with_connection: bool = False) -> Message:
        """Read one message. Raises ``EndedError`` if it is cut short, ``GarbledError`` if it is none."""
        head = self._until(b"\r\n\r\n")
        start, *lines = head[:-4].split(b"\r\n")
        if b"\n" in head.replace(b"\r\n", b"") or b"\r" in head.replace(b"\r\n", b""):
            raise GarbledError(f"a bare CR or LF in {head!r}")
        headers = []
        for line in lines:
            name, colon, value = line.partition(b":")
            if not colon or not name or name != name.strip():
                raise GarbledError(f"not a header line: {line!r}")
            headers.append((name, value.strip(b" \t")))
        lengths = [value for name, value in headers if name.lower() == b"content-length"]
        codings = [value for name, value in headers if name.lower() == b"transfer-encoding"]
        if len(lengths) + len(codings) > 1 or codings not in ([], [b"chunked"]):
            raise GarbledError(f"the framing is in doubt: {lengths} {codings}")
        if bodiless:
            return Message(start, headers, b"", "none", head)
        if codings:
            body, raw = self._chunks()
            return Message(start, headers, body, "chunked", head + raw)
        if lengths:
            body = self.exactly(int(lengths[0]))
            return Message(start, headers, body, "length", head + body)
        if ends_with_connection:
            body, how = self.rest()
            if how == "reset":
                raise EndedError(how, body)
            return Message(start, headers, body, "close", head + body)
        return Message(start, headers, b"", "none", head)

    def content(self, head: Message) -> Iterator[bytes]:
        """Read the body behind a head piece by piece, by its Content-Length or its chunks."""
        length = head.value("content-length")
        if length is not None:
            yield from self._pieces(int(length))
            return
        while size := int(self._until(b"\r\n").partition(b";")[0], 16):
            yield from self._pieces(size)
            if self.exactly(2) != b"\r\n":
                raise GarbledError("a chunk does not end where it should")
        if self._until(b"\r\n") != b"\r\n":
            raise GarbledError("a trailer where none was expected")

    def _pieces(self, count: int) -> Iterator[bytes]:
        while count:
            piece = self._buffer or self._receive_or_end()
            self._buffer = piece[count:]
            yield piece[:count] if self._buffer else piece
            count -= min(len(piece), count)

    def _chunks(self) -> tuple[bytes, bytes]:
        body = raw = b""
        while True:
            line = self._until(b"\r\n")
            raw += line
            size = int(line.partition(b";")[0].strip(), 16)
            if not size:
                while (line := self._until(b"\r\n")) != b"\r\n":
                    raw += line
                return body, raw + line
            piece = self.exactly(size + 2)
            if piece[-2:] != b"\r\n":
                raise GarbledError(f"a chunk does not end where it should: {piece[-20:]!r}")
            body += piece[:-2]
            raw += piece

    def _until(self, end: bytes) -> bytes:
        while end not in self._buffer:
            self._more()
        place = self._buffer.index(end) + len(end)
        taken, self._buffer = self._buffer[:place], self._buffer[place:]
        return taken

    def exactly(self, count: int) -> bytes:
        """Read this many bytes. Raises ``EndedError``."""
        pieces = [self._buffer]
        have = len(self._buffer)
        while have < count:
            self._buffer = b"".join(pieces) if have < 65_536 else b""  # For the error's message.
            piece = self._receive_or_end()
            pieces.append(piece)
            have += len(piece)
        data = b"".join(pieces)
        self._buffer = data[count:]
        return data[:count]

    def _more(self) -> None:
        self._buffer += self._receive_or_end()

    def _receive_or_end(self) -> bytes:
        try:
            piece = self._receive()
        except ConnectionError:
            raise EndedError("reset", self._buffer) from None
        if not piece:
            raise EndedError("closed", self._buffer)
        return piece

    def _receive(self) -> bytes:
        piece = self.socket.recv(262_144)
        if self._remember:
            self.received += piece
        return piece


class Client(Wire):
    """A client on a raw socket; ends with its ``with`` block."""

    def __init__(self, port: int, *, window: int | None = None) -> None:
        """``window`` bounds the receive buffer, for a client that reads slowly."""
        sock = socket.socket()
        sock.settimeout(WAIT)
        if window is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        sock.connect(("127.0.0.1", port))
        super().__init__(sock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def answer(self, method: str = "GET", *, interim: list[Message] | None = None) -> Message:
        """Read one response to a request with ``method``; 1xx go to ``interim``, or are an error without it."""
        while True:
            message = self.message(bodiless=True)
            if not 100 <= message.status < 200:
                break
            assert interim is not None, f"an interim response that nobody expected: {message.raw!r}"
            interim.append(message)
        if method == "HEAD" or message.status in {204, 304}:
            return message
        # Put the head back and read it again, now with its body.
        self._buffer = message.raw + self._buffer
        return self.message(ends_with_connection=True)

    def ask(self, data: bytes) -> Message:
        """Send a request and read its response."""
        self.send(data)
        return self.answer(data.split(b" ", 1)[0].decode("latin-1"))

    def is_closed(self) -> bool:
        """Whether the gateway ends the connection without another byte."""
        data, _ = self.rest()
        assert not data, f"bytes that nobody asked for: {data[:300]!r}"
        return True


def ask(port: int, data: bytes) -> Message:
    """Send one request on a connection of its own and read its response."""
    with Client(port) as client:
        return client.ask(data)


class Conversation(Wire):
    """The upstream's end of one connection, driven by the test's script."""

    def __init__(self, sock: socket.socket, number: int, upstream: "RawUpstream") -> None:
        super().__init__(sock)
        self.number = number
        """0 for the first connection."""
        self.ended = ""
        """How the gateway ended it, once ``wait_for_end`` has seen that."""
        self.messages: list[Message] = []
        """What was read of it, in its order."""
        self._upstream = upstream

    def request(self) -> Message:
        """Read a whole request and record it."""
        message = self.message()
        self.messages.append(message)
        self._upstream.record(message)
        return message

    def head(self) -> Message:
        """Read a request's head only, and record it."""
        message = self.message(bodiless=True)
        self._upstream.record(message)
        return message

    def wait_for_end(self) -> None:
        """Read and drop until the gateway ends the connection."""
        _, self.ended = self.rest()


Script = Callable[[Conversation], object]


class RawUpstream:
    """A scripted upstream: what it was asked, connection by connection."""

    def __init__(self, script: Script, window: int | None = None, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.conversations: list[Conversation] = []
        self.requests: list[Message] = []
        self.errors: list[BaseException] = []
        self._script = script
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._listener = socket.socket()
        if window is not None:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(512)
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def record(self, message: Message) -> None:
        with self._lock:
            self.requests.append(message)

    def received(self) -> bytes:
        """Every byte that came over any of its connections."""
        with self._lock:
            return b"".join(bytes(conversation.received) for conversation in self.conversations)

    def targets(self) -> list[bytes]:
        """The targets of the recorded requests, in their order."""
        with self._lock:
            return [message.target for message in self.requests]

    def close(self) -> None:
        """End every connection and wait for every script."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # Wakes accept().
        self._listener.close()
        self._acceptor.join(WAIT)
        for conversation in self.conversations:
            with contextlib.suppress(OSError):
                conversation.socket.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(WAIT)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.settimeout(WAIT + 5)
            with self._lock:
                conversation = Conversation(sock, len(self.conversations), self)
                self.conversations.append(conversation)
            thread = threading.Thread(target=self._converse, args=(conversation,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _converse(self, conversation: Conversation) -> None:
        try:
            if self._tls is not None:
                conversation.socket = self._tls.wrap_socket(
                    conversation.socket, server_side=True, suppress_ragged_eofs=False
                )
            self._script(conversation)
        except EndedError as ended:
            conversation.ended = ended.how
        except OSError:
            pass  # The gateway hung up, which is for the test to judge.
        except BaseException as error:  # noqa: BLE001 - it is raised again in the test's thread
            self.errors.append(error)
        finally:
            conversation.close()


def answer_all(conversation: Conversation) -> None:
    """The friendliest script: 200 to everything, for as long as the gateway asks."""
    while True:
        asked = conversation.request()
        body = None if asked.method == b"HEAD" else asked.target
        conversation.send(response(body=body))


def in_turn(*scripts: Script) -> Script:
    """The first connection by the first script, and so on; the last one for all that follow."""

    def serve(conversation: Conversation) -> None:
        scripts[min(conversation.number, len(scripts) - 1)](conversation)

    return serve


def each(data: bytes) -> Script:
    """Answer every request with the same bytes."""

    def serve(conversation: Conversation) -> None:
        while True:
            conversation.request()
            conversation.send(data)

    return serve


def once(data: bytes, *, then: str = "stay") -> Script:
    """Answer one request with these bytes; then ``close``, ``reset``, or ``stay`` until the gateway ends it."""

    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(data)
        if then == "reset":
            # A reset may overtake what the receiver has not read yet; only the test's own timing is at stake.
            time.sleep(0.05)
            conversation.reset()
        elif then == "stay":
            conversation.wait_for_end()

    return serve


@contextlib.contextmanager
def raw_upstream(
    script: Script = answer_all, *, window: int | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[RawUpstream]:
    """Listen on a free port and run ``script`` in a thread for each connection.

    An assertion that fails in a script fails the test at the end of the block; the gateway's hanging up does not.
    """
    upstream = RawUpstream(script, window, tls)
    try:
        yield upstream
    except BaseException as error:
        for failed in upstream.errors:
            error.add_note(f"the upstream's script failed: {failed!r}")
        raise
    finally:
        upstream.close()
    if upstream.errors:
        raise upstream.errors[0]


def wait_until(condition: Callable[[], bool], what: str, within: float = WAIT) -> None:
    """Wait until something outside this process has happened."""
    limit = time.monotonic() + within
    while not condition():
        if time.monotonic() > limit:
            raise AssertionError(f"not within {within:g} s: {what}")
        time.sleep(0.01)
