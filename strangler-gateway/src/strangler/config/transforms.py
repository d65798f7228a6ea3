"""From the sections about changes on the way to values of the model, one for each arm of a route."""

import re
from collections.abc import Iterable

from strangler.config import schema
from strangler.config.document import Path as DocumentPath
from strangler.config.document import Report
from strangler.http1.headers import HOP_BY_HOP
from strangler.model.route import PathKind, RouteMatch
from strangler.model.transform import (
    SERVICE,
    CookieRewrite,
    FieldChanges,
    JsonShape,
    JsonShaping,
    JsonVariant,
    PathRewrite,
    Transform,
)

_FRAMING = {name.decode() for name in HOP_BY_HOP} | {"content-length"}
_NEVER_ASKED = _FRAMING | {"host", "expect", "forwarded", "traceparent", "tracestate", "x-request-id", "x-real-ip"}
"""Request fields that frame the message, or are the gateway's own word on who asks and how."""
_NEVER_ANSWERED = _FRAMING | {"content-encoding", "content-range", "ratelimit", "ratelimit-policy", "x-request-id"}
_PARAMETER = re.compile(r"\{([^{}]*)\}")


def build_transforms(
    section: schema.RouteSection,
    match: RouteMatch,
    identity: schema.IdentitySection,
    place: DocumentPath,
    report: Report,
) -> tuple[Transform | None, Transform | None]:
    """What is changed for the monolith and for the service; None for what each of them has unless it is said."""
    builder = _Builder(match, _identity_names(identity), report)
    both = schema.ArmSection(request=section.request, response=section.response)
    builder.check(both, place)
    builder.check(section.arms.monolith, (*place, "arms", "monolith"))
    builder.check(section.arms.service, (*place, "arms", "service"))
    if section.service is None and section.arms.service != schema.ArmSection():
        report((*place, "arms", "service"), "the route has no service arm; add «service», or remove this")
    monolith = builder.transform(both, section.arms.monolith, locations=False)
    service = builder.transform(both, section.arms.service, locations=True) if section.service is not None else None
    return (monolith if monolith != Transform() else None), (service if service != SERVICE else None)


class _Builder:
    """The parts of one route."""

    def __init__(self, match: RouteMatch, own_names: frozenset[str], report: Report) -> None:
        self._match = match
        self._own_names = own_names
        self._report = report

    # What the sections cannot see by themselves

    def check(self, section: schema.ArmSection, place: DocumentPath) -> None:
        """Report what is wrong in the changes of both arms, or of one."""
        if section.request.path is not None:
            self._check_path(section.request.path, (*place, "request", "path"))
        if section.request.headers is not None:
            names = _NEVER_ASKED | self._own_names
            self._check_fields(section.request.headers, names, (*place, "request", "headers"))
        if section.response.headers is not None:
            self._check_fields(section.response.headers, _NEVER_ANSWERED, (*place, "response", "headers"))
        if section.response.shape is not None:
            self._check_json(section.response.shape, (*place, "response", "shape"))

    def _check_path(self, section: schema.PathSection, place: DocumentPath) -> None:
        given = [key for key in ("strip_prefix", "replace_prefix", "template") if getattr(section, key) is not None]
        if len(given) != 1:
            self._report(place, "another path is said by one of strip_prefix, replace_prefix and template")
            return
        rewrite = _path(section)
        assert rewrite is not None
        if not rewrite.template:
            own = self._match.path
            if own != rewrite.prefix and not own.startswith(rewrite.prefix.rstrip("/") + "/"):
                self._report((*place, given[0]), f"the route's own path {own} does not begin with {rewrite.prefix}")
            elif "{" in rewrite.prefix:
                self._report((*place, given[0]), "a prefix has no parameters; use template")
            return
        here = (*place, "template")
        if not rewrite.template.startswith("/") or re.search(r"//|[?#;\\%\x00-\x20\x7f]", rewrite.template):
            self._report(here, f"«{rewrite.template}» is not a path: it begins with / and has no query")
        if self._match.kind is PathKind.PREFIX:
            self._report(here, "a route with a prefix has no parameters to fill in; use replace_prefix")
        for name in _PARAMETER.findall(rewrite.template):
            if f"{{{name}}}" not in self._match.path.split("/"):
                self._report(here, f"the route's path has no parameter {{{name}}}")

    def _check_fields(self, section: schema.FieldsSection, never: Iterable[str], place: DocumentPath) -> None:
        for key, names in (("remove", section.remove), ("set", section.set), ("add", section.add)):
            for number, name in enumerate(names):
                lower = name.lower().replace("_", "-")
                if lower in never or lower.startswith(("x-forwarded-", "x-strangler-")):
                    there = (*place, key, number if key == "remove" else name)
                    self._report(there, f"{name} frames the message or is the gateway's own word; it stays as it is")

    def _check_json(self, section: schema.JsonSection, place: DocumentPath) -> None:
        if _shape(section) is None and not section.variants:
            self._report(place, "a shape needs at least one of pick, drop, rename, wrap and variants")
        for number, variant in enumerate(section.variants):
            if (variant.header is None) == (variant.query is None):
                self._report((*place, "variants", number), "a variant is chosen by either «header» or «query»")

    # The values

    def transform(self, both: schema.ArmSection, own: schema.ArmSection, *, locations: bool) -> Transform:
        """The changes of one arm; what it says itself stands in the place of what is said for both."""
        request, response = both.request, both.response
        asked = own.response.locations if own.response.locations is not None else response.locations
        return Transform(
            path=_path(own.request.path or request.path),
            request=_fields(own.request.headers or request.headers),
            response=_fields(own.response.headers or response.headers),
            json=_json(own.response.shape or response.shape),
            locations=locations if asked is None else asked,
            cookies=_cookies(own.response.cookies or response.cookies),
        )


def _identity_names(section: schema.IdentitySection) -> frozenset[str]:
    """The headers that say who asks, in lower case and with dashes."""
    names = [getattr(section, key) for key in schema.IDENTITY_HEADERS]
    if section.token is not None:
        names.append(section.token.header)
    return frozenset(name.lower().replace("_", "-") for name in names if name)


def _path(section: schema.PathSection | None) -> PathRewrite | None:
    if section is None:
        return None
    if section.template is not None:
        return PathRewrite(template=section.template)
    if section.strip_prefix is not None:
        return PathRewrite(section.strip_prefix, "/")
    return PathRewrite(*next(iter((section.replace_prefix or {}).items()), ("/", "/")))


def _fields(section: schema.FieldsSection | None) -> FieldChanges:
    if section is None:
        return FieldChanges()
    return FieldChanges(tuple(section.remove), tuple(section.set.items()), tuple(section.add.items()))


def _shape(section: schema.ShapeSection) -> JsonShape | None:
    shape = JsonShape(tuple(section.pick), tuple(section.drop), tuple(section.rename.items()), section.wrap or "")
    return shape if shape != JsonShape() else None


def _json(section: schema.JsonSection | None) -> JsonShaping | None:
    if section is None:
        return None
    variants = tuple(
        JsonVariant(_shape(each) or JsonShape(), tuple(each.values), (each.header or "").lower(), each.query or "")
        for each in section.variants
    )
    return JsonShaping(_shape(section), variants, section.max_bytes, section.otherwise)


def _cookies(section: schema.CookiesSection | None) -> CookieRewrite:
    if section is None:
        return CookieRewrite()
    return CookieRewrite(tuple(section.domains.items()), tuple(section.paths.items()))
