"""From the sections about shadowing to values of the model, and what the sections cannot see by themselves."""

from collections.abc import Iterator, Sequence

from strangler.config import schema
from strangler.config.authentication import secret_of
from strangler.config.document import Path as DocumentPath
from strangler.config.document import Report
from strangler.model.shadow import SHADOW, ArrayRule, Comparing, Ignored, Mirroring, Redaction, Shadow

NEVER_KEPT = frozenset(("authorization", "cookie", "proxy-authorization", "set-cookie", "x-api-key"))
"""Headers that carry credentials by their definition."""

FOR_RECORDINGS = frozenset(("answer_bytes", "compare", "redact", "request_bytes"))
"""What of shadowing a recording goes by, which a route has before it has a service."""


def build_mirroring(section: schema.MirroringSection) -> Mirroring:
    """What holds for all shadowed routes."""
    secret = secret_of(section.secret) if section.secret is not None else None
    return Mirroring(section.waiting, section.waiting_bytes, secret)


def build_shadow(
    route: schema.RouteSection, place: DocumentPath, gateway: schema.MirroringSection | None, report: Report
) -> Shadow | None:
    """How a route is shadowed; None for the defaults. ``gateway`` is None where that section is not to be trusted."""
    section = route.shadow
    if section is None:
        return None
    if route.service is None and not section.model_fields_set <= FOR_RECORDINGS:
        remedy = f"add «service», or leave only what a recording needs: {', '.join(sorted(FOR_RECORDINGS))}"
        report(place, f"there is no service to compare with; {remedy}")
    if gateway is not None:
        if section.writes and gateway.secret is None:
            report(
                (*place, "writes"), "shadowed writes need a secret that marks are signed by; add gateway.shadow.secret"
            )
        if section.request_bytes + section.answer_bytes > gateway.waiting_bytes:
            report(
                (*place, "answer_bytes" if section.answer_bytes > section.request_bytes else "request_bytes"),
                "one exchange of that size is more than may wait; make it smaller than gateway.shadow.waiting_bytes",
            )
    found = Shadow(
        **section.model_dump(exclude={"compare", "redact"}),
        comparing=build_comparing(section.compare, (*place, "compare"), report),
        redaction=_redaction(section.redact, (*place, "redact"), report),
    )
    return found if found != SHADOW else None


def build_comparing(section: schema.CompareSection, place: DocumentPath, report: Report) -> Comparing:
    """What counts as a difference."""
    lists: tuple[tuple[str, Sequence[str]], ...] = (
        ("normalise", section.normalise),
        ("headers", section.headers),
        ("generated", section.generated),
        ("ignore", [rule.field for rule in section.ignore]),
        ("arrays", [rule.field for rule in section.arrays]),
    )
    for key, items in lists:
        for index in _repeated(items):
            report((*place, key, index), f"«{items[index]}» stands here a second time; remove one")
    for index, array in enumerate(section.arrays):
        if (array.by == "key") != (array.key is not None):
            remedy = "name the member by «key»" if array.by == "key" else "write by: key, or remove «key»"
            report((*place, "arrays", index), f"elements are told apart by a key or not; {remedy}")
    return Comparing(
        normalise=tuple(sorted(section.normalise)),
        headers=tuple(sorted(section.headers)),
        ignore=tuple(Ignored(rule.field, rule.reason, rule.until or "") for rule in section.ignore),
        arrays=tuple(ArrayRule(rule.field, rule.by, rule.key or "") for rule in section.arrays),
        tolerances=tuple(sorted(section.tolerances.items())),
        generated=tuple(sorted(section.generated)),
        max_bytes=section.max_bytes,
        max_depth=section.max_depth,
        max_values=section.max_values,
        max_differences=section.max_differences,
    )


def _redaction(section: schema.RedactSection, place: DocumentPath, report: Report) -> Redaction:
    for index, name in enumerate(section.keep_headers):
        if name in NEVER_KEPT:
            report((*place, "keep_headers", index), f"«{name}» holds credentials, which are never kept; remove it")
    # Without its type nobody could take a body apart any more.
    lists = ((*section.keep_headers, "content-type"), section.keep_query, section.fields, section.patterns)
    return Redaction(*(tuple(dict.fromkeys(items)) for items in lists))


def _repeated(items: Sequence[str]) -> Iterator[int]:
    return (index for index, item in enumerate(items) if item in items[:index])
