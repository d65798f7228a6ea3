"""Servers must answer alike before they are timed: what differs is named; what is unique to a question is not."""

import json

import pytest

from strangler.bench.agreement import Agreement, NotAnswered, compare
from strangler.bench.endpoint import Endpoint
from strangler.model.shadow import Comparing
from strangler.shadow.answer import Question

from .serving import Answer, serving, well

READ = Endpoint("read", tuple(Question(b"GET", b"/%d" % number, (), b"") for number in range(3)))
MAKE = Endpoint(
    "make", (Question(b"POST", b"/p", ((b"X-Key", b"{unique}"),), b'{"sku": "a-{unique}-z"}'),), frozenset((201,))
)


def echo(method: str, target: str, body: bytes) -> Answer:
    return 201, json.dumps({"made": json.loads(body)}).encode()


def agreed(endpoint: Endpoint, other: object, baseline: object = well) -> Agreement:
    with serving(baseline) as one, serving(other) as two:  # type: ignore[arg-type]
        first, second = compare(endpoint, {"a": one.authority, "b": two.authority}, Comparing())
        assert first.target == "a"
        return second


def test_equal_answers_agree() -> None:
    found = agreed(READ, well)
    assert (found.is_equal, found.compared) == (True, 3)


def test_what_differs_is_named_by_its_field() -> None:
    found = agreed(READ, lambda *_: (200, b'{"ok": false, "more": 1}'))
    assert not found.is_equal
    assert {difference.field for difference in found.differences} == {"body.more", "body.ok"}


def test_equal_answers_with_a_wrong_status_are_wrong() -> None:
    def gone(method: str, target: str, body: bytes) -> Answer:
        return 404, b"{}"

    found = agreed(READ, gone, gone)
    assert (found.is_equal, found.wrong) == (False, ("3 × 404 in place of 200",))


def test_each_server_gets_a_unique_question_of_its_own_and_that_is_no_difference() -> None:
    with serving(echo) as one, serving(echo) as two:
        _, found = compare(MAKE, {"a": one.authority, "b": two.authority}, Comparing())
        assert found.is_equal, found.differences
        assert one.asked[0] != two.asked[0]


def test_a_server_that_does_not_answer_is_named() -> None:
    with serving(well) as one:
        pass
    with serving(well) as two, pytest.raises(NotAnswered, match=r"a at 127\.0\.0\.1:.* does not answer /0"):
        compare(READ, {"a": one.authority, "b": two.authority}, Comparing())
