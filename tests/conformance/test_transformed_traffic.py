"""What is changed on the way is read alike by all, stays within its prefix, and leaks nothing of the application."""

import re
from dataclasses import replace
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from strangler.model.route import PathKind, Route, RouteMatch, Timeouts
from strangler.model.transform import CookieRewrite, FieldChanges, JsonShape, JsonShaping, PathRewrite, Transform
from support.bench import Bench
from support.corpora import generated
from support.corpora.doubtful import DOUBTFUL
from support.corpora.generated import Answer
from support.corpora.valid import VALID
from support.differential import as_applications_read, as_clients_read, no_client_finds_an_end
from support.nginx import Nginx
from support.raw_http import Conversation, EndedError, request, response

FACTS = FieldChanges(
    remove=("X-Custom", "Cookie"),
    set=(("X-Route", "{route}"), ("X-Path", "{path}"), ("X-Who", "{client_address} {host}")),
    add=(("X-List", "added"),),
)
EVERYTHING = Transform(
    path=PathRewrite("/site", "/site/v2"),
    request=FACTS,
    response=FieldChanges(remove=("Server",), set=(("X-Frame-Options", "DENY"),), add=(("Vary", "X-Route"),)),
    json=JsonShaping(JsonShape(drop=("internal",)), otherwise="pass"),
    locations=True,
    cookies=CookieRewrite(domains=(("app.internal", ""),), paths=(("/site/v2", "/site"),)),
)


def site(strict: bool) -> Route:
    """Everything below ``/site`` is asked for below ``/site/v2``, with every kind of change there is."""
    match = RouteMatch("/site", PathKind.PREFIX)
    return Route("site", match, "m", "m", "monolith", strict=strict, monolith_transform=EVERYTHING)


TAILS = [
    *("/a", "", "/", "/a/b?c=d", "/%61", "//a", "/./a", "/../a", "/../../admin", "/..%2fadmin", "/%2e%2e/admin"),
    *("/..;/admin", "/%2e%2e%2fadmin", "/a/../../../admin", "/..\\admin", "/%5c..%5cadmin", "/%252e%252e/admin"),
    *("/%2fadmin", "/;/../admin", "/.%2e/admin", "/a%00/../../admin", "/%0d%0aX:y", "/..%00/admin", "/a;b=c", "/a%3b"),
    *("/a%2fb", "/.", "/..", "/...", "%2f..%2f", "/%zz", "/%", "?/../../admin", "/a?../admin", ";x", ";x/../admin"),
    *("%00", "/a\\b", "/a%20b", "/.%0a./x", "/%2e%00%2e/%2e%00%2e/admin"),
]


@pytest.mark.parametrize("strict", [True, False], ids=["strict", "lax"])
def test_no_spelling_leads_out_of_the_prefix_that_the_path_is_rewritten_to(bench: Bench, strict: bool) -> None:
    with bench.upstream(routes=(site(strict),)) as upstream:
        for tail in TAILS:
            before = len(upstream.requests)
            status = bench.ask(request("GET", f"/site{tail}")).status
            assert status in {200, 400}
            for asked in upstream.requests[before:]:
                if asked.value("x-route") == b"site":
                    assert obliging(asked.target).startswith(b"/site/v2"), (tail, asked.target)


def obliging(target: bytes) -> bytes:
    """The path as an application reads it that decodes twice, cuts parameters and resolves dots."""
    path = unquote_to_bytes(unquote_to_bytes(target.partition(b"?")[0])).replace(b"\\", b"/")
    segments: list[bytes] = []
    for segment in re.sub(rb"[\x01-\x1f]", b"", path).split(b"/"):
        name = segment.partition(b";")[0].partition(b"\0")[0]
        if name == b"..":
            del segments[-1:]
        elif name not in {b"", b"."}:
            segments.append(name)
    return b"/" + b"/".join(segments)


def changing(name: str, **changes: object) -> Route:
    """The same changes for all requests, but for the path."""
    transform = replace(EVERYTHING, path=None, **changes)
    return Route(
        name, RouteMatch("/", PathKind.PREFIX), "m", "m", "monolith", strict=False, monolith_transform=transform
    )


def test_valid_traffic_that_is_changed_is_read_alike_by_all(bench: Bench, nginx: Nginx) -> None:
    with bench.upstream(routes=(changing("all"),)) as upstream:
        for sent in VALID.values():
            with bench.client() as client:
                client.send(sent)
                assert client.answer(sent.lstrip().split(b" ")[0].decode(), interim=[]).status == 200
        carried = [asked for reading in as_applications_read(upstream, nginx) for asked in reading]
    assert len(carried) == len(VALID)
    changed = [asked for asked in carried if (b"x-route", b"all") in asked.fields]
    assert len(changed) >= len(VALID) - 1  # The asterisk is no path, and belongs to no route.
    assert not any(b"cookie" in dict(asked.fields) for asked in changed)


def test_whatever_is_answered_clients_agree_on_what_was_made_of_it(bench: Bench) -> None:
    said = {"data": b""}

    def serve(conversation: Conversation) -> None:
        while True:
            asked = conversation.request()
            if asked.target == b"/spoiled":
                conversation.send(said["data"])
                return
            conversation.send(response(body=asked.target))

    @settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(answer=generated.spoiled_answers(), json=st.booleans(), method=st.sampled_from(["GET", "HEAD"]))
    def keeps_step(answer: Answer, json: bool, method: str) -> None:
        kind = b"\r\nContent-Type: application/json" if json else b""
        said["data"] = answer.data.replace(b"\r\n", kind + b"\r\n", 1)
        with bench.client() as client:
            client.send(request(method, "/spoiled"))
            try:
                client.answer(method, interim=[])
            except EndedError:
                assert no_client_finds_an_end(bytes(client.received), [method])
            else:
                assert client.ask(request("GET", "/marker")).body == b"/marker"
                as_clients_read(bytes(client.received), [method, "GET"])

    route = changing("shaped")
    with bench.upstream(serve, routes=(route,), timeouts=Timeouts(response=0.4, idle=0.4)):
        keeps_step()


@pytest.mark.parametrize("table", ["codings", "lengths", "chunks"])
def test_doubt_stays_doubt_where_requests_are_changed(bench: Bench, table: str) -> None:
    with bench.upstream(routes=(changing(f"doubt-{table}"),)) as upstream:
        for name, sent, refused in list(DOUBTFUL[table]())[::7]:
            if refused:
                with bench.client() as client:
                    client.send(sent)
                    assert client.message(bodiless=True).status >= 400, name
        assert upstream.requests == []
