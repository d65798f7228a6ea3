"""What is remembered of credentials is bounded, ends when it should, and is forgotten with what it was found out by."""

import pytest

from strangler.policies import remembered
from strangler.policies.identity import Identity
from strangler.policies.remembered import NOT_KNOWN, Remembered, digest

WHO = Identity("a", "u1", 100.0)


def test_what_is_remembered_ends_at_its_moment() -> None:
    memory = Remembered()
    memory.put(b"k", WHO, 10.0, 1)
    memory.put(b"nobody", None, 10.0, 1)
    assert (memory.get(b"k", 9.9), memory.get(b"nobody", 9.9), memory.get(b"other", 0)) == (WHO, None, NOT_KNOWN)
    assert (memory.get(b"k", 10.0), memory.get(b"nobody", 10.0)) == (NOT_KNOWN, NOT_KNOWN)
    assert len(memory) == 0


def test_beyond_its_bounds_the_oldest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "ENTRIES", 3)
    monkeypatch.setattr(remembered, "SIZE", 100)
    memory = Remembered()
    for number in range(5):
        memory.put(b"%d" % number, WHO, 10.0, 10)
    assert [memory.get(b"%d" % number, 0) is WHO for number in range(5)] == [False, False, True, True, True]
    memory.put(b"large", WHO, 10.0, 85)
    assert [memory.get(key, 0) is WHO for key in (b"3", b"4", b"large")] == [False, True, True]
    memory.put(b"huge", WHO, 10.0, 101)
    assert len(memory) == 0


def test_putting_the_same_again_takes_no_more_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "SIZE", 20)
    memory = Remembered()
    for _ in range(10):
        memory.put(b"k", WHO, 10.0, 15)
    memory.put(b"l", WHO, 10.0, 5)
    assert len(memory) == 2


def test_another_edition_is_another_memory() -> None:
    memory, keys = Remembered(), object()
    memory.adopt(keys)
    memory.put(b"k", WHO, 10.0, 1)
    memory.adopt(keys)
    assert memory.get(b"k", 0) is WHO
    memory.adopt(object())
    assert memory.get(b"k", 0) is NOT_KNOWN


def test_the_credential_itself_is_not_what_is_kept() -> None:
    assert digest(b"secret") == digest(b"secret") != digest(b"secret2")
    assert b"secret" not in digest(b"secret")
