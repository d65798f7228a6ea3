"""A live nginx that is given what the gateway sent, and says in its log which requests it found in it."""

import contextlib
import json
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from support import processes
from support.raw_http import wait_until
from support.readers import refused_by_nginx

_CONFIGURATION = """
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log warn;
events {{ worker_connections 512; }}
http {{
    log_format read escape=json '{{"from":$remote_port,"status":$status,"method":"$request_method",'
        '"target":"$request_uri","host":"$http_host","body":"$request_body","line":"$request"}}';
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    client_body_buffer_size 1m; client_max_body_size 0; client_body_in_single_buffer on; client_body_timeout 500ms;
    client_header_buffer_size 64k; large_client_header_buffers 4 128k; client_header_timeout 500ms;
    lingering_close off; keepalive_requests 100000;
    merge_slashes off; underscores_in_headers on; ignore_invalid_headers off;
    server {{
        listen 127.0.0.1:{port}; access_log {folder}/read.log read;
        location / {{ proxy_pass http://unix:{folder}/answer.sock; }}
    }}
    server {{ listen unix:{folder}/answer.sock; location / {{ return 204; }} }}
}}
"""
_END = b"GET /-/end HTTP/1.1\r\nHost: end\r\nConnection: close\r\n\r\n"

Found = tuple[bytes, bytes, bytes, bytes]
"""Method, target, host and body."""


@dataclass
class Nginx:
    """A running nginx."""

    port: int
    log: Path
    _place: int = 0

    def read(self, data: bytes) -> list[Found]:
        """The requests that nginx finds in a stream of them.

        A request follows that ends the connection: raises ``AssertionError`` if nginx does not find that one, and it
        alone, behind ``data``; unless it refuses a request that is framed well (``refused_by_nginx``), where it stops.
        """
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as sock:
            own = sock.getsockname()[1]
            with contextlib.suppress(ConnectionError):
                sock.sendall(data + _END)
                while sock.recv(65_536):
                    pass
        found: list[Found] = []
        for line in self._new_lines():
            assert line["from"] == own, "one connection at a time"
            if line["status"] != 204:
                method, target, _ = line["line"].encode("latin-1").split(b" ")
                assert refused_by_nginx(method, target), f"nginx refuses {line} in {data!r}"
                return found
            found.append(tuple(line[name].encode("latin-1") for name in ("method", "target", "host", "body")))
        assert found, f"nginx found nothing in {data!r}"
        assert found.pop() == (b"GET", b"/-/end", b"end", b""), f"nginx reads past the end of {data!r}"
        return found

    def _new_lines(self) -> list[dict]:
        written = self.log.read_bytes()
        fresh, self._place = written[self._place :], len(written)
        assert fresh.endswith(b"\n") or not fresh
        return [json.loads(line.decode("latin-1")) for line in fresh.splitlines()]


@contextlib.contextmanager
def nginx(folder: Path) -> Iterator[Nginx]:
    """Run an nginx for the length of the block."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    assert program is not None, "Debian's nginx-light has to be installed"
    port = processes.free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(_CONFIGURATION.format(folder=folder, port=port))
    process = processes.start(
        "nginx", [program, "-p", folder, "-c", configuration, "-e", folder / "error.log"], log=folder / "nginx.out"
    )
    try:
        wait_until(lambda: not process.alive() or _answers(port), "nginx listens")
        assert process.alive(), process.output()
        yield Nginx(port, folder / "read.log")
    finally:
        process.stop()


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
