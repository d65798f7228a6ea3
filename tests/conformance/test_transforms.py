"""What is changed on the way to an application and back, by a real worker before scripted applications."""

import gzip
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from strangler.model.flag import Flag, Stage
from strangler.model.route import PathKind, Route, RouteMatch
from strangler.model.transform import (
    CookieRewrite,
    FieldChanges,
    JsonShape,
    JsonShaping,
    JsonVariant,
    PathRewrite,
    Transform,
)
from support.bench import Bench
from support.raw_http import (
    Conversation,
    Message,
    RawUpstream,
    Script,
    chunked,
    each,
    once,
    raw_upstream,
    request,
    response,
    wait_until,
)
from support.worker_rig import catch_all, upstream

JSON = "Content-Type: application/json"
BODY = b'{"id":7,"price":1.10,"internal":"s3cret"}'
SHAPED = b'{"id":7,"price":1.10}'
DROP = JsonShaping(JsonShape(drop=("internal",)))


def route(transform: Transform, **changes: object) -> Route:
    """A route for everything below ``/api``, whose requests go to the monolith."""
    plain = Route("api", RouteMatch("/api", PathKind.PREFIX), "api", "api", "monolith", monolith_transform=transform)
    return replace(plain, **changes)  # type: ignore[arg-type]


@contextmanager
def behind(bench: Bench, transform: Transform, script: Script, **changes: object) -> Iterator[RawUpstream]:
    """An application behind that route."""
    with bench.upstream(script, routes=(route(transform, **changes),)) as application:
        yield application


def shaped(bench: Bench, answer: bytes, *fields: str, json_shaping: JsonShaping = DROP, method: str = "GET") -> Message:
    """What a client gets of an answer to a request with these fields."""
    with behind(bench, Transform(json=json_shaping), once(answer)):
        return bench.ask(request(method, "/api/x", *fields))


def counts(bench: Bench, name: str) -> dict[tuple[str, ...], float]:
    found = bench.rig.next_traffic().counters
    return {labels: value for family, labels, value in found if family == name}


# Paths and fields


def test_the_application_sees_the_new_path_and_the_log_the_clients(bench: Bench) -> None:
    strip = Transform(path=PathRewrite("/api", "/"))
    with behind(bench, strip, each(response())) as application:
        for target in ("/api/products?x=/api&y", "/api", "/api/a%20b/"):
            answer = bench.ask(request("GET", target))
            assert answer.status == 200
            assert bench.entry((answer.value("x-request-id") or b"").decode())["path"] == target.partition("?")[0]
        assert [asked.target for asked in application.requests] == [b"/products?x=/api&y", b"/", b"/a%20b/"]


ODD = ["/api//x", "/api/../../admin", "/api/%2e%2e/admin", "/api/..%2fadmin", "/api/..;/admin", "/api%2f..%2fadmin"]


@pytest.mark.parametrize("target", ODD)
def test_no_odd_path_leads_out_of_the_new_prefix(bench: Bench, target: str) -> None:
    """On a route that is not strict; one that is refuses them all."""
    lax = Transform(path=PathRewrite("/api", "/public"))
    with behind(bench, lax, each(response()), strict=False) as application:
        answer = bench.ask(request("GET", target))
        # Refused, or within the prefix, or no path of this route in the first place.
        passed = application.targets()
        assert (answer.status, passed) in [(400, []), (200, [b"/public//x"]), (200, [target.encode()])]


def test_fields_are_removed_set_and_added_both_ways(bench: Bench) -> None:
    changes = FieldChanges(
        ("X-Debug",), (("X-Arm", "{arm} of {route}"), ("X-From", "{client_address}")), (("X-Tag", "new"),)
    )
    transform = Transform(request=changes, response=changes)
    fields = ("X-Debug: 1", "x-arm: forged", "X_Arm: forged too", "X-Tag: old", "X-Other: kept")
    with behind(bench, transform, once(response(*fields)), strict=False) as application:
        answer = bench.ask(request("GET", "/api/x", *fields))
        for message in (answer, application.requests[0]):
            assert message.values("x-debug") + message.values("x_arm") == []
            assert message.value("x-arm") == b"monolith of api"
            assert message.value("x-from") == b"127.0.0.1"
            assert message.values("x-tag") == [b"old", b"new"]
            assert message.value("x-other") == b"kept"


def test_routes_without_changes_are_passed_as_they_are(bench: Bench) -> None:
    answer = response("Location: http://127.0.0.1:9/x", JSON, body=BODY)
    with behind(bench, Transform(path=PathRewrite("/api", "/")), each(answer)) as application:
        there = bench.ask(request("GET", "/elsewhere", "Range: bytes=0-1"))
        assert there.body == BODY
        assert there.value("location") == b"http://127.0.0.1:9/x"
        assert application.requests[0].target == b"/elsewhere"
        assert application.requests[0].value("range") == b"bytes=0-1"


# Redirects and cookies


def test_a_service_that_redirects_to_its_own_port_sends_nobody_there(bench: Bench) -> None:
    def redirect(conversation: Conversation) -> None:
        while True:
            asked = conversation.request()
            port = conversation.socket.getsockname()[1]
            conversation.send(response(f"Location: http://127.0.0.1:{port}{asked.target.decode()}/", status=307))

    with raw_upstream(redirect) as service, raw_upstream(redirect) as monolith:
        ports = (upstream("monolith", monolith.port), upstream("service", service.port))
        said_nothing = route(Transform(), service="service", monolith_transform=None)
        flags = (Flag("api", Stage.SERVICE),)
        bench.rig.publish(upstreams=ports, routes=(said_nothing, catch_all()), flags=flags)
        assert bench.ask(request("GET", "/api/a")).value("location") == b"/api/a/"
        rewritten = replace(said_nothing, service_transform=Transform(path=PathRewrite("/api", "/"), locations=True))
        bench.rig.publish(routes=(rewritten, catch_all()))
        assert bench.ask(request("GET", "/api/a")).value("location") == b"/api/a/"
        assert service.targets() == [b"/api/a", b"/a"]
        bench.rig.publish(flags=())
        assert bench.ask(request("GET", "/api/a")).value("location") == b"http://127.0.0.1:%d/api/a/" % monolith.port
        assert counts(bench, "strangler_locations_rewritten_total")["api", "service"] == 2


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("content-location:{}/a", (b"content-location", b"/a")),
        ("Refresh: 1; url={}/b", (b"Refresh", b"1; url=/b")),
        ("LOCATION:  {}/c", (b"LOCATION", b"/c")),
        ("X-Own: /d", (b"X-Own", b"/d")),
    ],
)
def test_each_field_that_says_where_something_is_is_rewritten_in_its_place(
    bench: Bench, field: str, expected: tuple[bytes, bytes]
) -> None:
    def redirect(conversation: Conversation) -> None:
        conversation.request()
        own = f"http://localhost:{conversation.socket.getsockname()[1]}"
        conversation.send(response("X-First: 1", field.format(own), "X-Last: 2"))

    with behind(bench, Transform(locations=True), redirect):
        answer = bench.ask(request("GET", "/api/x"))
        assert answer.headers[:3] == [(b"X-First", b"1"), expected, (b"X-Last", b"2")]


def test_cookies_are_rewritten_each_for_itself(bench: Bench) -> None:
    cookies = CookieRewrite(domains=(("catalog.internal", ""),), paths=(("/", "/api"),))
    fields = (
        "Set-Cookie: a=1; Path=/; Domain=catalog.internal",
        "set-cookie: b=2; HttpOnly",
        "Set-Cookie: a=3; path=/x",
    )
    with behind(bench, Transform(cookies=cookies), once(response(*fields))):
        answer = bench.ask(request("GET", "/api/x"))
        assert answer.values("set-cookie") == [b"a=1; Path=/api", b"b=2; HttpOnly", b"a=3; path=/api/x"]


# JSON


def plain(body: bytes, *fields: str) -> bytes:
    return response(JSON, *fields, body=body)


def in_chunks(body: bytes, *fields: str) -> bytes:
    head = response(JSON, "Transfer-Encoding: chunked", *fields, body=None)
    return head + chunked(*(body[at : at + 5] for at in range(0, len(body), 5)))


def until_close(body: bytes, *fields: str) -> bytes:
    return response(JSON, "Connection: close", *fields, body=None) + body


@pytest.mark.parametrize("framed", [plain, in_chunks, until_close])
@pytest.mark.parametrize("slowly", [False, True])
def test_an_answer_is_shaped_however_it_comes(bench: Bench, framed: Callable[..., bytes], slowly: bool) -> None:
    def script(conversation: Conversation) -> None:
        conversation.request()
        data = framed(BODY, 'ETag: "v1"', "Accept-Ranges: bytes", "Content-Digest: sha-256=:x:", "X-Kept: 1")
        if slowly:
            conversation.send_slowly(data)
        else:
            conversation.send(data)
        if framed is not until_close:
            conversation.wait_for_end()

    with behind(bench, Transform(json=DROP), script) as application:
        answer = bench.ask(request("GET", "/api/x", "Accept-Encoding: gzip", "Range: bytes=0-3", "If-Range: x"))
        assert answer.body == SHAPED
        assert answer.value("content-length") == b"%d" % len(SHAPED)
        assert answer.framing == "length"
        assert answer.value("etag") == b'W/"v1"'
        assert answer.value("x-kept") == b"1"
        assert answer.values("accept-ranges") + answer.values("content-digest") == []
        asked = application.requests[0]
        assert asked.value("accept-encoding") == b"identity"
        assert asked.values("range") + asked.values("if-range") == []


def test_a_connection_goes_on_after_a_shaped_answer(bench: Bench) -> None:
    with behind(bench, Transform(json=DROP), each(plain(BODY))) as application, bench.client() as client:
        client.send(request("GET", "/api/a") * 3)
        assert [client.answer().body for _ in range(3)] == [SHAPED] * 3
        assert len(application.conversations) == 1


def test_an_answer_to_head_and_a_304_say_what_a_get_would_and_have_no_length(bench: Bench) -> None:
    head = shaped(bench, response(JSON, 'ETag: "v1"', "Content-Length: 41", body=None), method="HEAD")
    assert (head.status, head.value("etag"), head.values("content-length")) == (200, b'W/"v1"', [])
    unchanged = shaped(bench, response('ETag: "v1"', status=304, body=None), 'If-None-Match: W/"v1"')
    assert (unchanged.status, unchanged.value("etag"), unchanged.values("content-length")) == (304, b'W/"v1"', [])


VARIANTS = JsonShaping(
    variants=(
        JsonVariant(JsonShape(pick=("id",)), ("mobile", "watch"), header="x-client"),
        JsonVariant(JsonShape(wrap="data"), ("1",), query="wrapped"),
    )
)

CHOICES = [
    ("/api/x", ("X-Client: mobile",), b'{"id":7}'),
    ("/api/x", ("x-client: watch",), b'{"id":7}'),
    ("/api/x?wrapped=1", (), b'{"data":' + BODY + b"}"),
    ("/api/x?wrapped=1", ("X-Client: mobile",), b'{"id":7}'),
    ("/api/x?wrapped=0", ("X-Client: Mobile",), BODY),
    ("/api/x", (), BODY),
]


@pytest.mark.parametrize(("target", "fields", "expected"), CHOICES)
def test_a_kind_of_client_gets_its_variant_and_caches_are_told(
    bench: Bench, target: str, fields: tuple[str, ...], expected: bytes
) -> None:
    with behind(bench, Transform(json=VARIANTS), once(plain(BODY, "Vary: Cookie"))) as application:
        answer = bench.ask(request("GET", target, *fields, "Accept-Encoding: br"))
        assert answer.body == expected
        assert [name.lower() for name in answer.values("vary")] == [b"cookie", b"x-client"]
        coding = b"br" if expected is BODY else b"identity"
        assert application.requests[0].value("accept-encoding") == coding


@pytest.mark.parametrize("vary", ["X-CLIENT", "Cookie, x-client", "*"])
def test_what_caches_know_is_not_said_again(bench: Bench, vary: str) -> None:
    assert shaped(bench, plain(BODY, f"Vary: {vary}"), json_shaping=VARIANTS).values("vary") == [vary.encode()]


SMALL = replace(DROP, max_bytes=100)
LONG = json.dumps({"a": "x" * 200}).encode()
OBSTACLES = [
    ("not_json", response("Content-Type: text/html", body=b"<html>")),
    ("not_json", response(body=BODY)),
    ("not_json", response(JSON, JSON, body=BODY)),
    ("encoded", plain(gzip.compress(BODY), "Content-Encoding: gzip")),
    ("too_large", plain(LONG)),
    ("too_large", in_chunks(LONG)),
    ("malformed", plain(b'{"id": 7')),
    ("malformed", plain(b'{"a":' * 15)),
    ("no_object", plain(b'"s3cret"')),
    ("partial", response(JSON, "Content-Range: bytes 0-3/41", status=206, body=b'{"id')),
]


def test_what_became_of_answers_is_counted_with_the_reason(bench: Bench) -> None:
    before = Counter(counts(bench, "strangler_json_shaped_total"))
    for _, answer in (("shaped", plain(BODY)), *OBSTACLES):
        shaped(bench, answer, json_shaping=SMALL)
    after = Counter(counts(bench, "strangler_json_shaped_total"))
    expected = Counter(("api", "monolith", reason) for reason, _ in (("shaped", b""), *OBSTACLES))
    assert after - before == expected


@pytest.mark.parametrize(("reason", "answer"), OBSTACLES)
def test_what_cannot_be_shaped_is_refused_and_nothing_of_it_is_told(bench: Bench, reason: str, answer: bytes) -> None:
    with behind(bench, Transform(json=SMALL), once(answer)), bench.client() as client:
        refused = client.ask(request("GET", "/api/x"))
        assert refused.status == 502
        assert refused.value("content-type") == b"application/problem+json"
        assert b"s3cret" not in refused.raw
    with bench.upstream(), bench.client() as client:
        assert client.ask(request("GET", "/next")).status == 200


@pytest.mark.parametrize(("reason", "answer"), OBSTACLES)
def test_what_cannot_be_shaped_is_passed_on_untouched_where_the_route_says_so(
    bench: Bench, reason: str, answer: bytes
) -> None:
    passing = shaped(bench, answer, json_shaping=replace(SMALL, otherwise="pass"))
    with bench.upstream(once(answer)):
        untouched = bench.ask(request("GET", "/other"))
    assert (passing.status, passing.body, passing.framing) == (untouched.status, untouched.body, untouched.framing)
    assert passing.value("content-encoding") == untouched.value("content-encoding")


@pytest.mark.parametrize("status", [400, 404, 500, 302])
def test_an_answer_that_is_no_document_of_the_route_is_not_shaped(bench: Bench, status: int) -> None:
    answer = shaped(bench, response(JSON, 'ETag: "v"', status=status, body=BODY))
    assert (answer.status, answer.body, answer.value("etag")) == (status, BODY, b'"v"')


def test_an_answer_that_breaks_off_while_it_is_collected_is_a_502_and_no_half_document(bench: Bench) -> None:
    cut = response(JSON, f"Content-Length: {len(BODY) + 10}", body=None) + BODY
    with behind(bench, Transform(json=DROP), once(cut, then="close")), bench.client() as client:
        answer = client.ask(request("GET", "/api/x"))
        assert answer.status == 502
        assert b"s3cret" not in answer.raw


def test_an_answer_that_stalls_while_it_is_collected_is_a_504(bench: Bench) -> None:
    stalled = response(JSON, f"Content-Length: {len(BODY) + 10}", body=None) + BODY
    with behind(
        bench, Transform(json=DROP), once(stalled), timeouts=replace(route(DROP and Transform()).timeouts, idle=0.5)
    ):
        assert bench.ask(request("GET", "/api/x")).status == 504


def test_a_client_that_leaves_while_its_answer_is_collected_leaves_nothing_behind(bench: Bench) -> None:
    stalled = response(JSON, f"Content-Length: {len(BODY) + 10}", body=None) + BODY
    with behind(bench, Transform(json=DROP), once(stalled)) as application, bench.client() as client:
        client.send(request("GET", "/api/x"))
        wait_until(lambda: bool(application.requests), "the application has the request")
        client.reset()
        bench.wait_until_quiet()


def test_a_stream_without_a_shape_is_passed_on_as_it_comes(bench: Bench) -> None:
    seen = threading.Event()

    def stream(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(response("Content-Type: text/event-stream", "Transfer-Encoding: chunked", body=None))
        conversation.send(b"5\r\nfirst\r\n")
        assert seen.wait(10), "the first event was kept back"
        conversation.send(b"0\r\n\r\n")

    changes = Transform(path=PathRewrite("/api", "/"), response=FieldChanges(set=(("X-Arm", "{arm}"),)), locations=True)
    with behind(bench, changes, stream), bench.client() as client:
        client.send(request("GET", "/api/events"))
        client.wait_for(b"first")
        seen.set()
        assert client.answer().body == b"first"
