"""The gateway's hot functions, each ready to be called over and over: ``python -m yardstick.gateway.parts NAME COUNT``.

That command is what ``instructions`` counts; it times nothing.
"""

import gc
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import cycle
from typing import Final

import uvloop

from strangler.http1.request import RequestParser
from strangler.http1.response import ResponseParser
from strangler.model.flag import Flag, Stage
from strangler.model.route import RouteMatch
from strangler.model.shadow import Comparing, Redaction
from strangler.model.snapshot import Limits
from strangler.routing.evaluator import evaluate
from strangler.routing.fields import PairFields
from strangler.routing.matcher import Matcher
from strangler.shadow.answer import Answer, Question
from strangler.shadow.redaction import Redactor
from strangler.shadow.rules import Rules
from yardstick.comparator.documents import differing, documents
from yardstick.gateway.profiling import ANSWERED, HEAD, Simulation

WARM_UP: Final = 200
"""Calls before any are counted: caches fill, and memory is asked of the system."""
_HEADS = 5_000
_ROUTES = 10_000
_JSON = ((b"content-type", b"application/json"),)


def _known_head() -> Callable[[], object]:
    """A client's second request and all after it: the same header section as before."""
    parser, head = RequestParser(Limits()), HEAD.format(user=1).encode()
    return lambda: parser.parse(head)


def _new_head() -> Callable[[], object]:
    """A header section that no request had before."""
    parser = RequestParser(Limits())
    heads = cycle([HEAD.format(user=user).encode() for user in range(_HEADS)])
    return lambda: parser.parse(next(heads))


def _route() -> Callable[[], object]:
    """The route of a path among ten thousand."""
    matcher = Matcher((RouteMatch(f"/api/module-{each}/items/{{id}}"), each) for each in range(_ROUTES))
    fields = PairFields(())
    return lambda: matcher.match(b"GET", b"/api/module-7000/items/42", fields)


def _decision() -> Callable[[], object]:
    """Service or monolith, for a subject of a canary at 50 %."""
    flag = Flag("product", Stage.CANARY, 5000)
    return lambda: evaluate(flag, "catalog", "visitor-42")


def _answer_head() -> Callable[[], object]:
    """The head of an upstream's answer."""
    parser = ResponseParser()
    return lambda: parser.parse(ANSWERED, bodiless=False)


def _comparison() -> Callable[[], object]:
    """Two answers of 2 KB that say the same with their keys in another order."""
    rules = Rules(Comparing(), datetime.now(UTC).date())
    (page,) = documents(1, 2048)
    primary, candidate = Answer(200, _JSON, page), Answer(200, _JSON, differing([page], 0)[0])
    question = Question(b"GET", b"/api/products", (), b"")
    return lambda: rules.compare(question, primary, candidate)


def _redaction() -> Callable[[], object]:
    """An answer of 2 KB before it may touch the disk."""
    redactor = Redactor(Redaction())
    answer = Answer(200, _JSON, documents(1, 2048)[0])
    return lambda: redactor.answer(answer)


def _whole() -> Callable[[], object]:
    """A request and its answer through all of a worker, without its sockets."""
    simulation = Simulation()
    return lambda: simulation.ask(1)


PARTS: Final[dict[str, Callable[[], Callable[[], object]]]] = {
    "request-head": _known_head,
    "request-head-new": _new_head,
    "route": _route,
    "decision": _decision,
    "answer-head": _answer_head,
    "request": _whole,
    "comparison": _comparison,
    "redaction": _redaction,
}
"""Each makes ready what is called; the docstring says what that is."""


async def call(name: str, count: int) -> None:
    """Call a part ``WARM_UP`` times, and so often again."""
    part = PARTS[name]()
    gc.collect()
    gc.freeze()
    gc.disable()
    for _ in range(WARM_UP + count):
        part()


if __name__ == "__main__":
    uvloop.run(call(sys.argv[1], int(sys.argv[2])))
