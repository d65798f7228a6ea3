"""The catalog moves between the running shop and its service while the contract's own cases are asked of both."""

import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from contract.case import Case, resolve
from contract.cases.catalog import CASES
from contract.client import Answer, Client
from contract.judge import run
from contract.keys import token
from contract.world import World, build

from e2e.reference import Reference, reference
from e2e.scale import Scale, at_every_scale
from e2e.test_flips import flip_to_and_fro, report
from e2e.timeline import Served, Timeline, judge
from strangler.routing.path import is_plain
from support.gateway import Place
from support.raw_http import wait_until

STAFF, CUSTOMER = 1, 2
CALLERS = 3
"""How many ask at a time."""


class Recorder(Client):
    """A client that gives each request an id of its own and remembers when it was sent."""

    def __init__(self, url: str, headers: dict[str, str], sent: dict[str, float]) -> None:
        super().__init__(url, headers)
        self._sent = sent

    def send(self, method: str, target: str, **more: Any) -> Answer:
        request_id = f"case-{threading.get_ident()}-{len(self._sent)}"
        self.headers["X-Request-ID"] = request_id
        self._sent[request_id] = time.monotonic()
        return super().send(method, target, **more)


class Caller(threading.Thread):
    """Asks its share of the cases, over and over, and judges every answer."""

    def __init__(self, url: str, world: World, cases: Sequence[Case], stop: threading.Event) -> None:
        super().__init__()
        self.sent: dict[str, float] = {}
        self.failures: list[str] = []
        self._cases, self._world, self._stop_asking = cases, world, stop
        headers = {"anonymous": {}, "staff": bearer(STAFF, "staff"), "customer": bearer(CUSTOMER, "customer")}
        self._clients = {name: Recorder(url, headers[name], self.sent) for name in headers}

    def run(self) -> None:
        while not self._stop_asking.is_set():
            for case in self._cases:
                if self._stop_asking.is_set():
                    return
                try:
                    run(case, self._clients[case.caller], self._world)
                except Exception as error:  # noqa: BLE001 - it is shown by the test
                    self.failures.append(f"{case}: {''.join(traceback.format_exception(error))}")


@pytest.fixture
def shop(here: Place) -> Iterator[Reference]:
    with reference(here, products=50) as running:
        yield running


@at_every_scale
def test_the_contract_holds_while_the_catalog_moves_to_and_fro(
    scale: Scale, shop: Reference, figure: Callable[[str], None]
) -> None:
    gateway = shop.gateway
    clock = time.time() - time.monotonic()
    with Client(gateway.url, bearer(STAFF, "staff")) as staff:
        world = build(staff)
    stop = threading.Event()
    cases = [case for case in CASES if is_fit(case, world)]
    callers = [Caller(gateway.url, world, cases[number::CALLERS], stop) for number in range(CALLERS)]
    for caller in callers:
        caller.start()
    try:
        began = time.monotonic()
        flips = flip_to_and_fro(gateway, scale.shop_flips, scale.shop_flip_seconds, lambda: None)
        took = time.monotonic() - began
    finally:
        stop.set()
        for caller in callers:
            caller.join()

    failures = [failure for caller in callers for failure in caller.failures]
    assert failures == []
    sent = {request_id: when for caller in callers for request_id, when in caller.sent.items()}
    moved = {route["name"] for route in gateway.get("/routes")["items"] if route["module"] == "catalog"}
    routes: dict[str, str] = {}

    def are_logged() -> bool:
        routes.update((line["request_id"], line["route"]) for line in shop.gateway_log())
        return sent.keys() <= routes.keys()

    wait_until(are_logged, "the gateway's access log is complete")
    catalog = {request_id for request_id in sent if routes[request_id] in moved}
    logged = {arm: [entry for entry in shop.requests(arm) if entry.request_id in sent] for arm in shop.logs}
    arrived = {entry.request_id: (arm, entry.start - clock) for arm, entries in logged.items() for entry in entries}
    assert arrived.keys() == sent.keys(), "each request reached an application"
    assert len(arrived) == sum(map(len, logged.values())), "and only one of them, and once"

    served = [Served(each, sent[each], *arrived[each]) for each in sent if each in catalog]
    verdict = judge(Timeline("monolith", flips), served)
    report(figure, flips, took)
    by_arm = {arm: sum(request.arm == arm for request in served) for arm in shop.logs}
    figure(
        f"{len(sent)} contract cases, all answered as the contract says; {verdict.total} on routes that moved "
        f"({by_arm}), {len(verdict.wrong)} at the wrong arm; only one arm was right for {verdict.decided}"
    )
    assert verdict.wrong == ()
    assert verdict.decided > verdict.total / 2
    assert min(by_arm.values()) > 0
    others = {arrived[each][0] for each in sent if each not in catalog}
    assert others == {"monolith"}, "what no route of the catalog takes stays where it was"


def is_fit(case: Case, world: World) -> bool:
    """Whether a case can be asked over and over, and the gateway passes its path on: it refuses ambiguous ones."""
    path, _, _ = resolve(case.target, world).partition("?")
    counts_what_others_make = "total" in case.has
    return is_plain(path.encode()) and not counts_what_others_make


def bearer(subject: int, role: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(subject, roles=(role,))}"}
