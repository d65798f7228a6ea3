"""An application behind TLS must prove who it is; what it then says is judged as over a plain connection."""

import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from strangler.model.tls import CertificateFiles, UpstreamTls
from support.bench import Bench
from support.certificates import Authority
from support.raw_http import Conversation, EndedError, Message, Wire, raw_upstream, request, response, wait_until


@dataclass
class Trust:
    """Two authorities, of which the gateway trusts the first."""

    bench: Bench
    authority: Authority
    stranger: Authority

    @property
    def tls(self) -> UpstreamTls:
        return UpstreamTls(ca=str(self.authority.file))

    def ask(self, files: CertificateFiles, tls: UpstreamTls) -> Message:
        """Ask the gateway, behind which an application shows this certificate."""
        with self.bench.upstream(certificate=self.authority.server(files), tls=tls):
            return self.bench.ask(request("GET", "/asked", "X-Request-ID: " + str(time.monotonic_ns())))


@pytest.fixture(name="trust")
def trusted_and_not(bench: Bench, tmp_path: Path) -> Iterator[Trust]:
    """Authorities of one test."""
    return Trust(bench, Authority(tmp_path), Authority(tmp_path, "stranger"))


def test_a_certificate_with_the_right_name_is_trusted_and_the_connection_is_kept(trust: Trust) -> None:
    files = trust.authority.issue("127.0.0.1")
    with trust.bench.upstream(certificate=trust.authority.server(files), tls=trust.tls) as upstream:
        for target in ("/1", "/2"):
            assert trust.bench.ask(request("GET", target)).body == target.encode()
    assert len(upstream.conversations) == 1
    assert isinstance(upstream.conversations[0].socket, ssl.SSLSocket)


def test_the_name_that_is_asked_for_can_be_another_than_the_endpoints(trust: Trust) -> None:
    files = trust.authority.issue("catalog.internal")
    named = UpstreamTls(ca=str(trust.authority.file), server_name="catalog.internal")
    assert trust.ask(files, named).body == b"/asked"


@pytest.mark.parametrize("flaw", ["another name", "expired", "another authority", "not TLS"])
def test_what_cannot_be_trusted_is_502_with_its_reason_in_the_log_alone(trust: Trust, flaw: str) -> None:
    issuer = trust.stranger if flaw == "another authority" else trust.authority
    names = ["other.internal"] if flaw == "another name" else ["127.0.0.1"]
    files = issuer.issue(*names, file="flawed", expired=flaw == "expired")
    if flaw == "not TLS":
        with trust.bench.upstream(lambda upstream: upstream.send(response(status=400)), tls=trust.tls):
            answer = trust.bench.ask(request("GET", "/"))
    else:
        answer = trust.ask(files, trust.tls)
    assert (answer.status, b"upstream" in answer.body) == (502, True)
    reason = {
        "another name": "IP address mismatch",
        "expired": "certificate has expired",
        "another authority": "unable to get local issuer certificate",
        "not TLS": "no TLS with",
    }[flaw]
    assert reason.encode() not in answer.body
    wait_until(lambda: reason in trust.bench.rig.log.read_text(), f"the log says {reason}")
    assert dict(trust.bench.rig.next_traffic().failures)["tls.upstream"] > 0


def test_the_systems_authorities_are_trusted_when_none_is_named(trust: Trust) -> None:
    assert trust.ask(trust.authority.issue("127.0.0.1"), UpstreamTls()).status == 502


def test_anything_is_accepted_where_that_was_asked_for(trust: Trust) -> None:
    files = trust.stranger.issue("other.internal", expired=True)
    assert trust.ask(files, UpstreamTls(verify=False)).body == b"/asked"


def test_the_application_can_ask_for_a_certificate_of_the_gateway(trust: Trust) -> None:
    context = trust.authority.server(trust.authority.issue("127.0.0.1"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(trust.authority.file)
    mine = UpstreamTls(ca=str(trust.authority.file), client=trust.authority.issue("gateway.internal"))
    with trust.bench.upstream(certificate=context, tls=mine):
        assert trust.bench.ask(request("GET", "/mutual")).body == b"/mutual"
    with trust.bench.upstream(certificate=context, tls=trust.tls):
        assert trust.bench.ask(request("GET", "/mutual")).status == 502


def test_an_answer_that_ends_with_the_connection_needs_a_farewell(trust: Trust) -> None:
    context = trust.authority.server(trust.authority.issue("127.0.0.1"))

    def whole(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(response(body=None) + b"whole")
        assert isinstance(conversation.socket, ssl.SSLSocket)
        conversation.socket.unwrap()

    def cut(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(response(body=None) + b"half")
        conversation.shut()  # FIN, as anyone in between can send it
        conversation.wait_for_end()

    with trust.bench.upstream(whole, certificate=context, tls=trust.tls):
        assert trust.bench.ask(request("GET", "/")).body == b"whole"
    with trust.bench.upstream(cut, certificate=context, tls=trust.tls), pytest.raises(EndedError):
        trust.bench.ask(request("GET", "/"))


def test_nothing_is_lost_of_an_answer_whose_sender_closes_before_a_slow_client_has_read_it(trust: Trust) -> None:
    context = trust.authority.server(trust.authority.issue("127.0.0.1"))
    size = 3 * 1024 * 1024
    sent = []

    def hurry(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(b"HTTP/1.1 200 Scripted\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % size)
        conversation.send(b"x" * size)
        sent.append(size)

    with trust.bench.upstream(hurry, certificate=context, tls=trust.tls), trust.bench.client(window=8192) as client:
        client.send(request("GET", "/"))
        client.wait_for(b"\r\n\r\n")
        time.sleep(0.5)  # As a slow client does; there is nothing to wait for.
        head = client.message(bodiless=True)
        assert sum(map(len, client.content(head))) == size


def test_a_silent_handshake_is_cut_by_the_connect_timeout(trust: Trust) -> None:
    def silent(conversation: Wire) -> None:
        conversation.rest()

    with raw_upstream(silent) as upstream:
        trust.bench.point(upstream.port, tls=trust.tls, connect_timeout=0.5)
        assert trust.bench.ask(request("GET", "/")).status == 504


def test_authorities_and_certificates_that_change_are_read_again(trust: Trust) -> None:
    context = trust.stranger.server(trust.stranger.issue("127.0.0.1", file="mine"))
    with trust.bench.upstream(certificate=context, tls=trust.tls):
        assert trust.bench.ask(request("GET", "/")).status == 502
        trust.authority.file.write_bytes(trust.stranger.file.read_bytes())
        wait_until(lambda: trust.bench.ask(request("GET", "/")).status == 200, "the new authority is trusted")
        trust.authority.file.write_text("not a certificate")
        wait_until(lambda: "what was read before stays in use" in trust.bench.rig.log.read_text(), "it is refused")
        assert trust.bench.ask(request("GET", "/")).status == 200
