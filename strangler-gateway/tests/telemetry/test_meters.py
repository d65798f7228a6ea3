"""Meters: taken once, counted by attribute, reported as totals, and bounded in number."""

import pytest

from strangler.telemetry import meters as module
from strangler.telemetry.family import Family
from strangler.telemetry.meters import OVERFLOW, Meters

RETRIES = Family("strangler_x_total", "counter", ("upstream",), "X.")
OPEN = Family("strangler_y", "gauge", ("upstream",), "Y.")
LAG = Family("strangler_z_seconds", "histogram", ("slot",), "Z.", (0.1, 1.0))


def test_the_same_labels_are_the_same_meter() -> None:
    meters = Meters()
    meters.of(RETRIES, "catalog").value += 2
    meters.of(RETRIES, "catalog").value += 1
    meters.of(RETRIES, "orders").value += 5
    assert meters.values()[0] == (("strangler_x_total", ("catalog",), 3), ("strangler_x_total", ("orders",), 5))


def test_what_never_happened_is_not_sent_and_a_gauge_of_nothing_is() -> None:
    meters = Meters()
    meters.of(RETRIES, "catalog")
    meters.of(OPEN, "catalog")
    assert meters.values() == ((), (("strangler_y", ("catalog",), 0),))


def test_sources_are_asked_at_each_report() -> None:
    meters = Meters()
    sizes = iter((1, 2))
    meters.ask(lambda: [(OPEN, ("catalog",), next(sizes))])
    assert [meters.values()[1][0][2] for _ in range(2)] == [1, 2]


def test_a_histogram_counts_by_upper_bound() -> None:
    meters = Meters()
    assert meters.distributions() == ()
    histogram = meters.histogram(LAG)
    for value in (0.05, 0.1, 0.5, 7):
        histogram.observe(value)
    assert meters.distributions() == (("strangler_z_seconds", (), (2, 1, 1), 7.65),)


def test_beyond_the_bound_everything_is_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SERIES", 3)
    meters = Meters()
    for number in range(10):
        meters.of(RETRIES, str(number)).value += 1
    meters.of(RETRIES, "1").value += 1
    counted = {labels: value for _, labels, value in meters.values()[0]}
    assert counted == {("0",): 1, ("1",): 2, ("2",): 1, (OVERFLOW,): 7}


@pytest.mark.parametrize("labels", [(), ("a", "b")])
def test_labels_that_were_not_declared_are_a_mistake(labels: tuple[str, ...]) -> None:
    with pytest.raises(AssertionError, match="upstream"):
        Meters().of(RETRIES, *labels)
