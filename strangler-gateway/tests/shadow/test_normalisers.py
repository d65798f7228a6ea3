"""Each known difference has its name: switched on it is equal and counted, switched off it appears; and what only looks
like one is none."""

from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from strangler.model.shadow import HARMLESS, KNOWN_DIFFERENCES
from strangler.shadow.answer import Answer, Question
from strangler.shadow.normalisers import NORMALISERS

from .pairs import answer, compare, found, question

HTML = "text/html; charset=utf-8"
PROBLEM = "application/problem+json"


@dataclass(frozen=True)
class Case:
    """Two answers, and how often the normaliser makes something equal in them."""

    name: str
    primary: Answer
    candidate: Answer
    question: Question = field(default_factory=question)
    count: int = 1


def header(name: str, *values: str, status: int = 200) -> Answer:
    return answer({}, status=status, headers=[(name, value) for value in values])


def error(document: object, kind: str = "application/json", status: int = 404) -> Answer:
    return answer(document, kind=kind, status=status)


def redirect(status: int, location: str, authority: str = "") -> Answer:
    return answer(
        "moved" if status == 301 else "", status=status, kind="", headers=[("Location", location)], authority=authority
    )


def values(name: str, primary: object, candidate: object, count: int = 1) -> Case:
    return Case(name, answer({"x": primary}), answer({"x": candidate}), count=count)


def of_items(name: str, primary: object, candidate: object) -> Case:
    return Case(name, answer(primary), answer(candidate))


ROW = {"id": 1, "price": 5}, {"id": 2, "price": 5}, {"id": 3, "price": 7}
ITEMS = question("/items?page=2")
EXAMPLES = {
    "array-order-among-ties": [of_items("by price", [*ROW], [ROW[1], ROW[0], ROW[2]])],
    "charset": [
        Case("JSON", answer({}), answer({}, kind="application/json; charset=utf-8")),
        Case("quoted", answer({}), answer({}, kind='application/json;charset="UTF-8"')),
        Case("problem", error({}, PROBLEM), error({}, f"{PROBLEM}; charset=utf-8")),
    ],
    "date-format": [
        values("a blank", "2026-01-31T09:30:00Z", "2026-01-31 09:30:00Z"),
        values("no zone", "2026-01-31T09:30:00Z", "2026-01-31T09:30:00"),
        values("as databases write it", "2026-01-31T09:30:00.250000Z", "2026-01-31 09:30:00.25"),
        values("as HTTP writes it", "2026-01-31T09:30:00Z", "Sat, 31 Jan 2026 09:30:00 GMT"),
        values("in another zone", "2026-01-31T09:30:00Z", "2026-01-31T11:30:00+02:00"),
        values("a zone without colon", "2026-01-31T09:30:00+00:00", "2026-01-31T09:30:00+0000"),
        values("without seconds", "2026-01-31T09:30:00Z", "2026-01-31T09:30Z"),
        values("each of a list", ["2026-01-31T09:30:00Z"] * 3, ["2026-01-31 09:30:00"] * 3, count=3),
    ],
    "date-notation": [
        values("the zone", "2026-01-31T09:30:00Z", "2026-01-31T09:30:00+00:00"),
        values("zeros", "2026-01-31T09:30:00.000000Z", "2026-01-31T09:30:00Z"),
        values("some zeros", "2026-01-31T09:30:00.250000+00:00", "2026-01-31T09:30:00.25Z"),
        values("small letters", "2026-01-31t09:30:00z", "2026-01-31T09:30:00Z"),
        values("zeros without a zone", "2026-01-31 09:30:00.000", "2026-01-31 09:30:00"),
    ],
    "error-envelope": [
        Case("problem and detail", error({"type": "x", "title": "y", "status": 404}, PROBLEM),
             error({"detail": "Not Found"})),
        Case("detail and error", error({"detail": "Not Found"}), error({"error": "not found"})),
        Case("error by text and by object", error({"error": "no"}), error({"error": {"code": 1, "message": "no"}})),
        Case("detail and page", error({"detail": "Not Found"}), error("<h1>Not Found</h1>", HTML)),
        Case("two pages", error("<title>404</title>", HTML), error("<h1>Not Found</h1>", HTML)),
        Case("a line and a page", error("Not Found", "text/plain"), error("<h1>Not Found</h1>", HTML)),
        Case("nothing", error({"message": "no"}), error("", "")),
        Case("fields", error({"name": ["This field is required."]}, status=400),
             error({"detail": [{"loc": ["name"]}]}, status=400)),
        Case("a fault", error("Internal Server Error", "text/plain", 500), error({"error": "oops"}, status=500)),
    ],
    "head-refused": [
        Case("by the candidate", answer("", status=200), answer("", status=405), question(method="HEAD")),
        Case("by the primary", answer("", status=405), answer("", status=404), question(method="HEAD")),
    ],
    "header-notation": [
        Case("order", header("Vary", "Cookie, Accept"), header("vary", "accept,cookie")),
        Case("over lines", header("Allow", "GET, HEAD, POST"), header("Allow", "GET", "POST, HEAD")),
        Case("directives", header("Cache-Control", "public, max-age=60"),
             header("Cache-Control", 'Max-Age="60", public')),
        Case("case", answer({}), answer({}, kind="Application/JSON")),
        Case("spacing", answer("", kind=HTML), answer("", kind='text/html;charset="UTF-8"')),
        Case("relative", header("Location", "/orders/7", status=201),
             header("Location", "http://shop.example/orders/7", status=201)),
        Case("challenge", header("WWW-Authenticate", 'Bearer realm="a, b",  error="x"'),
             header("WWW-Authenticate", 'Bearer realm="a, b", error="x"')),
    ],
    "json-key-order": [
        Case("one object", answer('{"a": 1, "b": 2}'), answer('{"b": 2, "a": 1}')),
        Case("two", answer('[{"a": 1, "b": 2}, {"c": 3, "d": 4}]'),
             answer('[{"b": 2, "a": 1}, {"d": 4, "c": 3}]'), count=2),
    ],
    "null-or-absent": [
        values("absent", {"a": 1, "b": None}, {"a": 1}),
        values("present", {"a": 1}, {"a": 1, "b": None, "c": None}, count=2),
    ],
    "number-or-text": [
        values("text and fraction", "1.00", 1.0),
        values("text and integer", "1.00", 1),
        values("integer and fraction", 1, 1.0),
        Case("large", answer('{"x": 12345678901234567890}'), answer('{"x": "12345678901234567890"}')),
    ],
    "server-headers": [
        Case("date", header("Date", "Sat, 28 Nov 2026 08:00:00 GMT"), header("Date", "Sat, 28 Nov 2026 08:00:01 GMT")),
        Case("server", header("Server", "gunicorn"), header("Server", "uvicorn")),
        Case("only on one side", header("X-Powered-By", "x"), answer({})),
        Case("via", header("Via", "1.1 a"), header("Via", "1.1 b")),
        Case("value of a cookie", header("Set-Cookie", "s=abc; Path=/"), header("Set-Cookie", "s=xyz; Path=/")),
        Case("expiry of a cookie", header("Set-Cookie", "s=a; expires=Sat, 28 Nov 2026 08:00:00 GMT"),
             header("Set-Cookie", "s=a; expires=Sat, 28 Nov 2026 08:00:01 GMT")),
    ],
    "trailing-slash-redirect": [
        Case("statuses", redirect(301, "/items/?page=2"), redirect(307, "/items/?page=2"), ITEMS),
        Case("the client's host", redirect(308, "/items/?page=2"),
             redirect(301, "http://shop.example/items/?page=2"), ITEMS),
        Case("its own host", redirect(301, "/items/?page=2"),
             redirect(307, "http://127.0.0.1:8000/items/?page=2", "127.0.0.1:8000"), ITEMS),
        Case("without the slash", redirect(301, "/items"),
             redirect(307, "http://shop.example/items"), question("/items/")),
    ],
    "validation-status": [
        Case("as FastAPI does", error({"detail": "x"}, status=400), error({"detail": "x"}, status=422)),
        Case("the other way", error({"detail": "x"}, status=422), error({"detail": "x"}, status=400)),
    ],
}  # fmt: skip
ALL = [pytest.param(name, case, id=f"{name}: {case.name}") for name, cases in EXAMPLES.items() for case in cases]

NO_EXAMPLES = {
    "array-order-among-ties": [of_items("another order", [*ROW], [*ROW[::-1]])],
    "charset": [
        Case("another charset", answer({}), answer({}, kind="application/json; charset=latin-1")),
        Case("of a page", answer("x", kind="text/html"), answer("x", kind=HTML)),
        Case("another type", answer({}), answer({}, kind="application/hal+json; charset=utf-8")),
    ],
    "date-format": [
        values("another time", "2026-01-31T09:30:00Z", "2026-01-31 09:30:01"),
        values("another precision", "2026-01-31T09:30:00.123456Z", "2026-01-31 09:30:00.123"),
        values("no date", "2026-02-30T09:30:00Z", "2026-02-30 09:30:00"),
        values("a day", "2026-01-31T00:00:00Z", "2026-01-31"),
        values("a number", "2026-01-31T09:30:00Z", 1769851800),
    ],
    "date-notation": [
        values("another format", "2026-01-31T09:30:00Z", "2026-01-31 09:30:00"),
        values("another zone", "2026-01-31T09:30:00Z", "2026-01-31T11:30:00+02:00"),
        values("no zone", "2026-01-31T09:30:00Z", "2026-01-31T09:30:00"),
        values("a millisecond", "2026-01-31T09:30:00.001Z", "2026-01-31T09:30:00Z"),
    ],
    "error-envelope": [
        Case("no errors", answer({"detail": "x"}), answer({"error": "x"})),
        Case("two statuses", error({"detail": "x"}, status=404), error({"detail": "x"}, status=403)),
        Case("two classes", error({"detail": "x"}, status=404), error({"error": "x"}, status=500)),
        Case("one form, another text", error({"detail": "Not Found"}), error({"detail": "No such order."})),
        Case("one form, a member missing", error({"type": "x", "title": "y", "status": 404, "detail": "z"}, PROBLEM),
             error({"type": "x", "title": "y", "status": 404}, PROBLEM)),
        Case("a problem by its members, one missing", error({"type": "x", "title": "y", "status": 404, "detail": "z"}),
             error({"type": "x", "title": "y", "status": 404})),
        Case("a header missing", header("WWW-Authenticate", "Bearer", status=401), error("no", "text/plain", 401)),
    ],
    "head-refused": [
        Case("a GET", answer({}), answer({}, status=405)),
        Case("a fault", answer("", status=405), answer("", status=500), question(method="HEAD")),
        Case("another status", answer(""), answer("", status=404), question(method="HEAD")),
    ],
    "header-notation": [
        Case("an order that means something", header("Link", "<a>; rel=next, <b>; rel=prev"),
             header("Link", "<b>; rel=prev, <a>; rel=next")),
        Case("methods in another case", header("Allow", "GET"), header("Allow", "get")),
        Case("one fewer", header("Vary", "Cookie, Accept"), header("Vary", "Cookie")),
        Case("another host", header("Location", "/orders/7"), header("Location", "http://elsewhere.example/orders/7")),
        Case("another etag", header("ETag", '"1"'), header("ETag", 'W/"1"')),
        Case("a missing list", header("Vary", "Cookie"), answer({})),
    ],
    "json-key-order": [Case("of an array", answer([1, 2]), answer([2, 1]))],
    "null-or-absent": [values("an empty text", {"a": ""}, {}), values("null for something", {"a": None}, {"a": 0})],
    "number-or-text": [
        values("two texts", "1.00", "1.0"),
        values("two numbers", "1.5", 1.6),
        values("a word", "one", 1),
        values("leading zeros", "007", 7),
        values("blanks", " 1", 1),
        values("a boolean", "1", True),
        values("Python's own", "1_000", 1000),
    ],
    "server-headers": [
        Case("another header", header("ETag", '"1"'), header("ETag", '"2"')),
        Case("a cookie missing", header("Set-Cookie", "s=a", "t=b"), header("Set-Cookie", "s=a")),
        Case("an attribute missing", header("Set-Cookie", "s=a; HttpOnly"), header("Set-Cookie", "s=a")),
        Case("another attribute", header("Set-Cookie", "s=a; Max-Age=60"), header("Set-Cookie", "s=a; Max-Age=61")),
        Case("a cookie is deleted", header("Set-Cookie", "s=a"), header("Set-Cookie", "s=")),
        Case("expiry on one side", header("Set-Cookie", "s=a; expires=Sat, 28 Nov 2026 08:00:00 GMT"),
             header("Set-Cookie", "s=a")),
    ],
    "trailing-slash-redirect": [
        Case("elsewhere", redirect(301, "/items/?page=2"), redirect(301, "/other/?page=2"), ITEMS),
        Case("without the query", redirect(301, "/items/?page=2"), redirect(301, "/items/"), ITEMS),
        Case("another host", redirect(301, "/items/?page=2"),
             redirect(301, "http://elsewhere.example/items/?page=2"), ITEMS),
        Case("one answers", redirect(301, "/items/?page=2"), answer({}), ITEMS),
        Case("no slash involved", redirect(301, "/a"), redirect(307, "/a"), ITEMS),
    ],
    "validation-status": [
        Case("another pair", error({}, status=400), error({}, status=409)),
        Case("the bodies", error({"detail": "x"}, status=400), error({"detail": "y"}, status=422)),
    ],
}  # fmt: skip
NONE = [pytest.param(name, case, id=f"{name}: {case.name}") for name, cases in NO_EXAMPLES.items() for case in cases]


def without(name: str) -> tuple[str, ...]:
    return tuple(other for other in KNOWN_DIFFERENCES if other != name)


@pytest.mark.parametrize(("name", "case"), ALL)
def test_a_known_difference_is_equal_and_counted_by_its_name(name: str, case: Case) -> None:
    comparison = compare(case.primary, case.candidate, case.question, normalise=(name,))
    assert found(comparison) == []
    assert comparison.normalised == {name: case.count}


@pytest.mark.parametrize(("name", "case"), ALL)
def test_it_has_its_right_name_among_all(name: str, case: Case) -> None:
    comparison = compare(case.primary, case.candidate, case.question, normalise=KNOWN_DIFFERENCES)
    assert (found(comparison), comparison.normalised) == ([], {name: case.count})


@pytest.mark.parametrize(("name", "case"), ALL)
def test_it_appears_when_its_normaliser_is_switched_off(name: str, case: Case) -> None:
    assert compare(case.primary, case.candidate, case.question, normalise=without(name)).differences


@pytest.mark.parametrize(("name", "case"), ALL)
def test_it_is_equal_from_either_side(name: str, case: Case) -> None:
    comparison = compare(case.candidate, case.primary, case.question, normalise=(name,))
    assert (found(comparison), comparison.normalised) == ([], {name: case.count})


@pytest.mark.parametrize(("name", "case"), NONE)
def test_what_only_looks_like_it_is_a_difference(name: str, case: Case) -> None:
    assert compare(case.primary, case.candidate, case.question, normalise=(name,)).differences


def test_what_differs_beside_a_known_difference_is_still_found() -> None:
    primary = answer({"t": "2026-01-31T09:30:00Z", "n": 1}, headers=[("Server", "a")])
    candidate = answer({"n": 2, "t": "2026-01-31T09:30:00+00:00"}, headers=[("Server", "b")])
    comparison = compare(primary, candidate)
    assert [difference.field for difference in comparison.differences] == ["body.n"]
    assert comparison.normalised == {"server-headers": 1, "date-notation": 1, "json-key-order": 1}


def test_each_name_of_the_settings_has_a_normaliser_and_examples_of_both_kinds() -> None:
    names = [normaliser.name for normaliser in NORMALISERS]
    assert names == list(KNOWN_DIFFERENCES) == sorted(names) == list(EXAMPLES) == list(NO_EXAMPLES)
    assert set(HARMLESS) <= set(names)
    assert all(one < other for one, other in pairwise(names))
