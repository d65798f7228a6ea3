"""Money is exact; text is folded alike everywhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.kernel.money import Money, minor_units, total_of
from shop.kernel.text import contains_pattern, fold


@given(st.integers(min_value=0, max_value=10**12))
def test_an_amount_survives_the_way_to_text_and_back(minor: int) -> None:
    assert minor_units(Money(minor, "EUR").amount) == minor


@pytest.mark.parametrize(
    ("text", "minor"),
    [("0", 0), ("12", 1200), ("12.5", 1250), ("12.50", 1250), ("0.01", 1), ("9999999999.99", 10**12 - 1)],
)
def test_an_amount_is_read_without_rounding(text: str, minor: int) -> None:
    assert minor_units(text) == minor


def test_different_currencies_have_no_total() -> None:
    assert total_of([Money(1, "EUR"), Money(2, "EUR")]) == Money(3, "EUR")
    assert total_of([Money(1, "EUR"), Money(2, "USD")]) is None
    assert total_of([]) is None


@pytest.mark.parametrize(
    ("written", "sought"),
    [
        ("STRASSE", "straße"),
        ("ÉTUDE", "e\u0301tude"),
        ("ﬁn", "FIN"),
        ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
        ("\u212bngström", "ÅNGSTRÖM"),
    ],
)
def test_folding_forgets_case_and_ways_of_writing(written: str, sought: str) -> None:
    assert fold(written) == fold(sought)


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_wildcards_stand_for_themselves() -> None:
    assert contains_pattern("50%_\\") == "%50\\%\\_\\\\%"
