"""API keys: clients send them as they are, the gateway knows only their SHA-256.

A key of the gateway's making has 256 random bits: nobody finds it by trying, so a slow hash would protect nothing and
let anyone keep a worker busy. It is looked up by its digest: what the time of that tells of a digest says nothing of a
key.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from strangler.model.authentication import ApiKey, ApiKeys
from strangler.model.errors import StranglerError
from strangler.policies.credentials import header
from strangler.policies.guard import Guarded
from strangler.policies.identity import Identity
from strangler.policies.kept import Kept
from strangler.policies.method import Outcomes
from strangler.policies.refusals import Rejected, Unavailable
from strangler.policies.remembered import digest

LONGEST = 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")

KeyTable = Mapping[bytes, ApiKey]
"""Keys by the digest of each."""


class KeysUnreadable(StranglerError):
    """A key file in which something is wrong."""


class KnownKeys:
    """Keys in a header, or a query parameter."""

    def __init__(self, settings: ApiKeys, filed: Kept[KeyTable] | None, outcomes: Outcomes) -> None:
        self.outcomes = outcomes
        name = settings.header or settings.query
        self.challenge = b'ApiKey name="%b", in="%b"' % (name.encode(), b"header" if settings.header else b"query")
        self._header = settings.header.encode()
        self._query = settings.query.encode()
        self._inline = key_table(settings.keys)
        self._filed = filed
        self._identities: dict[bytes, tuple[ApiKey, Identity]] = {}

    def identify(self, request: Guarded) -> Identity | None:
        """The owner of the key that was sent."""
        key = header(request.head.fields, self._header) if self._header else None
        if key is None and self._query:
            key = _parameter(request.head.query, self._query)
        if key is None:
            return None
        found = digest(key) if len(key) <= LONGEST else b""
        entry = self._inline.get(found)
        if entry is None and self._filed is not None:
            table = self._filed.current()
            if table is None:
                raise Unavailable("the key file has never been read")
            entry = table.get(found)
        if entry is None:
            raise Rejected("unknown_key", "The API key is not known.")
        return self._identity(found, entry)

    def refresh(self) -> None:
        """Begin to read the file again if it is time."""
        if self._filed is not None:
            self._filed.current()

    def _identity(self, found: bytes, entry: ApiKey) -> Identity:
        known = self._identities.get(found)
        if known is not None and known[0] == entry:
            self.outcomes.cached.value += 1
            return known[1]
        identity = Identity(
            self.outcomes.authenticator,
            entry.owner,
            math.inf,
            scopes=frozenset(entry.scopes),
            roles=frozenset(entry.roles),
            claims={"sub": entry.owner},
        )
        self._identities[found] = (entry, identity)
        self.outcomes.accepted.value += 1
        return identity


def key_table(keys: Iterable[ApiKey]) -> KeyTable:
    """Keys for looking up."""
    return {bytes.fromhex(key.sha256): key for key in keys}


def read_key_file(document: bytes) -> KeyTable:
    """A JSON object per line, as ``strangler auth new-key`` prints it; ``#`` begins a comment line.

    Raises ``KeysUnreadable`` with the line.
    """
    keys = []
    for number, line in enumerate(document.decode("utf-8", "replace").splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            keys.append(_entry(line, number))
    return key_table(keys)


def _entry(line: str, number: int) -> ApiKey:
    try:
        values: dict[str, Any] = json.loads(line)
        scopes, roles = values.get("scopes", []), values.get("roles", [])
        sha256, owner = values["sha256"], values["owner"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise KeysUnreadable(f'line {number} is no key; write {{"sha256": "…", "owner": "…"}}') from None
    words = [owner, *scopes, *roles] if isinstance(scopes, list) and isinstance(roles, list) else [None]
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise KeysUnreadable(f"line {number}: «sha256» is not 64 hexadecimal digits in small letters")
    if not all(isinstance(word, str) and word for word in words):
        raise KeysUnreadable(f"line {number}: «owner» must be text, «scopes» and «roles» lists of text")
    return ApiKey(sha256, owner, tuple(scopes), tuple(roles))


def _parameter(query: bytes, wanted: bytes) -> bytes | None:
    """The value of a query parameter; two that differ are doubt."""
    found = set()
    for pair in query.split(b"&") if wanted in query else ():
        name, _, value = pair.partition(b"=")
        if name == wanted and value:
            found.add(unquote_to_bytes(value))
    if len(found) > 1:
        raise Rejected("ambiguous", "More than one API key was sent.")
    return found.pop() if found else None
