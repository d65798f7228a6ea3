"""A TLS connection that closes, ends and waits as a plain one does; what uvloop does otherwise is made good here.

1. uvloop counts only what is not encrypted yet as unsent: the connection beneath holds more.
2. A reader that pauses still lets the connection beneath read; if the peer then closes, what was read is thrown away.
   So the connection beneath pauses too.
3. ``close`` waits up to its timeout for the peer's farewell; here it waits no longer than for our own bytes to go.
4. There is no half-close in TLS 1.2. What it is used for, an end that lets the peer read first, is ``write_eof`` here:
   say farewell, and drop what still comes.
"""

import asyncio
from typing import Any

READ_HIGH = 64 * 1024
"""Bytes that may wait to be decrypted before the connection beneath is paused."""


class SecureTransport(asyncio.Transport):
    """What protocols see of a connection whose handshake is done."""

    def __init__(self, plain: asyncio.Transport, secure: asyncio.Transport) -> None:
        super().__init__()
        self._plain = plain
        self._secure = secure
        self.write = secure.write  # type: ignore[method-assign]  # without a step in between
        secure.set_read_buffer_limits(READ_HIGH)  # type: ignore[attr-defined]  # TLS transports have it

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """As of the connection beneath; ``ssl_object`` too."""
        return self._secure.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Whom to tell what comes from now on."""
        self._secure.set_protocol(protocol)

    def is_closing(self) -> bool:
        """Whether ``close`` or ``abort`` was called."""
        return self._secure.is_closing()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Of both connections together, by halves."""
        half = None if high is None else high // 2
        self._secure.set_write_buffer_limits(half, low)
        self._plain.set_write_buffer_limits(half, low)

    def get_write_buffer_size(self) -> int:
        """Everything that is not with the kernel yet."""
        return self._secure.get_write_buffer_size() + self._plain.get_write_buffer_size()

    def pause_reading(self) -> None:
        """Take nothing more, and see no end either."""
        self._secure.pause_reading()
        if not self._plain.is_closing():
            self._plain.pause_reading()

    def resume_reading(self) -> None:
        """Take what is there, then more."""
        self._secure.resume_reading()
        self._read_on()

    def can_write_eof(self) -> bool:
        """Of a sort: see ``write_eof``."""
        return True

    def write_eof(self) -> None:
        """Say farewell once everything is sent, and drop what comes until the peer ends too, or ``abort`` is called."""
        self._secure.close()
        self._read_on()

    def close(self) -> None:
        """Send what is unsent, say farewell, and end without waiting for the peer's."""
        self._secure.close()
        if self._secure.get_write_buffer_size():
            self._read_on()  # uvloop ends it when the last byte has gone.
        else:
            self._plain.close()

    def abort(self) -> None:
        """End at once, without a farewell: the peer can tell that something is missing."""
        self._secure.abort()

    def _read_on(self) -> None:
        if not self._plain.is_closing():
            self._plain.resume_reading()
