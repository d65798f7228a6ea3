"""Evidence: what each exchange adds, what is staked and on what, and that it can be written down."""

import math
from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strangler.model.shadow import Heading, Shadow
from strangler.shadow.betting import log_odd, log_staked
from strangler.shadow.comparison import Comparison, Difference, Kind
from strangler.shadow.evidence import (
    ENOUGH_ANSWERS,
    MOST_FIELDS,
    OTHERS,
    WARM_UP,
    Asking,
    Evidence,
    EvidenceUnreadable,
    Finding,
    Observation,
    decode,
    encode,
    kinds_of,
)
from strangler.shadow.verdict import Judgement, is_different, judge

AT_MOST = Shadow().at_most
VALUE = frozenset(("value",))


def _kind(pair: tuple[str, str]) -> frozenset[str]:
    if "-" in pair:
        return frozenset(("added" if pair[0] == "-" else "missing",))
    return VALUE if pair[0].isdigit() == pair[1].isdigit() else frozenset(("type",))


def answers(primary: str, candidate: str, second: str | None, **more: bool) -> Observation:
    """Each answer as one letter per field: the fields are called 0, 1, … ``-`` lacks it, a digit is of another type."""

    def differing(one: str, other: str) -> dict[str, frozenset[str]]:
        pairs = enumerate(zip(one, other, strict=True))
        return {str(index): _kind(pair) for index, pair in pairs if len(set(pair)) == 2}

    return Observation(
        differing(primary, candidate),
        None if second is None else differing(primary, second),
        None if second is None else differing(candidate, second),
        **more,
    )


SAME = answers("a", "a", None)
FAULT = answers("a", "b", "a")
NOISE = answers("b", "a", "a")


def seen(*observations: Observation, before: Evidence | None = None) -> Evidence:
    evidence = before or Evidence()
    for observation in observations:
        evidence, _ = evidence.observe(observation, AT_MOST)
    return evidence


WARM = seen(*[SAME] * WARM_UP)


@pytest.mark.parametrize(
    ("observation", "finding"),
    [
        (answers("ab", "ab", None), Finding.SAME),
        (answers("ab", "ab", "xb", sampled=True), Finding.SAME),
        (answers("ab", "ax", "ab"), Finding.CANDIDATE_ODD),
        (answers("ax", "ab", "ab"), Finding.PRIMARY_ODD),
        (answers("ax", "ay", "az"), Finding.UNCLEAR),
        (answers("ax", "xa", "xx"), Finding.UNCLEAR),
        (answers("ab", "xb", "ax"), Finding.CANDIDATE_ODD),
        (answers("ab", "ax", None), Finding.UNASKED),
        (answers("ab", "ax", None, repeatable=False), Finding.UNASKED),
        (Observation({"0": VALUE}, {}, {}), Finding.UNCLEAR),
        (answers("a", "-", "b"), Finding.CANDIDATE_ODD),
        (answers("-", "a", "b"), Finding.PRIMARY_ODD),
        (answers("a", "-", "-"), Finding.PRIMARY_ODD),
        (answers("a", "b", "-"), Finding.UNCLEAR),
        (answers("a", "1", "b"), Finding.CANDIDATE_ODD),
        (answers("1", "a", "b"), Finding.PRIMARY_ODD),
        (answers("a", "1", "-"), Finding.UNCLEAR),
        (answers("aa", "-b", "ba"), Finding.CANDIDATE_ODD),
        (answers("aa", "-b", "ac"), Finding.UNCLEAR),
    ],
)
def test_a_finding_says_which_of_three_answers_is_odd_where_two_differ(
    observation: Observation, finding: Finding
) -> None:
    _, found = Evidence().observe(observation, AT_MOST)
    assert found is finding


LETTERS = st.sampled_from("aaab-1")


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    width = draw(st.integers(1, 3))
    words = [("".join(draw(LETTERS) for _ in range(width))) for _ in range(3)]
    asked = draw(st.booleans())
    return answers(words[0], words[1], words[2] if asked else None, sampled=asked and draw(st.booleans()))


@given(steps=st.lists(observations(), max_size=60))
@settings(max_examples=60, deadline=None)
def test_counts_add_up_peaks_never_fall_and_what_is_written_can_go_on(steps: list[Observation]) -> None:
    evidence = WARM
    called = False
    for step in steps:
        before = evidence
        evidence, finding = decode(encode(before)).observe(step, AT_MOST)
        assert evidence == before.observe(step, AT_MOST)[0]
        assert (evidence.real > before.real) == (finding.heading is Heading.DIFFERENT)
        assert sum(evidence.findings.values()) == evidence.compared == before.compared + 1
        assert evidence.peak >= before.peak
        for name, known in before.fields.items():
            after = evidence.fields[name]
            assert (after.order, after.first) == (known.order, known.first)
            assert after.peak >= known.peak
            assert after.staked_peak >= known.staked_peak
            assert after.differing >= after.answers
        called = called or is_different(evidence, 0.05)
        assert is_different(evidence, 0.05) == called
        assert (judge(evidence, Shadow(alpha=0.05)).judgement is Judgement.DIFFERENT) == called


WORDS = st.tuples(st.text("abc", min_size=3, max_size=3), st.text("abc", min_size=3, max_size=3))


@given(
    past=st.lists(st.tuples(WORDS, st.text("abc", min_size=3, max_size=3)), max_size=30),
    now=WORDS,
    again=st.text("abc", min_size=3, max_size=3),
)
@settings(deadline=None)
def test_if_candidate_and_primary_can_change_places_no_wealth_grows_on_average(
    past: list[tuple[tuple[str, str], str]], now: tuple[str, str], again: str
) -> None:
    """The proof of all of it: given the past and the second answer, (P, C) and (C, P) are equally likely."""
    before = seen(*(answers(*pair, second) for pair, second in past), before=WARM)
    one = seen(answers(now[0], now[1], again), before=before)
    other = seen(answers(now[1], now[0], again), before=before)
    assert (wealth(one) + wealth(other)) / 2 == pytest.approx(wealth(before))
    for name, known in before.fields.items():
        mean = sum(math.exp(log_odd(after.fields[name].ones, after.fields[name].zeros)) for after in (one, other)) / 2
        assert mean == pytest.approx(math.exp(log_odd(known.ones, known.zeros)))
    swapped = {Finding.CANDIDATE_ODD: Finding.PRIMARY_ODD, Finding.PRIMARY_ODD: Finding.CANDIDATE_ODD}
    finding = before.observe(answers(now[0], now[1], again), AT_MOST)[1]
    assert before.observe(answers(now[1], now[0], again), AT_MOST)[1] is swapped.get(finding, finding)


def wealth(evidence: Evidence) -> float:
    """Of the route's process, now."""
    staked = (known for known in evidence.fields.values() if known.stake)
    return math.exp(sum(log_staked(known.wins, known.stake, lost=known.lost) for known in staked))


def test_ten_findings_are_not_enough_and_eleven_are() -> None:
    assert not is_different(seen(*[FAULT] * 10, before=WARM), 0.001)
    assert is_different(seen(*[FAULT] * 11, before=WARM), 0.001)


def test_a_fault_that_shows_in_ever_other_fields_is_found_as_well() -> None:
    faults = [answers("a" * 20, "a" * index + "b" + "a" * (19 - index), "a" * 20) for index in range(20)]
    assert is_different(seen(*faults, before=WARM), 0.001)


def test_nothing_is_staked_on_the_first_exchanges_of_a_run() -> None:
    evidence = seen(*[FAULT] * WARM_UP)
    assert evidence.fields["0"].stake == 0
    assert seen(FAULT, before=evidence).fields["0"].wins == 1


def test_nothing_is_staked_on_a_field_that_has_differed_from_itself() -> None:
    noisy = seen(answers("a", "a", "b", sampled=True), before=WARM)
    assert seen(*[FAULT] * 10, before=noisy).fields["0"].stake == 0


def test_a_stake_is_lost_when_the_primary_is_the_odd_one() -> None:
    evidence = seen(*[FAULT] * 5, NOISE, *[FAULT] * 20, before=WARM)
    assert (evidence.fields["0"].wins, evidence.fields["0"].lost) == (5, True)
    assert not is_different(evidence, 0.001)


def test_the_noise_of_one_field_costs_a_fault_in_another_one_finding() -> None:
    noisy = seen(answers("ba", "aa", "aa"), before=WARM)
    fault = answers("aa", "ab", "aa")
    assert not is_different(seen(*[fault] * 11, before=noisy), 0.001)
    assert is_different(seen(*[fault] * 12, before=noisy), 0.001)


def test_an_exchange_with_noise_in_it_tells_of_the_fault_beside_it() -> None:
    known = seen(*[answers("ba", "aa", "aa", sampled=True)] * 3, before=WARM)
    both = answers("aa", "bb", "ca")
    assert is_different(seen(*[both] * 13, before=known), 0.001)


def test_the_first_sight_of_a_field_does_not_count_in_its_own_process() -> None:
    evidence = seen(FAULT, before=WARM)
    assert (evidence.fields["0"].candidate_odd, evidence.fields["0"].ones) == (1, 0)
    assert seen(FAULT, before=evidence).fields["0"].ones == 1


def test_a_field_that_is_at_fault_more_often_than_noisy_is_found_by_its_own_process() -> None:
    mixed = [FAULT, FAULT, FAULT, FAULT, NOISE]
    assert is_different(seen(*mixed * 40, before=WARM), 0.001)
    assert not is_different(seen(*[FAULT, NOISE] * 200, before=WARM), 0.001)


def test_differences_only_in_what_is_known_to_differ_from_itself_are_noise() -> None:
    loud = seen(*[answers("a", "b", "c", sampled=True)] * 5, before=WARM)
    _, finding = loud.observe(answers("a", "b", None), AT_MOST)
    assert finding is Finding.NOISE
    _, finding = loud.observe(answers("aa", "bb", "ca"), AT_MOST)
    assert finding is Finding.CANDIDATE_ODD


def test_rare_noise_is_counted_as_if_it_were_real() -> None:
    quiet = seen(*[SAME] * 5000, NOISE, NOISE)
    _, finding = quiet.observe(FAULT, AT_MOST)
    assert finding is Finding.CANDIDATE_ODD


def test_a_field_that_always_differs_and_once_from_itself_is_not_noise() -> None:
    broken = seen(*[FAULT] * 1000, *[answers("a", "b", "c")] * 2)
    assert not broken.fields["0"].is_loud(broken.compared, AT_MOST)


def test_the_primary_is_asked_again_at_first_by_chance_and_about_differences() -> None:
    nothing, difference = frozenset[str](), frozenset(("0",))
    assert Evidence().asking(nothing, 0.99, 0.05) is Asking.SAMPLED
    assert WARM.asking(nothing, 0.04, 0.05) is Asking.SAMPLED
    assert WARM.asking(difference, 0.04, 0.05) is Asking.SAMPLED
    assert WARM.asking(nothing, 0.06, 0.05) is Asking.NO
    assert WARM.asking(difference, 0.06, 0.05) is Asking.DIFFERS


def test_what_was_asked_about_often_enough_is_asked_about_by_chance_only() -> None:
    evidence = seen(*[answers("a", "b", "c")] * ENOUGH_ANSWERS, before=WARM)
    assert evidence.asking(frozenset(("0",)), 0.5, 0.05) is Asking.NO
    assert evidence.asking(frozenset(("0", "1")), 0.5, 0.05) is Asking.DIFFERS


def test_noise_is_measured_by_what_was_asked_by_chance_alone() -> None:
    evidence = seen(answers("a", "a", "b", sampled=True), NOISE, answers("a", "a", "a", sampled=True))
    assert (evidence.seconds, evidence.sampled, evidence.noisy) == (3, 2, 1)
    assert (evidence.fields["0"].noise, evidence.fields["0"].unlike) == (1, 2)


def test_fields_are_bounded() -> None:
    def many(start: int, of: int) -> Iterable[str]:
        return (f"body.field{number:04}" for number in range(start, start + of))

    evidence = seen(
        *(
            Observation(
                dict.fromkeys(many(start, 90), VALUE),
                dict.fromkeys(many(start + 45, 90), VALUE),
                dict.fromkeys(many(start, 90), VALUE),
            )
            for start in range(0, 900, 90)
        ),
        before=WARM,
    )
    assert len(evidence.fields) == MOST_FIELDS + 1
    assert evidence.fields[OTHERS].differing == 8
    assert evidence.asking(frozenset(("body.new",)), 0.9, 0.05) is Asking.DIFFERS


def test_writes_are_different_if_more_of_them_differ_than_data_changes() -> None:
    write = answers("a", "b", None, repeatable=False)
    same = answers("a", "a", None, repeatable=False)
    assert is_different(seen(*[write] * 5), 0.001)
    assert not is_different(seen(*[same] * 1000, write, *[same] * 1000, write), 0.001)
    assert is_different(seen(*([same] * 99 + [write]) * 20), 0.001)


def test_the_field_by_which_writes_differ_is_named() -> None:
    evidence = seen(*[answers("aa", "ab", None, repeatable=False)] * 8)
    assert judge(evidence, Shadow()).fields["1"].judgement is Judgement.DIFFERENT


def test_the_kinds_of_a_comparison_are_by_field() -> None:
    differences = (
        Difference("body[].a", "body[0].a", Kind.VALUE, "1", "2"),
        Difference("body[].a", "body[1].a", Kind.MISSING, "1", ""),
        Difference("status", "status", Kind.VALUE, "200", "500"),
    )
    assert kinds_of(Comparison(differences)) == {"body[].a": {"value", "missing"}, "status": {"value"}}


def test_evidence_that_cannot_be_read_says_what_to_do() -> None:
    with pytest.raises(EvidenceUnreadable, match="restart the run"):
        decode(b'{"compared": "many"}')


def test_a_field_that_comes_and_goes_and_changes_its_type_on_both_sides_is_called_different_by_chance_only() -> None:
    """All three answers are draws of the same: 5 % of the runs may be called so."""
    chance = Random(4)
    called = 0
    for _ in range(60):
        letters = (chance.choice("-11aaaabbb") for _ in range(3 * 300))
        drawn = zip(letters, letters, letters, strict=True)
        called += is_different(seen(*(answers(*three, sampled=True) for three in drawn)), 0.05)
    assert called <= 6
