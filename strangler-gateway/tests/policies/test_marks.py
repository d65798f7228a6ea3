"""Marks: those of the published vectors, byte by byte, and none by a secret that could be guessed."""

import json
from pathlib import Path
from typing import Any

import pytest

from strangler.policies.marks import Marks, SecretTooShort

VECTORS = json.loads((Path(__file__).parents[2] / "kit/src/strangler_kit/marks_vectors.json").read_text())


@pytest.mark.parametrize("row", VECTORS["made"], ids=lambda row: f"{row['purpose']}-{row['target'][:10]}")
def test_the_published_marks_are_made(row: dict[str, Any]) -> None:
    purpose, method, target, nonce = (row[key].encode("latin-1") for key in ("purpose", "method", "target", "nonce"))
    assert Marks(VECTORS["secret"].encode()).make(purpose, method, target, row["now"], nonce).decode() == row["mark"]


def test_a_secret_that_is_too_short_is_refused() -> None:
    with pytest.raises(SecretTooShort, match="31 bytes; it needs at least 32"):
        Marks(b"x" * 31)
