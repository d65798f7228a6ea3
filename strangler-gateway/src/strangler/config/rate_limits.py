"""From the sections about rate limits to values of the model, and what the sections cannot see by themselves."""

from strangler.config import schema
from strangler.config.authentication import secret_of
from strangler.config.document import Path as DocumentPath
from strangler.config.document import Report
from strangler.model.rate_limit import LimitKey, LimitKind, LimitStore, RateLimit

MOST_PER_SECOND = 10_000
LONGEST = 366 * 86_400
"""Seconds: the arithmetic is exact far beyond it, and nobody means more."""


def build_rate_limits(
    sections: list[schema.RateLimitSection], place: DocumentPath, *, store: bool, report: Report
) -> tuple[RateLimit, ...]:
    """A route's limits. ``store`` says whether there is one to share them in."""
    names: set[str] = set()
    for number, section in enumerate(sections):
        here = (*place, number)
        if section.name in names:
            report((*here, "name"), f"a limit called «{section.name}» stands here already; give each a name of its own")
        names.add(section.name)
        if section.requests > MOST_PER_SECOND * section.per:
            report((*here, "requests"), f"more than {MOST_PER_SECOND:,} requests a second cannot be told apart in time")
        if (section.burst or 0) * section.per > LONGEST * section.requests:
            report((*here, "burst"), "a burst of that size takes more than a year to fill again; make it smaller")
        if section.shared and not store:
            report((*here, "shared"), "a shared limit needs a place to count; add limit_store to gateway")
        if section.shared and section.when_unavailable is None:
            report(here, "say when_unavailable: open or closed, for the time in which the limit store does not answer")
        if not section.shared and section.when_unavailable is not None:
            there = (*here, "when_unavailable")
            report(there, "only a shared limit can be unavailable; remove this, or add shared: true")
    return tuple(_limit(section) for section in sections)


def build_limit_store(section: schema.LimitStoreSection | None) -> LimitStore | None:
    """The store of shared limits."""
    if section is None:
        return None
    password = secret_of(section.password) if section.password is not None else None
    return LimitStore(**section.model_dump(exclude={"password"}), password=password)


def _limit(section: schema.RateLimitSection) -> RateLimit:
    return RateLimit(
        name=section.name,
        requests=section.requests,
        per=section.per,
        burst=section.burst or section.requests,
        by=tuple(_key(text) for text in section.by),
        shared=section.shared,
        when_unavailable=section.when_unavailable or "open",
    )


def _key(text: str) -> LimitKey:
    kind, _, name = text.partition(":")
    return LimitKey(LimitKind(kind), name)
