"""``strangler replay``: what was recorded, asked of a candidate; verdicts, exit statuses, and what is not asked."""

import contextlib
import itertools
import json
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from threading import Barrier, BrokenBarrierError

import pytest

from strangler.model.shadow import Comparing, Ignored, Shadow
from strangler.shadow.answer import Answer, Question
from strangler.shadow.recording import Head, Recorded, exchange_line, head_line, recorded_of
from strangler.shadow.redaction import Redactor
from support.answering import Asked, Said, answering
from support.processes import free_port

from .conftest import Ran, strangler

JSON = ((b"Content-Type", b"application/json"),)
SHADOW = Shadow(at_most=0.05)
ENOUGH = 100
"""Exchanges, none of which differ, by which more than 5 % is ruled out."""


def document(number: int) -> bytes:
    return json.dumps({"id": number, "name": f"Chair {number}", "price": "12.90"}).encode()


def exchange(number: int, **question: object) -> Recorded:
    asked = replace(Question(b"GET", b"/api/products/%d" % number, (), b""), **question)
    answer = Answer(200, JSON, document(number), 0.01)
    redactor = Redactor(SHADOW.redaction)
    return recorded_of(1.0, asked, answer, redactor.question(asked), redactor.answer(answer))


def recording(folder: Path, exchanges: Iterable[Recorded], shadow: Shadow = SHADOW) -> Path:
    lines = list(map(exchange_line, exchanges))
    file = folder / "recorded.jsonl"
    file.write_bytes(b"\n".join((head_line(Head("products", shadow, 0, 1, len(lines))), *lines, b"")))
    return file


def right(asked: Asked) -> Said:
    """As it was recorded."""
    return Said(body=document(int(asked.target.rpartition("/")[2].partition("?")[0])))


def replay(file: Path, answer: Callable[[Asked], Said], *options: object) -> Ran:
    with answering(answer) as candidate:
        return strangler("replay", file, "--against", candidate.url, *options)


# Verdicts


def test_a_candidate_that_answers_as_was_recorded_is_equivalent(tmp_path: Path) -> None:
    ran = replay(recording(tmp_path, map(exchange, range(ENOUGH))), right)
    assert ran.status == 0, ran
    assert f"after {ENOUGH} compared" in ran.out
    assert not ran.err


def test_a_candidate_with_a_fault_is_different_and_the_field_is_named(tmp_path: Path) -> None:
    file = recording(tmp_path, map(exchange, range(ENOUGH)))
    ran = replay(file, lambda asked: Said(body=right(asked).body.replace(b"12.90", b"12.9")), "--json")
    assert ran.status == 1
    report = ran.document["report"]
    assert ran.document["exit_status"] == 1
    assert report["verdict"]["judgement"] == "different"
    assert [field["field"] for field in report["fields"]] == ["body.price"]


def test_a_few_exchanges_are_not_enough_to_say(tmp_path: Path) -> None:
    assert replay(recording(tmp_path, map(exchange, range(5))), right).status == 3


def test_going_through_the_file_again_finds_what_fails_now_and_then(tmp_path: Path) -> None:
    counter = itertools.count(1)

    def seldom_wrong(asked: Asked) -> Said:
        return Said(500) if next(counter) % 20 == 0 else right(asked)

    file = recording(tmp_path, map(exchange, range(ENOUGH)))
    ran = replay(file, seldom_wrong, "--again", 9)
    assert ran.status == 1, ran
    assert "each exchange was asked 10 times" in ran.out


def test_a_candidate_that_differs_from_itself_is_not_called_different(tmp_path: Path) -> None:
    numbers = itertools.count()
    file = recording(tmp_path, map(exchange, range(ENOUGH)))
    ran = replay(file, lambda asked: Said(body=b'{"id": %d, "price": "12.90"}' % (next(numbers) * 7)), "--json")
    fields = {each["field"]: each for each in ran.document["report"]["fields"]}
    assert fields["body.id"]["judgement"] != "different"
    assert fields["body.name"]["judgement"] == "different"


def test_a_live_primary_takes_the_place_of_what_was_recorded(tmp_path: Path) -> None:
    """It has moved on since, and differs from itself: neither is the candidate's fault."""
    file = recording(tmp_path, map(exchange, range(ENOUGH)))
    draw = random.Random(7)  # Noise is drawn anew for each answer: a counter would follow the order of the questions.

    def moved_on(asked: Asked) -> Said:
        return Said(body=right(asked).body.replace(b"12.90", b"13.%02d" % draw.randrange(7)))

    with answering(moved_on) as primary:
        ran = replay(file, moved_on, "--primary", primary.url, "--json")
        assert ran.status != 1, ran
        assert len(primary.requests) > ENOUGH
        broken = replay(file, lambda asked: Said(body=b"{}"), "--primary", primary.url)
    assert broken.status == 1


# What counts as a difference


def test_the_rules_are_those_of_the_recording_or_of_a_configuration(tmp_path: Path) -> None:
    def dearer(asked: Asked) -> Said:
        return Said(body=right(asked).body.replace(b"12.90", b"13.90"))

    plain = recording(tmp_path, map(exchange, range(ENOUGH)))
    assert replay(plain, dearer).status == 1
    config = tmp_path / "strangler.yaml"
    config.write_text(
        "monolith: http://127.0.0.1:1\n"
        'upstreams: {catalog: {endpoints: ["http://127.0.0.1:2"]}}\n'
        "routes:\n"
        "  - name: new-products\n"
        "    match: {path: /api/products}\n"
        "    service: catalog\n"
        "    shadow:\n"
        "      at_most: 0.05\n"
        "      compare: {ignore: [{field: body.price, reason: it is another shop's}]}\n"
    )
    assert replay(plain, dearer, "--config", config, "--route", "new-products").status == 0
    nowhere = replay(plain, dearer, "--config", config)
    assert (nowhere.status, "has no route products" in nowhere.err) == (2, True)
    assert replay(plain, dearer, "--route", "new-products").status == 2
    ignoring = replace(SHADOW, comparing=Comparing(ignore=(Ignored("body.price", "it is another shop's"),)))
    ran = replay(recording(tmp_path, map(exchange, range(ENOUGH)), ignoring), dearer, "--json")
    assert ran.status == 0
    assert [(each["field"], each["count"]) for each in ran.document["report"]["ignored"]] == [("body.price", ENOUGH)]


def test_what_was_redacted_in_an_answer_is_compared_by_its_shape(tmp_path: Path) -> None:
    secret, other, longer = (json.dumps({"access_token": each}).encode() for each in ("a" * 12, "b" * 12, "c" * 13))
    answer = Answer(200, JSON, secret)
    redactor = Redactor(SHADOW.redaction)
    question = Question(b"GET", b"/api/tokens", (), b"")
    recorded = recorded_of(1.0, question, answer, question, redactor.answer(answer))
    assert b"aaaa" not in exchange_line(recorded)
    file = recording(tmp_path, [recorded] * ENOUGH)
    assert replay(file, lambda asked: Said(body=other)).status == 0
    assert replay(file, lambda asked: Said(body=longer)).status == 1


def test_redirects_are_compared_and_not_followed(tmp_path: Path) -> None:
    def elsewhere(asked: Asked) -> Said:
        return Said(301, headers=(("Location", "/elsewhere"),))

    file = recording(tmp_path, map(exchange, range(ENOUGH)))
    with answering(elsewhere) as candidate:
        ran = strangler("replay", file, "--against", candidate.url, "--json")
        assert not [asked for asked in candidate.requests if asked.target == "/elsewhere"]
    assert (ran.status, ran.document["report"]["fields"][0]["field"]) == (1, "status")


# What is asked, and how


def test_requests_go_out_as_they_were_recorded(tmp_path: Path) -> None:
    headers = (
        (b"Accept-Language", b"de"),
        (b"Accept-Encoding", b"gzip"),
        (b"Connection", b"close"),
        (b"X-Tenant", b"a"),
    )
    targets = (b"/a//b/%2e%2e/c?page=2&limit=", b"/%E4%BE%8B;v=1", b"/?")
    exchanges = [exchange(7, target=target, fields=headers) for target in targets]
    with answering(lambda asked: Said(body=document(7))) as candidate:
        strangler("replay", recording(tmp_path, exchanges), "--against", f"{candidate.url}/base/")
        asked = candidate.requests
    assert {each.target for each in asked} == {f"/base{target.decode()}" for target in targets}
    host = candidate.url.removeprefix("http://")
    assert {tuple(sorted(each.headers.items())) for each in asked} == {
        (("accept-encoding", "gzip"), ("accept-language", "de"), ("host", host))
    }


def test_writes_are_asked_only_if_that_is_said(tmp_path: Path) -> None:
    write = exchange(7, method=b"POST", body=b'{"name": "x"}', fields=JSON)
    file = recording(tmp_path, [exchange(7), write])
    with answering(right) as candidate:
        ran = strangler("replay", file, "--against", candidate.url)
        assert {asked.method for asked in candidate.requests} == {"GET"}
        assert "1 not asked: they write" in ran.err
        with_writes = strangler("replay", file, "--against", candidate.url, "--unsafe", "--json")
        posted = [asked for asked in candidate.requests if asked.method == "POST"]
    assert with_writes.document["left_out"] == {}
    assert [each.body for each in posted] == [b'{"name": "x"}'], "and it is asked once, whatever it answers"


def test_what_was_redacted_in_a_request_is_not_made_up(tmp_path: Path) -> None:
    searched = exchange(7, target=b"/api/products/7?q=lamp")
    with answering(right) as candidate:
        ran = strangler("replay", recording(tmp_path, [searched, exchange(7)]), "--against", candidate.url, "--json")
        assert {asked.target for asked in candidate.requests} == {"/api/products/7"}
    assert ran.document["left_out"] == {"request_redacted": 1}


CREDENTIALS = ((b"Authorization", b"Bearer a.b.c"), (b"User-Agent", b"curl/8"))


def test_credentials_are_put_back_where_they_stood(tmp_path: Path) -> None:
    file = recording(tmp_path, [exchange(7), exchange(8, fields=CREDENTIALS)])
    with answering(right) as candidate:
        without = strangler("replay", file, "--against", candidate.url, "--json")
        assert {asked.target for asked in candidate.requests} == {"/api/products/7"}
        candidate.requests.clear()
        strangler("replay", file, "--against", candidate.url, "-H", "authorization: Bearer of CI", "-H", "X-CI: yes")
        sent = {asked.target: asked.headers for asked in candidate.requests}
        candidate.requests.clear()
        strangler("replay", file, "--against", candidate.url, "--header", "Authorization:")
        anonymous = {asked.target: asked.headers for asked in candidate.requests}
    assert without.document["left_out"] == {"credentials_redacted": 1}
    assert without.document["credentials_missing"] == {"authorization": 1}
    assert sent["/api/products/8"]["authorization"] == "Bearer of CI"
    assert "authorization" not in sent["/api/products/7"]
    assert {headers["x-ci"] for headers in sent.values()} == {"yes"}
    assert "user-agent" not in sent["/api/products/8"], "what was redacted and not put back is not sent"
    assert "authorization" not in anonymous["/api/products/8"]


def test_credentials_can_stand_in_a_file_and_are_not_shown(tmp_path: Path) -> None:
    file = recording(tmp_path, [exchange(8, fields=CREDENTIALS)] * ENOUGH)
    headers = tmp_path / "headers"
    headers.write_text("Authorization: Bearer hunter2hunter2\n\n")
    with answering(right) as candidate:
        ran = strangler("replay", file, "--against", candidate.url, "--header-file", headers, "--json")
        assert {asked.headers["authorization"] for asked in candidate.requests} == {"Bearer hunter2hunter2"}
    assert (ran.status, "hunter2" in ran.out + ran.err) == (0, False)
    headers.write_text("Bearer hunter2hunter2\n")
    ran = strangler("replay", file, "--against", candidate.url, "--header-file", headers)
    assert (ran.status, "line 1" in ran.err, "hunter2" in ran.err) == (2, True, False)


def test_no_more_than_so_many_questions_are_asked_at_a_time(tmp_path: Path) -> None:
    barrier = Barrier(3)

    def together(asked: Asked) -> Said:
        with contextlib.suppress(BrokenBarrierError):  # Second answers may be asked for by one alone.
            barrier.wait(1)
        return right(asked)

    with answering(together) as candidate:
        strangler(
            "replay", recording(tmp_path, map(exchange, range(9))), "--against", candidate.url, "--concurrency", 3
        )
        assert candidate.most_at_once == 3


# What goes wrong


def test_questions_without_an_answer_are_no_evidence_that_it_is_equivalent(tmp_path: Path) -> None:
    exchanges = [exchange(9 if number % 10 == 0 else 7) for number in range(2 * ENOUGH)]

    def gives_up(asked: Asked) -> Said:
        return replace(right(asked), cut=asked.target.endswith("9"))

    ran = replay(recording(tmp_path, exchanges), gives_up, "--json")
    assert ran.document["report"]["verdict"]["judgement"] == "not_enough_seen"
    assert ran.status == 3
    assert "left without an answer" in ran.document["because"]


def test_a_candidate_that_is_too_slow_has_not_answered(tmp_path: Path) -> None:
    def slow(asked: Asked) -> Said:
        time.sleep(0.3)
        return right(asked)

    ran = replay(recording(tmp_path, [exchange(7)] * 2), slow, "--timeout", "0.05", "--json")
    assert (ran.status, ran.document["report"]["ledger"]["headings"]) == (3, {"candidate_timeout": 2})


def test_a_page_is_written_beside_the_words(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    ran = replay(recording(tmp_path, map(exchange, range(ENOUGH))), right, "--html", page)
    assert ran.status == 0
    assert "<html" in page.read_text()
    nowhere = strangler(
        "replay", tmp_path / "recorded.jsonl", "--against", "http://h", "--html", tmp_path / "no/x.html"
    )
    assert (nowhere.status, "there is no folder" in nowhere.err) == (2, True)


@pytest.mark.parametrize(
    "url",
    ["127.0.0.1:8001", "ftp://127.0.0.1", "http://", "http://h:x", "http://h/?a=b", "http://u:p@h", "http://h/ü", "x"],
)
def test_an_address_that_is_none_is_wrong_input(tmp_path: Path, url: str) -> None:
    file = recording(tmp_path, [exchange(7)])
    for option in ("--against", "--primary"):
        given = ("--against", "http://127.0.0.1:1") if option == "--primary" else ()
        ran = strangler("replay", file, *given, option, url)
        assert (ran.status, option in ran.err, "http://HOST:PORT" in ran.err) == (2, True, True), ran.err


def test_nobody_at_the_address_is_wrong_input(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    ran = strangler("replay", recording(tmp_path, map(exchange, range(20))), "--against", url)
    assert (ran.status, "start the application, or correct the address" in ran.err) == (2, True)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot be read"),
        (b"", "line 1: this is no recording"),
        (b'{"recording": 9}\n', "line 1: its form is 9"),
        (b"HEAD\n", "has no exchange in it"),
        (b"HEAD\n{}\n", "line 2: not an exchange"),
    ],
)
def test_a_file_that_is_no_recording_is_wrong_input_and_nobody_is_asked(
    tmp_path: Path, content: bytes | None, why: str
) -> None:
    file = tmp_path / "some.jsonl"
    if content is not None:
        file.write_bytes(content.replace(b"HEAD", head_line(Head("products", SHADOW, 0, 1, 0))))
    with answering(right) as candidate:
        ran = strangler("replay", file, "--against", candidate.url, "--json")
        assert not candidate.requests
    assert (ran.status, why in ran.err, why in ran.document["error"]) == (2, True, True)
