"""Headers side by side: by name, by what they mean, and what the server itself writes told apart from what the
application says."""

import re
from urllib.parse import urljoin

from strangler.shadow.answer import Question
from strangler.shadow.comparison import Kind
from strangler.shadow.compiled import Compiled
from strangler.shadow.cookies import compare_cookies
from strangler.shadow.findings import Findings
from strangler.shadow.media_types import media_type
from strangler.shadow.places import Place, root
from strangler.shadow.sides import Side
from strangler.shadow.walk import Walk

FRAMING = frozenset(
    (
        "connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding",
        "upgrade",
    )
)  # fmt: skip
"""Of a connection, or of how the body is sent: no part of the answer."""
BY_SERVER = frozenset(("date", "server", "server-timing", "via", "x-powered-by", "x-process-time", "x-runtime"))
"""What the server writes about itself, whatever the application answers."""
_SETS = frozenset(("accept-ranges", "allow", "cache-control", "content-language", "vary"))
"""Lists whose order means nothing."""
_ANY_CASE = frozenset(("accept-ranges", "cache-control", "content-language", "vary"))
_ELEMENT = re.compile(r'((?:[^,"]++|"(?:[^"\\]|\\.)*+"|")*+)(?:,|\Z)')
_NO_CONTENT = frozenset((204, 205))
"""Statuses with which a Content-Type is that of nothing."""
_LONGEST = 2048
"""Characters of a header that are read as a list."""


class Headers:
    """Compares the headers of one pair of answers."""

    def __init__(self, compiled: Compiled, findings: Findings, question: Question, walk: Walk) -> None:
        self._compiled = compiled
        self._findings = findings
        self._question = question
        self._walk = walk

    def compare(self, primary: Side, candidate: Side, *, leave_out: frozenset[str] = frozenset()) -> None:
        """Tell what differs, but for the names in ``leave_out``."""
        untyped = primary.answer.status in _NO_CONTENT and candidate.answer.status in _NO_CONTENT
        for name in sorted(primary.headers.keys() | candidate.headers.keys()):
            mine, theirs = primary.headers.get(name, []), candidate.headers.get(name, [])
            if name in FRAMING or name in leave_out:
                continue
            if name == "content-type" and untyped and mine != theirs and self._compiled.header_notation:
                self._findings.made_equal("header-notation")
                continue
            if mine == theirs and not self._compiled.generated:
                continue
            self._compare(name, mine, theirs)

    def _compare(self, name: str, mine: list[str], theirs: list[str]) -> None:
        compiled, findings = self._compiled, self._findings
        field = f"header.{name}"
        if name in BY_SERVER and compiled.server_headers:
            if mine != theirs:
                findings.made_equal("server-headers")
        elif not (compiled.all_headers or name in compiled.headers or name in BY_SERVER):
            if mine != theirs:
                findings.ignore(field)
        elif name == "set-cookie":
            compare_cookies(compiled, findings, mine, theirs)
        elif mine and theirs:
            self._values(name, field, ", ".join(mine), ", ".join(theirs))
        else:
            kind = Kind.MISSING if mine else Kind.ADDED
            findings.differ(field, _place(name), kind, ", ".join(mine), ", ".join(theirs))

    def _values(self, name: str, field: str, mine: str, theirs: str) -> None:
        """Both sides have it."""
        likeness = self._likeness(name, mine, theirs) if mine != theirs else ""
        if likeness:
            self._findings.made_equal(likeness)
        else:
            self._walk.values(_place(name), field, mine, theirs)

    def _likeness(self, name: str, mine: str, theirs: str) -> str:
        """The normaliser for which two unlike values mean the same."""
        compiled = self._compiled
        if name == "content-type":
            one, other = media_type(mine).folded(), media_type(theirs).folded()
            if one == other:
                return "header-notation" if compiled.header_notation else ""
            alike = one.is_utf8_anyway and one.without_utf8() == other.without_utf8()
            return "charset" if compiled.charset and alike else ""
        if not compiled.header_notation:
            return ""
        if name == "location":
            return "header-notation" if self._same_location(mine, theirs) else ""
        return "header-notation" if _elements(name, mine) == _elements(name, theirs) else ""

    def _same_location(self, mine: str, theirs: str) -> bool:
        """The same place for the client: relative, or absolute by the host that it asked (RFC 9110 §10.2.2)."""
        host = host_of(self._question)
        base = self._question.target.decode("latin-1")
        scheme = next((one.partition("://")[0].lower() for one in (mine, theirs) if "://" in one), "http")
        try:
            one, other = (urljoin(f"{scheme}://{host}{base}", location) for location in (mine, theirs))
        except ValueError:
            return False
        return bool(host) and one == other


def host_of(question: Question) -> str:
    """The host that the client asked, with its port if it named one."""
    return next((value for name, value in question.fields if name.lower() == b"host"), b"").decode("latin-1").lower()


def _place(name: str) -> Place:
    return (root("header"), name)


def _elements(name: str, value: str) -> object:
    """A list as RFC 9110 §5.6.1 reads it: no matter how it is spaced; as a set where order means nothing."""
    elements = [found[1].strip() for found in _ELEMENT.finditer(value[:_LONGEST]) if found[1].strip()]
    if name in _ANY_CASE:
        elements = [_folded(element) for element in elements]
    rest = value[_LONGEST:]
    return (frozenset(elements), rest) if name in _SETS else (elements, rest)


def _folded(element: str) -> str:
    """A directive such as ``Max-Age="60"``: its name in lower case, its value without quotes."""
    name, equals, value = element.partition("=")
    return f"{name.strip().lower()}{equals}{value.strip().strip(chr(34))}"
