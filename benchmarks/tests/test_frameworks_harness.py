"""What surrounds the comparison of frameworks: requests, facts, passes of the contract, applications called here."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from support.answering import Said, answering
from yardstick.frameworks import contract, facts
from yardstick.frameworks.asking import Asking, WrongAnswerError
from yardstick.frameworks.calling import calling_asgi, calling_wsgi
from yardstick.frameworks.contract import Pass, judge
from yardstick.frameworks.endpoints import BY_NAME, ENDPOINTS, Ask
from yardstick.frameworks.sections import sections
from yardstick.frameworks.servers import Combination, named
from yardstick.frameworks.visitors import Issuer, Visitors

FLASK = Combination("flask", "gunicorn", "sqlite")


@pytest.fixture
def visitors() -> Visitors:
    return Visitors(Issuer(), products=100, stocked=[1, 2, 3])


@pytest.mark.parametrize("name", sorted(set(BY_NAME) - {"checkout"}))
def test_requests_that_make_something_are_never_the_same(name: str, visitors: Visitors) -> None:
    asking = Asking(BY_NAME[name], visitors)
    found = [*asking.requests("h:1", 300), *asking.requests("h:1", 300)]
    assert (len(set(found)) == len(found)) is BY_NAME[name].makes


def test_carts_are_filled_before_they_are_checked_out_and_that_is_not_timed(visitors: Visitors) -> None:
    asking = Asking(BY_NAME["checkout"], visitors)
    with answering(lambda _: Said(body=b"{}")) as server:
        found = [request for _ in range(2) for request in asking.requests(urlsplit(server.url).netloc, 40)]
    assert len(set(found)) == 80
    assert all(request.startswith(b"POST /api/orders ") for request in found)
    assert [asked.target.rpartition("/")[0] for asked in server.requests] == ["/api/cart/items"] * 80
    assert all(
        asked.headers["authorization"].encode() in sent for asked, sent in zip(server.requests, found, strict=True)
    )
    with answering(lambda _: Said(500, b"no")) as server, pytest.raises(WrongAnswerError, match="before it, 500 b'no'"):
        asking.requests(urlsplit(server.url).netloc, 1)


def test_code_is_counted_without_comments_and_docstrings() -> None:
    source = '"""A module.\n\nTwo lines."""\n\n# why\nx = (\n    1,\n)\n\n\ndef f():\n    """Does."""\n    return x\n'
    assert facts.lines_of_code(source) == 5


def test_names_of_a_framework_are_counted_once() -> None:
    source = (
        "from flask import Flask, request\nfrom werkzeug.exceptions import NotFound\nimport os\nfrom shop import x\n"
    )
    assert facts.names_of(source, "flask") == {"flask.Flask", "flask.request", "werkzeug.exceptions.NotFound"}


def test_the_faces_have_the_same_endpoints_and_their_facts_differ() -> None:
    rows = facts.rows(["flask", "django", "fastapi", "django-orm", "catalog-service"])
    endpoints = {row[0]: int(row[5]) for row in rows}
    assert endpoints["flask"] == endpoints["django"] == endpoints["fastapi"] > 25
    assert endpoints["django-orm"] == endpoints["catalog-service"] == 10
    assert len({row[4] for row in rows}) == len(rows)


def keep(folder: Path, **changes: Any) -> None:
    found = Pass(str(FLASK), 9, 0, 1.0, "d", "then")
    (folder / f"contract-{FLASK}.json").write_text(json.dumps(asdict(found) | changes))


def test_a_pass_holds_while_nothing_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def judged(combination: Combination, digest: str) -> Pass:
        asked.append(str(combination))
        return Pass(str(combination), 10, 0, 1.0, digest, "now")

    monkeypatch.setattr(contract, "_judged", judged)
    monkeypatch.setattr(contract, "_digest", lambda: "d")
    assert judge(FLASK, tmp_path).passed == 10
    assert judge(FLASK, tmp_path).passed == 10
    assert len(asked) == 1
    monkeypatch.setattr(contract, "_digest", lambda: "another")
    judge(FLASK, tmp_path)
    assert len(asked) == 2
    keep(tmp_path, digest="another", failed=1)
    judge(FLASK, tmp_path)
    assert len(asked) == 3, "what failed is judged again"
    (tmp_path / f"contract-{FLASK}.json").write_text("not JSON")
    judge(FLASK, tmp_path)
    assert len(asked) == 4


def test_a_combination_has_a_name() -> None:
    assert named("catalog-service-uvicorn-sqlite") == Combination("catalog-service", "uvicorn", "sqlite")
    with pytest.raises(ValueError, match="there is no"):
        named("flask-uvicorn-sqlite")


def test_the_sections_say_how_each_was_served_and_judged() -> None:
    found = sections([FLASK], [Pass(str(FLASK), 1599, 0, 9.5, "abc", "now")], ENDPOINTS)
    text = repr(found)
    for words in ("1599", "abc", "gunicorn", "what it isolates", "lines per endpoint"):
        assert words in text, words


def test_an_application_is_called_as_a_server_calls_it() -> None:
    def wsgi(environ: dict[str, Any], start: Any) -> list[bytes]:
        start("201 Created", [])
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        return [
            environ["PATH_INFO"].encode(),
            b"?",
            environ["QUERY_STRING"].encode(),
            environ["HTTP_X_A"].encode(),
            body,
        ]

    ask = Ask("POST", "/a?b=c", {"X-A": "z", "Content-Type": "text/plain"}, b"body")
    with calling_wsgi(wsgi) as call:
        assert call(ask) == (201, b"/a?b=czbody")


def test_an_application_of_coroutines_gets_its_lifespan_and_state() -> None:
    said: list[str] = []

    async def asgi(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            scope["state"]["pool"] = "p"
            while True:
                message = await receive()
                said.append(message["type"])
                await send({"type": message["type"] + ".complete"})
                if message["type"] == "lifespan.shutdown":
                    return
        body = (await receive())["body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send(
            {"type": "http.response.body", "body": scope["state"]["pool"].encode() + body + scope["query_string"]}
        )

    with calling_asgi(asgi) as call:
        assert call(Ask("POST", "/a?b", {}, b"x")) == (200, b"pxb")
    assert said == ["lifespan.startup", "lifespan.shutdown"]
