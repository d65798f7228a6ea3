"""Endpoints: targets that are counted through, requests of which no two are the same, the bytes on the wire."""

import itertools

import pytest

from strangler.bench.endpoint import Endpoint, rendered, targets
from strangler.shadow.answer import Question

READ = Endpoint("read", tuple(Question(b"GET", target.encode(), (), b"") for target in targets("/p/{1..3}")))
MADE = Endpoint(
    "make", (Question(b"POST", b"/p", ((b"X-Key", b"k-{unique}"),), b'{"sku": "{unique}"}'),), frozenset((201,))
)


def test_a_range_stands_for_as_many_targets() -> None:
    assert targets("/p/{1..3}/x") == ["/p/1/x", "/p/2/x", "/p/3/x"]
    assert targets("/p") == ["/p"]


@pytest.mark.parametrize(
    ("text", "says"), [("/{3..1}", "counts down"), ("/{1..99999}", "more than"), ("/{1..2}/{1..2}", "two ranges")]
)
def test_a_range_that_cannot_be_is_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        targets(text)


def test_what_is_the_same_each_time_is_asked_in_turn() -> None:
    assert [each.target for each in itertools.islice(READ.asked(), 5)] == [b"/p/1", b"/p/2", b"/p/3", b"/p/1", b"/p/2"]
    assert len(READ.requests("h:1", 1_000)) == 3


def test_no_two_unique_requests_are_the_same_not_even_of_two_runs() -> None:
    every = [*MADE.requests("h:1", 200), *MADE.requests("h:1", 200)]
    assert len(set(every)) == 400
    assert not any(b"{unique}" in request for request in every)
    assert READ.is_unique is False


def test_a_request_is_whole_and_says_how_long_its_body_is() -> None:
    question = Question(b"POST", b"/p?a=1", ((b"Host", b"no"), (b"X-A", b"b"), (b"Content-Length", b"9")), b"body")
    assert rendered(question, "h:1") == b"POST /p?a=1 HTTP/1.1\r\nHost: h:1\r\nX-A: b\r\nContent-Length: 4\r\n\r\nbody"
    assert rendered(Question(b"PUT", b"/p", (), b""), "h:1").endswith(b"Content-Length: 0\r\n\r\n")
    assert b"Content-Length" not in rendered(Question(b"GET", b"/p", (), b""), "h:1")
