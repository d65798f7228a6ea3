"""What the applications are told about who asks: headers that no client can set, or a short-lived signed token."""

import json
import math
import re
from collections.abc import Callable, Iterable
from itertools import product
from urllib.parse import quote_from_bytes

from strangler.model.authentication import IdentityForm, IdentityToken
from strangler.policies.identity import Identity

_VISIBLE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '%,"')
"""What stands for itself in a value; everything else is percent-encoded UTF-8."""
MAX_CLAIMS = 4 * 1024
"""Bytes of the claims' JSON; applications bound their header lines at 8 KiB (gunicorn) or less."""

Sign = Callable[[dict[str, object]], str]
"""Makes a JWT of claims."""


class Onward:
    """Takes what clients say about identity out of every request, and puts in what the gateway knows."""

    __slots__ = ("_dropped", "_form", "_now", "_own", "_sign")

    def __init__(self, form: IdentityForm, sign: Sign | None, now: Callable[[], float]) -> None:
        """``sign`` is needed where the form has a token; ``now`` is in seconds since the epoch."""
        self._form = form
        self._sign = sign
        self._now = now
        self._own = own_names(form)
        self._dropped: dict[frozenset[bytes], frozenset[bytes]] = {}

    def dropped(self, others: frozenset[bytes]) -> frozenset[bytes]:
        """The names to leave out of a request besides ``others``, together with them."""
        found = self._dropped.get(others)
        if found is None:
            found = self._dropped[others] = others | self._own
        return found

    def fields(self, identity: object) -> bytes:
        """The block that says who asks; empty for nobody."""
        if not isinstance(identity, Identity):
            return b""
        now = self._now()
        known = identity.form
        if known is not None and known[0] is self and now < known[1]:
            return known[2]
        until, block = math.inf, self._headers(identity)
        token = self._form.token
        if token is not None and self._sign is not None:
            # Good for the whole lifetime when it is made, and for half of it when it is used for the last time.
            until = now + token.lifetime / 2
            signed = self._sign(self._token_claims(token, identity, now))
            block += b"\r\n%b: %b" % (token.header.encode(), signed.encode())
        identity.form = self, until, block
        return block

    def _headers(self, identity: Identity) -> bytes:
        form = self._form
        parts = (
            (form.subject, _encoded(identity.subject)),
            (form.scopes, " ".join(map(_encoded, sorted(identity.scopes)))),
            (form.roles, ",".join(map(_encoded, sorted(identity.roles)))),
            (form.authenticator, identity.authenticator),
            (form.claims, self._claims(identity)),
        )
        return "".join(f"\r\n{name}: {value}" for name, value in parts if name and value).encode("ascii")

    def _claims(self, identity: Identity) -> str:
        passed = self._passed(identity)
        text = json.dumps(passed, separators=(",", ":")) if passed else ""
        return text if len(text) <= MAX_CLAIMS else ""

    def _passed(self, identity: Identity) -> dict[str, object]:
        return {name: identity.claims[name] for name in self._form.pass_claims if name in identity.claims}

    def _token_claims(self, token: IdentityToken, identity: Identity, now: float) -> dict[str, object]:
        claims = {
            **self._passed(identity),
            "iss": token.issuer,
            "sub": identity.subject,
            "scope": " ".join(sorted(identity.scopes)),
            "roles": sorted(identity.roles),
            "authenticator": identity.authenticator,
            "iat": int(now),
            "exp": int(now + token.lifetime),
        }
        return {**claims, "aud": token.audience} if token.audience else claims


def own_names(form: IdentityForm) -> frozenset[bytes]:
    """The names (in lower case) of the headers that only the gateway may set, with all their look-alikes.

    Applications behind CGI variables cannot tell a dash from an underscore.
    """
    names = [form.subject, form.scopes, form.roles, form.authenticator, form.claims]
    if form.token is not None:
        names.append(form.token.header)
    return frozenset(spelling for name in names if name for spelling in _spellings(name.lower().encode()))


def _spellings(name: bytes) -> Iterable[bytes]:
    parts = [(b"-", b"_") if byte in {b"-", b"_"} else (byte,) for byte in re.findall(b".", name)]
    return map(b"".join, product(*parts))


def _encoded(text: str) -> str:
    return quote_from_bytes(text.encode("utf-8", "surrogatepass"), safe=_VISIBLE)
