"""Questions and answers for tests of comparing, in a line each."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from strangler.model.shadow import Comparing
from strangler.shadow.answer import Answer, Question
from strangler.shadow.comparison import Comparison, Kind
from strangler.shadow.effects import Effects
from strangler.shadow.rules import Rules

TODAY = date(2026, 11, 28)
JSON = "application/json"


def question(target: str = "/api/products", *, method: str = "GET") -> Question:
    """A request to the shop."""
    return Question(method.encode(), target.encode(), ((b"Host", b"shop.example"),), b"")


def answer(
    document: Any = None,
    *,
    status: int = 200,
    kind: str = JSON,
    headers: Sequence[tuple[str, str]] = (),
    effects: Effects | None = None,
    authority: str = "",
) -> Answer:
    """An answer whose body is the document as JSON, or the given text or bytes as they are."""
    body = document if isinstance(document, bytes) else document.encode() if isinstance(document, str) else b""
    if document is not None and not isinstance(document, bytes | str):
        body = json.dumps(document).encode()
    fields = (*([("Content-Type", kind)] if kind else []), *headers)
    return Answer(
        status,
        tuple((name.encode(), value.encode("latin-1")) for name, value in fields),
        body,
        effects=effects,
        authority=authority,
    )


def compare(primary: Answer, candidate: Answer, asked: Question | None = None, **comparing: Any) -> Comparison:
    """Both side by side, under rules of which only the given ones are not the default."""
    return Rules(Comparing(**comparing), TODAY).compare(asked or question(), primary, candidate)


def found(comparison: Comparison) -> list[tuple[str, Kind]]:
    """What differs, in short."""
    return [(difference.field, difference.kind) for difference in comparison.differences]


def documents(primary: Any, candidate: Any, **comparing: Any) -> list[tuple[str, Kind]]:
    """What differs between two bodies of JSON."""
    return found(compare(answer(primary), answer(candidate), **comparing))
