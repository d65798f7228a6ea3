"""A run of comparisons without a network: what a comparator would see of two services, drawn by a seeded chance."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random

from shadow.exchanges import Exchange
from strangler.model.shadow import Comparing, Shadow
from strangler.shadow.answer import Answer
from strangler.shadow.evidence import Asking, Evidence, Observation, kinds_of
from strangler.shadow.rules import Rules
from strangler.shadow.verdict import Judgement, Verdict, judge

Variants = Sequence[Answer]
"""Answers to one question; a service gives any of them."""
Draw = Callable[[Random, Exchange], tuple[int, int, int]]
"""Which variant the primary gives, which the candidate, and which the primary when it is asked again."""


@dataclass
class Trial:
    """Compares variants of answers; each pair only once, however often it comes up."""

    exchanges: Sequence[Exchange]
    variants: Sequence[Variants]
    """Those of each exchange."""
    shadow: Shadow = field(default_factory=lambda: Shadow(comparing=Comparing()))
    _seen: dict[tuple[int, int, int], dict[str, frozenset[str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._rules = Rules(self.shadow.comparing, date(2026, 5, 17))

    def kinds(self, number: int, one: int, other: int) -> dict[str, frozenset[str]]:
        """In which fields two variants of an answer differ, and how."""
        key = (number, one, other)
        if key not in self._seen:
            answers = self.variants[number]
            exchange = self.exchanges[number]
            self._seen[key] = (
                kinds_of(self._rules.compare(exchange.question, answers[one], answers[other])) if one != other else {}
            )
        return self._seen[key]

    def run(self, seed: int, draw: Draw, most: int) -> tuple[Verdict, int]:
        """Compare until the candidate is called different, ``most`` at most: the verdict, and how many that took."""
        chance = Random(seed)
        evidence = Evidence()
        peaks = (evidence.peak, ())
        for count in range(1, most + 1):
            number = chance.randrange(len(self.exchanges))
            evidence = self._observe(evidence, number, draw(chance, self.exchanges[number]), chance.random())
            now = (evidence.peak, tuple((each.staked_peak, each.peak) for each in evidence.fields.values()))
            if now != peaks:  # Only then may the verdict have become «different».
                peaks = now
                verdict = judge(evidence, self.shadow)
                if verdict.judgement is Judgement.DIFFERENT:
                    return verdict, count
        return judge(evidence, self.shadow), most

    def _observe(self, evidence: Evidence, number: int, drawn: tuple[int, int, int], chance: float) -> Evidence:
        primary, candidate, second = drawn
        differing = self.kinds(number, primary, candidate)
        observation = Observation(differing, repeatable=self.exchanges[number].repeatable)
        if observation.repeatable:
            asking = evidence.asking(frozenset(differing), chance, self.shadow.noise)
            if asking is not Asking.NO:
                observation = Observation(
                    differing,
                    second=self.kinds(number, primary, second),
                    against=self.kinds(number, second, candidate) if differing else None,
                    sampled=asking is Asking.SAMPLED,
                )
        return evidence.observe(observation, self.shadow.at_most)[0]
