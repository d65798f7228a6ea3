"""What has been seen of one route so far, in counts and e-values: a value that each compared exchange turns into the
next, and that can be written down. docs/explanation/shadow-statistics.md says why it may be looked at at any time."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

import msgspec

from strangler.model.errors import StranglerError
from strangler.model.shadow import Heading
from strangler.shadow.betting import log_changed, log_odd, log_staked, stake_after
from strangler.shadow.comparison import Comparison, Kind

OTHERS = "body.…(others)"
"""Stands for all fields beyond ``MOST_FIELDS``."""
MOST_FIELDS = 200
WARM_UP = 20
"""The primary is asked again about the first exchanges of a run, and nothing is staked on them: what differs from
itself often is known before it can cost anything."""
ENOUGH_ANSWERS = 200
"""Once so many second answers were had about a field, a difference in it is no reason to ask for one more."""
_NOISE = 2
"""So many second answers unlike the first make a field noisy. One may be data that changed once."""


class Finding(StrEnum):
    """What one compared exchange says. P is the primary's answer, C the candidate's, S the primary's second."""

    SAME = "same"
    """Nothing differs."""
    CANDIDATE_ODD = "candidate_odd"
    """S is like P, and C is not."""
    PRIMARY_ODD = "primary_odd"
    """S is like C, and P is not: noise, or data that changed between the two questions."""
    UNCLEAR = "unclear"
    """All three differ."""
    UNASKED = "unasked"
    """P and C differ, and there is no S."""
    NOISE = "noise"
    """Only fields differ that are known to differ from themselves."""

    @property
    def heading(self) -> Heading:
        """Under which the exchange goes into the ledger."""
        return Heading.DIFFERENT if self in _REAL else Heading.EQUIVALENT


_LOG_HALF = math.log(0.5)
"""Of the field's own process: half is for its reads, half for its writes."""
_STRUCTURE = {
    Kind.MISSING.value: "presence", Kind.ADDED.value: "presence", Kind.TYPE.value: "type", Kind.FORMAT.value: "format",
}  # fmt: skip
"""Kinds that no change of a value explains, by what they say whichever side is looked at first: the odds are equal only
between answers that can change places."""
_REAL = frozenset((Finding.CANDIDATE_ODD, Finding.UNCLEAR, Finding.UNASKED))


class Asking(StrEnum):
    """Whether the primary is asked again about one exchange."""

    NO = "no"
    DIFFERS = "differs"
    """Because the candidate's answer differs."""
    SAMPLED = "sampled"
    """By chance, or among the first of a run: that says how often the primary differs from itself."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One compared exchange. The primary's second answer must have been asked for after the candidate's."""

    differing: Mapping[str, frozenset[str]]
    """The fields in which candidate and primary differ, each with its ``Kind``s (``kinds_of``)."""
    second: Mapping[str, frozenset[str]] | None = None
    """The same of the primary's second answer and its first; None if there is none."""
    against: Mapping[str, frozenset[str]] | None = None
    """The same of the candidate and the primary's second answer; needed where there is a second answer and anything in
    ``differing``."""
    sampled: bool = False
    """Whether the second answer was asked for by ``Asking.SAMPLED``: whatever the candidate had answered."""
    repeatable: bool = True
    """False for a write, of which there can be no second answer."""


@dataclass(frozen=True, slots=True)
class FieldEvidence:
    """One field that has differed, between the arms or from itself."""

    order: int
    """The first field to appear has 1."""
    first: int
    """The number of the compared exchange in which it appeared, from 1."""
    differing: int = 0
    """Exchanges in which candidate and primary differ here."""
    candidate_odd: int = 0
    primary_odd: int = 0
    unclear: int = 0
    noise: int = 0
    """Second answers, of those asked for by chance, that differ here from the first."""
    unlike: int = 0
    """Second answers that do, of all."""
    kinds: Mapping[str, int] = field(default_factory=dict)
    """``Kind`` and how often."""
    stake: float = 0.0
    """The share of the route's wealth that was put on it at its first bet; 0 before that."""
    wins: int = 0
    lost: bool = False
    """Whether the primary was the odd one in one of these bets: the stake is gone."""
    staked_peak: float = 0.0
    """The largest logarithm of the route's wealth so far as far as it speaks of this field."""
    ones: int = 0
    zeros: int = 0
    """Candidate odd, primary odd, since its first appearance: the field's own process."""
    writes: int = 0
    """Writes that differ here, since its first appearance."""
    writes_before: int = 0
    """Writes compared up to then."""
    peak: float = 0.0
    """The largest natural logarithm of the e-value of its own process so far."""

    @property
    def answers(self) -> int:
        """Second answers that were had about a difference here."""
        return self.candidate_odd + self.primary_odd + self.unclear

    def log_own(self, writes: int) -> float:
        """The logarithm of the e-value of its own process, as it is now. ``writes``: compared in the run."""
        return max(log_odd(self.ones, self.zeros), log_changed(self.writes, writes - self.writes_before)) + _LOG_HALF

    def is_loud(self, compared: int, at_most: float) -> bool:
        """Whether it differs from itself, and so often that counting its differences as real would hide a rate of
        ``at_most``: more than in a quarter of that. What is less is counted, and so is what cannot be all noise because
        the candidate is odd far more often: that errs on the safe side."""
        if self.unlike < _NOISE or self.candidate_odd > 3 * (self.primary_odd + self.unclear) + 3:
            return False
        return self.differing * (self.candidate_odd + self.unclear) > compared * at_most / 4 * self.answers


@dataclass(frozen=True, slots=True)
class Evidence:
    """One run of one route. Start with ``Evidence()``."""

    compared: int = 0
    findings: Mapping[str, int] = field(default_factory=dict)
    """``Finding`` and how often; they add up to ``compared``."""
    seconds: int = 0
    """Second answers of the primary that were had."""
    sampled: int = 0
    """Of these, asked for by chance."""
    noisy: int = 0
    """Of ``sampled``, those that differ from the first answer anywhere."""
    writes: int = 0
    writes_differing: int = 0
    peak: float = 0.0
    """The largest natural logarithm of the route's e-value so far."""
    fields: Mapping[str, FieldEvidence] = field(default_factory=dict)

    @property
    def real(self) -> int:
        """Exchanges that differ and are not explained by noise."""
        return sum(self.findings.get(finding, 0) for finding in _REAL)

    def asking(self, differing: frozenset[str], chance: float, noise: float) -> Asking:
        """Whether to ask the primary again, after the candidate has answered (never about a write). ``chance`` is a
        random number in [0, 1), ``noise`` is ``Shadow.noise``. A caller that may not ask so often (a cap) or
        gets no answer passes an ``Observation`` without a second answer, for ``SAMPLED`` and ``DIFFERS`` alike."""
        if self.compared < WARM_UP or chance < noise:
            return Asking.SAMPLED
        for name in differing:
            known = self.fields.get(name) or self.fields.get(OTHERS)
            if known is None or known.answers < ENOUGH_ANSWERS:
                return Asking.DIFFERS
        return Asking.NO

    def observe(self, observation: Observation, at_most: float) -> tuple["Evidence", Finding]:
        """The evidence after one more exchange, and what that one says. ``at_most`` is ``Shadow.at_most``."""
        names = self._names(observation)
        finding = self._finding(observation, names, at_most)
        writes = self.writes + (not observation.repeatable)
        writes_differing = self.writes_differing + (not observation.repeatable and finding in _REAL)
        peak, fields = self.peak, self.fields
        if names:
            bet = self._bet_on(observation, names)
            fields = self._fields_after(observation, names, writes, bet)
            if bet is not None or not observation.repeatable:
                peak, fields = _judged(peak, fields, log_changed(writes_differing, writes))
        answered = observation.second is not None
        after = Evidence(
            compared=self.compared + 1,
            findings=_counted(self.findings, (finding,)),
            seconds=self.seconds + answered,
            sampled=self.sampled + (answered and observation.sampled),
            noisy=self.noisy + (bool(observation.second) and observation.sampled),
            writes=writes,
            writes_differing=writes_differing,
            peak=peak,
            fields=fields,
        )
        return after, finding

    def _names(self, observation: Observation) -> dict[str, frozenset[str]]:
        """The fields of this exchange as they are kept, each with those that it stands for: itself, or many. What
        differs between the arms comes first: their order may not depend on the second answer."""
        names: dict[str, frozenset[str]] = {}
        room = MOST_FIELDS - len(self.fields)
        for name in (*sorted(observation.differing), *sorted(observation.second or ())):
            if name in names:
                continue
            if name not in self.fields:
                room -= 1
            kept = name if name in self.fields or room >= 0 else OTHERS
            names[kept] = names.get(kept, frozenset()) | {name}
        return names

    def _finding(self, observation: Observation, names: dict[str, frozenset[str]], at_most: float) -> Finding:
        """What the exchange says by the fields that are not loud by what was seen before it."""
        if not observation.differing:
            return Finding.SAME
        telling: frozenset[str] = frozenset()
        for kept, those in names.items():
            known = self.fields.get(kept)
            if known is None or not known.is_loud(self.compared, at_most):
                telling |= those & observation.differing.keys()
        return _odd_one(telling, observation) if telling else Finding.NOISE

    def _fields_after(
        self, observation: Observation, names: dict[str, frozenset[str]], writes: int, bet: str | None
    ) -> dict[str, FieldEvidence]:
        fields = dict(self.fields)
        for kept, those in names.items():
            known = fields.get(kept) or FieldEvidence(len(fields) + 1, self.compared + 1, writes_before=writes)
            fields[kept] = _field_after(known, those, observation, writes)
        if bet is not None:
            losses = sum(known.lost for known in fields.values())
            fields[bet] = _staked(fields[bet], _odd_one(names[bet] & observation.differing.keys(), observation), losses)
        return fields

    def _bet_on(self, observation: Observation, names: dict[str, frozenset[str]]) -> str | None:
        """The field on which the route's wealth is put in this exchange, by what was known before it and by what
        differs between the arms: never by the second answer, which decides the bet."""
        if self.compared < WARM_UP or observation.second is None:
            return None
        best: str | None = None
        most = -1
        for kept, those in names.items():
            known = self.fields.get(kept)
            wins = known.wins if known else 0
            if those & observation.differing.keys() and not (known and known.unlike) and wins > most:
                best, most = kept, wins
        return best


def kinds_of(comparison: Comparison) -> dict[str, frozenset[str]]:
    """``Observation.differing`` of a comparison."""
    kinds: dict[str, frozenset[str]] = {}
    for difference in comparison.differences:
        kinds[difference.field] = kinds.get(difference.field, frozenset()) | {difference.kind.value}
    return kinds


def _odd_one(names: frozenset[str], observation: Observation) -> Finding:
    """Which of the three answers is unlike the other two in these fields. Where one side lacks a field, or has another
    type in it, unlike is what does so too: that the primary's value changes each time explains no candidate without."""
    if observation.second is None:
        return Finding.UNASKED
    assert observation.against is not None, "a second answer beside a difference is compared with the candidate's too"
    like_primary = _is_alike(names, observation.differing, observation.second)
    like_candidate = _is_alike(names, observation.differing, observation.against)
    if like_primary == like_candidate:  # Both: within a tolerance of each.
        return Finding.UNCLEAR
    return Finding.CANDIDATE_ODD if like_primary else Finding.PRIMARY_ODD


def _is_alike(
    names: frozenset[str], differing: Mapping[str, frozenset[str]], others: Mapping[str, frozenset[str]]
) -> bool:
    """Whether two answers do not differ in any of these fields in the way in which candidate and primary do."""
    return all(name not in others or _way(differing[name]).isdisjoint(_way(others[name])) for name in names)


def _way(kinds: frozenset[str]) -> frozenset[str]:
    """What a difference says of the structure; if nothing, that there is one."""
    return frozenset(_STRUCTURE[kind] for kind in kinds if kind in _STRUCTURE) or frozenset(("value",))


def _field_after(known: FieldEvidence, names: frozenset[str], observation: Observation, writes: int) -> FieldEvidence:
    unlike = observation.second is not None and not names.isdisjoint(observation.second)
    seen, noise = known.unlike + unlike, known.noise + (unlike and observation.sampled)
    differing = names & observation.differing.keys()
    if not differing:
        return replace(known, unlike=seen, noise=noise)
    odd = _odd_one(differing, observation)
    candidate, primary = odd is Finding.CANDIDATE_ODD, odd is Finding.PRIMARY_ODD
    counts = known.differing + known.unlike > 0  # What made a field appear is no evidence: without it, no process.
    after = replace(
        known,
        differing=known.differing + 1,
        candidate_odd=known.candidate_odd + candidate,
        primary_odd=known.primary_odd + primary,
        unclear=known.unclear + (odd is Finding.UNCLEAR),
        noise=noise,
        unlike=seen,
        kinds=_counted(known.kinds, sorted({kind for name in differing for kind in observation.differing[name]})),
        ones=known.ones + (candidate and counts),
        zeros=known.zeros + (primary and counts),
        writes=known.writes + (counts and not observation.repeatable),
    )
    grows = counts and (candidate or not observation.repeatable)
    return replace(after, peak=max(known.peak, after.log_own(writes))) if grows else after


def _staked(known: FieldEvidence, odd: Finding, losses: int) -> FieldEvidence:
    """A field after a bet on it. ``losses``: fields whose stakes are gone."""
    if odd not in {Finding.CANDIDATE_ODD, Finding.PRIMARY_ODD}:
        return known
    won = odd is Finding.CANDIDATE_ODD
    return replace(known, stake=known.stake or stake_after(losses), wins=known.wins + won, lost=not won)


def _judged(
    peak: float, fields: Mapping[str, FieldEvidence], log_writes: float
) -> tuple[float, dict[str, FieldEvidence]]:
    """The peaks after a change: of the route's wealth, and of it as far as it speaks of one field. The latter leaves
    out what other fields have won: so much is there whatever is true of them (the closure of the test)."""
    logs = {name: log_staked(known.wins, known.stake, lost=known.lost) for name, known in fields.items() if known.stake}
    dragged = sum(min(0.0, log) for log in logs.values()) + min(0.0, log_writes)
    judged = dict(fields)
    for name, log in logs.items():
        if log > 0 and dragged + log > fields[name].staked_peak:
            judged[name] = replace(fields[name], staked_peak=dragged + log)
    return max(peak, sum(logs.values()) + log_writes), judged


def _counted(counts: Mapping[str, int], those: Iterable[str]) -> dict[str, int]:
    after = dict(counts)
    for each in those:
        after[each] = after.get(each, 0) + 1
    return after


class EvidenceUnreadable(StranglerError):
    """Evidence that was written by another version, or is damaged."""


_decoder: Final = msgspec.json.Decoder(Evidence)


def encode(evidence: Evidence) -> bytes:
    """JSON."""
    return msgspec.json.encode(evidence)


def decode(text: bytes) -> Evidence:
    """What ``encode`` has written. Raises ``EvidenceUnreadable``."""
    try:
        return _decoder.decode(text)
    except msgspec.MsgspecError as error:
        raise EvidenceUnreadable(f"the evidence of a run cannot be read: {error}; restart the run") from error
