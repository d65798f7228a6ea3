"""The rules of one route, made ready: two answers in, what differs out.

1. Identical answers are equal at once.
2. The statuses say how much of the rest can be compared.
3. Headers are compared by name, from the list.
4. What the requests did is compared, where it was reported.
5. Bodies are decoded, read as what they are, and walked side by side.
6. Texts that differ are looked at again, now that it is known which identifiers stand for each other.
"""

from datetime import date

from strangler.model.shadow import Comparing, Ignored
from strangler.shadow.acts import Acts
from strangler.shadow.answer import Answer, Question
from strangler.shadow.bodies import Bodies
from strangler.shadow.comparison import Comparison
from strangler.shadow.compiled import Compiled
from strangler.shadow.findings import Findings
from strangler.shadow.headers import Headers
from strangler.shadow.identifiers import Identifiers
from strangler.shadow.sides import Side
from strangler.shadow.statuses import compare_statuses
from strangler.shadow.ties import sorted_by
from strangler.shadow.walk import Walk

_EQUAL = Comparison(())


class Rules:
    """What counts as a difference on one route, made once per snapshot and day, and used for each pair of answers.

    Holds nothing of the answers, so that one object serves any number of them, one after the other.
    """

    expired: tuple[Ignored, ...]
    """Ignore rules whose time is over: they ignore nothing any more, which a report should say."""

    def __init__(self, comparing: Comparing, today: date) -> None:
        """Raises ``RuleRefused`` for what cannot be: an unknown normaliser, a date that is none."""
        self._compiled = Compiled(comparing, today)
        self.expired = self._compiled.expired

    def compare(self, question: Question, primary: Answer, candidate: Answer) -> Comparison:
        """Both sides' answers to one question, side by side. Never raises for what an answer holds."""
        # 1
        if (
            primary.status == candidate.status
            and primary.body == candidate.body
            and primary.fields == candidate.fields
            and primary.effects is None is candidate.effects
        ):
            return _EQUAL
        compiled = self._compiled
        findings = Findings(compiled)
        identifiers = Identifiers(used=bool(compiled.generated))
        mine, theirs = (
            Side(name, answer, compiled.max_bytes) for name, answer in (("primary", primary), ("candidate", candidate))
        )
        # 2
        scope = compare_statuses(compiled, findings, question, mine, theirs)
        # 3
        if scope.headers:
            walk = Walk(compiled, findings, identifiers, "headers")
            Headers(compiled, findings, question, walk).compare(mine, theirs, leave_out=scope.leave_out)
        # 4
        Acts(compiled, findings, Walk(compiled, findings, identifiers, "effects")).compare(
            primary.effects, candidate.effects
        )
        # 5
        if scope.body:
            Bodies(compiled, findings, identifiers, sorted_by(question)).compare(mine, theirs)
        # 6
        identifiers.settle(findings)
        return findings.finished()
