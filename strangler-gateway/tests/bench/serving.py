"""A server in a thread that answers as it is told, and can stand still for a while."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = tuple[int, bytes]


class Server(ThreadingHTTPServer):
    """``answer`` gets the method, the target and the body."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, answer: Callable[[str, str, bytes], Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.asked: list[tuple[str, str, bytes]] = []
        self.stalls_until = 0.0

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def stall(self, seconds: float) -> None:
        """Answer nothing for so long from now on."""
        self.stalls_until = time.monotonic() + seconds


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def handle_one_request(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().handle_one_request()

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.command, self.path, body))
        left = self.server.stalls_until - time.monotonic()
        if left > 0:
            time.sleep(left)
        status, content = self.server.answer(self.command, self.path, body)
        head = f"HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        self.wfile.write(head.encode() + content)

    do_POST = do_GET  # noqa: N815 - http.server calls it so

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def serving(answer: Callable[[str, str, bytes], Answer]) -> Iterator[Server]:
    server = Server(answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def well(method: str, target: str, body: bytes) -> Answer:
    """Right, whatever is asked."""
    return 200, b'{"ok": true}'
