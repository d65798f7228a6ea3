"""What a rollout may require: it holds, fails or is open, by whole intervals; and it tells when it was changed."""

import json

import pytest

from strangler.bench.agreement import Agreement
from strangler.bench.certificate import Certificate, Standing, certify, is_intact
from strangler.bench.conditions import look
from strangler.bench.report import Report
from strangler.bench.rounds import Plan

from .samples import ENDPOINT, rounds, sample


def certified(rate: float, at_most: float = 1.25, noise: float = 0.01, number: int = 7, **more: object) -> Certificate:
    samples = rounds({"monolith": 100, "service": rate}, number, noise)
    agreed = more.pop("agreements", (Agreement(ENDPOINT, "service", 25, ()),))
    made = Report("t", look(), Plan(), agreed, tuple(samples), **more)  # type: ignore[arg-type]
    return certify(made, "service", at_most)


@pytest.mark.parametrize(
    ("rate", "noise", "standing"),
    [
        (200, 0.01, Standing.HOLDS),
        (95, 0.01, Standing.HOLDS),
        (60, 0.01, Standing.FAILS),
        (80, 0.1, Standing.UNDECIDED),
    ],
)
def test_it_is_judged_by_whole_intervals(rate: float, noise: float, standing: Standing) -> None:
    found = certified(rate, noise=noise)
    assert (found.standing, bool(found.because)) == (standing, standing is not Standing.HOLDS)


def test_few_rounds_leave_it_open() -> None:
    found = certified(200, number=3)
    assert found.standing is Standing.UNDECIDED
    assert "3 rounds count, 5 are needed" in found.because[0]


def test_speed_is_nothing_where_answers_differ() -> None:
    found = certified(200, agreements=(Agreement(ENDPOINT, "service", 25, ("25 × 500 in place of 200",)),))
    assert (found.standing, found.because) == (Standing.FAILS, ("«read»: it does not answer alike",))


def test_an_endpoint_of_which_nothing_counts_leaves_it_open() -> None:
    samples = [*rounds({"monolith": 100, "service": 200})]
    samples.insert(1, sample("service", 1, endpoint="write", errors="all failed"))
    made = Report("t", look(), Plan(), (), tuple(samples))
    found = certify(made, "service", 1.25)
    assert (found.standing, found.because) == (Standing.UNDECIDED, ("«write»: no block of it counts",))


def test_a_certificate_that_was_changed_tells() -> None:
    document = json.loads(json.dumps(certified(200).document()))
    assert is_intact(document)
    assert not is_intact(document | {"standing": "fails"})
    assert not is_intact({})
