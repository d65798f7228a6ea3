"""Exchanges of a shadowed route as the forwarder tells of them, and the desk that they end at."""

from typing import Any

from strangler.dataplane.capture import Capture, Desk, Note, Shadowed, Tally
from strangler.dataplane.exchange import Exchange
from strangler.http1.request import RequestHead, RequestParser
from strangler.http1.response import ResponseHead, ResponseParser
from strangler.model.decision import Arm, Decision, Reason
from strangler.model.shadow import Shadow
from strangler.model.snapshot import Limits

from .finished import finished

ABOVE = Decision(Arm.MONOLITH, Reason.ABOVE_WEIGHT, mirror=True)
COHORT = Decision(Arm.SERVICE, Reason.COHORT)
KILLED = Decision(Arm.MONOLITH, Reason.KILLED)
ASKED = b"GET /api/products/7 HTTP/1.1\r\nHost: a\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n"
HEAD = ResponseParser().parse(ANSWER, bodiless=False)


def parsed(method: str = "GET", *lines: str) -> RequestHead:
    text = "\r\n".join((f"{method} /x HTTP/1.1", "Host: a", *lines, "", ""))
    return RequestParser(Limits()).parse(text.encode())


def parsed_answer(*lines: str) -> ResponseHead:
    return ResponseParser().parse("\r\n".join(("HTTP/1.1 200 OK", *lines, "", "")).encode(), bodiless=False)


class Setting:
    """A desk with a route before it, and what has become of requests."""

    def __init__(self, shadow: Shadow | None = None, most: int = 10, most_bytes: int = 1_000_000, **more: Any) -> None:
        self.desk = Desk(most, most_bytes)
        self.desk.connected = True
        self.tally = Tally("products-get")
        self.route = Shadowed(self.tally, self.desk, shadow or Shadow(), 7, **more)

    def begin(self, head: RequestHead | None = None, decision: Decision = ABOVE) -> Capture:
        return self.route.begin(head or parsed(), decision)

    def answered(
        self,
        content: tuple[bytes, ...] = (b"good",),
        *,
        head: ResponseHead = HEAD,
        asked: tuple[bytes, ...] = (),
        **ended: Any,
    ) -> Capture:
        """An exchange from its beginning to its end."""
        capture = self.begin()
        capture.asked(ASKED)
        for piece in asked:
            capture.passed([piece])
        capture.answered(ANSWER, head)
        for number, piece in enumerate(content, 1):
            capture.relayed([piece], ended=number == len(content))
        if not content:
            capture.relayed([], ended=True)
        self.end(capture, **ended)
        return capture

    def end(self, capture: Capture, **values: Any) -> Exchange:
        exchange = finished(capture=capture, **values)
        self.desk.judge(exchange)
        return exchange

    @property
    def headings(self) -> dict[str, int]:
        waiting = self.desk.taken - self.desk.done
        assert self.tally.requests == waiting + sum(self.tally.skipped.values())
        return self.tally.skipped | ({"waiting": waiting} if waiting else {})

    def fetch(self) -> tuple[list[Capture], list[Note]]:
        self.desk.flush()
        handed = self.desk.handed.get_nowait()
        assert handed is not None
        return handed
