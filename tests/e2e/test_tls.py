"""TLS on the whole gateway: certificates that are renewed under load, and a reload that refuses bad ones."""

import os
import signal
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from strangler.model.tls import CertificateFiles
from support.certificates import Authority
from support.gateway import Gateway, command, place, serving
from support.raw_http import Client, wait_until
from support.stub_upstream import stub_upstream

HOST = "shop.example"


@dataclass
class Secure:
    gateway: Gateway
    authority: Authority
    files: CertificateFiles

    def shown(self) -> set[str]:
        """The names of the certificate that a new connection sees."""
        with self.connect() as sock:
            certificate = sock.getpeercert()
        assert certificate is not None
        return {str(value) for _, value in certificate["subjectAltName"]}

    def connect(self) -> ssl.SSLSocket:
        raw = Client(self.gateway.place.listen).socket
        return self.authority.client().wrap_socket(raw, server_hostname=HOST)


@pytest.fixture(name="secure")
def gateway_with_tls(tmp_path: Path) -> Iterator[Secure]:
    authority = Authority(tmp_path)
    files = authority.issue(HOST)
    with stub_upstream("monolith", tmp_path) as monolith, place(tmp_path) as here:
        config = f"""\
monolith: {monolith.url}
gateway:
  workers: 2
  tls:
    certificates: [{{certificate: {files.certificate}, key: {files.key}}}]
"""
        with serving(here, config) as gateway:
            yield Secure(gateway, authority, files)


def ask(client: httpx.Client, port: int) -> int:
    request = client.build_request("GET", f"https://127.0.0.1:{port}/", headers={"Host": HOST})
    request.extensions["sni_hostname"] = HOST
    return client.send(request).status_code


def test_a_renewal_under_load_fails_no_request_and_closes_no_connection(secure: Secure) -> None:
    port, over = secure.gateway.place.listen, threading.Event()
    statuses: list[int] = []
    errors: list[Exception] = []

    def keep_asking(new_connection: bool) -> None:
        client = httpx.Client(verify=secure.authority.client(), trust_env=False, timeout=15)
        while not over.is_set():
            try:
                if new_connection:
                    with httpx.Client(verify=secure.authority.client(), trust_env=False, timeout=15) as fresh:
                        statuses.append(ask(fresh, port))
                else:
                    statuses.append(ask(client, port))
            except httpx.HTTPError as error:
                errors.append(error)
        client.close()

    threads = [threading.Thread(target=keep_asking, args=(new,)) for new in (False, True)]
    with secure.connect() as kept:
        for thread in threads:
            thread.start()
        for number in range(3):
            before = len(statuses)
            secure.authority.replace(secure.files, HOST, f"new{number}.example")
            assert secure.gateway.command("config", "reload").returncode == 0
            wait_until(lambda name=f"new{number}.example": name in secure.shown(), "it is shown", 3.0)
            wait_until(lambda least=before + 10: len(statuses) > least, "there is load")
        over.set()
        for thread in threads:
            thread.join(20)
        kept.sendall(b"GET /kept HTTP/1.1\r\nHost: shop.example\r\n\r\n")
        assert kept.recv(100).startswith(b"HTTP/1.1 200")
    assert (errors, set(statuses)) == ([], {200})


def test_a_reload_refuses_a_bad_pair_with_its_line_and_the_old_one_stays(secure: Secure) -> None:
    before = secure.shown()
    Path(secure.files.key).write_text("not a key")
    refused = secure.gateway.command("config", "reload")
    assert refused.returncode == 2
    assert f"gateway.tls.certificates[0]: {secure.files.key} holds no private key" in refused.stderr
    checked = command("check", str(secure.gateway.place.config))
    assert (checked.returncode, "holds no private key" in checked.stderr) == (2, True)
    assert command("check", "--without-files", str(secure.gateway.place.config)).returncode == 0
    assert secure.shown() == before


def test_a_hangup_signal_is_a_reload(secure: Secure) -> None:
    secure.authority.replace(secure.files, HOST, "hangup.example")
    os.kill(secure.gateway.process.pid, signal.SIGHUP)
    wait_until(lambda: "hangup.example" in secure.shown(), "the new certificate is shown", 4.0)


def test_what_is_dangerous_is_warned_of(tmp_path: Path) -> None:
    config = tmp_path / "strangler.yaml"
    config.write_text(
        "upstreams:\n  monolith:\n    endpoints: [https://m]\n    tls: {insecure_accept_any_certificate: true}\n"
    )
    checked = command("check", str(config))
    assert checked.returncode == 0
    place_of_it = f"{config}:4: upstreams.monolith.tls.insecure_accept_any_certificate"
    assert f"{place_of_it}: warning: no certificate is verified" in checked.stderr
