"""Ids are continued where they are well-formed, made where they are not, and put on answers and logs."""

import io
import json
import re

import httpx
import pytest
import structlog

from chassis.correlation import correlate

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize("sent", ["r-1", "a" * 128, "urn:uuid:1/2=3"])
def test_a_good_request_id_is_kept(sent: str) -> None:
    assert correlate(sent, None).request_id == sent


@pytest.mark.parametrize("sent", [None, "", "a b", "a\nb", "ä", "a" * 129, '"x"'])
def test_a_request_id_that_could_harm_a_log_is_replaced(sent: str | None) -> None:
    assert re.fullmatch(r"[0-9a-f-]{36}", correlate(sent, None).request_id)


@pytest.mark.parametrize("version", ["00", "01"])
def test_a_good_trace_is_continued_with_a_span_of_its_own(version: str) -> None:
    more = "" if version == "00" else "-future"
    found = correlate(None, f"{version}-{TRACE}-{PARENT}-01{more}")
    assert (found.trace_id, found.parent_id, found.flags) == (TRACE, PARENT, "01")
    assert found.span_id not in {PARENT, "0" * 16}
    assert found.traceparent == f"00-{TRACE}-{found.span_id}-01"


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "",
        f"00-{TRACE}-{PARENT}",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01-more",
        f"00-{TRACE}-{PARENT}-01\n",
    ],
)
def test_a_bad_trace_begins_a_new_one(sent: str | None) -> None:
    found = correlate(None, sent)
    assert (found.parent_id, found.flags) == (None, "00")
    assert re.fullmatch("[0-9a-f]{32}", found.trace_id)
    assert found.trace_id != TRACE


def test_only_the_sampled_flag_is_passed_on() -> None:
    assert correlate(None, f"00-{TRACE}-{PARENT}-ff").flags == "01"


def test_answers_carry_the_ids(client: httpx.Client) -> None:
    sent = {"X-Request-ID": "r-1", "traceparent": f"00-{TRACE}-{PARENT}-01"}
    answer = client.get("/api/things/1", headers=sent)
    assert answer.headers["x-request-id"] == "r-1"
    assert answer.headers["traceresponse"].startswith(f"00-{TRACE}-")


@pytest.mark.parametrize("path", ["/api/things/500", "/api/nothing"])
def test_failures_carry_the_ids_too(path: str, client: httpx.Client, log: io.StringIO) -> None:
    answer = client.get(path, headers={"X-Request-ID": "r-2"})
    assert answer.headers["x-request-id"] == "r-2"


def test_log_lines_of_a_request_carry_its_ids_and_no_others(client: httpx.Client, log: io.StringIO) -> None:
    client.get("/api/things/500", headers={"X-Request-ID": "r-3", "traceparent": f"00-{TRACE}-{PARENT}-01"})
    (line,) = [json.loads(each) for each in log.getvalue().splitlines() if "unexpected" in each]
    assert (line["request_id"], line["trace_id"], line["service"]) == ("r-3", TRACE, "things")
    log.truncate(0)
    structlog.get_logger("x").info("outside")
    assert "r-3" not in log.getvalue()
