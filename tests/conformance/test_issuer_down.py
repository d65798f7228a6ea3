"""Keys from a URL: fetched, rotated, kept while the issuer is down, and never a reason for anybody else to wait."""

import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strangler.model.authentication import Authentication, Authenticator, Jwt, TokenKeys
from strangler.model.route import PathKind, Route, RouteMatch, Timeouts
from support.bench import Bench
from support.raw_http import Client, Message, request, wait_until

KEYS = {"one": Ed25519PrivateKey.generate(), "two": Ed25519PrivateKey.generate()}


def key_set(*kids: str) -> bytes:
    keys = [{**json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(KEYS[kid].public_key())), "kid": kid} for kid in kids]
    return json.dumps({"keys": keys}).encode()


def document(body: bytes, status: int = 200, *fields: str) -> bytes:
    head = "\r\n".join([f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *fields])
    return head.encode() + b"\r\n\r\n" + body


class Issuer:
    """Answers every connection with ``answer``; None: takes the request and never answers."""

    def __init__(self, answer: bytes | None, tls: ssl.SSLContext | None = None) -> None:
        self.answer = answer
        self.asked = 0
        self.requests: list[bytes] = []
        self._tls = tls
        self._open: list[socket.socket] = []
        self.listen()

    def listen(self, port: int = 0) -> None:
        self._listener = socket.create_server(("127.0.0.1", port), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, args=(self._listener,), daemon=True)
        self._thread.start()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            try:
                if self._tls is not None:
                    connection = self._tls.wrap_socket(connection, server_side=True)
                self.requests.append(connection.recv(65_536))
            except OSError:
                continue  # The gateway did not believe the certificate.
            self.asked += 1
            if self.answer is None:
                self._open.append(connection)
                continue
            with contextlib.suppress(OSError):
                connection.sendall(self.answer)
            connection.close()

    def die(self) -> None:
        """Connections are refused from now on."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.die()
        for connection in self._open:
            connection.close()


@pytest.fixture(name="issuer")
def running_issuer() -> Iterator[Issuer]:
    issuer = Issuer(document(key_set("one")))
    yield issuer
    issuer.close()


def tokens_of(issuer: Issuer, scheme: str = "http", host: str = "127.0.0.1", **settings: Any) -> Authenticator:
    keys = TokenKeys(url=f"{scheme}://{host}:{issuer.port}/keys?x=1", **{"timeout": 1.0, **settings})
    # Another leeway makes another authenticator, which knows nothing of those before it.
    return Authenticator("tokens", jwt=Jwt("https://id", ("shop",), keys, leeway=issuer.port / 65_536))


def route(name: str = "in", **settings: Any) -> Route:
    asked = Authentication(("tokens",), **settings)
    return Route(name, RouteMatch(f"/{name}", PathKind.PREFIX), name, name, "monolith", authentication=asked)


def token(kid: str = "one", **claims: Any) -> str:
    payload = {"iss": "https://id", "aud": "shop", "sub": "u1", "exp": time.time() + 600, **claims}
    return f"Authorization: Bearer {jwt.encode(payload, KEYS[kid], 'EdDSA', {'kid': kid})}"


def ask(bench: Bench, *fields: str, target: str = "/in") -> Message:
    return bench.ask(request("GET", target, *fields))


def test_keys_are_fetched_once_for_all_who_wait(bench: Bench, issuer: Issuer) -> None:
    with bench.upstream(routes=(route(),), authenticators=(tokens_of(issuer),)), contextlib.ExitStack() as stack:
        clients = [stack.enter_context(bench.client()) for _ in range(20)]
        for client in clients:
            client.send(request("GET", "/in", token()))
        assert {client.answer().status for client in clients} == {200}
        assert issuer.asked == 1
        [asked] = issuer.requests
        assert asked.startswith(b"GET /keys?x=1 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n" % issuer.port)


def test_a_key_that_appears_is_found_and_one_that_disappears_is_refused(bench: Bench, issuer: Issuer) -> None:
    with bench.upstream(routes=(route(),), authenticators=(tokens_of(issuer, refresh=0.2),)):
        old = token("one")
        assert ask(bench, old).status == 200
        issuer.answer = document(key_set("two"))
        wait_until(lambda: ask(bench, token("two")).status == 200, "the new key is known")
        assert ask(bench, old).status == 401  # Although it was good a moment ago, and is remembered.


def test_an_issuer_that_dies_and_comes_back_is_not_noticed_by_those_with_known_keys(
    bench: Bench, issuer: Issuer
) -> None:
    with bench.upstream(routes=(route(),), authenticators=(tokens_of(issuer, refresh=0.1),)):
        assert ask(bench, token(sub="u0")).status == 200
        issuer.die()
        asked = issuer.asked
        for number in range(20):
            assert ask(bench, token(sub=f"u{number}")).status == 200
        # Of a token by a key that is not known nobody can say now whether it is good.
        wait_until(lambda: ask(bench, token("two")).status == 503, "the issuer's death is noticed")
        assert ask(bench, token()).status == 200
        assert ask(bench, target="/elsewhere").status == 200
        issuer.answer = document(key_set("one", "two"))
        issuer.listen(issuer.port)
        # It is asked again on its own some seconds after it failed.
        wait_until(lambda: ask(bench, token("two")).status == 200, "the issuer is back")
        assert issuer.asked > asked


def test_keys_that_are_too_old_are_used_no_more_and_the_route_decides(bench: Bench, issuer: Issuer) -> None:
    lenient = route("lenient", when_unavailable="anonymous")
    tokens = tokens_of(issuer, refresh=0.05, max_stale=0.3)
    with bench.upstream(routes=(route(), lenient), authenticators=(tokens,)) as upstream:
        assert ask(bench, token()).status == 200
        issuer.die()
        wait_until(lambda: ask(bench, token()).status == 503, "the keys are too old")
        assert ask(bench, token(), target="/lenient").status == 200
        assert upstream.requests[-1].value("x-identity-subject") is None
        assert ask(bench, target="/lenient").status == 401  # Nothing is unknown of who sends no credential.
        assert ask(bench, target="/elsewhere").status == 200


def test_a_frozen_issuer_makes_nobody_wait_but_those_who_need_it(bench: Bench) -> None:
    frozen = Issuer(None)
    tokens = tokens_of(frozen, timeout=2.0)
    with (
        bench.upstream(routes=(route(), route("other", required=False)), authenticators=(tokens,)),
        bench.client() as one,
    ):
        began = time.monotonic()
        one.send(request("GET", "/in", token()))
        for _ in range(50):
            assert ask(bench, target="/elsewhere").status == 200
            assert ask(bench, target="/other").status == 200
        assert time.monotonic() - began < 2.0
        assert one.answer().status == 503
        assert one.ask(request("GET", "/elsewhere")).status == 200  # Its connection is as good as before.
        # It was asked just now: those who come next need not wait for it at all.
        assert ask(bench, token()).status == 503
        assert frozen.asked == 1
    frozen.close()


def test_who_waits_longer_than_the_route_allows_is_told_that_it_is_the_gateway(bench: Bench) -> None:
    frozen = Issuer(None)
    impatient = replace(route(), timeouts=Timeouts(response=0.2))
    with bench.upstream(routes=(impatient,), authenticators=(tokens_of(frozen, timeout=8.0),)):
        answer = ask(bench, token())
        assert (answer.status, json.loads(answer.body)["culprit"]) == (503, "gateway")
    frozen.close()


def test_a_client_that_leaves_while_it_waits_takes_nothing_with_it(bench: Bench) -> None:
    frozen = Issuer(None)
    with bench.upstream(routes=(route(),), authenticators=(tokens_of(frozen, timeout=1.0),)):
        with Client(bench.port) as stays, Client(bench.port) as leaves:
            for client in (leaves, stays):
                client.send(request("GET", "/in", token()))
            wait_until(lambda: frozen.asked == 1, "the issuer is asked")
            leaves.reset()
            assert stays.answer().status == 503
        bench.wait_until_quiet()
    frozen.close()


BAD: list[tuple[str, bytes]] = [
    ("a redirect", document(b"", 302, "Location: http://127.0.0.1:1/")),
    ("an error", document(key_set("one"), 500)),
    ("no JSON", document(b"<html>")),
    ("no key", document(b'{"keys": []}')),
    ("too much", document(b" " * 300_000 + key_set("one"))),
    ("half of it", document(key_set("one"))[:-10]),
    ("no HTTP", b"SSH-2.0-OpenSSH\r\n\r\n"),
    ("a compressed body", document(key_set("one"), 200, "Transfer-Encoding: gzip")),
]


@pytest.mark.parametrize(("what", "answer"), BAD, ids=[what for what, _ in BAD])
def test_an_answer_that_is_no_key_set_is_as_good_as_none(
    bench: Bench, issuer: Issuer, what: str, answer: bytes
) -> None:
    issuer.answer = answer
    with bench.upstream(routes=(route(),), authenticators=(tokens_of(issuer),)):
        assert ask(bench, token()).status == 503
        assert issuer.asked == 1


# TLS


@pytest.fixture(scope="module", name="authority")
def certificate_authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(name="secure")
def issuer_with_a_certificate(authority: trustme.CA) -> Iterator[Callable[[str], Issuer]]:
    issuers = []

    def start(name: str) -> Issuer:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)
        issuers.append(Issuer(document(key_set("one")), context))
        return issuers[-1]

    yield start
    for issuer in issuers:
        issuer.close()


def test_an_issuer_is_verified_by_its_certificate(
    bench: Bench, authority: trustme.CA, secure: Callable[[str], Issuer], tmp_path: Path
) -> None:
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    for name, ca_file, status in (
        ("localhost", str(file), 200),
        ("localhost", "", 503),
        ("other.example", str(file), 503),
    ):
        issuer = secure(name)
        tokens = tokens_of(issuer, "https", "localhost", ca_file=ca_file)
        with bench.upstream(routes=(route(),), authenticators=(tokens,)):
            assert ask(bench, token()).status == status, (name, ca_file)


def test_a_change_elsewhere_leaves_the_keys_and_the_memory_alone(bench: Bench, issuer: Issuer) -> None:
    tokens = tokens_of(issuer)
    with bench.upstream(routes=(route(),), authenticators=(tokens,)) as upstream:
        assert ask(bench, token()).status == 200
        issuer.die()
        more = replace(route(), name="more", match=RouteMatch("/more"))
        bench.point(upstream.port, routes=(route(), more), authenticators=(tokens,))
        assert ask(bench, token(), target="/more").status == 200
        assert issuer.asked == 1
