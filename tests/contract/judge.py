"""What must hold of every answer, and of the answer to a case."""

import json
from collections.abc import Mapping
from typing import Any

from contract.case import ABSENT, Case, resolve
from contract.client import Answer, Client, encode

TYPES = "https://shop.example/problems/"
TITLES = {
    "malformed-json": (400, "Malformed JSON"),
    "unauthenticated": (401, "Authentication required"),
    "payment-declined": (402, "Payment declined"),
    "forbidden": (403, "Forbidden"),
    "cross-site-request": (403, "Cross-site request refused"),
    "not-found": (404, "Not found"),
    "method-not-allowed": (405, "Method not allowed"),
    "duplicate": (409, "Already exists"),
    "category-in-use": (409, "Category in use"),
    "insufficient-stock": (409, "Insufficient stock"),
    "reservation-state": (409, "Wrong state"),
    "order-state": (409, "Wrong state"),
    "product-unavailable": (409, "Product unavailable"),
    "empty-cart": (409, "Empty cart"),
    "mixed-currencies": (409, "Mixed currencies"),
    "cart-full": (409, "Cart full"),
    "refund-exceeds-payment": (409, "Refund exceeds payment"),
    "precondition-failed": (412, "Precondition failed"),
    "content-too-large": (413, "Content too large"),
    "unsupported-media-type": (415, "Unsupported media type"),
    "validation-failed": (422, "Validation failed"),
    "idempotency-key-reused": (422, "Idempotency key reused"),
}


def check_form(answer: Answer) -> None:
    """Check what the reference page says of all answers: content type, length, cache control and compact JSON."""
    cache = answer.header("cache-control")
    assert cache in {"no-store", "no-cache", "public, max-age=300"}, answer
    if answer.status in {204, 304}:
        assert answer.body == b"", answer
        assert answer.header("content-type") is None, answer
        return
    problem = answer.status >= 400
    assert answer.header("content-type") == ("application/problem+json" if problem else "application/json"), answer
    assert answer.header("content-length") == str(len(answer.body)), answer
    assert encode(json.loads(answer.body)) == answer.body, "JSON is compact and escapes nothing that need not be"
    if problem:
        assert cache == "no-store", answer


def check_problem(
    answer: Answer, slug: str, *, detail: str | None = None, fields: tuple[str, ...] | None = None
) -> dict[str, Any]:
    """Check that the answer is this problem, in its one shape, and return it."""
    assert answer.status == TITLES[slug][0], answer
    check_form(answer)
    found: dict[str, Any] = answer.json()
    invalid = slug == "validation-failed"
    assert list(found) == ["type", "title", "status", "detail", *(["errors"] if invalid else [])]
    assert (found["type"], found["title"], found["status"]) == (TYPES + slug, TITLES[slug][1], answer.status)
    assert isinstance(found["detail"], str)
    assert found["detail"]
    if invalid:
        errors = found["errors"]
        assert errors
        assert all(list(error) == ["field", "message"] and error["message"] for error in errors), errors
        assert found["detail"] == (f"{len(errors)} fields are" if len(errors) != 1 else "1 field is") + " not valid."
        if fields is not None:
            assert tuple(error["field"] for error in errors) == fields, errors
    if slug == "unauthenticated":
        assert (answer.header("www-authenticate") or "").startswith('Bearer realm="shop"'), answer
    if detail is not None:
        assert found["detail"] == detail
    return found


def run(case: Case, client: Client, world: Mapping[str, Any], *, behind_gateway: bool = False) -> None:
    """Send the request of a case and judge the answer."""
    answer = send(case, client, world)
    if case.ambiguous and behind_gateway:
        assert answer.status == 400, answer
    else:
        check(case, answer, world)


def send(case: Case, client: Client, world: Mapping[str, Any]) -> Answer:
    """Send the request of a case."""
    headers = resolve(case.headers, world)
    target = resolve(case.target, world)
    if case.json is not ABSENT:
        document = encode(resolve(case.json, world))
        return client.send(case.method, target, body=document, headers={"Content-Type": "application/json", **headers})
    body = case.body if not case.chunked or case.body is None else _in_chunks(case.body)
    return client.send(case.method, target, body=body, headers=headers)


def check(case: Case, answer: Answer, world: Mapping[str, Any]) -> None:
    """Judge an answer to a case, wherever it came from."""
    assert answer.status == case.status, answer
    if case.method != "HEAD":
        check_form(answer)
    if case.problem is not None:
        check_problem(answer, case.problem, detail=resolve(case.detail, world), fields=case.fields)
    if case.answer is not ABSENT:
        assert answer.json() == resolve(case.answer, world)
    if case.has:
        found = answer.json()
        expected = resolve(case.has, world)
        assert {key: found.get(key, ABSENT) for key in expected} == expected
    for name, value in case.answer_headers.items():
        assert answer.header(name) == resolve(value, world), (name, answer)


def _in_chunks(body: bytes, size: int = 8_192) -> list[bytes]:
    return [body[at : at + size] for at in range(0, len(body), size)]
