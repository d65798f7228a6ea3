"""Conditions on the version that a client has seen."""

import pytest
from starlette.datastructures import Headers

from chassis.conditional import PreconditionFailed, check_if_match, etag, not_modified

CASES = [
    # sent, matches weakly (If-None-Match), matches strongly (If-Match)
    ('"3"', True, True),
    ('W/"3"', True, False),
    ("*", True, True),
    (' "1" , "3"', True, True),
    ('"1",W/"3"', True, False),
    ('"33"', False, False),
    ("3", False, False),
    ("", False, False),
    ('"3', False, False),
]


@pytest.mark.parametrize(("sent", "weakly", "strongly"), CASES)
def test_tags_are_compared_as_the_condition_wants(sent: str, weakly: bool, strongly: bool) -> None:
    assert not_modified(Headers({"If-None-Match": sent}), etag(3)) is weakly
    if strongly:
        check_if_match(Headers({"If-Match": sent}), etag(3))
    else:
        with pytest.raises(PreconditionFailed, match='its ETag is now "3"'):
            check_if_match(Headers({"If-Match": sent}), etag(3))


def test_without_condition_everything_goes() -> None:
    assert not not_modified(Headers({}), etag(3))
    check_if_match(Headers({}), etag(3))


def test_several_lines_are_one_list() -> None:
    headers = Headers(raw=[(b"if-match", b'"1"'), (b"if-match", b'"3"')])
    check_if_match(headers, etag(3))
