"""One exchange judged: the candidate is asked, the answers are compared, and what differs is held against noise.

1. ask the candidate what the primary was asked
2. compare
3. ask the primary again where that says something, always after the candidate
4. what that makes of what is known of the route
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace

from strangler.comparator.copies import Copy, copy_of, primary_of, question_of
from strangler.comparator.exchange import Exchange
from strangler.comparator.samples import sample_of
from strangler.comparator.shadowed import Shadowed
from strangler.comparator.writes import NotComparable, ask_for_write
from strangler.ledger.outcome import Outcome
from strangler.model.failure import Failure
from strangler.model.shadow import Heading
from strangler.resilience.retry import SAFE
from strangler.shadow.answer import Answer, Question
from strangler.shadow.comparison import Comparison
from strangler.shadow.evidence import Asking, Observation, kinds_of
from strangler.upstream.asking import TooLong, Unanswered

LARGE = 64 * 1024
"""Bytes of two answers together that are compared in a thread: on the event loop they would hold up all others."""
_LATE = frozenset((Failure.RESPONSE_TIMEOUT, Failure.CONNECT_TIMEOUT, Failure.QUEUE_TIMEOUT, Failure.SEND_TIMEOUT))


class Judging:
    """Judges exchanges, many at a time, all on one event loop."""

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self._chance = chance
        self._loop = asyncio.get_running_loop()

    async def judge(self, exchange: Exchange) -> Outcome:
        """How it ended. Raises only what is a fault of ours."""
        shadowed, mirrored = exchange.shadowed, exchange.mirrored
        assert shadowed is not None
        copy = copy_of(mirrored)
        # 1. ask the candidate
        try:
            primary, candidate = await self._sides(exchange, copy)
        except NotComparable as why:
            return Outcome(why.heading)
        except Unanswered as why:
            return Outcome(_heading(why))
        # 2. compare
        question = question_of(copy)
        comparison = await self._compare(shadowed, question, primary, candidate)
        # 3. ask the primary again
        observation = await self._observe(exchange, copy, question, primary, candidate, comparison)
        # 4. what is known now
        run = exchange.run
        run.evidence, finding = run.evidence.observe(observation, shadowed.settings.at_most)
        sample = None
        if finding.heading is Heading.DIFFERENT:
            sample = sample_of(exchange, question, primary, candidate, comparison, finding, self._loop.time())
        return Outcome(
            finding.heading,
            run.evidence,
            comparison.normalised,
            comparison.ignored,
            comparison.cut,
            primary.seconds,
            candidate.seconds,
            sample,
        )

    async def _sides(self, exchange: Exchange, copy: Copy) -> tuple[Answer, Answer]:
        """What the client got, and what the candidate answers; with their effects, if it is a write."""
        shadowed, primary = exchange.shadowed, primary_of(exchange.mirrored)
        assert shadowed is not None
        if copy.head.method in SAFE:
            settings = shadowed.settings
            return primary, await shadowed.candidate.ask(copy, timeout=settings.timeout, most=settings.answer_bytes)
        reported, candidate = await ask_for_write(
            shadowed, exchange.run, copy, exchange.mirrored.effects, self._loop.time()
        )
        return replace(primary, effects=reported.effects), candidate

    async def _compare(self, shadowed: Shadowed, question: Question, one: Answer, other: Answer) -> Comparison:
        """What differs, in names and values that may be kept."""
        if len(one.body) + len(other.body) > LARGE:
            return await asyncio.to_thread(_compared, shadowed, question, one, other)
        return _compared(shadowed, question, one, other)

    async def _observe(
        self,
        exchange: Exchange,
        copy: Copy,
        question: Question,
        primary: Answer,
        candidate: Answer,
        comparison: Comparison,
    ) -> Observation:
        shadowed, run = exchange.shadowed, exchange.run
        assert shadowed is not None
        differing = kinds_of(comparison)
        repeatable = copy.head.method in SAFE
        asking = Asking.NO
        if repeatable:
            asking = run.evidence.asking(frozenset(differing), self._chance(), shadowed.settings.noise)
        second = await self._ask_primary(shadowed, copy) if asking is not Asking.NO else None
        if second is None:
            return Observation(differing, repeatable=repeatable)
        noise = await self._compare(shadowed, question, primary, second)
        against = await self._compare(shadowed, question, second, candidate) if differing else None
        return Observation(
            differing,
            second=kinds_of(noise),
            against=kinds_of(against) if against is not None else None,
            sampled=asking is Asking.SAMPLED,
        )

    async def _ask_primary(self, shadowed: Shadowed, copy: Copy) -> Answer | None:
        """Its second answer; None if it was asked often enough lately, or does not answer."""
        if not shadowed.repeats.spend(self._loop.time()):
            return None
        settings = shadowed.settings
        try:
            return await shadowed.primary.ask(copy, timeout=settings.timeout, most=settings.answer_bytes)
        except Unanswered:
            return None


def _compared(shadowed: Shadowed, question: Question, one: Answer, other: Answer) -> Comparison:
    comparison = shadowed.rules.compare(question, one, other)
    plain = not comparison.differences and not comparison.ignored
    return comparison if plain else shadowed.redactor.comparison(comparison)


def _heading(why: Unanswered) -> Heading:
    if isinstance(why, TooLong):
        return Heading.CANDIDATE_TOO_LARGE
    return Heading.CANDIDATE_TIMEOUT if why.failure in _LATE else Heading.CANDIDATE_UNREACHABLE
