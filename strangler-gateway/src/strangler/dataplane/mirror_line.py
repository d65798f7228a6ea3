"""The thread that hands exchanges to the comparator: over a Unix socket, in bounded writes, and nobody waits for it."""

import logging
import queue
import socket
import struct
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from strangler.dataplane.capture import NO_COMPARATOR, Capture, Desk, Note, Tally
from strangler.dataplane.packing import Pack, packs
from strangler.link.mirrored import Account, Batch, Opening, encode_frame

RECONNECT = 0.2
"""Seconds between two tries to reach the comparator, and between two looks at whether it is still there."""
SEND_TIMEOUT = 0.5
"""Seconds that one write waits for a comparator that does not read, before it is asked whether to go on."""
LAST_WORDS = 1.0
"""Seconds in which a worker that ends tries to hand over what waits."""


logger = logging.getLogger("strangler.dataplane")


def dial(path: Path) -> socket.socket | None:
    """A connection to the comparator; None if there is none to be had at once. Never waits."""
    if not path.exists():
        return None  # Without a descriptor: this is asked several times a second for as long as nobody listens.
    try:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    except OSError:
        return None  # No descriptor is free.
    try:
        connection.setblocking(False)
        connection.connect(str(path))
        connection.setblocking(True)
        seconds, rest = divmod(SEND_TIMEOUT, 1)
        connection.setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", int(seconds), int(rest * 1_000_000))
        )
    except OSError:
        connection.close()
        return None
    return connection


class Line:
    """Takes what the event loop has handed over, encodes it, and sends it. Runs in a thread of its own."""

    def __init__(self, desk: Desk, path: Path, worker: str, slot: int, pid: int) -> None:
        self._desk = desk
        self._path = path
        self._who = (worker, slot, pid)
        self._notes: dict[Tally, Note] = {}
        """What the event loop last said of each tally."""
        self._ends = 0.0
        """Until when it may try to send, once the worker has to end; 0 before."""
        self._connection = dial(path)
        """Made here, at once, so that the first requests of a shadowed route are not lost to a connection's making."""
        self._tried = time.monotonic()
        desk.connected = self._connection is not None
        self._opened = False
        self._thread = threading.Thread(target=self._run, name="mirror", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Hand over what waits, and end; waits for that as long as ``LAST_WORDS``."""
        self._ends = time.monotonic() + LAST_WORDS
        self._desk.handed.put(None)
        self._thread.join(LAST_WORDS + 2 * SEND_TIMEOUT)

    # In the thread

    def _run(self) -> None:
        self._reach()
        while True:
            try:
                handed = self._desk.handed.get(timeout=RECONNECT)
            except queue.Empty:
                self._look()
                continue
            if handed is None:
                break
            self._take(*handed)
            del handed  # What it holds is not to live on until there is more.
        if self._connection is not None:
            self._connection.close()

    def _look(self) -> None:
        """See whether the comparator is still there, or there again."""
        if self._connection is None:
            self._reach()
            return
        try:
            gone = not self._connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            gone = True
        if gone:  # It says nothing: what can be read is the end.
            self._lose()

    def _reach(self) -> None:
        now = time.monotonic()
        if self._connection is None and now - self._tried >= RECONNECT and not self._is_over(now):
            self._tried = now
            self._connection = dial(self._path)
            self._opened = False
        if self._connection is not None and not self._opened:
            self._open()

    def _open(self) -> None:
        """Say who this is, and how the accounts stand."""
        worker, slot, pid = self._who
        self._opened = self._desk.connected = True  # What the event loop now lets wait comes after the Opening.
        self._send(encode_frame(Opening(worker, slot, pid, tuple(self._accounts(self._notes.values())))))

    def _lose(self) -> None:
        self._desk.connected = False
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _take(self, captures: list[Capture], notes: list[Note]) -> None:
        for note in notes:
            self._notes[note[0]] = note
        self._reach()
        epoch = time.time() - time.perf_counter()
        for pack in packs(captures):
            self._hand_over(pack, epoch)
        if notes and self._connection is not None:
            self._send(encode_frame(Batch((), tuple(self._accounts(notes)))))

    def _hand_over(self, pack: Pack, epoch: float) -> None:
        counts, sent = pack.counts, False
        if self._connection is not None:
            accounts = tuple(self._accounts([self._notes[tally] for tally in counts], counts))
            try:
                sent = self._send(encode_frame(pack.batch(accounts, epoch)))
            except Exception:  # These are lost; the thread has to go on for those that come.
                logger.exception("exchanges could not be handed to the comparator")
        for tally, count in counts.items():
            if sent:
                tally.sent += count
            else:
                tally.lost[NO_COMPARATOR] = tally.lost.get(NO_COMPARATOR, 0) + count
        self._desk.done += len(pack.captures)
        self._desk.freed_bytes += pack.size

    def _accounts(self, notes: Iterable[Note], also_sent: dict[Tally, int] | None = None) -> Iterator[Account]:
        """The accounts as they are when ``also_sent`` exchanges of each have been handed over."""
        for tally, requests, skipped in notes:
            headings = dict(skipped)
            for heading, count in tally.lost.items():
                headings[heading] = headings.get(heading, 0) + count
            sent = tally.sent + (also_sent.get(tally, 0) if also_sent is not None else 0)
            yield Account(tally.name, requests, sent, tuple(headings.items()))

    def _send(self, frame: bytes) -> bool:
        """Send a frame, however long the comparator does not read; False if it is gone, or the worker has to end."""
        connection = self._connection
        assert connection is not None
        rest = memoryview(frame)
        while rest:
            try:
                rest = rest[connection.send(rest, socket.MSG_NOSIGNAL) :]
            except BlockingIOError:
                if self._is_over(time.monotonic()):
                    self._lose()
                    return False
            except OSError:
                self._lose()
                return False
        return True

    def _is_over(self, now: float) -> bool:
        """Whether the worker ends, and has tried for long enough."""
        return self._ends > 0 and now >= self._ends
