"""A line of the access log is one JSON object that says what it was given, whatever a client sends."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.dataplane.log_line import LONGEST_TEXT, Refusal, line, redacted, refusal_line
from strangler.http1.refusal import RequestRefused
from strangler.http1.request import RequestParser
from strangler.model.failure import Failure
from strangler.model.snapshot import Limits
from strangler.model.telemetry import SECRET_PARAMETERS, LogSettings

from .finished import finished

EPOCH = 1_699_999_900.25
EVERYTHING = LogSettings(also=frozenset(("query", "user_agent", "subject")))


@dataclass
class Identity:
    subject: str


def read(data: bytes) -> dict[str, Any]:
    assert data.count(b"\n") == 1
    assert data.endswith(b"\n")
    assert data.isascii()
    record: dict[str, Any] = json.loads(data)
    return record


def test_a_line_says_everything_by_name() -> None:
    assert read(line(finished(answered=100.004), EPOCH, LogSettings())) == {
        "time": "2023-11-14T22:13:20.250000Z",
        "request_id": "id-1",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "client": "127.0.0.1",
        "scheme": "http",
        "protocol": "HTTP/1.1",
        "method": "GET",
        "host": "shop.example",
        "path": "/api/products/7",
        "status": 200,
        "route": "products-get",
        "arm": "monolith",
        "reason": "no_route",
        "endpoint": "127.0.0.1:8091",
        "attempts": 1,
        "first_byte_ms": 4.0,
        "duration_ms": 12.346,
        "bytes_in": 5,
        "bytes_out": 77,
    }


def test_an_answer_that_came_at_once_had_its_first_byte_with_its_last() -> None:
    assert read(line(finished(), EPOCH, LogSettings()))["first_byte_ms"] == 12.346


def test_a_held_request_says_for_how_long_also_if_it_ended_so() -> None:
    assert "held_ms" not in read(line(finished(), EPOCH, LogSettings()))
    assert read(line(finished(held=0.5, took=0.75), EPOCH, LogSettings()))["held_ms"] == 500
    assert read(line(finished(held=-100.25, took=0.75), EPOCH, LogSettings()))["held_ms"] == 500


def test_a_failure_is_named_and_had_no_first_byte() -> None:
    record = read(line(finished(failure=Failure.RESET_BEFORE_HEAD, status=502), EPOCH, LogSettings()))
    assert (record["failure"], record["first_byte_ms"]) == ("head.upstream", None)


def test_what_is_personal_or_secret_is_in_the_line_only_where_it_is_asked_for() -> None:
    exchange = finished(identity=Identity("anna"))
    assert not {"query", "user_agent", "subject"} & set(read(line(exchange, EPOCH, LogSettings())))
    record = read(line(exchange, EPOCH, EVERYTHING))
    assert (record["query"], record["user_agent"], record["subject"]) == ("q=1", "curl/8", "anna")


def test_the_reference_lists_every_field_and_no_other() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "access-log.md").read_text()
    rows = [row.split("|")[1] for row in page.splitlines() if row.startswith("| `")]
    documented = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    exchange = finished(identity=Identity("anna"), failure=Failure.RESET_IN_BODY, held=0.5, attempts=2)
    exchange.recovered_from = Failure.CONNECT
    fields = list(read(line(exchange, EPOCH, EVERYTHING)))
    assert sorted(documented) == sorted(fields)
    shown = next(row for row in page.splitlines() if row.startswith("{"))
    assert list(json.loads(shown)) == list(read(line(finished(), EPOCH, LogSettings())))


def test_headers_never_come_into_a_line() -> None:
    head = (
        b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer s3cret\r\nCookie: session=s3cret\r\nX-Key: s3cret\r\n\r\n"
    )
    assert b"s3cret" not in line(finished(head), EPOCH, EVERYTHING)


def test_a_clients_words_are_cut_to_a_length() -> None:
    head = b"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: " + b"x" * 5000 + b"\r\n\r\n"
    assert len(read(line(finished(head), EPOCH, EVERYTHING))["user_agent"]) == LONGEST_TEXT


@given(path=st.binary(max_size=60), query=st.binary(max_size=60), subject=st.text(max_size=20))
def test_no_bytes_break_a_line(path: bytes, query: bytes, subject: str) -> None:
    exchange = finished(identity=Identity(subject))
    exchange.head.path, exchange.head.query = b"/" + path, query
    record = read(line(exchange, EPOCH, EVERYTHING))
    assert record["path"] == (b"/" + path).decode("utf-8", "backslashreplace")
    assert record.get("subject", "") == subject


@given(client=st.text(max_size=60), endpoint=st.text(max_size=30))
def test_no_address_breaks_a_line(client: str, endpoint: str) -> None:
    record = read(line(finished(client=client, endpoint=endpoint), EPOCH, LogSettings()))
    assert (record["client"], record["endpoint"]) == (client, endpoint)


_WORD = st.binary(max_size=30).map(lambda word: word.translate(None, b"\r\n"))


@given(
    target=_WORD,
    host=_WORD,
    fields=st.dictionaries(st.sampled_from([b"X-Request-ID", b"User-Agent", b"traceparent", b"X-Other"]), _WORD),
)
def test_whatever_passes_the_parser_makes_a_valid_line(target: bytes, host: bytes, fields: dict[bytes, bytes]) -> None:
    lines = b"".join(b"\r\n%b: %b" % field for field in fields.items())
    head = b"GET /%b HTTP/1.1\r\nHost: %b%b\r\n\r\n" % (target, host, lines)
    try:
        RequestParser(Limits()).parse(head)
    except RequestRefused:
        return
    record = read(line(finished(head), EPOCH, EVERYTHING))
    assert record["host"] == host.strip(b" \t").decode()


@given(moment=st.floats(0, 4e9))
def test_no_moment_breaks_a_line(moment: float) -> None:
    assert len(read(line(finished(began=moment), 0, LogSettings()))["time"]) == len("2023-11-14T22:13:20.250000Z")


def test_what_did_not_become_a_request_has_a_line_of_its_own() -> None:
    refusal = Refusal(100.0, b"id-2", "::1", 431, Failure.REQUEST)
    assert read(refusal_line(refusal, EPOCH)) == {
        "time": "2023-11-14T22:13:20.250000Z",
        "request_id": "id-2",
        "client": "::1",
        "status": 431,
        "failure": "request.client",
    }


SECRETS = frozenset(name.encode() for name in SECRET_PARAMETERS)


@pytest.mark.parametrize(
    ("query", "logged"),
    [
        (b"token=abc", b"token=REDACTED"),
        (b"a=1&TOKEN=abc&b=2", b"a=1&TOKEN=REDACTED&b=2"),
        (b"t%6Fken=abc", b"t%6Fken=REDACTED"),
        (b"+token+=abc", b"+token+=REDACTED"),
        (b"a=1;token=abc;b", b"a=1;token=REDACTED;b"),
        (b"token=a=b==", b"token=REDACTED"),
        (b"token=", b"token=REDACTED"),
        (b"token", b"token"),
        (b"a=token", b"a=token"),
        (b"&&=&", b"&&=&"),
        (b"", b""),
    ],
)
def test_a_secret_parameter_is_redacted_however_it_is_written(query: bytes, logged: bytes) -> None:
    assert redacted(query, SECRETS) == logged


@given(
    st.lists(st.tuples(st.sampled_from(["token", "Sig", "a", "b c", "pass&word"]), st.text(max_size=10)), max_size=8)
)
def test_redaction_keeps_every_other_parameter(pairs: list[tuple[str, str]]) -> None:
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
    found = parse_qsl(redacted(query.encode(), SECRETS).decode(), keep_blank_values=True)
    assert found == [(name, "REDACTED" if name.lower().encode() in SECRETS else value) for name, value in pairs]
