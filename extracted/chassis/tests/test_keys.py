"""The issuer's keys: fetched rarely, kept while it is down, and never waited for when the key is known."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from chassis.keys import KeySet, KeysUnavailable, fetcher, parse_keys

from .conftest import Issuer


class Source:
    """An issuer's key set on a wire that can be cut or slowed, and a clock."""

    def __init__(self, *issuers: Issuer) -> None:
        self.issuers = list(issuers)
        self.down = False
        self.open = asyncio.Event()
        self.open.set()
        self.fetched = 0
        self.now = 1_000.0
        self.keys = KeySet(self.fetch, clock=lambda: self.now)

    async def fetch(self) -> bytes:
        self.fetched += 1
        await self.open.wait()
        if self.down:
            raise httpx.ConnectError("refused")
        return json.dumps({"keys": [issuer.jwk() for issuer in self.issuers]}).encode()

    async def settle(self) -> None:
        """Let a fetch in the background end."""
        for _ in range(10):
            await asyncio.sleep(0)


def test_keys_are_fetched_once_for_all_who_ask(issuer: Issuer) -> None:
    async def story() -> None:
        source = Source(issuer)
        found = await asyncio.gather(*(source.keys.get("first") for _ in range(10)))
        assert all(found)
        assert source.fetched == 1

    asyncio.run(story())


def test_an_unknown_key_is_asked_for_at_most_once_a_minute(issuer: Issuer) -> None:
    async def story() -> None:
        source = Source(issuer)
        await source.keys.get("first")
        for _ in range(100):
            assert await source.keys.get("forged") is None
        assert source.fetched == 1, "the minute began with the first fetch"
        source.now += 60
        for _ in range(100):
            assert await source.keys.get("forged") is None
        assert source.fetched == 2

    asyncio.run(story())


def test_a_new_key_is_known_within_a_minute(issuer: Issuer) -> None:
    async def story() -> None:
        source = Source(issuer)
        await source.keys.get("first")
        source.issuers.append(Issuer("second"))
        source.now += 60
        assert await source.keys.get("second") is not None

    asyncio.run(story())


def test_old_keys_serve_while_the_issuer_is_down(issuer: Issuer) -> None:
    async def story() -> None:
        source = Source(issuer)
        await source.keys.get("first")
        source.down = True
        for _ in range(5):
            source.now += 3_600
            assert await source.keys.get("first") is not None
            await source.settle()
        assert source.fetched == 6

    asyncio.run(story())


def test_a_withdrawn_key_is_gone_after_a_refresh(issuer: Issuer) -> None:
    async def story() -> None:
        source = Source(issuer)
        await source.keys.get("first")
        source.issuers = [Issuer("second")]
        source.now += 300
        assert await source.keys.get("first") is not None, "this one starts the refresh and does not wait for it"
        await source.settle()
        assert await source.keys.get("first") is None

    asyncio.run(story())


def test_nobody_with_a_known_key_waits_for_a_slow_issuer(issuer: Issuer) -> None:
    async def story() -> None:
        source = Source(issuer)
        await source.keys.get("first")
        source.open.clear()
        source.now += 3_600
        async with asyncio.timeout(1):
            for _ in range(100):
                assert await source.keys.get("first") is not None
                await source.settle()
        assert source.fetched == 2
        await source.keys.aclose()

    asyncio.run(story())


def test_one_who_gives_up_does_not_take_the_keys_from_the_others(issuer: Issuer) -> None:
    async def story() -> None:
        source = Source(issuer)
        source.open.clear()
        impatient, patient = (asyncio.create_task(source.keys.get("first")) for _ in range(2))
        await source.settle()
        impatient.cancel()
        await source.settle()
        source.open.set()
        assert await patient is not None
        assert source.fetched == 1

    asyncio.run(story())


def test_without_any_key_nothing_can_be_judged(issuer: Issuer) -> None:
    async def story() -> None:
        source = Source(issuer)
        source.down = True
        for _ in range(3):
            with pytest.raises(KeysUnavailable):
                await source.keys.get("first")
        assert source.fetched == 1
        source.down = False
        source.now += 1
        assert await source.keys.get("first") is not None

    asyncio.run(story())


@pytest.mark.parametrize("answer", [b"", b"{", b"[]", b'{"keys": {}}', b"<html>"])
def test_an_answer_that_is_no_key_set_changes_nothing(answer: bytes, issuer: Issuer) -> None:
    async def story() -> None:
        source = Source(issuer)
        await source.keys.get("first")

        async def broken() -> bytes:
            return answer

        source.keys._fetch = broken
        source.now += 300
        await source.keys.get("first")
        await source.settle()
        assert await source.keys.get("first") is not None

    asyncio.run(story())


@pytest.mark.parametrize(
    "change",
    [
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "RSA"},
        {"crv": "Ed448"},
        {"use": "enc"},
        {"alg": "HS256"},
        {"kid": None},
        {"kid": 7},
        {"x": "short"},
        {"d": "private"},
    ],
    ids=str,
)
def test_a_key_of_another_kind_is_left_out(change: dict[str, Any], issuer: Issuer) -> None:
    other = Issuer("second")
    document = json.dumps({"keys": [issuer.jwk(**change), "no key", other.jwk()]}).encode()
    assert list(parse_keys(document)) == ["second"]


def test_keys_may_come_from_a_file(issuer: Issuer, tmp_path: Path) -> None:
    file = tmp_path / "the keys.json"
    file.write_bytes(issuer.document())
    assert asyncio.run(fetcher(file.as_uri())()) == issuer.document()
