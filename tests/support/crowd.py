"""Many clients at once, of whom some vanish at any point of what they do; the others check every answer they get.

They ask a stub upstream behind a gateway for its behaviours (``stub_behaviours``).
"""

import asyncio
import contextlib
import hashlib
import itertools
import json
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from support.stub_upstream import body_sha256

LONGEST_STALL = 2.5
"""Seconds for which a client that vanishes without a word keeps its socket."""
PATIENCE = 20.0
"""Seconds after which an answer that did not come is a wrong one."""
_RESET = struct.pack("ii", 1, 0)
_OPENING = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")  # fmt: skip
BROKEN = 0
"""Stands in the place of a status: the connection ended before the answer did."""

Check = Callable[[int, bytes], bool]


@dataclass(frozen=True, slots=True)
class Ask:
    """One request, and what its answer must be."""

    target: str
    check: Check
    body: bytes = b""
    chunked: bool = False
    last: bool = False
    """Whether the connection may end behind its answer."""
    tunnel: bool = False
    """Whether this asks for a WebSocket, in which every byte comes back."""

    def pieces(self, user: int) -> list[bytes]:
        """The head, and the body in parts."""
        method = "POST" if self.body else "GET"
        lines = [f"{method} {self.target} HTTP/1.1", "Host: shop.example", f"X-User: u{user}"]
        if self.tunnel:
            lines += _OPENING
        if self.chunked:
            lines.append("Transfer-Encoding: chunked")
        elif self.body:
            lines.append(f"Content-Length: {len(self.body)}")
        parts = [self.body[start : start + 8192] for start in range(0, len(self.body), 8192)]
        if self.chunked:
            parts = [*(b"%x\r\n%b\r\n" % (len(part), part) for part in parts), b"0\r\n\r\n"]
        return ["\r\n".join((*lines, "", "")).encode(), *parts]


def _json(**expected: object) -> Check:
    def check(status: int, body: bytes) -> bool:
        return status == 200 and expected.items() <= json.loads(body).items()

    return check


def _content(length: int, digest: str) -> Check:
    return lambda status, body: status == 200 and len(body) == length and hashlib.sha256(body).hexdigest() == digest


_FAILED: Check = lambda status, body: status in {BROKEN, 502, 503}  # noqa: E731 - a table of them follows
_EARLY: Check = lambda status, body: status in {BROKEN, 403}  # noqa: E731 - the rest of the upload may be reset
_LARGE = {size: body_sha256(size) for size in (300_000, 1_000_000)}
_numbers = itertools.count()


def asks(chance: random.Random) -> Iterator[Ask]:
    """What clients want, without end."""
    while True:
        plain = f"/x?id={next(_numbers)}"
        slow = f"/slow?ms={chance.randrange(80)}&id={next(_numbers)}"
        content = chance.randbytes(chance.choice((10, 3_000, 200_000)))
        received = _json(length=len(content), sha256=hashlib.sha256(content).hexdigest())
        size, digest = chance.choice(tuple(_LARGE.items()))
        yield chance.choice(
            (
                *(Ask(plain, _json(path=plain)) for _ in range(6)),
                Ask(slow, _json(path=slow)),
                Ask("/drip?count=10&ms=20", lambda status, body: (status, body) == (200, b".\n" * 10)),
                Ask(f"/bytes/{size}", _content(size, digest)),
                Ask(f"/chunked/{size}?size=5000", _content(size, digest)),
                Ask("/echo", received, content),
                Ask("/echo", received, content, chunked=True),
                Ask("/slow-read?ms=2", received, content),
                Ask("/early/403", _EARLY, content, last=True),
                Ask("/reset-before-head", _FAILED, last=True),
                Ask(f"/reset-mid-body{chance.choice(('', '?chunked'))}", _FAILED, last=True),
                Ask(f"/close-mid-body{chance.choice(('', '?chunked'))}", _FAILED, last=True),
                Ask("/until-close", lambda status, body: (status, len(body)) == (200, 1000)),
                Ask("/close-silently", lambda status, body: status in {200, 502, 503}),
                Ask("/no-content", lambda status, body: (status, body) == (204, b"")),
                Ask("/tunnel", lambda status, body: status == 101, last=True, tunnel=True),
            )
        )


@dataclass
class Crowd:
    """The clients of one run. Start it, wait for it, and read what they met."""

    port: int
    clients: int = 30
    vanishing: float = 0.3
    """The share of visits that end where they should not."""
    seed: int = 1
    told: Counter[str] = field(default_factory=Counter)
    """Visits by how they ended."""
    wrong: list[str] = field(default_factory=list)
    """Answers that are not what was asked for."""

    def run(self, seconds: float, meanwhile: Callable[[], None]) -> None:
        """Let the clients come and go for so long; ``meanwhile`` is called again and again in this thread."""
        end = time.monotonic() + seconds
        crowd = threading.Thread(target=lambda: asyncio.run(self._come_and_go(end)))
        crowd.start()
        while crowd.is_alive():
            meanwhile()
        crowd.join()

    async def _come_and_go(self, end: float) -> None:
        async def client(number: int) -> None:
            chance = random.Random(f"{self.seed}.{number}")
            while time.monotonic() < end:
                await self._visit(chance)
                await asyncio.sleep(chance.random() * 0.1)

        await asyncio.gather(*map(client, range(self.clients)))

    async def _visit(self, chance: random.Random) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=256 * 1024)
        visit = _Visit(self, chance, reader, writer)
        try:
            async with asyncio.timeout(PATIENCE):
                await visit.make()
        except _Vanished as vanished:
            self.told[f"vanished {vanished}"] += 1
        except asyncio.LimitOverrunError as error:
            self.wrong.append(f"{visit.asked}: {error}")
        except TimeoutError:
            self.wrong.append(f"{visit.asked}: no answer within {PATIENCE:g} s")
        finally:
            writer.transport.abort() if chance.random() < 0.5 else writer.close()


def _size(length: int) -> bytes:
    """Of a masked frame's payload (RFC 6455 §5.2)."""
    return bytes((0x80 | length,)) if length < 126 else b"\xfe" + length.to_bytes(2)


class _Vanished(Exception):
    """The client is not there any more."""


class _Visit:
    """One connection of one client."""

    def __init__(
        self, crowd: Crowd, chance: random.Random, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._crowd, self._chance, self._reader, self._writer = crowd, chance, reader, writer
        self.asked = ""
        places = ("in a head", "in an upload", "waiting", "in an answer")
        self._vanishes = chance.choice(places) if chance.random() < crowd.vanishing else ""

    async def make(self) -> None:
        """Ask a few things, one after the other or all at once."""
        chance = self._chance
        wanted = list(itertools.islice(asks(chance), chance.choice((1, 1, 2, 3, 5))))
        ends = next((number for number, ask in enumerate(wanted, 1) if ask.tunnel), None)
        wanted = wanted[:ends]  # What is sent behind an opening belongs to the tunnel.
        if self._vanishes:  # Not before its time.
            wanted = [*(ask for ask in wanted[:-1] if not ask.last), wanted[-1]]
        if self._vanishes == "in an upload":
            wanted = [ask for ask in wanted if not ask.tunnel]
            wanted.append(Ask("/echo", lambda status, body: True, chance.randbytes(100_000), chance.random() < 0.5))
        pipelined = chance.random() < 0.3
        leaves_at = chance.randrange(len(wanted)) if self._vanishes != "in an upload" else len(wanted) - 1
        sending = asyncio.gather(*(self._send(ask, leaves=False) for ask in wanted[:leaves_at])) if pipelined else None
        try:
            for number, ask in enumerate(wanted):
                leaves = bool(self._vanishes) and number == leaves_at
                if sending is None or number >= leaves_at:
                    await self._send(ask, leaves=leaves)
                if not await self._take(ask, leaves=leaves) or ask.last:
                    break
        finally:
            if sending is not None:
                sending.cancel()
        self._crowd.told["served"] += 1

    async def _send(self, ask: Ask, *, leaves: bool) -> None:
        head, *body = ask.pieces(self._chance.randrange(100))
        if leaves and self._vanishes == "in a head":
            self._writer.write(head[: self._chance.randrange(len(head))])
            await self._vanish()
        stops = self._chance.randrange(len(body)) if leaves and self._vanishes == "in an upload" else len(body)
        try:
            self._writer.write(head)
            for piece in body[:stops]:
                self._writer.write(piece)
                await self._writer.drain()
        except ConnectionError:
            return  # It was answered early; that answer may be there all the same.
        if stops < len(body):
            await self._vanish()
        if leaves and self._vanishes == "waiting":
            await asyncio.sleep(self._chance.random() * 0.05)
            await self._vanish()

    async def _take(self, ask: Ask, *, leaves: bool) -> bool:
        """Read an answer and check it; False if the connection has ended."""
        self.asked = ask.target
        if leaves and self._vanishes == "in an answer":
            await self._reader.read(self._chance.choice((1, 50, 20_000)))
            await self._vanish()
        try:
            status, body, stays = await self._answer()
        except (asyncio.IncompleteReadError, ConnectionError):
            status, body, stays = BROKEN, b"", False
        if not ask.check(status, body):
            self._crowd.wrong.append(f"{ask.target}: {status} {len(body)} bytes: {body[:200]!r}")
        self._crowd.told[f"status {status}"] += 1
        if status == 101:
            await self._talk()
        return stays

    async def _talk(self) -> None:
        """Say a few things in a tunnel and hear them again; then say goodbye, or vanish."""
        for _ in range(self._chance.randrange(5)):
            said = self._chance.randbytes(self._chance.choice((5, 1000, 60_000)))
            frame = b"\x82" + _size(len(said)) + b"\0\0\0\0" + said
            self._writer.write(frame)
            if await self._reader.readexactly(len(frame)) != frame:
                self._crowd.wrong.append("a frame that did not come back as it was")
        if self._chance.random() < 0.5:
            self._vanishes = "in a tunnel"
            await self._vanish()
        self._writer.write(b"\x88\x80\0\0\0\0")
        await self._reader.readexactly(6)

    async def _answer(self) -> tuple[int, bytes, bool]:
        head = await self._reader.readuntil(b"\r\n\r\n")
        fields = {name.lower(): value for name, _, value in (line.partition(b": ") for line in head.split(b"\r\n"))}
        body = b""
        if b"content-length" in fields:
            body = await self._reader.readexactly(int(fields[b"content-length"]))
        elif b"transfer-encoding" in fields:
            while size := int(await self._reader.readuntil(b"\r\n"), 16):
                body += (await self._reader.readexactly(size + 2))[:-2]
            await self._reader.readexactly(2)
        return int(head[9:12]), body, fields.get(b"connection") != b"close"

    async def _vanish(self) -> None:
        how = self._chance.choice(("close", "reset", "stall", "shut"))
        if how == "reset":
            sock: socket.socket = self._writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._writer.transport.abort()
        elif how == "stall":
            await asyncio.sleep(self._chance.random() * LONGEST_STALL)
        elif how == "shut":
            with contextlib.suppress(OSError):  # The gateway may have ended it first.
                self._writer.write_eof()
            await asyncio.sleep(self._chance.random() * LONGEST_STALL)
        raise _Vanished(f"{self._vanishes} by {how}")
