"""The bucket of a subject: a number that decides who is in a canary, the same in every process and language."""

from typing import Final

import mmh3

BUCKETS: Final = 10_000
"""One bucket is a hundredth of a percent."""


def bucket(group: str, subject: str) -> int:
    """Return the bucket, 0 to 9,999: MurmurHash3 (x86, 32 bit, seed 0) of ``group:subject`` in UTF-8, scaled.

    The product of hash and bucket count, shifted right by 32, spreads the hash evenly without a modulo's bias
    (the arithmetic of flagd's fractional evaluation). Test vectors: ``vectors.json`` in ``strangler_kit``.
    """
    return mmh3.hash(f"{group}:{subject}", 0, signed=False) * BUCKETS >> 32
