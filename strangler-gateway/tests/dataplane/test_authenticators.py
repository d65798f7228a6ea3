"""Setting authenticators up: what cannot be used is refused with its place, secrets stay away, work is shared."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from strangler.config import load_text
from strangler.control.publisher import build_snapshot
from strangler.dataplane.authenticators import Authenticators, AuthenticatorUnusable
from strangler.dataplane.flights import MOST, TaskFlights
from strangler.http1.response import ResponseParser
from strangler.link.codec import decode_snapshot, encode_snapshot
from strangler.model.snapshot import Snapshot
from strangler.policies.refusals import Unavailable
from strangler.telemetry.meters import Meters
from strangler.upstream.balancers import Balancers
from strangler.upstream.cork import Cork

HEAD = "monolith: http://m\nauthentication:\n  a:\n    "


def snapshot_of(text: str) -> Snapshot:
    """What a file comes to, after it has travelled to a worker."""
    return decode_snapshot(encode_snapshot(build_snapshot(1, load_text(text).topology, {})))


def prepare(text: str) -> Any:
    async def run() -> Any:
        meters = Meters()
        balancers = Balancers(ResponseParser(), Cork(asyncio.get_running_loop()))
        return Authenticators(balancers, meters).prepare(snapshot_of(text))

    return asyncio.run(run())


JWT = "jwt: {issuer: i, audience: [], "
UNUSABLE = [
    (JWT + "secret: env:THERE_IS_NONE}", "authentication.a: the environment variable THERE_IS_NONE is not set"),
    (JWT + "secret: env:SHORT}", "authentication.a: a secret for HS256 has at least 32 bytes, this one has 5"),
    (JWT + "secret: 'file:none'}", "authentication.a: none cannot be read: No such file"),
    (JWT + "secret: 'file:empty'}", "at least 32 bytes"),
    (JWT + "keys_file: none}", "none cannot be read"),
    (JWT + "keys_file: private.pem}", "this is a private key"),
    (JWT + "keys_file: empty}", "no public key"),
    (JWT + "keys_url: 'https://i', ca_file: none}", "authentication.a: "),
    ("api_keys: {keys_file: none}", "none cannot be read"),
    ("api_keys: {keys_file: bad.jsonl}", "line 2 is no key"),
    ("flask_session: {secret: env:THERE_IS_NONE}", "THERE_IS_NONE is not set"),
    ("django_session: {secret: env:SECRET, old_secrets: [env:THERE_IS_NONE]}", "THERE_IS_NONE is not set"),
    ("django_session: {secret: env:SECRET, database: env:SECRET}", "the database's URL cannot be used"),
    (JWT + "secret: env:SECRET}\nidentity: {token: {key: env:SHORT}}", "identity.token: a shared secret has at least"),
    (JWT + "secret: env:SECRET}\nidentity: {token: {key: env:THERE_IS_NONE}}", "identity.token: the environment"),
]


@pytest.fixture(autouse=True)
def files_and_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHORT", "s3cr3")
    monkeypatch.setenv("SECRET", "s3cr3t-s3cr3t-s3cr3t-s3cr3t-s3cr3t")
    private = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    Path("private.pem").write_bytes(private)
    Path("empty").touch()
    Path("bad.jsonl").write_text(f'{{"sha256": "{"0" * 64}", "owner": "x"}}\n{{"owner": "y"}}\n')


@pytest.mark.parametrize(("text", "says"), UNUSABLE)
def test_what_cannot_be_used_is_refused_with_its_place_and_without_the_secret(text: str, says: str) -> None:
    with pytest.raises(AuthenticatorUnusable) as refused:
        prepare(HEAD + text)
    assert says in str(refused.value)
    assert "s3cr3" not in str(refused.value)


def test_no_secret_is_in_a_snapshot() -> None:
    text = HEAD + JWT + "secret: env:SECRET}\nidentity: {token: {key: env:SECRET}}"
    assert prepare(text) is not None
    written = encode_snapshot(snapshot_of(text))
    assert b"SECRET" in written
    assert b"s3cr3t" not in written


def test_a_gateway_that_asks_nobody_loads_neither_cryptography_nor_a_database() -> None:
    code = "import sys, strangler.dataplane.__main__; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"cryptography", "jwt", "sqlalchemy", "strangler.adapters.django_sessions"}.isdisjoint(loaded)


def test_work_that_several_wait_for_is_done_once_and_goes_on_without_them() -> None:
    async def run() -> None:
        flights, gate, done = TaskFlights(), asyncio.Event(), []

        async def work() -> int:
            await gate.wait()
            done.append(1)
            return 7

        waiting = [asyncio.create_task(flights.join("key", work)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
        gate.set()
        assert await asyncio.gather(*waiting[1:]) == [7, 7]
        assert done == [1]
        assert await flights.join("key", work) == 7
        assert done == [1, 1]

    asyncio.run(run())


def test_work_that_fails_fails_for_all_who_wait_and_is_then_begun_anew() -> None:
    async def run() -> None:
        flights, begun = TaskFlights(), []

        async def work() -> None:
            begun.append(1)
            await asyncio.sleep(0)
            raise Unavailable("no")

        flights.begin("key", work)
        results = await asyncio.gather(*(flights.join("key", work) for _ in range(3)), return_exceptions=True)
        assert [type(result) for result in results] == [Unavailable] * 3
        assert begun == [1]
        with pytest.raises(Unavailable):
            await flights.join("key", work)

    asyncio.run(run())


def test_there_is_a_bound_on_what_is_under_way() -> None:
    async def run() -> None:
        flights, gate = TaskFlights(), asyncio.Event()

        async def work() -> None:
            await gate.wait()

        for number in range(MOST + 5):
            flights.begin(number, work)
        with pytest.raises(Unavailable, match="under way"):
            await flights.join("one more", work)
        gate.set()
        await flights.join(0, work)
        await flights.join("one more", work)

    asyncio.run(run())
