"""The access log: one JSON line per request, formatted and written in batches outside the request path."""

import queue
import sys
import threading
import time
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

Entry = tuple[float, bytes, bytes, str, bytes, bytes, int, str, str, str, str, float, int, int, str]
"""Time (s since the epoch), request id, trace id, client, method, path, status, route, arm, reason, endpoint,
duration (s), bytes in, bytes out, failure."""

MAX_BATCHES = 64
"""What may wait for a disk that does not keep up; beyond it whole batches are dropped, and counted."""


class AccessLog:
    """Collects entries; a thread formats and writes them, so that a slow disk delays nobody."""

    def __init__(self, destination: str) -> None:
        """``off``, ``stdout`` or a file's path. Raises ``OSError`` if the file cannot be opened."""
        self.enabled = destination != "off"
        self.dropped = 0
        self._entries: list[Entry] = []
        self._batches: queue.Queue[list[Entry] | None] = queue.Queue(MAX_BATCHES)
        self._thread: threading.Thread | None = None
        if self.enabled:
            # Closed by the process's end: the thread may still be writing when everything else is gone.
            stream = sys.stdout.buffer if destination == "stdout" else Path(destination).open("ab")  # noqa: SIM115
            self._thread = threading.Thread(target=self._write, args=(stream,), name="access-log", daemon=True)
            self._thread.start()
        self.add = self._entries.append
        """Take one entry."""

    def flush(self) -> None:
        """Hand over what was collected; called several times a second."""
        if not self._entries:
            return
        batch = self._entries.copy()
        self._entries.clear()
        try:
            self._batches.put_nowait(batch)
        except queue.Full:
            self.dropped += len(batch)

    def close(self) -> None:
        """Write the rest and end; waits at most five seconds for the disk."""
        self.flush()
        if self._thread is not None:
            self._batches.put(None)
            self._thread.join(5)

    def _write(self, stream: BinaryIO) -> None:
        while (batch := self._batches.get()) is not None:
            lines = b"".join(map(line, batch))
            try:
                stream.write(lines)
                stream.flush()
            except OSError:
                self.dropped += len(batch)


def line(entry: Entry) -> bytes:
    """One entry as it stands in the log. The query is left out: it may hold secrets."""
    moment, request_id, trace_id, client, method, path, status, route, arm, reason, endpoint = entry[:11]
    took, bytes_in, bytes_out, failure = entry[11:]
    seconds = int(moment)
    if b'"' in path or b"\\" in path:
        path = path.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    # Everything else was checked to be of harmless characters where it came in, or is our own.
    return (
        b'{"time":"%b.%06dZ","request_id":"%b","trace_id":"%b","client":"%b","method":"%b","path":"%b","status":%d,'
        b'"route":"%b","arm":"%b","reason":"%b","endpoint":"%b","duration_ms":%.3f,"bytes_in":%d,"bytes_out":%d%b}\n'
    ) % (
        _second(seconds),
        int((moment - seconds) * 1e6),
        request_id,
        trace_id,
        client.encode(),
        method,
        path,
        status,
        route.encode(),
        arm.encode(),
        reason.encode(),
        endpoint.encode(),
        took * 1000,
        bytes_in,
        bytes_out,
        b',"failure":"%b"' % failure.encode() if failure else b"",
    )


@lru_cache(maxsize=8)
def _second(seconds: int) -> bytes:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)).encode()
