"""Verdicts: what is said when, and in which words."""

import pytest

from strangler.model.shadow import Shadow
from strangler.shadow.evidence import Evidence, Observation
from strangler.shadow.verdict import Judgement, Verdict, judge
from strangler.shadow.wording import at_least, at_most, because, claim, nearly

from .runs import evidence

VALUE = frozenset(("value",))


def verdict(seen: Evidence, **settings: float) -> Verdict:
    return judge(seen, Shadow(**settings))  # type: ignore[arg-type]  # of which some are no numbers


@pytest.mark.parametrize(
    ("seen", "judgement", "words"),
    [
        (Evidence(), Judgement.UNDECIDED, "nothing compared yet"),
        (evidence(100), Judgement.UNDECIDED, "at most 3.6 % of requests differ, 95 %, after 100 compared"),
        (evidence(715), Judgement.EQUIVALENT, "at most 0.5 % of requests differ, 95 %, after 715 compared"),
        (evidence(2314), Judgement.EQUIVALENT, "at most 0.16 % of requests differ, 95 %, after 2,314 compared"),
        (
            evidence(2314, faults=3),
            Judgement.EQUIVALENT,
            "at most 0.48 % of requests differ, 95 %, after 2,317 compared",
        ),
        (evidence(300, faults=12), Judgement.DIFFERENT, "1 to 9.5 % of requests differ, 95 %, after 312 compared"),
        (evidence(0, faults=40), Judgement.DIFFERENT, "87 to 100 % of requests differ, 95 %, after 40 compared"),
        (
            evidence(3000, noise=100),
            Judgement.EQUIVALENT,
            "at most 0.12 % of requests differ, 95 %, after 3,100 compared",
        ),
    ],
)
def test_a_verdict_is_a_sentence(seen: Evidence, judgement: Judgement, words: str) -> None:
    found = verdict(seen)
    assert (found.judgement, claim(found)) == (judgement, words)


def test_how_much_is_missing_is_told_exactly() -> None:
    found = verdict(evidence(100))
    assert found.needed is not None
    assert "another 615 without a difference" in because(found)
    assert verdict(evidence(100 + found.needed)).judgement is Judgement.EQUIVALENT
    assert verdict(evidence(100 + found.needed - 1)).judgement is Judgement.UNDECIDED


def test_a_bound_that_cannot_be_reached_is_told_as_that() -> None:
    unasked = Evidence()
    for _ in range(5):
        unasked, _ = unasked.observe(Observation({"status": VALUE}), 0.005)
    found = verdict(unasked, at_most=1e-9)
    assert found.needed is None
    assert "5 of 5 differ for no known reason" in because(found)


def test_what_is_different_names_its_fields_and_the_chance_of_error() -> None:
    words = because(verdict(evidence(30, faults=20)))
    assert "It differs in body.price" in words
    assert "0.1 % of all runs" in words


def test_a_verdict_of_different_stays_whatever_comes_after_it() -> None:
    seen = evidence(30, faults=11)
    for _ in range(20_000):
        seen, _ = seen.observe(Observation({}), 0.005)
    assert verdict(seen).judgement is Judgement.DIFFERENT


def test_without_a_second_answer_nothing_is_called_different_and_nothing_equivalent() -> None:
    seen = evidence(1000)
    for _ in range(50):
        seen, _ = seen.observe(Observation({"status": VALUE}), 0.005)
    found = verdict(seen)
    assert found.judgement is Judgement.UNDECIDED
    assert found.real.seen == 50


def test_a_field_that_differs_from_itself_is_left_out_and_named() -> None:
    random = Observation({"body.id": VALUE}, {"body.id": VALUE}, {"body.id": VALUE}, sampled=True)
    seen = Evidence()
    for _ in range(3000):
        seen, _ = seen.observe(random, 0.005)
    found = verdict(seen)
    assert found.judgement is Judgement.EQUIVALENT
    assert claim(found).endswith(", apart from body.id, which differs from itself")
    assert found.fields["body.id"].loud
    assert found.fields["body.id"].noise.share == 1


@pytest.mark.parametrize("kind", ["missing", "type"])
def test_noise_in_a_value_hides_no_candidate_that_lacks_the_field_or_has_another_type(kind: str) -> None:
    """A time that is another one in each answer, and null or not there at all on one side."""
    other = {"body.at": frozenset((kind,))}
    fault = Observation(other, {"body.at": VALUE}, other, sampled=True)
    seen = Evidence()
    for _ in range(60):
        seen, _ = seen.observe(fault, 0.005)
    found = verdict(seen)
    assert (found.judgement, found.apart_from) == (Judgement.DIFFERENT, ())
    assert found.fields["body.at"].judgement is Judgement.DIFFERENT
    assert found.fields["body.at"].noise.share == 1


def test_noise_that_may_hide_a_fault_withholds_the_verdict() -> None:
    """The candidate is odd in three of four cases: too many for noise, too few to be sure."""
    odd = {"body.price": VALUE}
    noise, fault = Observation(odd, odd, {}), Observation(odd, {}, odd)
    seen = evidence(5000)
    for observation in [noise, fault, fault, fault] * 20:
        seen, _ = seen.observe(observation, 0.01)
    found = verdict(seen, at_most=0.01)
    assert (found.judgement, found.doubtful) == (Judgement.UNDECIDED, ("body.price",))
    assert found.upper < 0.01
    assert "body.price differs more between the arms than from itself" in because(found)
    for observation in [noise, fault] * 20:
        seen, _ = seen.observe(observation, 0.01)
    assert verdict(seen, at_most=0.01).doubtful == ()


def test_the_most_telling_field_comes_first() -> None:
    seen = evidence(30, faults=20, noise=30)
    assert list(verdict(seen).fields) == ["body.price", "body.server"]
    assert verdict(seen).fields["body.price"].judgement is Judgement.DIFFERENT
    assert verdict(seen).fields["body.server"].judgement is Judgement.UNDECIDED


@pytest.mark.parametrize(
    ("share", "up", "down", "near"),
    [
        (0, "0 %", "0 %", "0 %"),
        (1, "100 %", "100 %", "100 %"),
        (0.00155, "0.16 %", "0.15 %", "0.16 %"),
        (0.002, "0.2 %", "0.2 %", "0.2 %"),
        (0.29, "29 %", "29 %", "29 %"),
        (0.1234, "13 %", "12 %", "12 %"),
        (0.0999, "10 %", "9.9 %", "10 %"),
        (0.0000123, "0.0013 %", "0.0012 %", "0.0012 %"),
    ],
)
def test_shares_are_rounded_to_the_side_that_is_safe(share: float, up: str, down: str, near: str) -> None:
    assert (at_most(share), at_least(share), nearly(share)) == (up, down, near)
