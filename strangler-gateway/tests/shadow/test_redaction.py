"""What may be kept of an exchange: its shape, what is named, and what holds no secret; JSON stays JSON."""

import gzip
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strangler.model.shadow import Ignored, Redaction
from strangler.shadow.answer import Answer, Question
from strangler.shadow.comparison import Comparison, Difference, Kind
from strangler.shadow.compiled import RuleRefused
from strangler.shadow.effects import Called, Effects, Published, RowWrite
from strangler.shadow.redaction import Redactor

from .pairs import answer, compare, found, question

REDACTOR = Redactor(Redaction())


def body(document: Any, **redaction: Any) -> Any:
    """What is left of a body of JSON."""
    return json.loads(Redactor(Redaction(**redaction)).answer(answer(document)).body)


def test_headers_that_are_not_named_keep_their_length_alone() -> None:
    fields = ((b"Accept", b"*/*"), (b"Authorization", b"Bearer abc"), (b"X-Real-Ip", b"10.0.0.1"))
    assert REDACTOR.fields(fields) == (
        (b"Accept", b"*/*"),
        (b"Authorization", b"(value:10)"),
        (b"X-Real-Ip", b"(value:8)"),
    )


def test_a_location_is_redacted_as_a_target_is() -> None:
    assert REDACTOR.fields(((b"Location", b"/x?q=chair&page=2"),)) == ((b"Location", b"/x?q=(value:5)&page=2"),)


def test_cookies_keep_their_names_and_what_is_said_of_them() -> None:
    fields = ((b"Cookie", b"a=1; b=22"), (b"Set-Cookie", b"s=secret; Path=/; HttpOnly"), (b"set-cookie", b"odd"))
    assert REDACTOR.fields(fields) == (
        (b"Cookie", b"a=(value:1); b=(value:2)"),
        (b"Set-Cookie", b"s=(value:6); Path=/; HttpOnly"),
        (b"set-cookie", b"(value:3)"),
    )


@pytest.mark.parametrize(
    ("target", "kept"),
    [
        ("/api/products?page=2&q=chair", "/api/products?page=2&q=(value:5)"),
        ("/api/products?flag", "/api/products?(value:4)"),
        ("/x?a=&b", "/x?a=&(value:1)"),
        ("/x?a=%C3%A9%20", "/x?a=(value:2)"),
        ("/users/alice%40example.org/orders", "/users/(email:19)/orders"),
        ("https://u:p@host/x?page=1#frag=1", "https://(credential:8)/x?page=1#frag=(value:1)"),
        ("/plain/path", "/plain/path"),
        ("*", "*"),
    ],
)
def test_parameters_that_are_not_named_keep_their_length_alone(target: str, kept: str) -> None:
    assert REDACTOR.target(target.encode()) == kept.encode()
    assert REDACTOR.target(kept.encode()) == kept.encode()


def test_what_is_kept_can_be_chosen() -> None:
    redactor = Redactor(Redaction(headers=("X-Note",), query=("q",)))
    assert redactor.fields(((b"x-note", b"hello"), (b"Accept", b"*/*"))) == (
        (b"x-note", b"hello"),
        (b"Accept", b"(value:3)"),
    )
    assert redactor.target(b"/x?q=chair&page=2") == b"/x?q=chair&page=(value:1)"


def test_a_body_keeps_its_shape() -> None:
    document = {"id": 7, "price": 12.5, "ok": True, "none": None, "tags": ["a"], "mail": "alice@example.org"}
    assert body(document) == {**document, "mail": "(email:17)"}


def test_values_under_secret_names_are_replaced_and_their_containers_stay() -> None:
    document = {"credentials": {"user": "bob", "pins": [1234, None, True]}, "token_type": "Bearer", "password": ""}
    assert body(document) == {
        "credentials": {"user": "(secret:3)", "pins": ["(secret:4)", None, True]},
        "token_type": "Bearer",
        "password": "",
    }


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        (("body.name",), {"name": "(secret:3)", "items": [{"note": "x"}, {"note": "y"}]}),
        (("body.items[].note",), {"name": "Bob", "items": [{"note": "(secret:1)"}, {"note": "(secret:1)"}]}),
        (("body.items",), {"name": "Bob", "items": [{"note": "(secret:1)"}, {"note": "(secret:1)"}]}),
        (("body.items[]",), {"name": "Bob", "items": [{"note": "(secret:1)"}, {"note": "(secret:1)"}]}),
        (("body.*",), {"name": "(secret:3)", "items": [{"note": "(secret:1)"}, {"note": "(secret:1)"}]}),
        (("body.note",), {"name": "Bob", "items": [{"note": "x"}, {"note": "y"}]}),
    ],
)
def test_declared_fields_are_replaced(fields: tuple[str, ...], left: Any) -> None:
    assert body({"name": "Bob", "items": [{"note": "x"}, {"note": "y"}]}, fields=fields) == left


SECRET = "hunter2"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("application/json", json.dumps({"text": json.dumps({"passwords": [SECRET, SECRET]})})),
        ("application/json", json.dumps({"text": json.dumps({"secret": {"value": [[SECRET]]}, "sid": SECRET})})),
        ("application/json", json.dumps({"text": json.dumps({"text": json.dumps({"auth": {"is": SECRET}})})})),
        ("application/json", json.dumps({"text": json.dumps({"password": f'}}]"{SECRET}'})})),
        ("application/json", json.dumps({"text": repr({"salt": [SECRET]})})),
        ("application/json", json.dumps({"next": f"/cb?sid={SECRET}&x=1&sig={SECRET}", "at": f"/a;sid={SECRET}/b"})),
        ("application/json", json.dumps({"page": f'<a href="/cb?x=1&amp;sid={SECRET}">'})),
        ("application/json", json.dumps({"log": f"Cookie: session={SECRET}; a=b; sid={SECRET}"})),
        ("application/json", f'{{"passwords": ["{SECRET}"], "x": NaN}}'),
        ("application/json", f'{{"passwords": ["{SECRET}'),
        ("application/json", "[" * 100_000 + f'{{"sid": ["{SECRET}"]'),
        ("application/x-ndjson", f'{{"sid": ["{SECRET}"]}}\n{{"pin": {{"is": "{SECRET}"}}}}\n'),
        ("text/event-stream", f'data: {{"passwords": ["{SECRET}"]}}\n\n'),
        ("application/x-www-form-urlencoded", "payload=%7B%22passwords%22%3A%5B%22hunter2%22%5D%7D"),
    ],
)
def test_names_count_in_what_is_no_document_too(kind: str, text: str) -> None:
    """JSON in a text, in lines, cut, or with what is none; parameters of URLs; cookies."""
    left = REDACTOR.answer(Answer(200, ((b"Content-Type", kind.encode()),), text.encode())).body.decode()
    assert SECRET not in left
    assert "(secret:" in left


def test_names_that_are_harmless_take_nothing_with_them() -> None:
    text = '{"tokens_used": [1, 2], "key": "value"} and /cb?page=2&sort=price; "pan" of soup: hot'
    document = {"text": text.replace("tokens_used", "counted")}
    assert body(document) == document


@pytest.mark.timeout(20)
@pytest.mark.parametrize("text", ['"', '"token":', '"token":[', '{"token":"', "'pin':", "?sid=", ";sid", '\\"pin\\":['])
def test_no_text_takes_long(text: str) -> None:
    REDACTOR.text(text * (300_000 // len(text)))


def test_a_pattern_of_ones_own_is_replaced_wherever_it_stands() -> None:
    redactor = Redactor(Redaction(patterns=(r"KD-\d+",)))
    assert redactor.text("customer KD-123") == "customer (pattern:6)"
    assert redactor.target(b"/x/KD%2D123") == b"/x/(pattern:8)"
    assert json.loads(redactor.answer(answer({"KD-1": "KD-22"})).body) == {"(pattern:4)": "(pattern:5)"}


def test_a_pattern_that_is_none_is_refused() -> None:
    with pytest.raises(RuleRefused, match="is no regular expression"):
        Redactor(Redaction(patterns=("(",)))


def test_two_names_that_were_redacted_are_still_two() -> None:
    assert body({"a@b.de": 1, "c@b.de": 2, "d@b.de": 3}) == {"(email:6)": 1, "(email:6)#2": 2, "(email:6)#3": 3}


def test_numbers_stay_as_they_were_written() -> None:
    text = '{"a": 1.50, "b": 123456789012345678901234567890, "c": 1e5, "d": -0}'
    assert REDACTOR.answer(answer(text)).body.decode() == text


def test_a_number_that_is_a_card_becomes_a_text() -> None:
    assert body({"number": 4111111111111111}) == {"number": "(card:16)"}


@pytest.mark.parametrize("between", [" ", "-", "\u00a0", "\u2009", "\u2011", "\u2013", "\u202f"])
def test_a_card_is_known_however_its_groups_are_set_apart(between: str) -> None:
    assert REDACTOR.text(f"paid by {between.join(['4111', '1111', '1111', '1111'])}.") == "paid by (card:19)."


def test_an_encoded_body_is_kept_decoded() -> None:
    packed = answer(gzip.compress(b'{"a": 1}'), headers=[("Content-Encoding", "gzip"), ("Vary", "x")])
    assert REDACTOR.answer(packed) == answer(b'{"a": 1}', headers=[("Vary", "x")])


@pytest.mark.parametrize(
    ("exchange", "left"),
    [
        (answer(b"\x89PNG\x00\xff", kind="image/png"), b"(body:6)"),
        (answer(b"\xff\xfe", kind="text/plain"), b"(body:2)"),
        (answer(b"x", kind="text/plain; charset=punycode"), b"(body:1)"),
        (answer(b"x", headers=[("Content-Encoding", "br")]), b'"(body:1)"'),
        (answer(b'{"a": "' + b"x" * 2000 + b'"}'), b'"(body:2009)"'),
        (answer(b"--b\r\n\r\nx\r\n--b--", kind="multipart/form-data; boundary=b"), b"(body:15)"),
        (answer(b"\xff", kind=""), b'"(body:1)"'),
    ],
)
def test_what_cannot_be_looked_into_is_replaced_as_a_whole(exchange: Answer, left: bytes) -> None:
    assert Redactor(Redaction(), max_bytes=1000).answer(exchange).body == left


def test_what_nests_too_deeply_is_replaced() -> None:
    deep = '{"a":' * 150 + '"hunter2"' + "}" * 150
    redacted = REDACTOR.answer(answer(deep)).body
    json.loads(redacted)
    assert b"hunter2" not in redacted
    assert b'"(nested:1)"' in redacted


def test_a_question_is_redacted_as_an_answer_is() -> None:
    asked = Question(b"POST", b"/login?next=/x", ((b"Content-Type", b"application/json"),), b'{"password": "x"}')
    assert REDACTOR.question(asked) == Question(
        b"POST", b"/login?next=(value:2)", ((b"Content-Type", b"application/json"),), b'{"password": "(secret:1)"}'
    )
    assert REDACTOR.question(question()).target == b"/api/products"


def test_effects_are_redacted_as_bodies_are() -> None:
    effects = Effects(
        (
            RowWrite(
                "users",
                "insert",
                (("email", "a@b.de"),),
                (("hash_password", "x"), ("id", 7), ("note", "hi"), ("ok", True)),
            ),
        ),
        (Published("user.made", '{"token": "x", "id": 7}'), Published("odd", "mail a@b.de")),
        (Called("mail.send", '["a@b.de"]'),),
        complete=False,
    )
    assert REDACTOR.effects(effects) == Effects(
        (
            RowWrite(
                "users",
                "insert",
                (("email", "(email:6)"),),
                (("hash_password", "(secret:1)"), ("id", 7), ("note", "hi"), ("ok", True)),
            ),
        ),
        (Published("user.made", '{"token": "(secret:1)", "id": 7}'), Published("odd", "mail (email:6)")),
        (Called("mail.send", '["(email:6)"]'),),
        complete=False,
    )


def test_declared_fields_of_effects_are_replaced() -> None:
    fields = ("effects.rows.users.insert.name", "effects.events.user.made.name", "effects.calls.mail.send.to")
    effects = Effects(
        (RowWrite("users", "insert", (("id", 1),), (("name", "Bob"),)),),
        (Published("user.made", '{"name": "Bob"}'),),
        (Called("mail.send", '{"to": "Bob"}'),),
    )
    assert "Bob" not in repr(Redactor(Redaction(fields=fields)).effects(effects))


def test_a_difference_is_redacted_with_its_place() -> None:
    difference = Difference('body."a@b.de".n', 'body."a@b.de".n', Kind.VALUE, '"mail c@d.de"', "7")
    assert REDACTOR.difference(difference) == Difference(
        'body."(email:6)".n', 'body."(email:6)".n', Kind.VALUE, '"mail (email:6)"', "7"
    )


@pytest.mark.parametrize(
    ("field", "value", "left"),
    [
        ("header.x-trace", '"abc"', '"(secret:3)"'),
        ("header.etag", '"abc"', '"abc"'),
        ("header.set-cookie.s", '"32 characters"', '"32 characters"'),
        ("header.set-cookie.s.path", '"/"', '"/"'),
        ("body.user.password", "[1]", '["(secret:1)"]'),
        ("body.credentials.user", '"bob"', '"(secret:3)"'),
        ("effects.rows.auth_user.update.name", '"Bob"', '"Bob"'),
        ("effects.rows.users.update.api_key", '"k"', '"(secret:1)"'),
        ("body.name", "", ""),
        ("body.name", "no JSON a@b.de", "no JSON (email:6)"),
        ("body.password", "no JSON", "(value:7)"),
    ],
)
def test_a_value_of_a_difference_is_kept_if_its_field_may_be(field: str, value: str, left: str) -> None:
    assert REDACTOR.difference(Difference(field, field, Kind.VALUE, value, value)).primary == left


def test_a_comparison_is_redacted_in_all_its_parts() -> None:
    comparison = Comparison((), {"charset": 1}, {'body."a@b.de"': 1, 'body."c@b.de"': 2}, ("body of a@b.de",))
    redacted = REDACTOR.comparison(comparison)
    assert redacted == Comparison((), {"charset": 1}, {'body."(email:6)"': 3}, ("body of (email:6)",))


def test_redacted_answers_can_be_compared() -> None:
    def of(token: str, name: str) -> Answer:
        return REDACTOR.answer(answer({"token": token, "name": name}, headers=[("Set-Cookie", f"s={token}; Path=/")]))

    assert found(compare(of("abc", "x"), of("xyz", "x"))) == []
    assert found(compare(of("abc", "x"), of("xyz", "y"))) == [("body.name", Kind.VALUE)]


def test_digests_still_tell_two_bodies_apart() -> None:
    one, other = answer(b"\x00", kind="image/png"), answer(b"\x01", kind="image/png")
    (difference,) = REDACTOR.comparison(compare(one, other)).differences
    assert difference.primary != difference.candidate


def test_ignore_rules_are_no_data() -> None:
    ignore = (Ignored("body.items[].updated_at", "a clock"),)
    comparison = compare(answer({"items": [{"updated_at": 1}]}), answer({"items": [{"updated_at": 2}]}), ignore=ignore)
    assert REDACTOR.comparison(comparison).ignored == {"body.items[].updated_at": 1}


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10) | st.just("password"), inner, max_size=4)
    ),
    max_leaves=30,
)


@settings(max_examples=150, deadline=None)
@given(JSONS, st.booleans())
def test_json_stays_json_of_the_same_shape(document: Any, ascii_only: bool) -> None:
    redacted = json.loads(REDACTOR.answer(answer(json.dumps(document, ensure_ascii=ascii_only))).body)
    assert shape(redacted) == shape(document)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_any_text_can_be_redacted_and_is_then_left_alone(text: str) -> None:
    once = REDACTOR.text(text)
    assert REDACTOR.text(once) == once


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=200), st.sampled_from(["application/json", "text/html", "application/x-www-form-urlencoded", ""])
)
def test_nothing_makes_redaction_fail(data: bytes, kind: str) -> None:
    answered = Answer(200, ((b"Content-Type", kind.encode()), (b"Location", data), (data, data)), data)
    REDACTOR.answer(answered)
    REDACTOR.question(Question(b"GET", data, answered.fields, data))


def shape(value: Any) -> Any:
    """Containers and their sizes."""
    if isinstance(value, dict):
        return [shape(inner) for inner in value.values()]
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return None
