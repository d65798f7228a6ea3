"""What a client is told of its allowance: RateLimit and RateLimit-Policy, in the form of the IETF's draft
(draft-ietf-httpapi-ratelimit-headers, since its version 08), and Retry-After (RFC 9110 §10.2.3)."""

from strangler.model.rate_limit import RateLimit
from strangler.policies.rate_limit import gcra
from strangler.policies.rate_limit.gcra import Rate


def policies(limits: tuple[RateLimit, ...]) -> bytes:
    """The field that says which limits there are."""
    items = ", ".join(f'"{limit.name}";q={limit.requests};w={limit.per}' for limit in limits)
    return f"\r\nRateLimit-Policy: {items}".encode()


def state(name: str, rate: Rate, debt: int) -> bytes:
    """One limit's item of the field RateLimit: how many requests are left, and in how many seconds more will be."""
    left = gcra.remaining(rate, debt)
    until = gcra.seconds(debt if left else gcra.wait(rate, debt))
    return b'"%b";r=%d;t=%d' % (name.encode(), left, until)


def retry_after(wait: int) -> bytes:
    """The field that says when to ask again; at least in a second."""
    return b"\r\nRetry-After: %d" % max(gcra.seconds(wait), 1)
