"""The monolith is asked who that is: with the credential alone, once for a while, whatever it answers."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest

from strangler.model.authentication import Ask, Names
from strangler.policies.identity import Identity
from strangler.policies.method import Method, Outcomes
from strangler.policies.refusals import Crowded, Rejected, Unavailable
from strangler.policies.sessions import AskedSession
from strangler.telemetry.meters import Meters

from .stand_ins import Flights, Request, Times, wait

T = TypeVar("T")


@pytest.fixture(name="times")
def the_time_is_now() -> Times:
    return Times(datetime.now(UTC).timestamp())


def identify(method: Method, *fields: str) -> Identity | None:
    found = method.identify(Request(*fields))
    return found if found is None or isinstance(found, Identity) else wait(found)


def reason(method: Method, *fields: str) -> str:
    with pytest.raises(Rejected) as rejected:
        identify(method, *fields)
    assert rejected.value.browser
    return rejected.value.reason


class Monolith:
    """Fills the port by a function of what it is sent."""

    def __init__(self, answer: tuple[int, bytes] | None) -> None:
        self.answer = answer
        self.asked: list[tuple[bytes, bytes]] = []

    async def ask(self, cookie: bytes, authorization: bytes) -> tuple[int, bytes]:
        self.asked.append((cookie, authorization))
        if self.answer is None:
            raise Unavailable("it is down")
        return self.answer


ME = 200, json.dumps({"user": {"id": 7, "email": "u@x"}, "roles": ["staff"]}).encode()


def asked_session(times: Times, monolith: Monolith, **settings: Any) -> AskedSession:
    rules = Ask("monolith", "/me", **{"cookies": ("sid", "sid2"), "authorization": True, **settings})
    outcomes = Outcomes("s", Meters())
    return AskedSession(rules, Names("user.id"), outcomes, times.clock, monolith=monolith, flights=Flights())


def test_the_monolith_says_who_that_is_and_is_believed_for_a_while(times: Times) -> None:
    monolith = Monolith(ME)
    method = asked_session(times, monolith)
    for after, asked in ((0, 1), (9, 1), (1, 2)):
        times.pass_by(after)
        identity = identify(method, "Cookie: sid=abc; tracker=1")
        assert identity is not None
        assert (identity.subject, identity.roles, len(monolith.asked)) == ("7", {"staff"}, asked)


def test_it_is_sent_the_credential_and_nothing_else(times: Times) -> None:
    monolith = Monolith(ME)
    fields = ['Cookie: a=1; sid2="q x"; sid=abc', "Authorization: Bearer t", "X-Secret: 1"]
    identify(asked_session(times, monolith), *fields)
    assert monolith.asked == [(b'sid=abc; sid2="q x"', b"Bearer t")]
    monolith.asked.clear()
    identify(asked_session(times, monolith, authorization=False), *fields)
    assert monolith.asked == [(b'sid=abc; sid2="q x"', b"")]


def test_other_cookies_are_no_reason_to_ask(times: Times) -> None:
    monolith = Monolith(ME)
    method = asked_session(times, monolith)
    assert identify(method, "Cookie: tracker=1") is None
    identify(method, "Cookie: sid=abc; tracker=1")
    identify(method, "Cookie: tracker=2; sid=abc")
    assert len(monolith.asked) == 1


def test_a_crowd_of_those_who_are_not_known_locks_nobody_out(times: Times) -> None:
    monolith = Monolith(ME)
    session = asked_session(times, monolith)

    class Full(Flights):
        async def join(self, key: object, work: Callable[[], Awaitable[T]]) -> T:
            raise Crowded("a thousand questions are under way already")

    room, session._flights = session._flights, Full()
    with pytest.raises(Unavailable):
        identify(session, "Cookie: sid=guess")
    session._flights = room
    assert isinstance(identify(session, "Cookie: sid=mine"), Identity)


@pytest.mark.parametrize(
    "answer", [(401, b""), (403, b"x"), (404, b""), (302, b""), (204, b""), (200, b""), (200, b"null"), (200, b"{}"),
               (200, b'{"user": null}'), (200, b'{"user": {"id": true}}'), (200, b"[7]")]
)  # fmt: skip
def test_nobody_is_an_answer_too_and_is_remembered(times: Times, answer: tuple[int, bytes]) -> None:
    monolith = Monolith(answer)
    method = asked_session(times, monolith)
    for _ in range(3):
        assert reason(method, "Cookie: sid=abc") == "anonymous"
    assert len(monolith.asked) == 1


def test_an_authorization_header_that_stands_for_nobody_is_an_error_of_whoever_sent_it(times: Times) -> None:
    with pytest.raises(Rejected) as rejected:
        identify(asked_session(times, Monolith((401, b""))), "Authorization: Bearer t")
    assert not rejected.value.browser


@pytest.mark.parametrize("answer", [(500, b""), (400, b""), (429, b""), (200, b"<html>")])
def test_whoever_sends_what_the_monolith_chokes_on_does_not_lock_out_the_others(
    times: Times, answer: tuple[int, bytes]
) -> None:
    monolith = Monolith(answer)
    method = asked_session(times, monolith)
    with pytest.raises(Unavailable):
        identify(method, "Cookie: sid=poison")
    monolith.answer = ME
    assert identify(method, "Cookie: sid=abc") is not None


@pytest.mark.parametrize("answer", [None, (500, b""), (429, b""), (200, b"<html>"), (200, b"[" * 10_000), (201, b"{}")])
def test_what_is_no_answer_is_asked_again_a_second_later(times: Times, answer: tuple[int, bytes] | None) -> None:
    monolith = Monolith(answer)
    method = asked_session(times, monolith)
    for _ in range(3):
        with pytest.raises(Unavailable):
            identify(method, "Cookie: sid=abc")
    assert len(monolith.asked) == 1
    monolith.answer = ME
    times.pass_by(1)
    assert identify(method, "Cookie: sid=abc") is not None


def test_why_nobody_can_say_is_logged_once_and_without_the_credential(
    times: Times, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "strangler.policies")
    monolith = Monolith(None)
    method = asked_session(times, monolith)
    for answer in (None, None, ME, None):
        monolith.answer = answer
        times.pass_by(20)
        if answer is None:
            with pytest.raises(Unavailable):
                identify(method, "Cookie: sid=s3cr3t")
        else:
            identify(method, "Cookie: sid=s3cr3t")
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO", "WARNING"]
    assert "it is down" in caplog.text
    assert "s3cr3t" not in caplog.text


def test_an_authorization_header_counts_whatever_page_asks(times: Times) -> None:
    method = asked_session(times, Monolith(ME))
    evil = ("Origin: https://evil.example", "Sec-Fetch-Site: cross-site")
    found = method.identify(Request("Authorization: Bearer t", *evil, method="POST"))
    assert not isinstance(found, Identity)
    assert found is not None
    assert wait(found) is not None
    with pytest.raises(Rejected, match="cross_site"):
        method.identify(Request("Authorization: Bearer t", "Cookie: sid=a", *evil, method="POST"))
