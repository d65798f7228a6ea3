"""The edge of the how-to, a live nginx: HTTP/2 towards clients, kept connections and WebSocket towards the gateway."""

import re
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from support import processes
from support.bench import Bench
from support.raw_http import Conversation, Wire, request, wait_until

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "edge-in-front.md"
_AROUND = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log warn;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    {shown}
}}
"""


@pytest.fixture(name="edge", scope="module")
def nginx_of_the_page(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The nginx that the page shows, in front of the worker; its port."""
    folder, port = tmp_path_factory.mktemp("edge"), processes.free_port()
    certificate = trustme.CA().issue_cert("shop.example")
    certificate.cert_chain_pems[0].write_to_path(folder / "shop.pem")
    certificate.private_key_pem.write_to_path(folder / "shop.key")
    shown = re.findall(r"```nginx\n(.*?)```", PAGE.read_text(), re.DOTALL)[0]
    for old, new in (
        ("127.0.0.1:8080", f"127.0.0.1:{bench.port}"),
        ("listen 443", f"listen 127.0.0.1:{port}"),
        ("/etc/ssl/shop.example.pem", str(folder / "shop.pem")),
        ("/etc/ssl/shop.example.key", str(folder / "shop.key")),
    ):
        assert old in shown
        shown = shown.replace(old, new)
    (folder / "nginx.conf").write_text(_AROUND.format(folder=folder, shown=shown))
    command = ["/usr/sbin/nginx", "-p", folder, "-c", folder / "nginx.conf"]
    with processes.running("nginx", command, log=folder / "nginx.log"):
        wait_until(lambda: answers(port), "nginx listens")
        yield port


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def curl(port: int, *arguments: str) -> str:
    """What curl prints for the edge's page."""
    address = f"shop.example:{port}:127.0.0.1"
    command = ["curl", "--silent", "--show-error", "--insecure", "--http2", "--resolve", address, *arguments]
    return subprocess.run(
        [*command, f"https://shop.example:{port}/x"], capture_output=True, text=True, check=True
    ).stdout


def test_clients_speak_http_2_and_the_application_learns_who_they_are(bench: Bench, edge: int) -> None:
    with bench.upstream(trusted_proxies=("127.0.0.1/32",)) as upstream:
        assert curl(edge, "--write-out", " %{http_version}", "-H", "X-Forwarded-For: 6.6.6.6") == "/x 2"
        assert curl(edge, "--data", "x" * 100_000, "--write-out", " %{http_code}") == "/x 200"
        asked, sent = upstream.requests
        assert (asked.value("x-forwarded-proto"), asked.value("x-forwarded-host")) == (b"https", b"shop.example")
        assert asked.value("x-forwarded-for") == b"6.6.6.6, 127.0.0.1, 127.0.0.1"
        assert (sent.method, len(sent.body)) == (b"POST", 100_000)


def test_a_websocket_passes_through_both(bench: Bench, edge: int) -> None:
    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
        )
        while True:
            conversation.send(conversation.exactly(1))

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    key = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
    with bench.upstream(serve), socket.create_connection(("127.0.0.1", edge), timeout=10) as plain:
        client = Wire(context.wrap_socket(plain, server_hostname="shop.example"))
        client.send(request("GET", "/ws", *key, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="))
        assert client.message(bodiless=True).status == 101
        client.send(b"\x81\x02hi")
        assert client.exactly(4) == b"\x81\x02hi"
        client.close()
