"""The gates and queues of held writes, by a clock that the test turns."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import pytest

from strangler.dataplane.exchange import Exchange
from strangler.dataplane.hold import AT_ONCE, Holds, Place, Writes
from strangler.http1.request import RequestHead
from strangler.http1.section import HeaderSection
from strangler.model.hold import Hold
from strangler.model.messages import HoldReport
from strangler.policies.guard import Denied
from strangler.telemetry.meters import Meters


class Later:
    def __init__(self) -> None:
        self.is_off = False

    def cancel(self) -> None:
        self.is_off = True


class Clock:
    """An event loop whose time passes when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0
        self._later: list[tuple[float, int, Later, Callable[[], object]]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[..., object], *args: object) -> Later:
        timer = Later()
        heapq.heappush(self._later, (self.now + delay, len(self._later), timer, lambda: callback(*args)))
        return timer

    def call_soon(self, callback: Callable[..., object], *args: object) -> object:
        return self.call_later(0.0, callback, *args)

    def advance(self, seconds: float) -> None:
        until = self.now + seconds
        while self._later and self._later[0][0] <= until:
            self.now, _, timer, callback = heapq.heappop(self._later)
            if not timer.is_off:
                callback()
        self.now = until


@dataclass(eq=False)
class Request:
    """An exchange and its downstream in one."""

    writes: Writes
    head: RequestHead
    place: Place | None = None
    told: list[str] = field(default_factory=list)
    is_broken: bool = False

    def hold_on(self, seconds: float) -> None:
        self.told.append(f"held for {seconds:g}")

    def go_on(self) -> None:
        if self.is_broken:
            raise ValueError("broken")
        self.enter()

    def abort(self) -> None:
        self.told.append("aborted")

    def turn_away(self, denied: Denied) -> None:
        self.told.append(f"turned away{denied.fields.decode()}".replace("\r\n", ", "))

    def enter(self) -> None:
        if self.writes.admit(cast("Exchange", self), self):
            self.told.append("passed")

    def finish(self) -> None:
        if self.place is not None:
            self.place.leave(cast("Exchange", self))


@dataclass
class Worker:
    clock: Clock = field(default_factory=Clock)
    reports: list[HoldReport] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.meters = Meters()
        self.holds = Holds(self.clock, self.reports.append, self.meters)

    def request(self, *modules: str, method: bytes = b"POST", section: bytes = b"\r\nHost: x\r\n\r\n") -> Request:
        writes = self.holds.writes(modules)
        assert writes is not None
        head = RequestHead()
        head.method, head.fields = method, HeaderSection(section)
        request = Request(writes, head)
        request.enter()
        return request

    def hold(self, number: int = 1, module: str = "catalog", seconds: float = 5.0, most: int = 1000) -> None:
        self.holds.begin(Hold(number, module, "ada", "a test", "2026-01-01T00:00:00Z", seconds, most))


@pytest.fixture
def worker() -> Worker:
    return Worker()


def test_a_route_that_writes_nothing_has_no_gate(worker: Worker) -> None:
    assert worker.holds.writes(()) is None


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"OPTIONS", b"TRACE"])
def test_safe_methods_are_neither_counted_nor_held(worker: Worker, method: bytes) -> None:
    worker.hold()
    request = worker.request("catalog", method=method)
    assert (request.told, request.place) == (["passed"], None)


@pytest.mark.parametrize("method", [b"POST", b"PUT", b"PATCH", b"DELETE", b"PROPFIND"])
def test_all_others_are(worker: Worker, method: bytes) -> None:
    before = worker.request("catalog", method=method)
    worker.hold()
    assert worker.reports == [HoldReport(1, in_flight=1, held=0)]
    assert worker.request("catalog", method=method).told == ["held for 5"]
    before.finish()
    assert worker.reports[-1] == HoldReport(1, in_flight=0, held=1)


def test_nothing_is_reported_without_a_hold(worker: Worker) -> None:
    worker.request("catalog").finish()
    assert worker.reports == []


def test_asking_for_a_tunnel_is_a_write(worker: Worker) -> None:
    worker.hold()
    opening = b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13"
    section = b"\r\nHost: x%b\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" % opening
    assert worker.request("catalog", method=b"GET", section=section).told == ["held for 5"]


def test_those_who_wait_go_on_in_their_order_in_turns_of_the_loop(worker: Worker) -> None:
    worker.hold()
    requests = [worker.request("catalog") for _ in range(AT_ONCE + 1)]
    worker.holds.end(1)
    assert worker.reports[-1] == HoldReport(1, in_flight=0, held=AT_ONCE + 1, ended=True)
    assert [request.told[-1] for request in requests] == ["passed"] * AT_ONCE + ["held for 5"]
    worker.clock.advance(0.1)
    assert requests[-1].told[-1] == "passed"


def test_one_that_cannot_go_on_does_not_keep_the_others(worker: Worker) -> None:
    worker.hold()
    requests = [worker.request("catalog") for _ in range(3)]
    requests[1].is_broken = True
    worker.holds.end(1)
    assert [request.told[-1] for request in requests] == ["passed", "aborted", "passed"]


def test_who_leaves_between_two_turns_is_not_sent(worker: Worker) -> None:
    worker.hold()
    requests = [worker.request("catalog") for _ in range(AT_ONCE + 1)]
    worker.holds.end(1)
    requests[-1].finish()
    worker.clock.advance(0.1)
    assert requests[-1].told == ["held for 5"]


def test_the_bound_counts_those_who_wait_and_retry_after_says_what_is_left(worker: Worker) -> None:
    worker.hold(most=1)
    first = worker.request("catalog")
    worker.clock.advance(1.5)
    with pytest.raises(Denied) as denied:
        worker.request("catalog")
    assert denied.value.fields == b"\r\nRetry-After: 4"
    first.finish()
    assert worker.request("catalog").told == ["held for 5"]


def test_at_the_end_of_its_time_those_who_wait_are_turned_away_and_others_pass(worker: Worker) -> None:
    worker.hold(seconds=2)
    early, late = worker.request("catalog"), worker.request("catalog")
    worker.clock.advance(1.9)
    assert worker.request("catalog").told == ["held for 2"]
    worker.clock.advance(0.2)
    assert early.told[-1] == "turned away, Retry-After: 1"
    assert late.told[-1] == "turned away, Retry-After: 1"
    assert worker.reports[-1] == HoldReport(1, in_flight=0, held=3, ended=True)
    assert worker.request("catalog").told == ["passed"]


def test_ending_it_in_time_stops_its_clock(worker: Worker) -> None:
    worker.hold(1, seconds=2)
    worker.holds.end(1)
    worker.hold(2, seconds=9)
    worker.clock.advance(3)
    assert worker.request("catalog").told == ["held for 9"]


def test_a_second_hold_of_a_module_takes_over_those_who_wait(worker: Worker) -> None:
    worker.hold(1, seconds=2)
    request = worker.request("catalog")
    worker.hold(2, seconds=9)
    assert request.told == ["held for 2", "held for 9"]
    worker.holds.end(1)
    assert len(request.told) == 2, "the first is over"
    worker.holds.end(2)
    assert request.told[-1] == "passed"


def test_a_write_of_two_modules_is_in_flight_in_both_and_waits_for_each(worker: Worker) -> None:
    flying = worker.request("catalog", "orders")
    worker.hold(1, "catalog")
    worker.hold(2, "orders")
    assert [report.in_flight for report in worker.reports] == [1, 1]
    waiting = worker.request("catalog", "orders")
    flying.finish()
    assert [report.in_flight for report in worker.reports[-2:]] == [0, 0]
    worker.holds.end(1)
    assert waiting.told == ["held for 5", "held for 5"]
    worker.holds.end(2)
    assert waiting.told[-1] == "passed"


def test_a_stopping_worker_keeps_nobody_longer_than_it_lives(worker: Worker) -> None:
    worker.hold(1, "catalog", seconds=60)
    worker.hold(2, "orders", seconds=1)
    long, short = worker.request("catalog"), worker.request("orders")
    worker.holds.hurry(10)
    worker.clock.advance(1)
    assert short.told[-1].startswith("turned away")
    worker.clock.advance(8.4)
    assert long.told == ["held for 60"]
    worker.clock.advance(0.2)
    assert long.told[-1].startswith("turned away")


def test_what_became_of_each_is_counted(worker: Worker) -> None:
    worker.hold(1, most=2)
    gone, _ = worker.request("catalog"), worker.request("catalog")
    with pytest.raises(Denied):
        worker.request("catalog")
    gone.finish()
    assert ("strangler_held_requests", ("catalog",), 1) in worker.meters.values()[1]
    worker.holds.end(1)
    worker.hold(2, seconds=1)
    worker.request("catalog")
    worker.clock.advance(2)
    counted = {labels: value for name, labels, value in worker.meters.values()[0]}
    assert counted == {("catalog", outcome): 1 for outcome in ("released", "refused", "left", "expired")}
