"""The issuer's public keys (JWKS): fetched from a URL or file without holding up anyone whose key is known.

Keys are refreshed in the background once they are older than `refresh_after`. While the issuer is down the old ones go
on serving. A key id that nobody has heard of may cause a fetch, but at most one per `unknown_kid_every`, so that
forged tokens cannot be used to beat on the issuer.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import orjson
import structlog
from cryptography.exceptions import UnsupportedAlgorithm
from jwt import PyJWK, PyJWTError

_log = structlog.get_logger(__name__)

Fetch = Callable[[], Awaitable[bytes]]
"""Returns a JWK set as JSON; raises whatever its medium raises."""

ALGORITHM = "EdDSA"


class KeysUnavailable(Exception):
    """No key was ever had from the issuer, so that no token can be judged."""


def fetcher(source: str, *, timeout_seconds: float = 3.0) -> Fetch:
    """Return what reads `source`, an http(s) or file URL."""
    if source.startswith("file:"):
        path = Path(unquote(urlsplit(source).path))

        async def read() -> bytes:
            return await asyncio.to_thread(path.read_bytes)

        return read

    async def ask() -> bytes:
        # One call in minutes: a client of its own costs nothing, and cannot hold a dead connection.
        async with httpx.AsyncClient(timeout=timeout_seconds, trust_env=False) as client:
            answer = await client.get(source)
            return answer.raise_for_status().content

    return ask


def parse_keys(document: bytes) -> dict[str, PyJWK]:
    """Return the Ed25519 signing keys of a JWK set by their id; others are left out. Raises ValueError for no set."""
    parsed = orjson.loads(document)
    if not isinstance(parsed, dict) or not isinstance(parsed.get("keys"), list):
        raise ValueError("not a JWK set: an object with a list `keys` is expected")
    return {jwk["kid"]: PyJWK(jwk, algorithm=ALGORITHM) for jwk in parsed["keys"] if _usable(jwk)}


def _usable(jwk: Any) -> bool:
    if not isinstance(jwk, dict) or not isinstance(jwk.get("kid"), str):
        return False
    if (jwk.get("kty"), jwk.get("crv")) != ("OKP", "Ed25519"):
        return False
    if jwk.get("use", "sig") != "sig" or jwk.get("alg", ALGORITHM) not in {ALGORITHM, "Ed25519"} or "d" in jwk:
        return False
    try:
        PyJWK(jwk, algorithm=ALGORITHM)
    except (PyJWTError, UnsupportedAlgorithm, ValueError):
        return False
    return True


class KeySet:
    """Keys by id, as fresh as the issuer allows. All durations are seconds."""

    def __init__(
        self,
        fetch: Fetch,
        *,
        refresh_after: float = 300.0,
        unknown_kid_every: float = 60.0,
        retry_every: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._refresh_after = refresh_after
        self._unknown_kid_every = unknown_kid_every
        self._retry_every = retry_every
        self._clock = clock
        self._keys: Mapping[str, PyJWK] = {}
        self._asked_at = float("-inf")
        self._refreshing: asyncio.Task[None] | None = None

    async def get(self, kid: str) -> PyJWK | None:
        """Return the key, or None if the issuer has none of that id; raise KeysUnavailable if it never answered."""
        key = self._keys.get(kid)
        if key is not None:
            if self._may_ask(self._refresh_after):
                self._refresh()  # not awaited: the known key is good until the issuer says otherwise
            return key
        if self._refreshing is not None or self._may_ask(self._unknown_kid_every if self._keys else self._retry_every):
            # Shielded, since one client that gives up must not take the keys from all who wait for them.
            await asyncio.shield(self._refresh())
        if not self._keys:
            raise KeysUnavailable("the token issuer's keys could not be fetched")
        return self._keys.get(kid)

    def _may_ask(self, every: float) -> bool:
        return self._clock() - self._asked_at >= every

    def _refresh(self) -> asyncio.Task[None]:
        if self._refreshing is None:
            self._asked_at = self._clock()
            self._refreshing = asyncio.create_task(self._load(), name="jwks")
            self._refreshing.add_done_callback(self._refreshed)
        return self._refreshing

    def _refreshed(self, _task: "asyncio.Task[None]") -> None:
        self._refreshing = None

    async def _load(self) -> None:
        try:
            keys = parse_keys(await self._fetch())
        except (httpx.HTTPError, OSError, ValueError) as error:
            _log.warning("keys not fetched; the old ones stay", error=repr(error), kept=len(self._keys))
            return
        if not keys:
            _log.warning("the issuer's key set has no Ed25519 key; the old ones stay", kept=len(self._keys))
            return
        if keys.keys() != self._keys.keys():
            _log.info("keys changed", kids=sorted(keys))
        self._keys = keys

    async def aclose(self) -> None:
        """Give up a fetch that is under way."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.wait([self._refreshing])
