"""Shadowed writes: marked, so that a service on the chassis does them in a transaction of which nothing stays.

A service that does not know the mark would do them in earnest. So it is asked first by OPTIONS, which changes nothing
anywhere (RFC 9110 §9.2.1): only one that confirms the mark there is sent a write. Whatever does not confirm ends it for
the rest of the route's run.
"""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from strangler.comparator.books import Run
from strangler.comparator.copies import Copy
from strangler.comparator.shadowed import Shadowed
from strangler.http1.request import RequestHead
from strangler.model.shadow import Heading
from strangler.policies.marks import OWN, SHADOW, Marks
from strangler.shadow.answer import Answer
from strangler.shadow.reported import Reported, ReportUnreadable, read_report

ROLLED_BACK: Final = b"rolled-back"
LOCKED: Final = b"locked"
CONFIRMED_FOR: Final = 5.0
"""Seconds for which a confirmation holds: so long a service that was replaced by one without the chassis could be taken
for it."""

logger = logging.getLogger("strangler.comparator")


class NotComparable(Exception):
    """A write that has no two sides; the heading says why."""

    def __init__(self, heading: Heading) -> None:
        self.heading = heading
        super().__init__(heading.value)


async def ask_for_write(
    shadowed: Shadowed, run: Run, copy: Copy, effects: bytes, now: float
) -> tuple[Reported, Answer]:
    """What the primary reported, and the candidate's answer with its effects. Raises ``NotComparable``, and
    ``Unanswered``. ``now`` is a time in seconds."""
    marks = shadowed.marks
    if marks is None:
        raise NotComparable(Heading.UNSAFE)
    reported = _report(effects)
    if run.isolated and now - run.confirmed > CONFIRMED_FOR:
        await _probe(shadowed, marks, run, copy, now)
    if not run.isolated:
        raise NotComparable(Heading.NOT_ISOLATED)
    settings = shadowed.settings
    added = _marking(marks, copy.head.method, reported.before)
    candidate = await shadowed.candidate.ask(copy, timeout=settings.timeout, most=settings.answer_bytes, added=added)
    outcome, told = _own(candidate)
    _confirm(run, shadowed, outcome, candidate, now)
    if outcome == LOCKED:
        raise NotComparable(Heading.LOCKED)
    return reported, replace(candidate, fields=_without_own(candidate), effects=_report(told).effects)


async def _probe(shadowed: Shadowed, marks: Marks, run: Run, copy: Copy, now: float) -> None:
    """Ask by a method that changes nothing whether the mark is known. Raises ``NotComparable`` if it is not."""
    options = Copy(_options(copy.head), b"", copy.client, copy.request_id)
    settings = shadowed.settings
    answer = await shadowed.candidate.ask(
        options, timeout=settings.timeout, most=settings.answer_bytes, added=_marking(marks, b"OPTIONS", b"")
    )
    outcome, _ = _own(answer)
    if not outcome and answer.status >= 500:  # Something in front of a service that starts: it will be asked again.
        raise NotComparable(Heading.CANDIDATE_UNREACHABLE)
    _confirm(run, shadowed, outcome, answer, now)


def _marking(marks: Marks, method: bytes, before: bytes) -> Callable[[bytes], bytes]:
    """From the target that the service is asked for to the fields that are added."""

    def block(target: bytes) -> bytes:
        mark = marks.make(SHADOW, method, target, time.time(), b"%032x" % random.getrandbits(128))
        told = b"\r\nX-Strangler-Before: " + before if before else b""
        return b"\r\nX-Strangler-Shadow: " + mark + told

    return block


def _confirm(run: Run, shadowed: Shadowed, outcome: bytes, answer: Answer, now: float) -> None:
    """Note whether the service has said that nothing stays. Raises ``NotComparable``, also for ever after."""
    if outcome in {ROLLED_BACK, LOCKED}:
        run.confirmed = max(run.confirmed, now)
        return
    if run.isolated:
        run.isolated = False
        logger.error(
            "%s: the service did not confirm that what it is asked to shadow is rolled back (it answered %d, with "
            "X-Strangler-Shadowed: %s); no more writes of this route are asked for until `strangler shadow restart %s`",
            shadowed.name,
            answer.status,
            outcome.decode("latin-1") or "absent",
            shadowed.name,
        )
    raise NotComparable(Heading.NOT_ISOLATED)


def _report(header: bytes) -> Reported:
    """Raises ``NotComparable`` where there is none, or not the whole of it."""
    try:
        reported = read_report(header)
    except ReportUnreadable:
        raise NotComparable(Heading.NO_EFFECTS) from None
    if not reported.effects.complete:
        raise NotComparable(Heading.NO_EFFECTS)
    return reported


def _own(answer: Answer) -> tuple[bytes, bytes]:
    """What became of a shadowed request, and its effects; empty where nothing is said, or more than one thing."""
    values: dict[bytes, list[bytes]] = {}
    for name, value in answer.fields:
        values.setdefault(name.lower(), []).append(value)
    outcome, effects = (values.get(name, []) for name in (b"x-strangler-shadowed", b"x-strangler-effects"))
    return outcome[0] if len(outcome) == 1 else b"", effects[0] if len(effects) == 1 else b""


def _without_own(answer: Answer) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((name, value) for name, value in answer.fields if name.lower() not in OWN)


def _options(head: RequestHead) -> RequestHead:
    """The same target and fields, by another method and without a body."""
    options = RequestHead()
    for name in ("target", "path", "query", "minor", "fields", "host", "keep_alive"):
        setattr(options, name, getattr(head, name))
    options.method, options.length = b"OPTIONS", 0
    return options
