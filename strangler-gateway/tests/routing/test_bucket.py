"""The bucket: the published vectors, an implementation that shares no code with it, and an even spread."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.routing.bucket import BUCKETS, bucket
from strangler_kit.bucket import bucket as plain_bucket
from strangler_kit.bucket import vectors


@pytest.mark.parametrize(("group", "subject", "expected"), vectors())
def test_the_published_vectors_hold(group: str, subject: str, expected: int) -> None:
    assert bucket(group, subject) == expected


@given(st.text(), st.text())
def test_it_agrees_with_an_independent_implementation(group: str, subject: str) -> None:
    assert bucket(group, subject) == plain_bucket(group, subject)


@pytest.mark.parametrize("group", ["catalog", "orders", "a", ""])
def test_twenty_thousand_subjects_at_five_percent_stay_within_half_a_point(group: str) -> None:
    chosen = sum(bucket(group, f"user-{number}") < 500 for number in range(20_000))
    assert abs(chosen / 20_000 - 0.05) <= 0.005


def test_every_bucket_is_within_its_bounds_and_most_are_met() -> None:
    met = Counter(bucket("catalog", str(number)) for number in range(100_000))
    assert min(met) >= 0
    assert max(met) < BUCKETS
    assert len(met) > 0.999 * BUCKETS
