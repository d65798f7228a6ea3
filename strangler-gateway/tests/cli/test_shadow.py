"""`strangler shadow` from the state folder alone: what it shows, and what it says where there is nothing to show."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from strangler.cli.screen import console
from strangler.ledger import FILE
from strangler.ledger.ledger import Ledger
from strangler.ledger.outcome import Outcome
from strangler.link.codec import encode_snapshot
from strangler.link.mirrored import Account, Batch, Mirrored, Opening
from strangler.model.flag import Flag, Stage
from strangler.model.route import Route, RouteMatch
from strangler.model.shadow import SHADOW, Shadow
from strangler.model.snapshot import Gateway, Snapshot
from strangler.shadow.comparison import Difference, Kind
from strangler.shadow.evidence import Observation
from strangler.shadow.record import Sample, Side

from .conftest import Ran, strangler

ROUTE = "products-get"


def route(name: str) -> Route:
    return Route(name, RouteMatch(f"/{name}"), "catalog", "catalog", "shop", service="catalog")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The folder of a gateway that does not run, with two routes at stage shadow of which one was mirrored."""
    folder = tmp_path / "state"
    folder.mkdir()
    routes = (route(ROUTE), route("products-list"), route("catch-all"))
    flags = (Flag(ROUTE, Stage.SHADOW), Flag("products-list", Stage.SHADOW))
    (folder / "snapshot.json").write_bytes(encode_snapshot(Snapshot(3, "f", Gateway(), (), routes, flags)))
    return folder


def compare(state: Path, *fields: str, times: int = 1, shadow: Shadow = SHADOW) -> None:
    """Write into the ledger that answers were compared, and differed in these fields."""
    ledger = Ledger.open(state / FILE, time.time())
    run = ledger.open_run(ROUTE, shadow, time.time())
    ledger.settle(Opening("a1", 0, 1, ()), time.time())
    exchange = Mirrored(ROUTE, 1, 0.0, 0.0, b"", b"", "", b"", "", b"", b"")
    account = Account(ROUTE, times + 2, times, (("not_sampled", 2),))
    ledger.receive("a1", Batch((exchange,) * times, (account,)))
    for _ in range(times):
        observation = Observation({field: frozenset(("value",)) for field in fields})
        evidence, finding = ledger.evidence(run).observe(observation, shadow.at_most)
        ledger.finish(run, Outcome(finding.heading, evidence, sample=sample(fields) if fields else None))
    ledger.close(time.time())


def sample(fields: tuple[str, ...]) -> Sample:
    differences = tuple(Difference(field, field, Kind.VALUE, "7", '"eight"') for field in fields)
    primary, candidate = Side(200, (), '{"id":7}', 0.012), Side(200, (), '{"id":"eight"}', 0.004)
    return Sample(1.5, "GET /api/products/7?page=2\nAccept: */*", primary, candidate, differences, "candidate_odd")


def shadow(state: Path, *arguments: str) -> Ran:
    return strangler("shadow", *arguments, "--state", state)


def test_status_shows_each_route_with_its_verdict(state: Path) -> None:
    compare(state, times=30)
    shown = shadow(state, "status")
    assert shown.status == 0
    row = next(line for line in shown.out.splitlines() if ROUTE in line)
    assert row.split()[:6] == [ROUTE, "shadow", "1", "32", "30", "0"]
    assert "not enough seen" in row
    assert "after 30 compared" in row
    assert "nothing has been mirrored yet" in shown.out
    document: dict[str, Any] = shadow(state, "status", "--json").document
    assert [item["route"] for item in document["items"]] == [ROUTE, "products-list"]
    assert document["items"][0]["headings"] == {"equivalent": 30, "not_sampled": 2}


def test_a_gateway_that_never_shadowed_anything_says_how_to_begin(state: Path) -> None:
    (state / "snapshot.json").write_bytes(encode_snapshot(Snapshot(1, "f", Gateway(), (), (route(ROUTE),))))
    assert "`strangler flip ROUTE shadow` begins with it" in shadow(state, "status").out


def test_samples_show_both_sides_and_where_they_differ(state: Path) -> None:
    compare(state, "body.id")
    shown = shadow(state, "samples", ROUTE).out
    assert "GET /api/products/7?page=2  (1970-01-01T00:00:01.500Z, candidate odd)" in shown
    assert "body.id: value" in shown
    assert "primary    7" in shown
    assert 'candidate  "eight"' in shown
    assert "primary 200, 12.0 ms" in shown
    assert "candidate 200, 4.0 ms" in shown
    document = shadow(state, "samples", ROUTE, "--json").document
    assert document["items"][0]["candidate"]["body"] == '{"id":"eight"}'
    assert shadow(state, "samples", ROUTE, "--field", "body.name", "--json").document["items"] == []


def test_samples_of_a_route_without_differences_say_so(state: Path) -> None:
    compare(state)
    assert "run 1 of products-get has no pairs that differ" in shadow(state, "samples", ROUTE).out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("report", "products-gte"), "did you mean products-get"),
        (("samples", "products-gte"), "did you mean products-get"),
        (("report", "products-list"), "nothing of «products-list» has been mirrored yet"),
        (("report", ROUTE, "--run", "9"), "the ledger has no run 9 of «products-get»; it has 1"),
        (("samples", ROUTE, "--run", "0"), "--run"),
    ],
)
def test_what_is_not_there_is_wrong_input(state: Path, arguments: tuple[str, ...], says: str) -> None:
    compare(state)
    ran = shadow(state, *arguments)
    assert ran.status == 2
    assert says in ran.err


def test_a_folder_without_a_gateway_is_told(tmp_path: Path) -> None:
    ran = shadow(tmp_path / "nothing", "status")
    assert ran.status == 1
    assert "no gateway has run with this state folder" in ran.err


def test_a_damaged_ledger_is_told(state: Path) -> None:
    (state / FILE).write_bytes(b"this is no database, and long enough to be taken for one" * 100)
    ran = shadow(state, "status", "--json")
    assert ran.status == 1
    assert FILE in json.loads(ran.out)["error"]


def test_a_restart_needs_a_gateway_that_runs(state: Path) -> None:
    compare(state)
    ran = shadow(state, "restart", ROUTE, "--reason", "mended")
    assert ran.status == 1
    assert "no gateway runs with the state folder" in ran.err
    assert shadow(state, "restart", ROUTE).status == 2, "a reason must be given"


def test_brackets_in_what_applications_answer_are_no_markup(state: Path) -> None:
    assert not console().is_terminal
    compare(state, "body.items[].price")
    assert "body.items[].price: value" in shadow(state, "samples", ROUTE).out
