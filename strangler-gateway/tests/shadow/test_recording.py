"""A recording says what it holds, comes back as it was written, and is refused with a line where it is not whole."""

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.model.shadow import Comparing, Ignored, Redaction, Shadow
from strangler.shadow.answer import Answer, Question
from strangler.shadow.recording import (
    Head,
    Recorded,
    RecordingUnreadable,
    exchange_line,
    head_line,
    read,
    read_exchange,
    recorded_of,
)
from strangler.shadow.redaction import Redactor

QUESTION = Question(
    b"GET", b"/api/products?page=2&q=lamp", ((b"Accept", b"*/*"), (b"Authorization", b"Bearer a.b.c")), b""
)
ANSWER = Answer(
    200, ((b"Content-Type", b"application/json"), (b"Set-Cookie", b"session=1234567")), b'{"token":"12345678"}', 0.0125
)
SHADOW = Shadow(
    at_most=0.01,
    comparing=Comparing(ignore=(Ignored("body.at", "a clock", "2027-01-01"),), tolerances=(("body.x", 0.5),)),
    redaction=Redaction(query=("page",)),
)
HEAD = Head("products", SHADOW, 1_700_000_000.5, 1_700_000_060.0, 1, {"request.header.authorization": 1})


def redacted(question: Question = QUESTION, answer: Answer = ANSWER) -> Recorded:
    redactor = Redactor(SHADOW.redaction)
    return recorded_of(1_700_000_001.25, question, answer, redactor.question(question), redactor.answer(answer))


def test_what_was_written_comes_back() -> None:
    recorded = redacted()
    head, exchanges = read([head_line(HEAD), exchange_line(recorded)])
    assert head == HEAD
    assert list(exchanges) == [recorded]


headers = st.lists(
    st.tuples(
        st.from_regex(rb"[A-Za-z-]{1,8}", fullmatch=True), st.from_regex(rb"[ -~\x80-\xff]{0,12}", fullmatch=True)
    )
).map(tuple)


@given(headers, st.binary(max_size=60), headers, st.binary(max_size=60), st.integers(100, 599))
def test_whatever_an_exchange_holds_comes_back(
    sent: tuple[tuple[bytes, bytes], ...],
    body: bytes,
    got: tuple[tuple[bytes, bytes], ...],
    content: bytes,
    status: int,
) -> None:
    recorded = Recorded(1.5, Question(b"POST", b"/x?\xff", sent, body), Answer(status, got, content, 0.25))
    line = exchange_line(recorded)
    assert b"\n" not in line
    assert read_exchange(line, 2) == recorded


def test_what_was_redacted_is_named_and_not_said() -> None:
    recorded = redacted()
    assert recorded.redacted == (
        "request.query.q",
        "request.header.authorization",
        "answer.header.set-cookie",
        "answer.body",
    )
    line = exchange_line(recorded)
    assert not [secret for secret in (b"lamp", b"a.b.c", b"1234567") if secret in line]
    assert recorded.missing == {"authorization"}


def test_a_body_that_was_only_unpacked_was_not_redacted() -> None:
    fields = (*ANSWER.fields[:1], (b"Content-Encoding", b"gzip"))
    packed = Answer(200, fields, gzip.compress(b'{"name": "Oak chair"}'))
    recorded = redacted(answer=packed)
    assert json.loads(recorded.answer.body) == {"name": "Oak chair"}
    assert "answer.body" not in recorded.redacted


@pytest.mark.parametrize(
    ("target", "body", "whole"),
    [
        (b"/api/products?page=2", b"", True),
        (b"/api/products?q=lamp", b"", False),
        (b"/api/customers/ada@example.org", b"", False),
        (b"/api/session", b'{"password":"long enough"}', False),
        (b"/api/session", b'{"name":"Ada"}', True),
    ],
)
def test_only_what_is_whole_can_be_asked_again(target: bytes, body: bytes, whole: bool) -> None:
    fields = ((b"Content-Type", b"application/json"),)
    assert redacted(Question(b"POST", target, fields, body)).is_whole is whole


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([], "line 1: this is no recording; `strangler record"),
        ([b""], "line 1: this is no recording"),
        ([b"\xff\xfe"], "line 1: this is no recording"),
        ([b"[]"], "line 1: this is no recording"),
        ([b'{"recording": 2}'], "line 1: its form is 2, and this strangler reads 1"),
        ([b'{"recording": "1"}'], "line 1: its form is '1'"),
        ([b'{"recording": 1}'], "line 1: the head of the recording is damaged: .*route"),
        ([head_line(HEAD), b"{"], "line 2: not an exchange"),
        ([head_line(HEAD), exchange_line(redacted())[:-20]], "line 2: not an exchange"),
        ([head_line(HEAD), b"", b'{"at": 1}'], "line 3: not an exchange: .*method"),
        ([head_line(HEAD), exchange_line(redacted()).replace(b'"GET"', b'"G T"')], "line 2: not a request"),
        ([head_line(HEAD), exchange_line(redacted()).replace(b'"/api', b'"api')], "line 2: not a request"),
        ([head_line(HEAD), exchange_line(redacted()).replace(b"?page", b" page")], "line 2: not a request"),
        ([head_line(HEAD), exchange_line(redacted()).replace(b"?page", b"?\\r\\npage")], "line 2: not a request"),
        ([head_line(HEAD), exchange_line(redacted()).replace(b"Accept", b"Acc\\r\\nept")], "line 2: not a header"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line_and_a_remedy(lines: list[bytes], why: str) -> None:
    with pytest.raises(RecordingUnreadable, match=why):
        list(read(lines)[1])
