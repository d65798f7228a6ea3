"""Marks: the published vectors, and that nothing but the very request that a mark was made for is let in by it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler_kit.marks import MarkRefused, make, secret_of, vectors, verify

VECTORS = vectors()
SECRET = VECTORS["secret"].encode()
NONCE = "A" * 16
texts = st.text(st.characters(max_codepoint=255), max_size=20)


@pytest.mark.parametrize("row", VECTORS["made"], ids=lambda row: f"{row['purpose']}-{row['target'][:10]}")
def test_the_published_marks_are_made(row: dict[str, Any]) -> None:
    made = make(SECRET, row["purpose"], row["method"], row["target"], row["now"], row["nonce"])
    assert made == row["mark"]


@pytest.mark.parametrize("row", VECTORS["verified"], ids=lambda row: row["name"].replace(" ", "-"))
def test_the_published_marks_are_judged(row: dict[str, Any]) -> None:
    given = (SECRET, row["purpose"], row["method"], row["target"], row["mark"], row["now"])
    if row["refused"] is None:
        verify(*given)
        return
    with pytest.raises(MarkRefused) as refused:
        verify(*given)
    assert refused.value.reason == row["refused"]


@given(texts, texts, texts, texts)
def test_a_mark_is_good_for_its_own_request_only(method: str, target: str, other_method: str, other: str) -> None:
    mark = make(SECRET, "shadow", method, target, 100, NONCE)
    verify(SECRET, "shadow", method, target, mark, 100)
    if (other_method, other) != (method, target):
        with pytest.raises(MarkRefused, match="forged"):
            verify(SECRET, "shadow", other_method, other, mark, 100)


@given(st.text())
def test_what_is_no_mark_is_refused(text: str) -> None:
    with pytest.raises(MarkRefused):
        verify(SECRET, "report", "GET", "/", text, 100)


def test_a_secret_that_is_too_short_is_refused_by_everything() -> None:
    for act in (
        lambda: make(b"x" * 31, "report", "GET", "/", 100, NONCE),
        lambda: verify(b"x" * 31, "report", "GET", "/", make(SECRET, "report", "GET", "/", 100, NONCE), 100),
        lambda: secret_of(" " * 32 + "x" * 31),
    ):
        with pytest.raises(ValueError, match="31 bytes; it needs at least 32"):
            act()


@pytest.mark.parametrize("nonce", ["", "A" * 15, "A" * 65, "A" * 15 + ".", "é" * 16])
def test_what_is_no_nonce_is_refused(nonce: str) -> None:
    with pytest.raises(ValueError, match="a nonce has 16 to 64"):
        make(SECRET, "report", "GET", "/", 100, nonce)
