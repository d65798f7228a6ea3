"""The gateway's bucket arithmetic in plain Python, so that an application reaches the same answer as the gateway.

The vectors in ``vectors.json`` beside this file are what any other implementation has to reproduce.
"""

import json
from importlib.resources import files

BUCKETS = 10_000
"""One bucket is a hundredth of a percent."""

_MASK = 0xFFFFFFFF


def bucket(group: str, subject: str) -> int:
    """Return the bucket, 0 to 9,999, of a subject within a group.

    MurmurHash3 (x86, 32 bit, seed 0) of ``group:subject`` in UTF-8, times 10,000, shifted right by 32. The service
    answers where ``bucket < weight * 100`` (weight in percent), unless the subject is in a cohort.
    """
    return murmur3_32(f"{group}:{subject}".encode()) * BUCKETS >> 32


def murmur3_32(data: bytes) -> int:
    """MurmurHash3_x86_32 with seed 0, by Austin Appleby (public domain); 0 to 2³² − 1."""
    state = 0
    whole = len(data) & ~3
    for start in range(0, whole, 4):
        state = _rotate(state ^ _scramble(int.from_bytes(data[start : start + 4], "little")), 13)
        state = (state * 5 + 0xE6546B64) & _MASK
    if whole < len(data):
        state ^= _scramble(int.from_bytes(data[whole:], "little"))
    state ^= len(data)
    state = (state ^ state >> 16) * 0x85EBCA6B & _MASK
    state = (state ^ state >> 13) * 0xC2B2AE35 & _MASK
    return state ^ state >> 16


def vectors() -> list[tuple[str, str, int]]:
    """The published test vectors: group, subject, bucket."""
    text = files("strangler_kit").joinpath("vectors.json").read_text("utf-8")
    return [(row["group"], row["subject"], row["bucket"]) for row in json.loads(text)]


def _scramble(block: int) -> int:
    return _rotate(block * 0xCC9E2D51 & _MASK, 15) * 0x1B873593 & _MASK


def _rotate(value: int, by: int) -> int:
    return (value << by | value >> (32 - by)) & _MASK
