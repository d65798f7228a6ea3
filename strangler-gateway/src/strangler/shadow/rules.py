"""The rules of one route, made ready: two answers in, what differs out."""

from datetime import date

from strangler.model.shadow import Comparing, Ignored
from strangler.shadow.answer import Answer, Question
from strangler.shadow.comparison import Comparison


class Rules:
    """What counts as a difference on one route, made once per snapshot and day, and used for each pair of answers.

    Holds nothing of the answers, so that one object serves any number of them, one after the other.
    """

    expired: tuple[Ignored, ...]
    """Ignore rules whose time is over: they ignore nothing any more, which a report should say."""

    def __init__(self, comparing: Comparing, today: date) -> None:
        """Raises ``RuleRefused`` (a ``ValueError``) for what cannot be: an unknown normaliser, a date that is none."""
        raise NotImplementedError

    def compare(self, question: Question, primary: Answer, candidate: Answer) -> Comparison:
        """Both sides' answers to one question, side by side. Never raises for what an answer holds."""
        raise NotImplementedError
