"""Routes that are only recorded: whatever their stage and method, beside every account, for as long as is wanted."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from strangler.dataplane.capture import Shadowed
from strangler.dataplane.mirror import Mirror
from strangler.model.decision import Arm, Decision, Reason
from strangler.model.flag import Flag, Stage
from strangler.model.recording import Recording
from strangler.model.route import Route, RouteMatch
from strangler.model.shadow import Shadow
from strangler.policies.marks import Marks
from strangler.telemetry.meters import Meters
from support.comparator_stub import ComparatorStub, comparator_stub
from support.raw_http import wait_until

from .capturing import ANSWER, ASKED, HEAD, parsed
from .finished import finished

ROUTE = Route("products-get", RouteMatch("/p"), "m", "g", "monolith", shadow=Shadow(sample=0.0, request_bytes=100))
AT_MONOLITH, SHADOWED = Flag("products-get"), Flag("products-get", Stage.SHADOW)
KILLED = Decision(Arm.MONOLITH, Reason.KILLED)
BY_SERVICE = Decision(Arm.SERVICE, Reason.STAGE_SERVICE)
FAR = time.time() + 1e6


def recording(route: str = "products-get", until: float = FAR) -> Recording:
    return Recording("a1", route, 10, 1000, until)


@pytest.fixture(name="stub")
def listening_stub() -> Iterator[ComparatorStub]:
    """Unix socket paths are limited to about 100 bytes, which pytest's folders can exceed."""
    with (
        tempfile.TemporaryDirectory(prefix="mirror-") as folder,
        comparator_stub(Path(folder) / "comparator.sock") as stub,
    ):
        yield stub


@pytest.fixture(name="mirror")
def connected_mirror(stub: ComparatorStub) -> Iterator[Mirror]:
    mirror = Mirror(Meters(), stub.path, 0)
    yield mirror
    mirror.close()


def recorded(mirror: Mirror, flag: Flag = AT_MONOLITH) -> Shadowed:
    mirror.record((recording(),))
    found = mirror.shadowed(ROUTE, flag, 1)
    assert found is not None
    return found


def end(mirror: Mirror, route: Shadowed, method: str = "GET", decision: Decision = KILLED, *lines: str) -> str:
    """One exchange from its beginning to its end: the heading if it is not kept."""
    capture = route.begin(parsed(method, *lines), decision)
    capture.asked(ASKED)
    capture.answered(ANSWER, HEAD)
    capture.relayed([b"good"], ended=True)
    mirror.desk.judge(finished(capture=capture))
    return capture.heading


def test_a_route_is_captured_while_it_is_recorded_and_no_other_is(mirror: Mirror) -> None:
    assert mirror.shadowed(ROUTE, AT_MONOLITH, 1) is None
    assert mirror.record((recording("orders"),))
    assert mirror.shadowed(ROUTE, AT_MONOLITH, 1) is None
    assert mirror.record((recording(),))
    assert not mirror.record((recording(),)), "that is nothing new"
    found = mirror.shadowed(ROUTE, AT_MONOLITH, 1)
    assert found is not None
    assert found.only_recorded
    mirror.record(())
    assert mirror.shadowed(ROUTE, AT_MONOLITH, 1) is None


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("decision", [KILLED, BY_SERVICE])
def test_every_request_counts_whoever_answers_it_and_whatever_it_does(
    mirror: Mirror, method: str, decision: Decision
) -> None:
    assert end(mirror, recorded(mirror), method, decision) == ""


def test_what_is_too_large_or_a_tunnel_is_not_kept(mirror: Mirror) -> None:
    route = recorded(mirror)
    assert end(mirror, route, "POST", KILLED, "Content-Length: 101") == "request_over_cap"
    key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="
    tunnel = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", key)
    assert end(mirror, route, "GET", KILLED, *tunnel) == "upgrade"


def test_a_shadowed_route_is_shadowed_as_ever_while_it_is_recorded(mirror: Mirror) -> None:
    route = recorded(mirror, SHADOWED)
    assert not route.only_recorded
    assert end(mirror, route) == "killed"


def test_writes_that_are_only_recorded_carry_no_mark(mirror: Mirror) -> None:
    mirror.marks = Marks(b"x" * 32)
    mirror.record((recording(),))
    writes = Route("products-get", RouteMatch("/p"), "m", "g", "monolith", shadow=Shadow(writes=True))
    route = mirror.shadowed(writes, AT_MONOLITH, 1)
    assert route is not None
    assert route.begin(parsed("POST"), BY_SERVICE).asked(ASKED) == ASKED


def test_what_is_recorded_is_handed_over_beside_every_account(mirror: Mirror, stub: ComparatorStub) -> None:
    route = recorded(mirror)
    for _ in range(3):
        end(mirror, route)
    mirror.flush()
    wait_until(lambda: bool(stub.workers) and len(stub.told.recorded) == 3, "they have been handed over")
    assert {each.route for each in stub.told.recorded} == {"products-get"}
    assert not stub.told.exchanges
    assert not stub.told.accounts
    wait_until(lambda: mirror.desk.waiting_bytes == 0, "nothing is held any more")


def test_a_recording_is_over_at_its_time_though_nobody_says_so(mirror: Mirror) -> None:
    mirror.record((recording(until=100.0), recording("orders", until=200.0)))
    assert mirror.going_on(99.0) is None
    assert mirror.going_on(100.0) == (recording("orders", until=200.0),)
    assert mirror.going_on(200.0) == ()
