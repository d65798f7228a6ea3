"""Where the subject of a canary is found."""

import pytest

from strangler.model.route import StickySource, SubjectKind
from strangler.routing.fields import PairFields
from strangler.routing.subject import SubjectFinder

USER = StickySource(SubjectKind.HEADER, "x-user")
SESSION = StickySource(SubjectKind.COOKIE, "session")
ADDRESS = StickySource(SubjectKind.ADDRESS)

CASES = [
    ("the header", (USER,), [("X-User", "u1")], "u1"),
    ("nothing there", (USER, SESSION), [], None),
    ("an empty header is absent", (USER, ADDRESS), [("X-User", "")], "10.0.0.1"),
    ("a repeated header is absent", (USER, ADDRESS), [("X-User", "a"), ("X-User", "b")], "10.0.0.1"),
    ("the order of the sources decides", (SESSION, USER), [("X-User", "u"), ("Cookie", "session=s")], "s"),
    ("a cookie among others", (SESSION,), [("Cookie", "a=1; session=s1; b=2")], "s1"),
    ("a cookie whose name ends alike", (SESSION,), [("Cookie", "xsession=no; session=yes")], "yes"),
    ("the first of two cookies", (SESSION,), [("Cookie", "session=one; session=two")], "one"),
    ("a cookie in a second header", (SESSION,), [("Cookie", "a=1"), ("Cookie", "session=s2")], "s2"),
    ("a quoted cookie", (SESSION,), [("Cookie", 'session="q"')], "q"),
    ("a cookie without a value", (SESSION, ADDRESS), [("Cookie", "session")], "10.0.0.1"),
    ("a value with an equals sign", (SESSION,), [("Cookie", "session=a=b")], "a=b"),
    ("bytes that are no UTF-8", (USER,), [("X-User", "\xff")], "\xff"),
]


CLAIM = StickySource(SubjectKind.TOKEN, "sub")
CLAIMED = [
    ("a verified claim", (CLAIM, ADDRESS), [], {"sub": "u1"}, "u1"),
    ("a number", (CLAIM, ADDRESS), [], {"sub": 7}, "7"),
    ("nobody", (CLAIM, USER, ADDRESS), [("X-User", "h")], None, "h"),
    ("another claim", (CLAIM, ADDRESS), [], {"uid": "u1"}, "10.0.0.1"),
    ("an empty claim", (CLAIM, ADDRESS), [], {"sub": ""}, "10.0.0.1"),
    ("a claim that names nobody", (CLAIM, ADDRESS), [], {"sub": True}, "10.0.0.1"),
    ("a list", (CLAIM, ADDRESS), [], {"sub": ["u1"]}, "10.0.0.1"),
    ("the order of the sources decides", (USER, CLAIM), [("X-User", "h")], {"sub": "u1"}, "h"),
    ("a claim before a header", (CLAIM, USER), [("X-User", "h")], {"sub": "u1"}, "u1"),
    ("a token that nobody has verified", (CLAIM,), [("Authorization", "Bearer e30.eyJzdWIiOiJ1MSJ9.")], None, None),
]


@pytest.mark.parametrize(
    ("sources", "headers", "claims", "expected"), [case[1:] for case in CLAIMED], ids=[case[0] for case in CLAIMED]
)
def test_a_claim_counts_only_where_it_was_verified(
    sources: tuple[StickySource, ...],
    headers: list[tuple[str, str]],
    claims: dict[str, object] | None,
    expected: str | None,
) -> None:
    assert SubjectFinder(sources).find(PairFields(headers), "10.0.0.1", claims) == expected


@pytest.mark.parametrize(
    ("sources", "headers", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_the_subject_is(
    sources: tuple[StickySource, ...], headers: list[tuple[str, str]], expected: str | None
) -> None:
    assert SubjectFinder(sources).find(PairFields(headers), "10.0.0.1") == expected
