"""One connection to an application: sends requests, takes answers apart, and says when it can be used again."""

import asyncio
from typing import Final, Protocol, cast

from strangler.http1.body import BodyReader, ChunkError, CloseReader, body_reader
from strangler.http1.refusal import ResponseRefused
from strangler.http1.response import MAX_HEAD, ResponseHead, ResponseParser, has_body
from strangler.model.failure import Failure
from strangler.upstream.cork import Cork
from strangler.upstream.reads import SharedReads
from strangler.upstream.unread import unread

SWITCHING: Final = 101
WRITE_HIGH: Final = 32 * 1024
"""Bytes that may wait in a connection's buffer before the side that fills it is paused."""


class Receiver(Protocol):
    """Whoever sent a request and takes its answer. After ``response_end`` or ``response_failed`` nothing follows."""

    def informational(self, head: ResponseHead) -> None:
        """A 1xx; the final head is yet to come."""

    def switching(self, head: ResponseHead) -> None:
        """A 101. Raises ``ResponseRefused`` unless it was asked for; else takes the transport by ``release``."""

    def response_head(self, head: ResponseHead, pieces: list[bytes], *, ended: bool) -> None:
        """The final head with the content that came along; ``ended`` if that is all of it."""

    def response_body(self, pieces: list[bytes], *, ended: bool) -> None:
        """A part of the content; ``ended`` if it is the last."""

    def response_end(self) -> None:
        """The answer is complete; the connection is already back in its pool, or closed."""

    def response_failed(self, failure: Failure, detail: str) -> None:
        """There will be no answer, or no more of it."""

    def sending_paused(self) -> None:
        """The application does not take what is sent; send no more until ``sending_resumed``."""

    def sending_resumed(self) -> None:
        """Send on."""


class Home(Protocol):
    """Where a connection belongs."""

    def back(self, connection: "UpstreamConnection") -> None:
        """Its answer is complete, and it can take the next request."""

    def gone(self, connection: "UpstreamConnection") -> None:
        """It is closed."""


class UpstreamConnection(SharedReads):
    """The asyncio side of one connection; at most one request at a time."""

    __slots__ = (
        "_begun", "_bodiless", "_buffer", "_cork", "_head", "_home", "_parser", "_reader", "_reading_paused",
        "_receiver", "_transport", "closed", "idle_since", "request_complete",
    )  # fmt: skip

    _transport: asyncio.Transport

    def __init__(self, home: Home, parser: ResponseParser, cork: Cork) -> None:
        self._home = home
        self._cork = cork
        self._parser = parser
        self._receiver: Receiver | None = None
        self._reader: BodyReader | None = None
        self._head: ResponseHead | None = None
        self._buffer = b""
        self._bodiless = False
        self._reading_paused = False
        self._begun = -1
        """The flushes of the cork before its present request was written."""
        self.request_complete = False
        """Set by the receiver when the last byte of its request was written and no 100 is awaited any more."""
        self.idle_since = 0.0
        self.closed = False
        """It must not be used again: it is closed, or about to be."""

    # What the receiver calls

    def begin(self, receiver: Receiver, *, bodiless: bool) -> None:
        """Take this connection for one exchange; ``bodiless`` if the request is a HEAD."""
        self._receiver = receiver
        self._bodiless = bodiless
        self._begun = self._cork.flushes
        self.request_complete = False

    def write(self, data: bytes) -> None:
        """Send a part of the request."""
        self._cork.write(self._transport, data)

    def pause_reading(self) -> None:
        """Take no more of the answer for now: its reader is slower."""
        if not self._transport.is_closing():
            self._reading_paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Take the answer again."""
        if not self._transport.is_closing():
            self._reading_paused = False
            self._transport.resume_reading()

    @property
    def unread(self) -> int:
        """Bytes of the request that the application has not taken yet."""
        return unread(self._transport)

    def release(self) -> tuple[asyncio.Transport, bytes]:
        """Leave the pool for good: the transport is the caller's, and so are the bytes that came after the head."""
        rest, self._buffer = self._buffer, b""
        self._receiver = None
        self.closed = True
        self._home.gone(self)
        return self._transport, rest

    def discard(self) -> None:
        """Close at once; the receiver hears no more of it."""
        self._receiver = None
        self.closed = True
        self._transport.abort()

    # What the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport and bound its buffer."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(WRITE_HIGH)

    def data_received(self, data: bytes) -> None:
        """Relay what arrived. Bytes that nobody asked for end the connection."""
        if self._receiver is None:
            self.discard()
            return
        if self._reader is not None:
            self._take_body(data)
        elif self._begun == self._cork.flushes:
            # The request has not left yet, so this is no answer to it, and nothing that follows can be relied upon.
            self._fail(Failure.RESET_BEFORE_HEAD, "it spoke before it was asked")
        else:
            self._buffer = self._buffer + data if self._buffer else data
            self._take_head()

    def eof_received(self) -> bool:
        """Let the transport close; an answer without a length ends here."""
        if isinstance(self._reader, CloseReader) and self._receiver is not None:
            self._receiver.response_body([], ended=True)
            self._finish(b"")
        self.closed = True
        if self._receiver is not None:
            self._transport.abort()  # What comes next, `close`, would first wait for the application to take the rest.
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the pool, and the receiver if it still waits."""
        self.closed = True
        receiver, self._receiver = self._receiver, None
        self._home.gone(self)
        if receiver is not None:
            detail = f"{type(exc).__name__}: {exc}" if exc else "the connection was closed"
            failure = Failure.RESET_BEFORE_HEAD if self._head is None else Failure.RESET_IN_BODY
            receiver.response_failed(failure, detail)

    def pause_writing(self) -> None:
        """The application reads more slowly than the client sends."""
        if self._receiver is not None:
            self._receiver.sending_paused()

    def resume_writing(self) -> None:
        """The application has caught up."""
        if self._receiver is not None:
            self._receiver.sending_resumed()

    # The answer

    def _take_head(self) -> None:
        while self._receiver is not None:
            end = self._buffer.find(b"\r\n\r\n") + 4
            if end > MAX_HEAD or (end == 3 and len(self._buffer) > MAX_HEAD):
                self._fail(Failure.BAD_RESPONSE, f"the answer's head is longer than {MAX_HEAD} bytes")
                return
            if end == 3:
                return
            raw, self._buffer = self._buffer[:end], self._buffer[end:]
            try:
                head = self._parser.parse(raw, bodiless=self._bodiless)
            except ResponseRefused as refused:
                self._fail(Failure.BAD_RESPONSE, str(refused))
                return
            if head.status >= 200:
                self._begin_answer(head)
                return
            if head.status == SWITCHING:
                self._switch(head)
                return
            self._receiver.informational(head)

    def _switch(self, head: ResponseHead) -> None:
        assert self._receiver is not None
        try:
            self._receiver.switching(head)
        except ResponseRefused as refused:
            self._fail(Failure.BAD_RESPONSE, str(refused))

    def _begin_answer(self, head: ResponseHead) -> None:
        assert self._receiver is not None
        rest, self._buffer = self._buffer, b""
        pieces: list[bytes] = []
        reader: BodyReader | None = None
        if has_body(head, bodiless=self._bodiless):
            if head.length == len(rest):  # The whole of it came with its head, as most answers do.
                pieces, rest = [rest], b""
            else:
                reader = body_reader(head.length)
                try:
                    pieces, rest = reader.feed(rest)
                except ChunkError as error:
                    self._fail(Failure.BAD_RESPONSE, str(error))
                    return
        self._head = head
        self._reader = reader
        ended = reader is None or reader.done
        self._receiver.response_head(head, pieces, ended=ended)
        if ended:
            self._finish(rest)

    def _take_body(self, data: bytes) -> None:
        assert self._reader is not None
        assert self._receiver is not None
        try:
            pieces, rest = self._reader.feed(data)
        except ChunkError as error:
            self._fail(Failure.RESET_IN_BODY, str(error))
            return
        ended = self._reader.done
        self._receiver.response_body(pieces, ended=ended)
        if ended:
            self._finish(rest)

    def _finish(self, rest: bytes) -> None:
        """Give the connection back before the receiver goes on, so that its next request can have it."""
        receiver, self._receiver = self._receiver, None
        head, self._head = self._head, None
        self._reader = None
        if receiver is None:
            return  # It went away while it was given the last piece.
        unsent = self._transport.get_write_buffer_size()
        if head is not None and head.keep_alive and self.request_complete and not rest and not unsent:
            if self._reading_paused:  # The answer's last piece was too much for a slow client.
                self.resume_reading()
            self._home.back(self)
        else:
            # Bytes behind an answer, or a request of which the application may still take a part. Not `close`, which
            # would wait for the application to take it.
            self.discard()
        receiver.response_end()

    def _fail(self, failure: Failure, detail: str) -> None:
        receiver = self._receiver
        self.discard()
        if receiver is not None:
            receiver.response_failed(failure, detail)
