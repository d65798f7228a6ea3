"""Set-Cookie side by side: which cookies are set and with what attributes; their values are each server's own."""

from dataclasses import dataclass

from strangler.shadow.comparison import Kind
from strangler.shadow.compiled import Compiled
from strangler.shadow.exact import Key, Value
from strangler.shadow.findings import Findings
from strangler.shadow.places import Place, member, root

_FIELD = "header.set-cookie"
_BY_CLOCK = "expires"
"""The one attribute that is another with every answer; Max-Age says the same without a clock."""


@dataclass(frozen=True, slots=True)
class Cookie:
    """One Set-Cookie. Attributes by lower-case name; one without a value has an empty one."""

    value: str
    attributes: dict[str, str]


def compare_cookies(compiled: Compiled, findings: Findings, primary: list[str], candidate: list[str]) -> None:
    """Tell what differs: a cookie, an attribute; a value or the time of ``Expires`` unless ``server-headers`` is on."""
    mine, theirs = _by_name(primary), _by_name(candidate)
    for name in sorted(mine.keys() | theirs.keys()):
        field, place = member(_FIELD, name), _place(name)
        if name not in theirs:
            findings.differ(field, place, Kind.MISSING, _shape(mine[name]), None)
        elif name not in mine:
            findings.differ(field, place, Kind.ADDED, None, _shape(theirs[name]))
        else:
            _compare(compiled, findings, field, place, mine[name], theirs[name])


def _compare(compiled: Compiled, findings: Findings, field: str, place: Place, mine: Cookie, theirs: Cookie) -> None:
    expires = mine.attributes.get(_BY_CLOCK, ""), theirs.attributes.get(_BY_CLOCK, "")
    # RFC 6265 §4.1.2.2: where there is a Max-Age, Expires says nothing.
    by_clock = all(expires) or all("max-age" in cookie.attributes for cookie in (mine, theirs))
    by_server = mine.value != theirs.value or (expires[0] != expires[1] and by_clock)
    if by_server and compiled.server_headers and bool(mine.value) == bool(theirs.value):
        findings.made_equal("server-headers")
    elif mine.value != theirs.value:
        findings.differ(field, place, Kind.VALUE, _told(mine.value), _told(theirs.value))
    for attribute in sorted(mine.attributes.keys() | theirs.attributes.keys()):
        one, other = mine.attributes.get(attribute), theirs.attributes.get(attribute)
        if one == other or (attribute == _BY_CLOCK and by_clock and compiled.server_headers):
            continue
        kind = Kind.MISSING if other is None else Kind.ADDED if one is None else Kind.VALUE
        findings.differ(member(field, attribute), (place, attribute), kind, one, other)


def _by_name(values: list[str]) -> dict[str, Cookie]:
    """The cookies of an answer. Of two by one name the second has its path beside the name."""
    cookies: dict[str, Cookie] = {}
    for value in values:
        first, *rest = value.split(";")
        name, _, content = first.partition("=")
        attributes = {}
        for attribute in rest:
            key, _, said = attribute.partition("=")
            attributes[key.strip().lower()] = said.strip()
        for folded in attributes.keys() & {"samesite", "domain"}:
            attributes[folded] = attributes[folded].lower()
        attributes.pop("", None)
        name = name.strip()
        if name in cookies:
            name = f"{name} {attributes.get('path', '')}"
        cookies[name] = Cookie(content.strip(), attributes)
    return cookies


def _shape(cookie: Cookie) -> Value:
    shape: dict[Key, Value] = {"value": _told(cookie.value)}
    shape.update(cookie.attributes)
    return shape


def _told(value: str) -> str:
    """A cookie's value is a credential as often as not: its length says enough."""
    return f"{len(value)} characters"


def _place(name: str) -> Place:
    return ((root("header"), "set-cookie"), name)
