"""A client's connection before its TLS handshake is done: bounded in time and number, and no request yet."""

import asyncio
import logging
import ssl
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from strangler.dataplane.certificates import Certificates
from strangler.dataplane.downstream import Downstream
from strangler.model.failure import Failure
from strangler.telemetry.meters import Reading
from strangler.tls.transport import SecureTransport

if TYPE_CHECKING:
    from strangler.dataplane.worker import Worker

FAREWELL_TIME = 30.0
"""Seconds in which a closing connection must have taken what was still unsent."""
REPORTS = 5
"""Failed handshakes that are described between two looks at the files; the others are only counted."""

logger = logging.getLogger("strangler.dataplane")


class Tls:
    """The TLS side of a worker's listener: its certificates, and the handshakes that are under way."""

    def __init__(self, worker: "Worker", certificates: Certificates) -> None:
        self._worker = worker
        self.certificates = certificates
        """May be replaced: handshakes that begin later use the new ones."""
        self.under_way: set[Handshake] = set()
        self._reports = 0
        self._is_over = False

    def begin(self) -> asyncio.Protocol:
        """For a new connection."""
        return Handshake(self, self._worker)

    def look_again(self) -> None:
        """Take over what has changed on disk. A look is a few calls of stat; only what has changed is read."""
        self._reports = 0
        taken, refused = self.certificates.look_again()
        for sentence in taken:
            logger.info("%s", sentence)
        for sentence in refused:
            logger.error("%s", sentence)

    def readings(self) -> Iterable[Reading]:
        """For metrics; nothing once clients speak plain HTTP again."""
        return () if self._is_over else self.certificates.readings()

    def failed(self, error: BaseException, address: str) -> None:
        """A handshake came to nothing."""
        self._worker.counters.failures[Failure.HANDSHAKE] += 1
        self._reports += 1
        if self._reports <= REPORTS:
            logger.info("%s: %s (client %s)", Failure.HANDSHAKE.label, describe(error), address)

    def stop(self) -> None:
        """Begin no more, and cut those that are under way."""
        self._is_over = True
        for handshake in tuple(self.under_way):
            handshake.cut()


class Handshake(asyncio.Protocol):
    """One connection until it is a ``Downstream``.

    uvloop begins to read before ``start_tls`` can hold it back. What comes in between is kept, and given to the
    handshake right before anything that comes later.
    """

    __slots__ = ("_address", "_early", "_task", "_tls", "_transport", "_worker")

    def __init__(self, tls: Tls, worker: "Worker") -> None:
        self._tls = tls
        self._worker = worker
        self._transport: asyncio.Transport = cast("asyncio.Transport", None)
        self._task: asyncio.Task[None] | None = None
        self._address = ""
        self._early = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, or turn the connection away at the cap."""
        self._transport = cast("asyncio.Transport", transport)
        address = transport.get_extra_info("peername")
        self._address = address[0] if address else ""
        under_way = self._tls.under_way
        if len(under_way) >= self._tls.certificates.settings.handshakes or not self._worker.accepting:
            self._tls.failed(ConnectionError("too many handshakes are under way"), self._address)
            self._transport.abort()
            return
        under_way.add(self)
        loop = self._worker.loop
        self._task = loop.create_task(self._shake())
        # The first call comes after the task's first step, the second after what that step put off.
        loop.call_soon(loop.call_soon, self._give_early)

    def data_received(self, data: bytes) -> None:
        """The client was quick."""
        self._early += data
        self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client left before the handshake began."""
        self.cut()

    def cut(self) -> None:
        """End it."""
        if self._task is not None:
            self._task.cancel()

    async def _shake(self) -> None:
        certificates = self._tls.certificates
        downstream = Downstream(self._worker)
        try:
            # Awaited here and nowhere else: the first request may be given to ``downstream`` one step after this one.
            secure = await self._worker.loop.start_tls(
                self._transport,
                downstream,
                certificates.front,
                server_side=True,
                ssl_handshake_timeout=certificates.settings.handshake_timeout,
                ssl_shutdown_timeout=FAREWELL_TIME,
            )
        except OSError as error:  # ssl.SSLError is one
            self._tls.failed(error, self._address)
        else:
            assert secure is not None
            downstream.connection_made(SecureTransport(self._transport, secure))
        finally:
            self._tls.under_way.discard(self)

    def _give_early(self) -> None:
        data, self._early = self._early, b""
        if data and not self._transport.is_closing():
            handshake = cast("asyncio.BufferedProtocol", self._transport.get_protocol())
            memoryview(handshake.get_buffer(len(data)))[: len(data)] = data
            handshake.buffer_updated(len(data))


def describe(error: BaseException) -> str:
    """What went wrong in a handshake, in OpenSSL's words without their numbers."""
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    return str(error) or type(error).__name__
