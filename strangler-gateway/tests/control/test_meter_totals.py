"""The workers' meters together: counters and histograms never go back, gauges are merged as they are declared."""

import pytest

from strangler.control.traffic import TrafficTotals
from strangler.model.messages import Distribution, Traffic, Value
from strangler.telemetry import families
from strangler.telemetry.family import Family

TURNED_AWAY = Family("strangler_a_total", "counter", ("reason",), "A.")
BLOCKED = Family("strangler_b_total", "counter", ("slot",), "B.")
LAG = Family("strangler_c_seconds", "histogram", ("slot",), "C.", (0.1, 1.0))
OPEN = Family("strangler_d", "gauge", ("upstream",), "D.")
EXPIRY = Family("strangler_e_seconds", "gauge", ("name",), "E.", merge="min")
MEMORY = Family("strangler_f_bytes", "gauge", ("slot",), "F.")


@pytest.fixture
def totals(monkeypatch: pytest.MonkeyPatch) -> TrafficTotals:
    for family in (TURNED_AWAY, BLOCKED, LAG, OPEN, EXPIRY, MEMORY):
        monkeypatch.setitem(families.BY_NAME, family.name, family)
    totals = TrafficTotals(lambda: 0.0)
    for slot in (0, 1):
        totals.join(slot, 100 + slot, has_served=False)
    return totals


def counted(*values: Value) -> Traffic:
    return Traffic((), (), counters=values)


def spread(*values: Distribution) -> Traffic:
    return Traffic((), (), distributions=values)


def measured(*values: Value) -> Traffic:
    return Traffic((), (), gauges=values)


def test_counters_add_up_over_workers_and_their_successors(totals: TrafficTotals) -> None:
    for slot in (0, 1):
        totals.add(slot, 100 + slot, counted((TURNED_AWAY.name, ("cap",), 5)))
        totals.add(slot, 100 + slot, counted((TURNED_AWAY.name, ("cap",), 7)))
    totals.join(0, 200, has_served=False)
    totals.add(0, 200, counted((TURNED_AWAY.name, ("cap",), 2)))
    assert totals.meters.counts(TURNED_AWAY) == {("cap",): 16}


def test_a_counter_with_a_slot_is_kept_by_slot_over_restarts(totals: TrafficTotals) -> None:
    for slot in (0, 1):
        totals.add(slot, 100 + slot, counted((BLOCKED.name, (), 1.5 + slot)))
    totals.join(0, 200, has_served=False)
    totals.add(0, 200, counted((BLOCKED.name, (), 0.25)))
    assert totals.meters.counts(BLOCKED) == {("0",): 1.75, ("1",): 2.5}


def test_a_histogram_goes_on_where_its_predecessor_ended(totals: TrafficTotals) -> None:
    totals.add(0, 100, spread((LAG.name, (), (3, 1, 0), 0.5)))
    totals.add(0, 100, spread((LAG.name, (), (4, 1, 1), 3.5)))
    totals.join(0, 200, has_served=False)
    totals.add(0, 200, spread((LAG.name, (), (1, 0, 0), 0.05)))
    found = totals.meters.spreads(LAG)[("0",)]
    assert (found.buckets, found.sum) == ((5, 1, 1), 3.55)


def test_a_histogram_that_went_back_in_the_same_process_began_anew(totals: TrafficTotals) -> None:
    totals.add(0, 100, spread((LAG.name, (), (3, 1, 0), 0.5)))
    totals.add(0, 100, spread((LAG.name, (), (1, 2, 0), 0.4)))
    assert totals.meters.spreads(LAG)[("0",)].buckets == (4, 3, 0)


def test_gauges_are_merged_as_they_are_declared(totals: TrafficTotals) -> None:
    for slot, value in ((0, 3), (1, 2)):
        report = measured((OPEN.name, ("c",), value), (EXPIRY.name, ("tls",), value), (MEMORY.name, (), value))
        totals.add(slot, 100 + slot, report)
    assert dict(totals.gauge(OPEN)) == {("c",): 5}
    assert dict(totals.gauge(EXPIRY)) == {("tls",): 2}
    assert dict(totals.gauge(MEMORY)) == {("0",): 3, ("1",): 2}


def test_the_gauges_of_a_worker_that_is_gone_are_gone(totals: TrafficTotals) -> None:
    totals.add(0, 100, measured((OPEN.name, ("c",), 3), (MEMORY.name, (), 9)))
    totals.add(0, 100, measured((OPEN.name, ("c",), 4)))
    assert dict(totals.gauge(MEMORY)) == {}
    totals.leave(0, 100)
    assert dict(totals.gauge(OPEN)) == {}
