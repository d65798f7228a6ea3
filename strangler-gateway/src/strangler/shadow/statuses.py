"""What the two statuses say, and how much of the rest can be compared after that."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from strangler.shadow.answer import Question
from strangler.shadow.comparison import Kind
from strangler.shadow.compiled import Compiled
from strangler.shadow.envelopes import envelope
from strangler.shadow.findings import Findings
from strangler.shadow.headers import host_of
from strangler.shadow.places import root
from strangler.shadow.sides import Side

_SLASH_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_VALIDATION = {400, 422}
_REFUSED = 405


@dataclass(frozen=True, slots=True)
class Scope:
    """What of two answers is compared beyond their statuses."""

    headers: bool = True
    leave_out: frozenset[str] = frozenset()
    """Headers that are not."""
    body: bool = True


_ALL = Scope()
_NOTHING = Scope(headers=False, body=False)
_WITHOUT_TARGET = Scope(leave_out=frozenset(("location", "content-type", "content-language")), body=False)
_WITHOUT_BODY = Scope(leave_out=frozenset(("content-type", "content-language")), body=False)
_REFUSED_METHOD = Scope(leave_out=_WITHOUT_BODY.leave_out | {"allow"}, body=False)
"""Frameworks add OPTIONS and HEAD of their own, and FastAPI names the methods of the first of its routes only."""


def compare_statuses(
    compiled: Compiled, findings: Findings, question: Question, primary: Side, candidate: Side
) -> Scope:
    """Tell whether the statuses differ, and what is left to compare."""
    mine, theirs = primary.answer.status, candidate.answer.status
    if compiled.head_refused and question.method == b"HEAD" and _one_refuses(mine, theirs):
        findings.made_equal("head-refused")
        return _NOTHING
    if compiled.slash_redirect and _slash_redirects(question, primary, candidate):
        if _unlike_redirects(primary, candidate):
            findings.made_equal("trailing-slash-redirect")
        return _WITHOUT_TARGET
    if compiled.validation_status and {mine, theirs} == _VALIDATION:
        findings.made_equal("validation-status")
    elif mine != theirs:
        findings.differ("status", root("status"), Kind.VALUE, mine, theirs)
    if mine // 100 != theirs // 100:
        findings.cut("headers and body, because the statuses are of two classes")
        return _NOTHING
    if compiled.error_envelope and mine >= 400 and envelope(primary) != envelope(candidate):
        findings.made_equal("error-envelope")
        return _REFUSED_METHOD if mine == theirs == _REFUSED else _WITHOUT_BODY
    return _ALL


def _one_refuses(mine: int, theirs: int) -> bool:
    """Exactly one side does not know HEAD; the other answers, and not with a fault of its own."""
    return (mine == _REFUSED) != (theirs == _REFUSED) and mine < 500 and theirs < 500


def _slash_redirects(question: Question, primary: Side, candidate: Side) -> bool:
    """Whether both send the client to the same path with, or without, the slash at its end."""
    return all(_redirects_by_slash(question, side) for side in (primary, candidate))


def _redirects_by_slash(question: Question, side: Side) -> bool:
    if side.answer.status not in _SLASH_REDIRECTS:
        return False
    asked, _, query = question.target.decode("latin-1").partition("?")
    try:
        to = urlsplit(", ".join(side.headers.get("location", ())))
    except ValueError:
        return False
    own = {"", host_of(question), side.answer.authority.lower()}
    other_path = asked.removesuffix("/") if asked.endswith("/") else f"{asked}/"
    return to.path == other_path != "" and to.query == query and to.netloc.lower() in own


def _unlike_redirects(primary: Side, candidate: Side) -> bool:
    mine, theirs = primary.answer, candidate.answer
    return (
        mine.status != theirs.status
        or primary.headers.get("location") != candidate.headers.get("location")
        or mine.body != theirs.body
        or primary.type != candidate.type
    )
