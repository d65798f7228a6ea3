"""No secret of a declared format is left, wherever it stands and however it is escaped."""

import gzip
import html
import json
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus, unquote

import pytest

from strangler.model.shadow import Redaction
from strangler.shadow.answer import Answer, Question
from strangler.shadow.effects import Called, Effects, Published, RowWrite
from strangler.shadow.redaction import Redactor
from support.secrets_made import MADE, PASSWORDS, Made

from .pairs import JSON, answer, compare, question

ESCAPED = re.compile(r"\\u([0-9a-f]{4})")
REDACTOR = Redactor(Redaction())
FORM = "application/x-www-form-urlencoded"
GZIP = ("Content-Encoding", "gzip")
HTML = "text/html; charset=utf-8"


def kept(exchange: Answer | Question) -> str:
    """All that is left of it, as text."""
    redacted = REDACTOR.answer(exchange) if isinstance(exchange, Answer) else REDACTOR.question(exchange)
    return repr(redacted) + redacted.body.decode()


def every(escape: Callable[[int], str], text: str) -> str:
    return "".join(map(escape, map(ord, text)))


def percent(text: str) -> str:
    return every("%{:02X}".format, text)


def escaped(text: str) -> str:
    return every("\\u{:04x}".format, text)


def document(text: str) -> Answer:
    return answer(json.dumps(text))


def effects(text: str) -> Answer:
    row = RowWrite("notes", "insert", (("id", text),), (("text", f"see {text}"),))
    event = Published("note.made", json.dumps({"text": text}))
    return answer({}, effects=Effects((row,), (event,), (Called("mail.send", json.dumps([text])),)))


PLACES: dict[str, Callable[[str], Answer | Question]] = {
    "a member": lambda secret: answer({"note": secret}),
    "within a text": lambda secret: answer({"note": f"see ({secret}), please"}),
    "quoted in a text": lambda secret: answer({"note": f'see "{secret}", please'}),
    "an element": lambda secret: answer({"notes": [["x", secret]]}),
    "a document of its own": document,
    "a name": lambda secret: answer({secret: 1}),
    "escaped": lambda secret: answer(f'{{"note": "{escaped(secret)}"}}'),
    "JSON in JSON": lambda secret: answer({"note": json.dumps({"x": secret})}),
    "JSON in JSON in JSON": lambda secret: answer({"note": json.dumps({"x": json.dumps([secret])})}),
    "escaped in JSON in JSON": lambda secret: answer({"note": f'{{"x": "{escaped(secret)}"}}'}),
    "percent-encoded in JSON": lambda secret: answer({"next": f"/x?y={quote(secret, safe='')}"}),
    "no good JSON": lambda secret: answer(f'{{"note": "{secret}", }}'),
    "a line": lambda secret: answer(f"one\nsee {secret}\ntwo", kind="text/plain"),
    "a page": lambda secret: answer(f"<p>see {html.escape(secret)}</p>", kind=HTML),
    "an attribute": lambda secret: answer(f'<a href="/x?y={quote(secret, safe="")}">x</a>', kind=HTML),
    "a page of entities": lambda secret: answer(f"<p>{every('&#{};'.format, secret)}</p>", kind=HTML),
    "a page of hexadecimal entities": lambda secret: answer(f"<p>{every('&#x{:X};'.format, secret)}</p>", kind=HTML),
    "a script in a page": lambda secret: answer(f"<script>var x = {json.dumps(secret)};</script>", kind=HTML),
    "XML": lambda secret: answer(f"<note>{html.escape(secret)}</note>", kind="application/xml"),
    "a form": lambda secret: answer(f"a=1&note={quote_plus(secret)}&b=2", kind=FORM),
    "a form, all escaped": lambda secret: answer(f"a=1&note={percent(secret)}&b=2", kind=FORM),
    "compressed": lambda secret: answer(gzip.compress(json.dumps([secret]).encode()), headers=[GZIP]),
    "no type": lambda secret: answer(f"see {secret}", kind=""),
    "a path": lambda secret: question(f"/api/notes/{quote(secret, safe='')}/x"),
    "a path, all escaped": lambda secret: question(f"/api/notes/{percent(secret)}/x"),
    "a parameter": lambda secret: question(f"/api/notes?x={quote(secret)}&page=2"),
    "a parameter that is kept": lambda secret: question(f"/api/notes?sort={quote(secret)}"),
    "a parameter that is kept, escaped twice": lambda secret: question(f"/api/notes?sort={percent(percent(secret))}"),
    "escaped thrice": lambda secret: answer({"note": json.dumps({"x": f"/x/{percent(escaped(secret))}"})}),
    "a parameter's name": lambda secret: question(f"/api/notes?{quote(secret)}=1"),
    "a parameter without a value": lambda secret: question(f"/api/notes?{quote(secret)}"),
    "a header": lambda secret: answer({}, headers=[("X-Note", quote(secret))]),
    "a header that is kept": lambda secret: answer({}, headers=[("ETag", quote(secret, safe=" "))]),
    "a location": lambda secret: answer({}, headers=[("Location", f"/x/{quote(secret, safe='')}?y=1#{quote(secret)}")]),
    "a cookie": lambda secret: answer({}, headers=[("Set-Cookie", f"s={quote(secret)}; Path=/")]),
    "effects": effects,
}  # fmt: skip


def left_of(secret: Made, text: str) -> list[str]:
    """What of a secret is still to be read in a text, or in what it reads without its escapes."""
    readings = [text]
    for _ in range(3):
        readings.append(html.unescape(unquote(ESCAPED.sub(lambda found: chr(int(found[1], 16)), readings[-1]))))
    return [part for part in secret.parts if any(part in reading for reading in readings)]


@pytest.mark.parametrize("place", PLACES)
def test_no_secret_is_left(place: str) -> None:
    assert len(MADE) >= 200
    left = {str(secret): left_of(secret, kept(PLACES[place](secret.written))) for secret in MADE}
    assert {secret: parts for secret, parts in left.items() if parts} == {}


@pytest.mark.parametrize("room", [0, 150, 250, 280, 290, 295, 299])
def test_no_secret_is_left_of_a_difference_also_where_that_was_cut(room: int) -> None:
    left = {}
    for secret in MADE:
        text = "x " * (room // 2) + secret.written + " y" * 200
        comparison = compare(answer({"note": text, secret.written: 1}), answer({"note": "z"}))
        assert len(comparison.differences) == 2
        told = repr(REDACTOR.comparison(comparison))
        # Half of one may be left of what the cut went through, but of no secret as much as could be of use.
        left[str(secret)] = [part for part in secret.parts if part[: max(8, len(part) // 2)] in told]
    assert {secret: parts for secret, parts in left.items() if parts} == {}


NAMES = [
    "password", "newPassword", "user_passwd", "api_key", "apiKey", "X-API-Key", "client_secret", "access_token", "csrf",
    "pin", "card_pin", "cardPin", "cvv", "otp", "Session-Id", "authorization", "passphrase",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_value_under_a_secret_name_is_not_left(name: str) -> None:
    for password in PASSWORDS:
        for exchange in (
            answer({name: password}),
            answer({"user": {name: [password, {"x": password}]}}),
            answer({"note": json.dumps({name: password})}),
            answer(f"{name}={quote_plus(password)}&x=1", kind=FORM),
            answer(f"login with {name}={quote(password)} now", kind="text/plain"),
            answer(f'{{"{name}": "{password}", }}'),
            answer(f'<form><input type="hidden" name="{name}" value="{password}"></form>', kind=HTML),
            answer(f'<input value="{password}" name="{name}">', kind=HTML),
            answer(f"<{name}>{password}</{name}>", kind="application/xml"),
            question(f"/x?{name}={quote(password)}"),
            answer({}, effects=Effects((RowWrite("users", "update", (("id", 1),), ((name, password),)),))),
        ):
            assert password not in kept(exchange), exchange
            assert quote(password) not in kept(exchange), exchange


@pytest.mark.parametrize("name", NAMES)
def test_a_difference_under_a_secret_name_tells_no_value(name: str) -> None:
    one, other = ({"user": {name: {"value": password}}} for password in PASSWORDS[:2])
    told = repr(REDACTOR.comparison(compare(answer(one), answer(other))))
    assert not any(password in told for password in PASSWORDS)


def test_a_password_field_of_a_page_is_known_by_its_type() -> None:
    assert "hunter2" not in kept(answer('<input type="password" name="x" value="hunter2">', kind=HTML))


@pytest.mark.parametrize(
    "text",
    [
        "Oak chair, 2 left in stock",
        "SKU-000007",
        "/api/products/7/images/12345/thumbnails/large",
        "/static/js/main.3f2a9b1c.js",
        "createdAtTimestampForTheProductListingOfTheShop",
        "spring-sale-2026-b4-of-the-best-chairs-in-town",
        "550e8400-e29b-41d4-a716-446655440000",
        "/orders/550e8400-e29b-41d4-a716-446655440000/items",
        "2026-01-31T09:30:00.000000Z",
        "Sat, 28 Nov 2026 08:00:00 GMT",
        "1767225600000",
        "1767225600000000",
        "The basic idea of a bearer token is authentication",
        "0049 89 123456",
        "application/json; charset=utf-8",
        "application/x-www-form-urlencoded",
        "application/vnd.shop.product-listing+json",
        "src/main/java/com/example/shop/OrderController",
        "HTTPServerRequestHandlerForJSONDocuments",
        "INTERNAL_SERVER_ERROR_WHILE_PROCESSING_ORDER",
        "max-width-of-the-big-red-box-on-top",
        "no-cache, max-age=300",
        "1234 5678 9012 3456",
        "DE00123456789012345678",
        "100 % of 50&nbsp;EUR",
        "===================================================",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "The quick brown fox jumps over the lazy dog " * 20,
    ],
)
def test_what_is_no_secret_stays_as_it_is(text: str) -> None:
    assert REDACTOR.text(text) == text


@pytest.mark.parametrize("kind", [JSON, HTML, FORM])
def test_what_is_redacted_stays_as_it_is(kind: str) -> None:
    for secret in MADE:
        once = REDACTOR.answer(answer(json.dumps({"a": secret.written, "password": "x y"}), kind=kind))
        assert REDACTOR.answer(once) == once
