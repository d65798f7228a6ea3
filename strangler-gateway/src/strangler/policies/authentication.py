"""The guard that finds out who asks, by the authenticators that a route names."""

from collections.abc import Awaitable, Sequence

from strangler.model.failure import Failure
from strangler.policies.guard import Denied, Guarded
from strangler.policies.identity import Identity
from strangler.policies.method import Method
from strangler.policies.refusals import Rejected, Unavailable

REALM = b' realm="gateway"'


class Authentication:
    """The first authenticator whose credential is there decides.

    A cookie that means nothing (any more) leaves the word to the next; any other credential that is not good is an
    answer: 401, on routes that can do without one too.
    """

    __slots__ = ("_anonymous_if_unavailable", "_methods", "_required")

    def __init__(self, methods: Sequence[Method], *, required: bool, anonymous_if_unavailable: bool) -> None:
        self._methods = tuple(methods)
        self._required = required
        self._anonymous_if_unavailable = anonymous_if_unavailable

    def admit(self, request: Guarded) -> Awaitable[None] | None:
        """Set the request's identity, or leave it anonymous where that is allowed. Raises ``Denied``."""
        return self._ask(0, request, None)

    def _ask(self, first: int, request: Guarded, rejected: Rejected | None) -> Awaitable[None] | None:
        for number in range(first, len(self._methods)):
            method = self._methods[number]
            try:
                found = method.identify(request)
            except Rejected as refusal:
                rejected = self._judge(refusal, method)
                continue
            except Unavailable:
                self._without(method)
                return None
            if found is None:
                continue
            if isinstance(found, Identity):
                request.identity = found
                return None
            return self._ask_on(found, number, request, rejected)
        if self._required:
            raise Denied(Failure.UNAUTHENTICATED, *self._answer(rejected))
        return None

    async def _ask_on(
        self, waiting: Awaitable[Identity | None], number: int, request: Guarded, rejected: Rejected | None
    ) -> None:
        method = self._methods[number]
        try:
            found = await waiting
        except Rejected as refusal:
            found, rejected = None, self._judge(refusal, method)
        except Unavailable:
            self._without(method)
            return
        if found is not None:
            request.identity = found
            return
        further = self._ask(number + 1, request, rejected)
        if further is not None:
            await further

    def _judge(self, refusal: Rejected, method: Method) -> Rejected:
        method.outcomes.count(refusal.reason)
        if not refusal.browser:
            raise Denied(Failure.UNAUTHENTICATED, *self._answer(refusal)) from None
        return refusal

    def _without(self, method: Method) -> None:
        """Nobody can say who asks."""
        method.outcomes.count("unavailable")
        if not self._anonymous_if_unavailable:
            detail = "Who sent this request cannot be found out at the moment."
            raise Denied(Failure.POLICY_UNAVAILABLE, detail) from None

    def _answer(self, rejected: Rejected | None) -> tuple[str, bytes]:
        """Detail and challenges; RFC 6750 §3.1 keeps errors for those who sent a token."""
        detail = rejected.detail if rejected is not None else "This needs a credential, and there is none."
        fields = b""
        for challenge in dict.fromkeys(method.challenge for method in self._methods):
            fields += b"\r\nWWW-Authenticate: " + with_realm(challenge)
            if rejected is not None and not rejected.browser and challenge == b"Bearer":
                fields += b', error="invalid_token", error_description="%b"' % detail.encode("ascii", "replace")
        return detail, fields


def with_realm(challenge: bytes) -> bytes:
    """A challenge: the scheme, the realm, and what else the scheme says."""
    scheme, space, rest = challenge.partition(b" ")
    return scheme + REALM + (b", " + rest if space else b"")
