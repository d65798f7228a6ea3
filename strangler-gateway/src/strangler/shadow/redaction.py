"""What of an exchange may be kept: the rest is replaced by its kind and length, before anything touches a disk.

A replacement looks like ``(email:17)``: kind, and length in characters. It needs no escaping in a URL, a header, JSON
or HTML. The same in gives the same out, and what is redacted already stays as it is, so that redacted answers can be
compared with one another.
"""

from strangler.model.shadow import Redaction
from strangler.shadow.answer import Answer, Fields, Question
from strangler.shadow.comparison import Comparison, Difference
from strangler.shadow.effects import Effects


class Redactor:
    """The settings of one route, made ready. Holds nothing of what passes through it."""

    def __init__(self, redaction: Redaction, max_bytes: int = 1024 * 1024) -> None:
        """``max_bytes`` bounds a decoded body; a longer one is replaced as a whole.

        Raises ``RuleRefused`` for a pattern that is no regular expression.
        """
        raise NotImplementedError

    def question(self, question: Question) -> Question:
        """Target, headers and body redacted. A body that was encoded is kept decoded, without Content-Encoding."""
        raise NotImplementedError

    def answer(self, answer: Answer) -> Answer:
        """Headers, body and effects redacted; as for a question. JSON stays JSON."""
        raise NotImplementedError

    def effects(self, effects: Effects) -> Effects:
        """Columns, payloads and arguments as a body's members are; tables, operations, topics and names stay."""
        raise NotImplementedError

    def comparison(self, comparison: Comparison) -> Comparison:
        """Every difference redacted, and the names of fields everywhere: a document's keys may be somebody's data.

        Redact first, then keep evidence and ledger by the fields of what this returns.
        """
        raise NotImplementedError

    def difference(self, difference: Difference) -> Difference:
        """Field, place and both values redacted. A value that was JSON stays JSON."""
        raise NotImplementedError

    def target(self, target: bytes) -> bytes:
        """A request target, or a URL: values of query parameters that are not named are replaced."""
        raise NotImplementedError

    def fields(self, fields: Fields) -> Fields:
        """Headers in their order; values of those that are not named are replaced."""
        raise NotImplementedError

    def text(self, text: str) -> str:
        """Any text: whatever a pattern finds in it is replaced, escaped or not."""
        raise NotImplementedError
