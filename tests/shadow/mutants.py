"""A service with one fault each: what somebody who wrote the catalog or the orders anew could get wrong.

A mutant takes an exchange and gives the answer of the faulty service, or None where the fault does not show.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from shadow.exchanges import Exchange
from strangler.shadow.answer import Answer

Fault = Callable[[Exchange], Answer | None]
Document = dict[str, Any]
NOT_FOUND = b'{"type":"about:blank","title":"Not found","status":404,"detail":"Not found."}'


@dataclass(frozen=True, slots=True)
class Mutant:
    """``field`` is one of those that must be found to differ."""

    name: str
    field: str
    fault: Fault

    def __str__(self) -> str:
        return self.name


# How answers are changed


def with_body(answer: Answer, body: bytes) -> Answer:
    """The same answer around another content."""
    fields = tuple(
        (name, str(len(body)).encode() if name.lower() == b"content-length" else value) for name, value in answer.fields
    )
    return replace(answer, body=body, fields=fields)


def header(name: str, value: str | None) -> Fault:
    """The header replaced, or left out."""

    def fault(exchange: Exchange) -> Answer | None:
        there = [pair for pair in exchange.answer.fields if pair[0].lower() == name.encode()]
        if not there:
            return None
        fields = tuple(pair for pair in exchange.answer.fields if pair not in there)
        more = () if value is None else ((there[0][0], value.encode()),)
        return replace(exchange.answer, fields=fields + more)

    return fault


def document(change: Callable[[Document], Document | None], path: str = "/api/", status: int = 200) -> Fault:
    """The JSON of answers under ``path`` changed: in place, or by what ``change`` gives back."""

    def fault(exchange: Exchange) -> Answer | None:
        answer = exchange.answer
        if answer.status != status or not exchange.path.startswith(path) or not answer.body:
            return None
        found = exchange.document()
        changed = change(found)
        found = found if changed is None else changed
        body = json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode()
        return None if body == answer.body else with_body(answer, body)

    return fault


def product(change: Callable[[Document], None]) -> Fault:
    """Every product changed, alone and in lists."""

    def every(found: Document) -> None:
        for each in found.get("items", [found]):
            change(each)

    return document(every, "/api/products")


def body(change: Callable[[bytes], bytes], path: str = "/api/products") -> Fault:
    """The bytes of good answers changed."""

    def fault(exchange: Exchange) -> Answer | None:
        answer = exchange.answer
        if answer.status != 200 or not exchange.path.startswith(path) or not answer.body:
            return None
        changed = change(answer.body)
        return None if changed == answer.body else with_body(answer, changed)

    return fault


def status(was: int, becomes: int, path: str = "/api/") -> Fault:
    """Another status, and all else as it was."""

    def fault(exchange: Exchange) -> Answer | None:
        right = exchange.answer.status == was and exchange.path.startswith(path)
        return replace(exchange.answer, status=becomes) if right else None

    return fault


def member(name: str, value: Callable[[Any], Any]) -> Callable[[Document], None]:
    """One member of a document computed anew."""

    def change(found: Document) -> None:
        if name in found:
            found[name] = value(found[name])

    return change


def without(name: str) -> Callable[[Document], None]:
    return lambda found: found.pop(name, None) and None


def renamed(name: str, new: str) -> Callable[[Document], None]:
    return lambda found: found.update({new: found.pop(name)}) if name in found else None


def amount(change: Callable[[str], Any]) -> Callable[[Document], None]:
    return lambda found: found["price"].update(amount=change(found["price"]["amount"])) if "price" in found else None


def swapped(one: str, other: str) -> Callable[[Document], None]:
    return lambda found: found.update({one: found[other], other: found[one]}) if one in found else None


def listed(change: Callable[[list[Any], Document], list[Any]], path: str = "/api/products") -> Fault:
    """The items of a page, chosen or ordered differently."""

    def every(found: Document) -> None:
        if "items" in found:
            found["items"] = change(found["items"], found)

    return document(every, path)


def only(number: int, fault: Fault) -> Fault:
    """The fault on one path alone."""
    return lambda exchange: fault(exchange) if exchange.path == f"/api/products/{number}" else None


def _an_hour_off(at: str) -> str:
    return at.replace("T0", "T1")


def _without_last_line(order: Document) -> None:
    if len(order["items"]) > 1:
        order["total"] = order["items"][0]["total"]


# The faults

STATUSES = (
    Mutant("what is not there is answered 200", "status", status(404, 200)),
    Mutant("what is not there is called gone", "status", status(404, 410)),
    Mutant("what was made is answered 200", "status", status(201, 200)),
    Mutant("a stranger is told that he is forbidden", "status", status(401, 403)),
    Mutant("what has not changed is sent as if it had", "status", status(304, 200)),
    Mutant("one product fails", "status", only(7, lambda exchange: replace(exchange.answer, status=500))),
)
FIELDS = (
    Mutant("a member has another name", "body.items[].sku", product(renamed("sku", "SKU"))),
    Mutant("a member is missing", "body.version", product(without("version"))),
    Mutant("a member too many", "body.internal_id", product(lambda found: found.update(internal_id=1))),
    Mutant("null in place of a text", "body.description", product(member("description", lambda _: None))),
    Mutant("an empty text in place of one", "body.description", product(member("description", lambda _: ""))),
    Mutant("two members are swapped", "body.name", product(swapped("name", "description"))),
    Mutant("a text is cut at 10 characters", "body.name", product(member("name", lambda text: text[:10]))),
    Mutant("a text loses its capital", "body.name", product(member("name", str.lower))),
    Mutant("text is decoded twice", "body.name", body(lambda raw: raw.decode("latin-1").encode(), "/api/categories")),
    Mutant("accents are lost", "body.name", body(lambda raw: raw.replace("é".encode(), b"e"), "/api/categories")),
    Mutant("one product has another's name", "body.name", only(9, product(member("name", lambda _: "Old oak desk")))),
    Mutant("an inactive product is active", "body.active", product(member("active", lambda _: True))),
    Mutant("a date is an hour off", "body.created_at", product(member("created_at", _an_hour_off))),
    Mutant("a date has no time", "body.created_at", product(member("created_at", lambda at: at[:10]))),
    Mutant("a date has no zone", "body.created_at", product(member("created_at", lambda at: at.removesuffix("Z")))),
    Mutant("an order is of another customer", "body.customer_id", document(member("customer_id", lambda _: 3))),
)  # fmt: skip
TYPES = (
    Mutant("an id is text", "body.id", product(member("id", str))),
    Mutant("an amount is a number", "body.price.amount", product(amount(float))),
    Mutant("a truth is a number", "body.active", product(member("active", int))),
    Mutant("an object is a list", "body.price", product(member("price", lambda price: list(price.values())))),
    Mutant("a list is an object", "body.items", listed(lambda items, _: {each["sku"]: each for each in items})),
    Mutant("a number that is not whole", "body.version", product(member("version", lambda version: version + 0.5))),
)  # fmt: skip
ROUNDING = (
    Mutant("prices are whole", "body.price.amount", product(amount(lambda text: f"{float(text):.0f}.00"))),
    Mutant("prices are cut to a tenth", "body.price.amount", product(amount(lambda text: f"{text[:-1]}0"))),
    Mutant("prices are a cent too low", "body.price.amount", product(amount(lambda text: f"{float(text) - 0.01:.2f}"))),
    Mutant("prices show how floats are kept", "body.price.amount", product(amount(lambda text: f"{text}000000004"))),
    Mutant("one price is a cent too high", "body.price.amount",
           only(11, product(amount(lambda text: f"{float(text) + 0.01:.2f}")))),
    Mutant("an order's total lacks its last line", "body.total.amount", document(_without_last_line, "/api/orders/")),
)  # fmt: skip
PAGES = (
    Mutant("a page begins one too late", "body.items", listed(lambda items, _: items[1:])),
    Mutant("a page is one too short", "body.items", listed(lambda items, _: items[:-1])),
    Mutant("a page has one twice", "body.items", listed(lambda items, _: [*items, *items[-1:]])),
    Mutant("pages count from 0", "body.page", document(member("page", lambda page: page - 1), "/api/products")),
    Mutant("the total is that of the page", "body.total",
           document(lambda found: found.update(total=len(found["items"])) if "page" in found else None)),
    Mutant("the order is upside down", "body.items", listed(lambda items, _: items[::-1])),
    Mutant("names are sorted by their last letters", "body.items",
           listed(lambda items, _: sorted(items, key=lambda each: each["sku"][::-1]))),
    Mutant("two neighbours have changed places", "body.items",
           listed(lambda items, _: [items[1], items[0], *items[2:]] if len(items) > 1 else items)),
)  # fmt: skip
HEADERS = (
    Mutant("no ETag", "header.etag", header("etag", None)),
    Mutant("another ETag", "header.etag", header("etag", '"2"')),
    Mutant("a weak ETag", "header.etag", header("etag", 'W/"1"')),
    Mutant("nobody may cache", "header.cache-control", header("cache-control", None)),
    Mutant("everybody may cache", "header.cache-control", header("cache-control", "public, max-age=300")),
    Mutant("no Location", "header.location", header("location", None)),
    Mutant("another Location", "header.location", header("location", "/api/orders/1000")),
    Mutant("no challenge", "header.www-authenticate", header("www-authenticate", None)),
    Mutant("JSON is called text", "header.content-type", header("content-type", "text/plain")),
    Mutant("problems are plain JSON", "header.content-type",
           lambda exchange: header("content-type", "application/json")(exchange) if exchange.answer.status >= 400
           else None),
)  # fmt: skip
BODIES = (
    Mutant("the body is cut", "body", body(lambda raw: raw[: len(raw) // 2])),
    Mutant("the body is empty", "body", body(lambda raw: b"")),
    Mutant("the body is a page of HTML", "body", body(lambda raw: b"<html>" + raw + b"</html>")),
    Mutant("the body is a text of JSON", "body", body(lambda raw: json.dumps(raw.decode()).encode())),
    Mutant("something stands behind the body", "body", body(lambda raw: raw + b"null")),
    Mutant("the body is of another product", "body.id",
           lambda exchange: with_body(exchange.answer, exchange.answer.body.replace(b'"id":5,', b'"id":6,'))
           if exchange.path == "/api/products/5" else None),
)  # fmt: skip
STALE = (
    Mutant("a cache forgets the last change", "body.version", product(member("version", lambda version: version - 1))),
    Mutant("a cache knows the path only", "body.items",
           lambda exchange: with_body(exchange.answer, b'{"items":[],"total":40,"page":1,"page_size":20}')
           if exchange.path == "/api/products" and b"?" in exchange.question.target
           and exchange.answer.status == 200 else None),
    Mutant("a cache knows no callers", "body.items",
           lambda exchange: with_body(exchange.answer, b'{"items":[],"total":null}')
           if exchange.path == "/api/cart" else None),
)  # fmt: skip
ANSWERS = (*STATUSES, *FIELDS, *TYPES, *ROUNDING, *PAGES, *HEADERS, *BODIES, *STALE)
