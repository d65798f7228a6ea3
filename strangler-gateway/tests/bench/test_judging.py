"""What is concluded: real differences are found, a server beside itself is never better, errors count for nothing."""

import pytest

from strangler.bench.judging import LEAST_FLOOR, Metric, Verdict, judge, verdict
from strangler.bench.rounds import AGAIN, Sample
from strangler.bench.statistics import Estimate
from strangler.bench.wording import conclusions, duration, three

from .samples import ENDPOINT, rounds, sample


def judged(samples: list[Sample], target: str = "b", metric: Metric = Metric.RATE) -> Verdict:
    found = judge(samples).of(target, ENDPOINT, metric)
    assert found is not None
    return found.verdict


def test_a_difference_of_ten_percent_is_found_under_noise_of_the_machine() -> None:
    assert judged(rounds({"a": 100, "b": 110})) is Verdict.MORE
    assert judged(rounds({"a": 100, "b": 90})) is Verdict.LESS
    assert judged(rounds({"a": 100, "b": 110}), metric=Metric.CPU) is Verdict.LESS


def test_the_same_server_twice_is_indistinguishable_in_60_runs() -> None:
    found = [judged(rounds({"a": 100, "b": 100}, noise=0.03, seed=seed)) for seed in range(60)]
    assert found.count(Verdict.INDISTINGUISHABLE) >= 58, "a whole interval beyond the floor is rare"


@pytest.mark.parametrize(
    ("ratio", "floor", "expected"),
    [
        (Estimate(1.1, 1.06, 1.2), 0.05, Verdict.MORE),
        (Estimate(1.1, 1.04, 1.2), 0.05, Verdict.INDISTINGUISHABLE),
        (Estimate(0.8, 0.7, 0.94), 0.05, Verdict.LESS),
        (Estimate(0.8, 0.7, 0.96), 0.05, Verdict.INDISTINGUISHABLE),
    ],
)
def test_the_whole_interval_must_lie_beyond_the_floor(ratio: Estimate, floor: float, expected: Verdict) -> None:
    assert verdict(ratio, floor, 7) is expected
    assert verdict(ratio, floor, 4) is Verdict.UNKNOWN


def test_the_floor_is_what_the_baseline_differs_from_itself() -> None:
    quiet = judge(rounds({"a": 100, "b": 100}, noise=0.0001)).of("a", ENDPOINT, Metric.RATE)
    noisy = judge(rounds({"a": 100, "b": 100}, noise=0.2)).of("a", ENDPOINT, Metric.RATE)
    assert quiet is not None
    assert noisy is not None
    assert (quiet.floor, noisy.floor > 0.05) == (LEAST_FLOOR, True)


def test_blocks_with_errors_count_for_nothing_and_are_told() -> None:
    samples = rounds({"a": 100, "b": 100})
    samples += [sample("b", number, 1_000.0, errors="3 failed") for number in range(1, 8)]
    judgement = judge(samples)
    assert len(judgement.refused) == 7
    assert judged(samples) is Verdict.INDISTINGUISHABLE


def test_without_processes_there_is_no_cost() -> None:
    samples = [sample(name, number, cpu=None) for number in range(7) for name in ("a", "b", "a" + AGAIN)]
    assert judge(samples).of("b", ENDPOINT, Metric.CPU) is None


def test_words_claim_what_the_intervals_carry() -> None:
    (rate, cpu, p99) = conclusions(judge(rounds({"a": 100, "b": 200})))
    assert rate.startswith("Requests per second of b: 1.9")
    assert rate.endswith("× those of a for «read».")
    assert cpu.startswith("CPU seconds per 1,000 requests of b: 0.4") or "0.5" in cpu
    assert p99.startswith("P99 latency of b: 0.")
    (same, *_) = conclusions(judge(rounds({"a": 100, "b": 100})))
    assert same == "Requests per second of b: indistinguishable for «read»."
    (both, *_) = conclusions(judge(rounds({"a": 100, "b": 100, "c": 100})))
    assert both.startswith("Requests per second of b and c: indistinguishable")
    (few, *_) = conclusions(judge(rounds({"a": 100, "b": 200}, number=3)))
    assert few == "Requests per second of b: 5 rounds that count are needed to say anything."


def test_nothing_cannot_be_judged() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        judge([])


def test_numbers_have_three_figures() -> None:
    assert [three(number) for number in (12345.6, 99.94, 1.234, 0.01234)] == ["12,346", "99.9", "1.23", "0.012"]
    assert [duration(seconds) for seconds in (0.00085, 0.0123, 1.2)] == ["850 µs", "12.3 ms", "1.20 s"]
