"""An upstream that stalls: it answers GET without end, and takes nothing of what is posted to it."""

import contextlib
import socket
import threading
from collections.abc import Iterator

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_CHUNK = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
_READY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@contextlib.contextmanager
def stalling_upstream() -> Iterator[int]:
    """Run it for the length of a ``with`` block; gives its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as server:
        threading.Thread(target=_accept, args=(server,), daemon=True).start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)


def _accept(server: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = server.accept()
            threading.Thread(target=_serve, args=(connection,), daemon=True).start()


def _serve(connection: socket.socket) -> None:
    with connection, contextlib.suppress(OSError):
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(1024)
            if not head:
                return
        if head.startswith(b"GET /stream"):
            connection.sendall(_HEAD)
            while True:
                connection.sendall(_CHUNK)
        if head.startswith(b"GET"):
            connection.sendall(_READY)
            return
        threading.Event().wait()  # The process's end, or a reset of this connection, is the only end of it.
