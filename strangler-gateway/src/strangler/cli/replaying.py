"""What was recorded, asked of a candidate again: compared by the same rules and judged by the same judge."""

import asyncio
import json
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime

from strangler.cli.failures import BadInput
from strangler.cli.replay_evidence import Again, Kinds, Seen, SeenLive, SeenRecorded
from strangler.cli.replay_side import LiveSide, Unanswered
from strangler.model.shadow import Heading, Shadow
from strangler.shadow.answer import Answer, Question
from strangler.shadow.comparison import Comparison
from strangler.shadow.evidence import Asking, kinds_of
from strangler.shadow.record import BOUNDS, Latencies, RunRecord, Sample
from strangler.shadow.recording import Head, Recorded
from strangler.shadow.redaction import Redactor
from strangler.shadow.rules import Rules
from strangler.shadow.sampling import pair_of

SAFE = frozenset((b"GET", b"HEAD", b"OPTIONS"))
CREDENTIALS = frozenset(("authorization", "cookie", "x-api-key"))
"""Headers without which an answer is another one."""
UNSAFE = "unsafe_method"
NOT_WHOLE = "request_redacted"
NO_CREDENTIALS = "credentials_redacted"


@dataclass(frozen=True, slots=True)
class Plan:
    """How to replay."""

    put_back: tuple[tuple[str, str], ...] = ()
    """Headers with their values: credentials only where they stood, others in every request; without a value they are
    left out on purpose."""
    unsafe: bool = False
    passes: int = 1
    at_once: int = 4


@dataclass(slots=True)
class Tally:
    """What became of the exchanges."""

    headings: Counter[Heading] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    """By reason: what was not asked at all."""
    missing: Counter[str] = field(default_factory=Counter)
    """Credentials that were redacted and not put back, by header."""
    normalised: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)
    cut: Counter[str] = field(default_factory=Counter)
    samples: list[Sample] = field(default_factory=list)
    sampled: Counter[str] = field(default_factory=Counter)
    primary: Counter[int] = field(default_factory=Counter)
    """How long the primary took, by bucket (``BOUNDS``)."""
    candidate: Counter[int] = field(default_factory=Counter)


class Replay:
    """One replay. ``shadow`` has the rules; what was redacted in the recording is redacted in answers too."""

    def __init__(
        self,
        head: Head,
        shadow: Shadow,
        plan: Plan,
        candidate: LiveSide,
        primary: LiveSide | None,
        chance: Callable[[], float],
    ) -> None:
        """Raises ``RuleRefused`` for rules that cannot be."""
        self.head = head
        self.shadow = shadow
        self.tally = Tally()
        self.seen: Seen = SeenLive(shadow) if primary is not None else SeenRecorded(shadow, writes=plan.unsafe)
        self.again = "primary" if primary is not None else "candidate"
        """Who is asked a second time."""
        self._plan = plan
        self._put_back = {name.lower(): value for name, value in plan.put_back}
        self._candidate = candidate
        self._primary = primary
        self._chance = chance
        self.rules = Rules(shadow.comparing, _today())
        self._redactor = Redactor(head.shadow.redaction)
        self._began = time.time()

    async def run(self, exchanges: Callable[[], Iterator[Recorded]], passed: Callable[[], None]) -> None:
        """Ask and compare; ``passed`` hears of each that is done. Raises ``BadInput`` if nobody is there to ask."""
        for _ in range(self._plan.passes):
            source = exchanges()
            refused: BaseException | None = None
            try:
                async with asyncio.TaskGroup() as group:
                    for _ in range(self._plan.at_once):
                        group.create_task(self._work(source, passed))
            except* BadInput as failures:
                refused = failures.exceptions[0]
            if refused is not None:  # Python 3.11.2 would make a group of what is raised in there.
                raise refused

    async def _work(self, source: Iterator[Recorded], passed: Callable[[], None]) -> None:
        for recorded in source:
            reason = self._obstacle(recorded)
            if reason:
                self.tally.left_out[reason] += 1
            else:
                await self._ask(recorded)
            passed()

    def _obstacle(self, recorded: Recorded) -> str:
        """Why an exchange is not asked again; empty if it is."""
        if recorded.question.method not in SAFE and not self._plan.unsafe:
            return UNSAFE
        if not recorded.is_whole:
            return NOT_WHOLE
        missing = (recorded.missing & CREDENTIALS) - self._put_back.keys()
        self.tally.missing.update(missing)
        return NO_CREDENTIALS if missing else ""

    async def _ask(self, recorded: Recorded) -> None:
        question = recorded.question
        asked = replace(question, fields=self._fields(recorded))
        try:
            primary = recorded.answer if self._primary is None else await self._answer(self._primary, asked)
        except Unanswered:
            self.tally.headings[Heading.PRIMARY_FAILED] += 1
            return
        try:
            candidate = await self._answer(self._candidate, asked)
        except Unanswered as why:
            self.tally.headings[why.heading] += 1
            return
        comparison = self._compare(question, primary, candidate)
        differing = kinds_of(comparison)
        again = await self._ask_again(asked, question, primary, candidate, differing)
        finding = self.seen.observe(differing, again, repeatable=question.method in SAFE)
        self._note(comparison, primary, candidate, finding.heading)
        if finding.heading is Heading.DIFFERENT and self._is_wanted(comparison):
            at = recorded.at
            self.tally.samples.insert(
                0, pair_of(at, question, primary, candidate, comparison.differences, finding.value)
            )

    async def _answer(self, side: LiveSide, asked: Question) -> Answer:
        """As it may be kept, which is how it was recorded. Raises ``Unanswered``, ``BadInput`` if nobody is there."""
        try:
            return self._redactor.answer(await side.ask(asked))
        except Unanswered as why:
            if why.refused and not side.has_answered:
                message = f"{side.option} {why}; start the application, or correct the address"
                raise BadInput(message) from why
            raise

    async def _ask_again(
        self, asked: Question, question: Question, primary: Answer, candidate: Answer, differing: Kinds
    ) -> Again | None:
        """The second answer of the live primary, or of the candidate; None where none is wanted, or to be had."""
        if question.method not in SAFE:
            return None
        asking = self.seen.asking(differing, self._chance())
        if asking is Asking.NO:
            return None
        side, first, other = (
            (self._candidate, candidate, primary) if self._primary is None else (self._primary, primary, candidate)
        )
        try:
            again = await self._answer(side, asked)
        except Unanswered:
            return None
        return Again(
            kinds_of(self._compare(question, first, again)),
            kinds_of(self._compare(question, again, other)),
            asking is Asking.SAMPLED,
        )

    def _compare(self, question: Question, one: Answer, other: Answer) -> Comparison:
        comparison = self.rules.compare(question, one, other)
        plain = not comparison.differences and not comparison.ignored
        return comparison if plain else self._redactor.comparison(comparison)

    def _fields(self, recorded: Recorded) -> tuple[tuple[bytes, bytes], ...]:
        """The request's headers with what is put back in place of what was redacted."""
        missing = recorded.missing
        kept = [
            (name, value)
            for name, value in recorded.question.fields
            if (lower := name.decode("latin-1").lower()) not in missing and lower not in self._put_back
        ]
        there = {name.decode("latin-1").lower() for name, _ in recorded.question.fields}
        more = [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in self._plan.put_back
            if value and (name.lower() in there or name.lower() not in CREDENTIALS)
        ]
        return (*kept, *more)

    def _note(self, comparison: Comparison, primary: Answer, candidate: Answer, heading: Heading) -> None:
        tally = self.tally
        tally.headings[heading] += 1
        tally.normalised.update(comparison.normalised)
        tally.ignored.update(comparison.ignored)
        tally.cut.update(comparison.cut)
        tally.primary[bisect_left(BOUNDS, primary.seconds)] += 1
        tally.candidate[bisect_left(BOUNDS, candidate.seconds)] += 1

    def _is_wanted(self, comparison: Comparison) -> bool:
        """Whether there are too few samples yet of any of its fields."""
        sampled, fields = self.tally.sampled, comparison.fields
        if all(sampled[name] >= self.shadow.samples for name in fields):
            return False
        sampled.update(fields)
        return True

    def record(self, reason: str) -> RunRecord:
        """All of it, as a ledger would have it. What was left out is not in it: it was not asked."""
        tally, now = self.tally, time.time()
        return RunRecord(
            route=self.head.route,
            number=1,
            fingerprint="",
            rules=json.dumps(asdict(self.shadow.comparing)),
            began=self._began,
            ended=now,
            reason=reason,
            flushed=now,
            requests=tally.headings.total(),
            headings=dict(tally.headings),
            pending=0,
            evidence=self.seen.reported()[0],
            normalised=dict(tally.normalised),
            ignored=dict(tally.ignored),
            cut=dict(tally.cut),
            primary=_latencies(tally.primary),
            candidate=_latencies(tally.candidate),
            samples=tuple(tally.samples),
        )


def _latencies(buckets: Counter[int]) -> Latencies:
    return Latencies(tuple(buckets[number] for number in range(len(BOUNDS) + 1)))


def _today() -> date:
    return datetime.now(UTC).date()
