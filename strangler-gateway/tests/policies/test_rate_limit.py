"""The arithmetic of rate limits, their buckets and keys, and what a guard makes of them."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.http1.request import RequestHead
from strangler.http1.section import HeaderSection
from strangler.model.failure import Failure
from strangler.model.rate_limit import LimitKey, LimitKind, RateLimit
from strangler.policies.guard import Denied
from strangler.policies.rate_limit import gcra
from strangler.policies.rate_limit.buckets import Buckets
from strangler.policies.rate_limit.gcra import SECOND, Rate
from strangler.policies.rate_limit.guards import Limit, LimitStoreUnavailable, SharedLimits, WorkerLimits
from strangler.policies.rate_limit.keys import key_of
from strangler.telemetry.meters import Meters


def head(*lines: str) -> RequestHead:
    made = RequestHead()
    made.fields = HeaderSection("".join(f"\r\n{line}" for line in ("Host: a", *lines)).encode() + b"\r\n\r\n")
    return made


@dataclass
class Identity:
    subject: str
    authenticator: str = "users"


@dataclass
class Request:
    client: str = "192.0.2.1"
    identity: object | None = None
    answer_fields: bytes = b""
    head: RequestHead = field(default_factory=head)


@dataclass
class Clock:
    now: int = 1_000 * SECOND

    def __call__(self) -> int:
        return self.now


def admitted_at(rate: Rate, times: Sequence[int]) -> list[int]:
    """The moments of those requests that one bucket admits."""
    buckets = Buckets()
    taken = []
    for now in times:
        debt = buckets.debt("x", now)
        if gcra.wait(rate, debt) <= 0:
            buckets.charge("x", debt + rate.emission, now)
            taken.append(now)
    return taken


RATES = st.builds(Rate, st.integers(1, 5 * SECOND), st.integers(1, 20))
MOMENTS = st.lists(st.integers(1, 100 * SECOND), max_size=200).map(sorted)


@given(RATES, MOMENTS)
def test_no_time_however_it_is_laid_admits_more_than_burst_and_pace(rate: Rate, moments: list[int]) -> None:
    taken = admitted_at(rate, moments)
    for first in range(len(taken)):
        for last in range(first, len(taken)):
            span = taken[last] - taken[first]
            assert last - first + 1 <= rate.burst + span // rate.emission


@given(RATES, MOMENTS)
def test_a_bucket_that_is_left_alone_is_full_again(rate: Rate, moments: list[int]) -> None:
    rested = (moments[-1] if moments else 0) + rate.capacity
    assert admitted_at(rate, [*moments, *[rested] * (rate.burst + 1)]).count(rested) == rate.burst


@given(RATES, st.integers(0, 20))
def test_what_is_said_to_be_left_is_left(rate: Rate, used: int) -> None:
    used = min(used, rate.burst)
    left = gcra.remaining(rate, used * rate.emission)
    assert left == rate.burst - used
    assert len(admitted_at(rate, [5] * (used + left + 3))) == rate.burst


@given(RATES)
def test_whoever_waits_as_long_as_told_is_admitted_and_not_a_microsecond_sooner(rate: Rate) -> None:
    full = [SECOND] * rate.burst
    wait = gcra.wait(rate, rate.capacity)
    assert admitted_at(rate, [*full, SECOND + wait])[-1] == SECOND + wait
    assert admitted_at(rate, [*full, SECOND + wait - 1])[-1] == SECOND


@given(st.integers(1, 10_000), st.integers(1, 3_600))
def test_a_rate_never_promises_more_than_was_configured(requests: int, per: int) -> None:
    assert gcra.rate(requests, per, requests).emission * requests >= per * SECOND


def test_buckets_of_many_clients_stay_within_their_bound() -> None:
    buckets = Buckets(capacity=100)
    for number in range(10_000):
        buckets.charge(f"{number}", 3_600 * SECOND, number)
        assert len(buckets) <= 100
    assert buckets.forgotten == 9_900
    assert buckets.debt("9999", 9_999) == 3_600 * SECOND


def test_buckets_that_are_full_again_are_forgotten_while_others_come() -> None:
    buckets = Buckets()
    for number in range(1_000):
        buckets.charge(f"{number}", 10, number)
    assert len(buckets) <= 20
    assert buckets.forgotten == 0


def test_a_bucket_in_use_is_forgotten_last() -> None:
    buckets = Buckets(capacity=3)
    for number in range(10):
        buckets.charge("mine", buckets.debt("mine", 5) + 1_000, 5)
        buckets.charge(f"{number}", 1_000, 5)
    assert buckets.debt("mine", 5) == 10_000


KEYS = [
    ("address", Request(), Request(client="192.0.2.2"), False),
    ("address", Request(client="2001:db8::1"), Request(client="2001:db8:0:0:ffff::9"), True),
    ("address", Request(client="2001:db8::1"), Request(client="2001:db8:0:1::1"), False),
    ("address", Request(client="::ffff:192.0.2.1"), Request(client="192.0.2.1"), True),
    ("address", Request(client="fe80::1%eth0"), Request(client="fe80::2%eth1"), True),
    ("route", Request(), Request(client="192.0.2.2"), True),
    ("identity", Request(identity=Identity("u1")), Request(identity=Identity("u1"), client="192.0.2.2"), True),
    ("identity", Request(identity=Identity("u1")), Request(identity=Identity("u2")), False),
    ("identity", Request(identity=Identity("u1")), Request(identity=Identity("u1", "keys")), False),
    ("identity", Request(), Request(client="192.0.2.2"), False),
    ("header", Request(head=head("X-Key: a")), Request(head=head("x-key:  a "), client="192.0.2.2"), True),
    ("header", Request(head=head("X-Key: a")), Request(head=head("X-Key: b")), False),
    ("header", Request(head=head("X-Key: a")), Request(head=head("X-Key: a", "X-Key: b")), False),
    ("header", Request(head=head("X-Key:")), Request(), True),
    ("header", Request(), Request(client="192.0.2.2"), False),
]


@pytest.mark.parametrize(("kind", "one", "other", "same"), KEYS)
def test_requests_are_told_apart(kind: str, one: Request, other: Request, same: bool) -> None:
    key = key_of((LimitKey(LimitKind(kind), "x-key" if kind == "header" else ""),))
    assert (key(one) == key(other)) is same


def test_the_first_key_that_a_request_has_counts() -> None:
    key = key_of((LimitKey(LimitKind.IDENTITY), LimitKey(LimitKind.HEADER, "x-key")))
    known = Request(identity=Identity("u1"), head=head("X-Key: a"))
    assert key(known) == key(Request(identity=Identity("u1")))
    assert key(Request(head=head("X-Key: a"))) == key(Request(head=head("X-Key: a"), client="192.0.2.9"))
    assert key(Request()) == key_of((LimitKey(LimitKind.ADDRESS),))(Request())


def test_no_key_shows_what_a_header_said_or_grows_with_it() -> None:
    key = key_of((LimitKey(LimitKind.HEADER, "x-key"),))
    found = key(Request(head=head("X-Key: s3cret" + "x" * 10_000)))
    assert "s3cret" not in found
    assert len(found) < 40


PER_SECOND = RateLimit("pace", requests=2, per=1, burst=2)
PER_MINUTE = RateLimit("volume", requests=3, per=60, burst=3)


def guard(clock: Clock, *limits: RateLimit) -> tuple[WorkerLimits, Meters]:
    meters = Meters()
    return WorkerLimits(tuple(Limit("r", limit, meters) for limit in limits), clock), meters


def asked(guard: WorkerLimits) -> Request:
    request = Request()
    assert guard.admit(request) is None
    return request


def counted(meters: Meters) -> dict[tuple[str, ...], float]:
    return {labels: value for _, labels, value in meters.values()[0]}


def test_an_admitted_request_is_told_what_is_left() -> None:
    limits, _ = guard(Clock(), PER_SECOND)
    assert asked(limits).answer_fields == b'\r\nRateLimit: "pace";r=1;t=1\r\nRateLimit-Policy: "pace";q=2;w=1'
    assert b'"pace";r=0;t=1' in asked(limits).answer_fields


def test_a_request_too_many_is_denied_with_the_time_to_wait() -> None:
    clock = Clock()
    limits, meters = guard(clock, PER_MINUTE)
    for _ in range(3):
        asked(limits)
    with pytest.raises(Denied) as denied:
        asked(limits)
    assert denied.value.failure is Failure.RATE_LIMITED
    assert "3 requests in 60 s" in denied.value.detail
    assert b"\r\nRetry-After: 20" in denied.value.fields
    assert b'"volume";r=0;t=20' in denied.value.fields
    clock.now += 20 * SECOND
    asked(limits)
    assert counted(meters) == {("r", "volume", "admitted"): 4, ("r", "volume", "limited"): 1}


def test_a_request_denied_by_one_limit_costs_nothing_of_the_others() -> None:
    clock = Clock()
    limits, _ = guard(clock, PER_SECOND, PER_MINUTE)
    asked(limits)
    asked(limits)
    for _ in range(50):
        with pytest.raises(Denied):
            asked(limits)
    clock.now += SECOND
    asked(limits)  # The third of the minute: the fifty were free.
    clock.now += SECOND
    with pytest.raises(Denied, match="60 s"):
        asked(limits)


def test_the_denial_names_the_limit_that_takes_longest() -> None:
    limits, _ = guard(Clock(), RateLimit("a", 1, 1, 1), RateLimit("b", 1, 30, 1))
    asked(limits)
    with pytest.raises(Denied) as denied:
        asked(limits)
    [retry_after] = re.findall(rb"Retry-After: (\d+)", denied.value.fields)
    assert retry_after == b"30"


class Store:
    """Shared buckets that do as they are told."""

    def __init__(self, answer: tuple[bool, list[int]] | None, *, available: bool = True) -> None:
        self.answer = answer
        self.available = available
        self.asked: list[Sequence[tuple[str, Rate]]] = []

    async def take(self, buckets: Sequence[tuple[str, Rate]]) -> tuple[bool, list[int]]:
        self.asked.append(buckets)
        if self.answer is None:
            raise LimitStoreUnavailable("down")
        return self.answer


def shared(store: Store, *choices: str, clock: Clock | None = None) -> tuple[SharedLimits, Meters]:
    meters = Meters()
    limits = tuple(
        Limit("r", RateLimit(f"l{number}", 2, 1, 2, shared=True, when_unavailable=choice), meters)
        for number, choice in enumerate(choices)
    )
    return SharedLimits("r", limits, store, clock or Clock()), meters


def waited(guard: SharedLimits) -> Request:
    request = Request()

    async def wait() -> None:
        waiting = guard.admit(request)
        if waiting is not None:
            await waiting

    asyncio.run(wait())
    return request


def test_a_shared_limit_asks_once_for_all_and_tells_what_the_store_said() -> None:
    store = Store((True, [SECOND // 2, SECOND]))
    limits, meters = shared(store, "open", "closed")
    assert b'"l0";r=1;t=1, "l1";r=0;t=1' in waited(limits).answer_fields
    assert len(store.asked) == 1
    assert len(store.asked[0]) == 2
    assert counted(meters) == {("r", "l0", "admitted"): 1, ("r", "l1", "admitted"): 1}


def test_a_request_that_the_store_does_not_admit_is_denied() -> None:
    limits, meters = shared(Store((False, [SECOND])), "open")
    with pytest.raises(Denied) as denied:
        waited(limits)
    assert denied.value.failure is Failure.RATE_LIMITED
    assert counted(meters) == {("r", "l0", "limited"): 1}


@pytest.mark.parametrize("available", [True, False])
def test_without_the_store_an_open_limit_admits_and_says_nothing(available: bool) -> None:
    limits, meters = shared(Store(None, available=available), "open")
    assert waited(limits).answer_fields == b""
    assert counted(meters) == {("r", "l0", "unavailable_open"): 1}


@pytest.mark.parametrize("available", [True, False])
def test_without_the_store_an_open_limit_is_counted_by_the_worker_for_itself(available: bool) -> None:
    """Else whoever keeps the store from answering had no limit any more."""
    clock = Clock()
    limits, meters = shared(Store(None, available=available), "open", clock=clock)
    for _ in range(2):
        waited(limits)
    with pytest.raises(Denied) as denied:
        waited(limits)
    assert denied.value.failure is Failure.RATE_LIMITED
    assert counted(meters) == {("r", "l0", "unavailable_open"): 2, ("r", "l0", "limited"): 1}
    clock.now += SECOND
    waited(limits)


@pytest.mark.parametrize("available", [True, False])
def test_without_the_store_a_closed_limit_beside_an_open_one_denies(available: bool) -> None:
    limits, _ = shared(Store(None, available=available), "open", "closed")
    with pytest.raises(Denied) as denied:
        waited(limits)
    assert denied.value.failure is Failure.POLICY_UNAVAILABLE
    assert b"Retry-After" in denied.value.fields


def test_a_store_that_is_known_to_be_down_is_not_waited_for() -> None:
    store = Store(None, available=False)
    limits, _ = shared(store, "open")
    assert limits.admit(Request()) is None
    assert store.asked == []
