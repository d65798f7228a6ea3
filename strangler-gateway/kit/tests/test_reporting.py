"""Who has the gateway's mark is told what a request did; nobody else is, and nobody else pays for it."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from strangler_kit.effects import EFFECTS_HEADER, call, current, decode
from strangler_kit.marks import make
from strangler_kit.reporting import MAX_HELD, AsgiReport, report_wsgi

SECRET = b"a secret of thirty-two bytes, yes"
NONCE = "n" * 16
Headers = list[tuple[str, str]]


def mark(
    purpose: Any = "report", method: str = "POST", target: str = "/x?a=1", secret: bytes = SECRET, age: float = 0
) -> str:
    return make(secret, purpose, method, target, time.time() - age, NONCE)


class Answer:
    """One request to a small application by either protocol, and what came of it."""

    def __init__(self, status: str, headers: Headers, body: bytes) -> None:
        self.status, self.body = status, body
        self.others = [(name.lower(), value) for name, value in headers if name.lower() != EFFECTS_HEADER.lower()]
        found = [value for name, value in headers if name.lower() == EFFECTS_HEADER.lower()]
        self.report = decode(found[0]) if found else None


recorded: list[bool] = []


def ask_wsgi(headers: dict[str, str], secret: bytes | None = SECRET, body: Iterable[bytes] = (b"a", b"b")) -> Answer:
    def app(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
        recorded.append(current() is not None)
        call("early", {})
        write = start_response("200 OK", [("X-Own", "1")])
        write(b"w")
        yield from body
        call("late", {"n": 1})

    environ = {"REQUEST_METHOD": "POST", "RAW_URI": "/x?a=1", "PATH_INFO": "/x", "QUERY_STRING": "a=1"}
    environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    started: list[Any] = []
    written: list[bytes] = []

    def start(status: str, given: Headers, *_: Any) -> Callable[[bytes], None]:
        started[:] = [status, given]
        return written.append

    answer = report_wsgi(app, secret)(environ, start)
    body_read = b"".join(answer)
    getattr(answer, "close", lambda: None)()
    return Answer(*started, b"".join(written) + body_read)


def ask_asgi(
    headers: dict[str, str], secret: bytes | None = SECRET, body: Iterable[bytes] = (b"w", b"a", b"b")
) -> Answer:
    sent: list[Any] = []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        recorded.append(current() is not None)
        call("early", {})
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-own", b"1")]})
        for chunk in body:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        call("late", {"n": 1})
        await send({"type": "http.response.body"})
        call("too late", {})

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/x", "raw_path": b"/x", "query_string": b"a=1",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    asyncio.run(AsgiReport(app, secret)(scope, None, send))  # type: ignore[arg-type]
    given = [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]
    return Answer("200 OK", given, b"".join(message.get("body", b"") for message in sent))


both = pytest.mark.parametrize("ask", [ask_wsgi, ask_asgi], ids=["wsgi", "asgi"])
Ask = Callable[..., Answer]


@both
def test_a_marked_request_is_answered_with_what_it_did(ask: Ask) -> None:
    answer = ask({"X-Strangler-Report": mark()})
    assert answer.report == {
        "v": 1, "rows": [], "events": [], "complete": True,
        "calls": [{"name": "early", "arguments": {}}, {"name": "late", "arguments": {"n": 1}}],
    }  # fmt: skip
    assert (answer.status, answer.others, answer.body) == ("200 OK", [("x-own", "1")], b"wab")


FORGED = {
    "no mark": None,
    "an empty mark": "",
    "nonsense": "v1.1.1.1",
    "for another method": mark(method="PUT"),
    "for another target": mark(target="/x?a=2"),
    "by another secret": mark(secret=b"b" * 32),
    "for another purpose": mark("shadow"),
    "an old one": mark(age=61),
}


@both
@pytest.mark.parametrize("name", FORGED)
def test_without_a_mark_that_holds_nothing_is_recorded_and_nothing_told(name: str, ask: Ask) -> None:
    recorded.clear()
    given = FORGED[name]
    answer = ask({} if given is None else {"X-Strangler-Report": given})
    assert (answer.report, recorded) == (None, [False])
    assert (answer.others, answer.body) == ([("x-own", "1")], b"wab")


@both
def test_without_a_secret_no_mark_holds(ask: Ask) -> None:
    assert ask({"X-Strangler-Report": mark()}, secret=None).report is None


@both
def test_an_answer_that_is_too_long_to_hold_back_says_so(ask: Ask) -> None:
    chunks = [b"w"] if ask is ask_asgi else []
    answer = ask({"X-Strangler-Report": mark()}, body=[*chunks, *[b"x" * 65_536] * (MAX_HELD // 65_536 + 2)])
    assert answer.report is not None
    assert (answer.report["complete"], len(answer.body)) == (False, 1 + MAX_HELD + 2 * 65_536)


def test_two_marks_are_none() -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        assert current() is None

    header = (b"x-strangler-report", mark().encode())
    scope = {"type": "http", "method": "POST", "path": "/x", "raw_path": b"/x", "query_string": b"a=1"}
    asyncio.run(AsgiReport(app, SECRET)({**scope, "headers": [header, header]}, None, None))  # type: ignore[arg-type]


def test_an_application_that_fails_is_closed_and_fails() -> None:
    closed: list[bool] = []

    class Broken:
        def __iter__(self) -> Iterator[bytes]:
            yield b"a"
            raise RuntimeError("in the middle")

        def close(self) -> None:
            closed.append(True)

    def app(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [])
        return Broken()

    environ = {"REQUEST_METHOD": "POST", "RAW_URI": "/x?a=1", "HTTP_X_STRANGLER_REPORT": mark()}
    with pytest.raises(RuntimeError, match="in the middle"):
        report_wsgi(app, SECRET)(environ, lambda *_: pytest.fail("nothing may be answered"))
    assert closed == [True]
    assert current() is None


@pytest.mark.parametrize(
    ("environ", "target"),
    [
        ({"REQUEST_URI": "/a%2Fb?x"}, "/a%2Fb?x"),
        ({"SCRIPT_NAME": "/s", "PATH_INFO": "/caf\u00c3\u00a9 x", "QUERY_STRING": ""}, "/s/caf%C3%A9%20x"),
        ({"PATH_INFO": "/x", "QUERY_STRING": ""}, "/x?"),
        ({"PATH_INFO": "/x", "QUERY_STRING": "a=%20"}, "/x?a=%20"),
    ],
)
def test_the_target_is_found_whatever_the_server_calls_it(environ: dict[str, str], target: str) -> None:
    def app(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [])
        return [str(current() is not None).encode()]

    given = {"REQUEST_METHOD": "POST", "HTTP_X_STRANGLER_REPORT": mark(target=target), **environ}
    assert list(report_wsgi(app, SECRET)(given, lambda *_: None)) == [b"True"]
