"""What a replay has seen, and what may be said of it.

Against a live primary it is what a comparator has seen: the primary is asked a second time
(``strangler.shadow.evidence``). A recorded answer cannot be had anew, so the candidate is asked a second time. If
recording and candidate's two answers are draws of the same, then each of the three is as likely to be the odd one as
the others. That can be wrong in two ways, and each has a test of its own: the recording is the odd one too often (the
candidate is always different), or the candidate's first answer is (it is different now and then). What noise would
explain is not known of a recording, so for «equivalent» every difference counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from strangler.model.shadow import Shadow
from strangler.shadow.evidence import Asking, Evidence, Finding, Observation
from strangler.shadow.verdict import Judgement, judge

Kinds = Mapping[str, frozenset[str]]
"""Fields in which two answers differ, each with the kinds of its differences."""


@dataclass(frozen=True, slots=True)
class Again:
    """A second answer of whoever can be asked a second time."""

    unlike_itself: Kinds
    """Fields in which it differs from the first answer of the same side."""
    unlike_other: Kinds
    """Fields in which it differs from the answer of the other side."""
    sampled: bool


class Seen(Protocol):
    """What was seen so far."""

    def asking(self, differing: Kinds, chance: float) -> Asking:
        """Whether to ask for a second answer; ``chance`` is a random number in [0, 1)."""

    def observe(self, differing: Kinds, again: Again | None, *, repeatable: bool) -> Finding:
        """One more exchange: what it says."""

    def reported(self) -> tuple[Evidence, Shadow]:
        """What is reported, and the settings by which it is judged."""


class SeenLive:
    """Against a live primary."""

    def __init__(self, shadow: Shadow) -> None:
        self._shadow = shadow
        self._evidence = Evidence()

    def asking(self, differing: Kinds, chance: float) -> Asking:
        """As a comparator does."""
        return self._evidence.asking(frozenset(differing), chance, self._shadow.noise)

    def observe(self, differing: Kinds, again: Again | None, *, repeatable: bool) -> Finding:
        """The primary was asked again."""
        observation = Observation(differing, repeatable=repeatable)
        if again is not None:
            observation = Observation(differing, again.unlike_itself, again.unlike_other, again.sampled)
        self._evidence, finding = self._evidence.observe(observation, self._shadow.at_most)
        return finding

    def reported(self) -> tuple[Evidence, Shadow]:
        """All of it."""
        return self._evidence, self._shadow


class SeenRecorded:
    """Against recorded answers."""

    def __init__(self, shadow: Shadow, *, writes: bool) -> None:
        """``writes``: whether there may be any; of those there is no second answer."""
        # Any of the verdicts may be wrong: together no more often than one may.
        self._shadow = replace(shadow, alpha=shadow.alpha / (3 if writes else 2))
        self._always = Evidence()
        """Roles turned round: that the recording is the odd one counts."""
        self._at_times = Evidence()
        """That the candidate's first answer is the odd one counts."""
        self._all = Evidence()
        """Every difference counts; only of writes it can be proof."""

    def asking(self, differing: Kinds, chance: float) -> Asking:
        """About each difference, and nothing else."""
        return Asking.DIFFERS if differing else Asking.NO

    def observe(self, differing: Kinds, again: Again | None, *, repeatable: bool) -> Finding:
        """The candidate was asked again."""
        at_most = self._shadow.at_most
        if repeatable:
            always = at_times = Observation(differing)
            if again is not None:
                always = Observation(differing, again.unlike_itself, again.unlike_other)
                at_times = Observation(differing, again.unlike_other, again.unlike_itself)
            self._always, _ = self._always.observe(always, at_most)
            self._at_times, _ = self._at_times.observe(at_times, at_most)
        self._all, finding = self._all.observe(Observation(differing, repeatable=repeatable), at_most)
        return finding

    def reported(self) -> tuple[Evidence, Shadow]:
        """That by which it is different; everything that differs, if it is not."""
        for evidence in (self._always, self._at_times):
            if judge(evidence, self._shadow).judgement is Judgement.DIFFERENT:
                return evidence, self._shadow
        return self._all, self._shadow
