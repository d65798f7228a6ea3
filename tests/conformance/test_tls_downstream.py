"""Clients speak TLS: who is shown what, what is refused, and how a connection ends and waits as a plain one does."""

import asyncio
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from strangler.model.snapshot import Gateway, Limits
from strangler.model.telemetry import LogSettings
from strangler.model.tls import CertificateFiles, DownstreamTls, UpstreamTls
from support.bench import Bench, bench
from support.certificates import Authority
from support.raw_http import Client, Conversation, EndedError, Wire, request, response, wait_until

SHOP = "shop.example"


def log_of(bench: Bench) -> LogSettings:
    return LogSettings(str(bench.rig.access_log))


@dataclass
class Secure:
    """A worker that speaks TLS, its certificates, and clients that trust them."""

    bench: Bench
    authority: Authority
    shop: CertificateFiles
    settings: DownstreamTls

    def use(self, limits: Limits = Limits(), **changes: object) -> None:  # noqa: B008 - it is frozen
        """Publish the settings with these changes."""
        self.settings = replace(self.settings, **changes)  # type: ignore[arg-type]
        self.bench.tls = self.settings
        self.bench.rig.publish(gateway=Gateway(limits, access_log=log_of(self.bench), tls=self.settings))

    def connect(self, name: str | None = SHOP, context: ssl.SSLContext | None = None, window: int = 0) -> Wire:
        """A client's connection with its handshake done."""
        context = context or self.authority.client()
        if name is None:
            context.check_hostname = False
        raw = Client(self.bench.port, window=window or None).socket
        return Wire(context.wrap_socket(raw, server_hostname=name, suppress_ragged_eofs=False))

    def shown(self, name: str | None) -> set[str]:
        """The names of the certificate that somebody who asks for ``name`` is shown."""
        context = self.authority.client()
        context.check_hostname = False
        with self.connect(name, context).socket as sock:
            assert isinstance(sock, ssl.SSLSocket)
            certificate = sock.getpeercert()
        assert certificate is not None
        return {str(value) for _, value in certificate["subjectAltName"]}

    def failures(self) -> dict[str, int]:
        return dict(self.bench.rig.next_traffic().failures)


@pytest.fixture(name="secure")
def secure_worker(bench: Bench, tmp_path: Path) -> Iterator[Secure]:
    """A worker with TLS on for one test."""
    authority = Authority(tmp_path)
    shop = authority.issue(SHOP)
    found = Secure(bench, authority, shop, DownstreamTls((shop,)))
    bench.tls = found.settings
    with bench.upstream():
        yield found
    bench.tls = None


def ask(wire: Wire, data: bytes) -> Client:
    """Send; the answer is read by the one who asks."""
    wire.send(data)
    client = Client.__new__(Client)
    client.__dict__ = wire.__dict__
    return client


def test_httpx_and_curl_are_answered(secure: Secure) -> None:
    port = secure.bench.port
    with httpx.Client(verify=secure.authority.client(), trust_env=False) as client:
        asked = client.build_request("GET", f"https://127.0.0.1:{port}/h", headers={"host": SHOP})
        answer = client.send(httpx.Request("GET", asked.url, headers=asked.headers, extensions={"sni_hostname": SHOP}))
    assert (answer.status_code, answer.text, answer.http_version) == (200, "/h", "HTTP/1.1")
    curl = ["curl", "--silent", "--show-error", "--fail", "--cacert", str(secure.authority.file)]
    curl += ["--resolve", f"{SHOP}:{port}:127.0.0.1", "--write-out", " %{http_version} %{ssl_verify_result}"]
    done = subprocess.run([*curl, f"https://{SHOP}:{port}/c"], capture_output=True, text=True, check=False, timeout=30)
    assert (done.stdout, done.stderr) == ("/c 1.1 0", "")


def test_the_application_is_told_that_the_client_speaks_tls(secure: Secure) -> None:
    with secure.bench.upstream() as upstream:
        ask(secure.connect(), request("GET", "/", "X-Request-ID: by-tls")).answer()
        assert secure.bench.entry("by-tls")["scheme"] == "https"
    (told,) = upstream.requests
    assert told.value("x-forwarded-proto") == b"https"
    assert told.value("forwarded") == b'for=127.0.0.1;host="shop.example";proto=https'


def test_each_name_is_shown_its_own_certificate_and_an_unknown_one_the_first(secure: Secure) -> None:
    other, wild = secure.authority.issue("other.example"), secure.authority.issue("*.wild.example")
    secure.use(certificates=(secure.shop, other, wild))
    assert secure.shown("other.example") == {"other.example"}
    assert secure.shown("OTHER.example") == {"other.example"}
    assert secure.shown("a.wild.example") == {"*.wild.example"}
    assert secure.shown("a.b.wild.example") == {SHOP}
    assert secure.shown("unknown.example") == {SHOP}
    assert secure.shown(None) == {SHOP}


def old(version: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    return context


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_tls_1_1_is_refused_and_counted(secure: Secure) -> None:
    before = secure.failures().get("handshake.client", 0)
    with pytest.raises(ssl.SSLError):
        secure.connect(context=old(ssl.TLSVersion.TLSv1_1))
    wait_until(lambda: "unsupported protocol" in secure.bench.rig.log.read_text(), "the log says why")
    assert secure.failures()["handshake.client"] == before + 1


def test_the_minimum_may_be_1_3(secure: Secure) -> None:
    secure.connect(context=old(ssl.TLSVersion.TLSv1_2)).close()
    secure.use(minimum="1.3")
    with pytest.raises(ssl.SSLError):
        secure.connect(context=old(ssl.TLSVersion.TLSv1_2))
    secure.connect(context=old(ssl.TLSVersion.TLSv1_3)).close()


def test_http_1_1_is_all_that_is_agreed_on(secure: Secure) -> None:
    context = secure.authority.client()
    context.set_alpn_protocols(["h2", "http/1.1"])
    sock = secure.connect(context=context).socket
    assert isinstance(sock, ssl.SSLSocket)
    assert sock.selected_alpn_protocol() == "http/1.1"
    sock.close()


def test_a_session_is_resumed_with_a_ticket(secure: Secure) -> None:
    context = secure.authority.client()
    first = secure.connect(context=context)
    ask(first, request("GET", "/")).answer()
    assert isinstance(first.socket, ssl.SSLSocket)
    session = first.socket.session
    first.close()
    raw = Client(secure.bench.port).socket
    with context.wrap_socket(raw, server_hostname=SHOP, session=session) as again:
        assert again.session_reused


def test_a_slow_handshake_is_cut(secure: Secure) -> None:
    secure.use(handshake_timeout=0.5)
    with Client(secure.bench.port) as silent, Client(secure.bench.port) as slow:
        began = time.monotonic()
        slow.send(b"\x16\x03\x01\x02\x00\x01\x00")
        assert slow.rest()[0] == b""
        assert silent.rest()[0] == b""
        assert 0.4 < time.monotonic() - began < 5


def test_more_handshakes_than_the_cap_are_closed_and_done_ones_do_not_count(secure: Secure) -> None:
    secure.use(handshakes=2)
    with secure.connect().socket, secure.connect().socket, secure.connect().socket:
        with Client(secure.bench.port) as one, Client(secure.bench.port) as two:
            one.send(b"\x16")
            two.send(b"\x16")
            wait_until(lambda: is_cut(secure), "the third is closed")
        wait_until(lambda: not is_cut(secure), "there is room again")


def is_cut(secure: Secure) -> bool:
    try:
        secure.connect().close()
    except (ConnectionError, ssl.SSLError):
        return True
    return False


def test_plain_http_is_not_spoken_beside_it(secure: Secure) -> None:
    with Client(secure.bench.port) as client:
        client.send(request("GET", "/"))
        assert b"HTTP/1.1" not in client.rest()[0]


# Ends and waits


def test_a_connection_ends_with_a_farewell(secure: Secure) -> None:
    wire = secure.connect()
    assert ask(wire, request("GET", "/", "Connection: close")).answer().body == b"/"
    assert wire.rest() == (b"", "closed")


def test_an_answer_that_ends_with_the_connection_is_told_from_half_of_one(secure: Secure) -> None:
    def cut(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(b"HTTP/1.1 200 Scripted\r\nContent-Length: 10\r\n\r\nhalf")

    with secure.bench.upstream(lambda upstream: (upstream.request(), upstream.send(response(body=b"whole")))):
        assert ask(secure.connect(), request("GET", "/", version="1.0")).answer().body == b"whole"
    with secure.bench.upstream(cut):
        wire = secure.connect()
        wire.send(request("GET", "/", version="1.0"))
        data, how = rest(wire)
        assert data.endswith(b"half")
        assert how == "cut"


def rest(wire: Wire) -> tuple[bytes, str]:
    """As ``Wire.rest``; ``cut`` for an end without a farewell."""
    try:
        return wire.rest()
    except ssl.SSLError:
        return bytes(wire.received), "cut"


def test_a_refusal_is_read_before_the_end_and_nobody_waits_for_the_client(secure: Secure) -> None:
    wire = secure.connect()
    wire.send(request("POST", "/ ", "Content-Length: 100000") + b"x" * 1000)
    answer = ask(wire, b"x" * 1000).answer()
    assert answer.status == 400
    assert wire.rest() == (b"", "closed")


def test_big_bodies_arrive_whole_both_ways(secure: Secure) -> None:
    body = bytes(range(256)) * 20_000
    wire = secure.connect()

    def echo(conversation: Conversation) -> None:
        while True:
            conversation.send(response(body=conversation.request().body))

    with secure.bench.upstream(echo):
        for _ in range(2):
            assert ask(wire, request("POST", "/", body=body)).answer().body == body


def test_a_slow_reader_stops_the_application_and_gets_everything(secure: Secure) -> None:
    size = 64 * 1024 * 1024
    sent = 0

    def pour(conversation: Conversation) -> None:
        nonlocal sent
        conversation.request()
        conversation.send(b"HTTP/1.1 200 Scripted\r\nContent-Length: %d\r\n\r\n" % size)
        while sent < size:
            conversation.send(b"x" * 262_144)
            sent += 262_144
        conversation.wait_for_end()

    with secure.bench.upstream(pour):
        before = secure.bench.resident()
        wire = secure.connect(window=32_768)
        wire.forget()
        wire.send(request("GET", "/"))
        wait_until(stalls(lambda: sent), "the application is stopped")
        assert 0 < sent < size // 2
        assert secure.bench.resident() - before < 8 * 1024 * 1024
        head = wire.message(bodiless=True)
        assert sum(map(len, wire.content(head))) == size


def stalls(count: Callable[[], int]) -> Callable[[], bool]:
    """Whether the count has stopped growing for a second."""
    last, since = -1, time.monotonic()

    def stalled() -> bool:
        nonlocal last, since
        now = count()
        if now != last:
            last, since = now, time.monotonic()
        return now > 0 and time.monotonic() - since > 1

    return stalled


def test_an_idle_client_that_says_no_farewell_does_not_hold_up_a_drain(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    shop = authority.issue(SHOP)
    with bench(tmp_path) as mortal, mortal.upstream():
        mine = Secure(mortal, authority, shop, DownstreamTls((shop,)))
        mine.use()
        wire = mine.connect()
        ask(wire, request("GET", "/")).answer()
        with Client(mortal.port):  # In the middle of its handshake.
            began = time.monotonic()
            assert mortal.rig.process is not None
            mortal.rig.process.stop()
            assert time.monotonic() - began < 3
        assert wire.rest() == (b"", "closed")


# Certificates change


def test_changed_files_are_taken_over_and_connections_stay(secure: Secure) -> None:
    before = secure.connect()
    ask(before, request("GET", "/1")).answer()
    secure.authority.replace(secure.shop, SHOP, "new.example")
    wait_until(lambda: "new.example" in secure.shown(SHOP), "new connections see the new certificate")
    assert ask(before, request("GET", "/2")).answer().body == b"/2"


def gauge(secure: Secure, name: str) -> float:
    (value,) = [value for found, _, value in secure.bench.rig.next_traffic().gauges if found == name]
    return value


def test_a_bad_new_pair_is_refused_with_its_reason_and_the_old_stays(secure: Secure) -> None:
    expiry, refused = "strangler_tls_certificate_expiry_timestamp_seconds", "strangler_tls_certificate_refused"
    assert time.time() + 29 * 86400 < gauge(secure, expiry) < time.time() + 31 * 86400
    before, key = secure.shown(SHOP), Path(secure.shop.key).read_bytes()
    secure.authority.replace(secure.authority.issue("thief.example"), "thief.example")
    Path(secure.shop.key).write_bytes((Path(secure.shop.key).parent / "thief.example.key").read_bytes())
    wait_until(lambda: gauge(secure, refused) == 1, "the pair is refused")
    assert secure.shown(SHOP) == before
    said = secure.bench.rig.log.read_text()
    assert said.count(f"{secure.shop.key} is not the key of {secure.shop.certificate}") == 1
    Path(secure.shop.key).write_bytes(key)
    wait_until(lambda: gauge(secure, refused) == 0, "it is right again")
    secure.authority.replace(secure.shop, SHOP, expired=True)
    wait_until(lambda: gauge(secure, refused) == 1, "an expired certificate is refused")
    assert "has expired on" in secure.bench.rig.log.read_text()
    secure.connect().close()


def test_a_snapshot_with_a_certificate_that_cannot_be_used_is_refused_whole(secure: Secure) -> None:
    missing = CertificateFiles("/nowhere/a.crt", "/nowhere/a.key")
    with pytest.raises(AssertionError):
        secure.use(certificates=(missing,))
    assert "/nowhere/a.crt cannot be read: No such file or directory" in secure.bench.rig.log.read_text()
    assert secure.shown(SHOP) == {SHOP}


def test_tls_can_be_turned_on_and_off_without_a_new_listener(secure: Secure) -> None:
    kept = secure.connect()
    ask(kept, request("GET", "/")).answer()
    secure.bench.rig.publish(gateway=Gateway(access_log=log_of(secure.bench)))
    assert secure.bench.ask(request("GET", "/plain")).body == b"/plain"
    assert ask(kept, request("GET", "/kept")).answer().body == b"/kept"
    with pytest.raises((EndedError, ssl.SSLError, socket.timeout)):
        secure.connect()


def test_a_websocket_goes_through_tls_on_both_sides(secure: Secure) -> None:
    async def talk() -> list[str | bytes]:
        files = secure.authority.issue("127.0.0.1", file="application")

        async def echo(connection: ServerConnection) -> None:
            async for message in connection:
                await connection.send(message)

        async with serve(echo, "127.0.0.1", 0, ssl=secure.authority.server(files)) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            tls = UpstreamTls(ca=str(secure.authority.file))
            await asyncio.to_thread(secure.bench.point, port, tls=tls)
            trust = secure.authority.client()
            address = ("127.0.0.1", secure.bench.port)
            sock = socket.create_connection(address)
            async with connect(f"wss://{SHOP}/", sock=sock, ssl=trust, server_hostname=SHOP) as client:
                heard = []
                for message in ("short", b"x" * 300_000, "last"):
                    await client.send(message)
                    heard.append(await client.recv())
                return heard

    assert asyncio.run(talk()) == ["short", b"x" * 300_000, "last"]
