"""Whether servers answer alike, before anything of them is timed: the same questions, compared as shadowed ones are."""

import http.client
import itertools
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from strangler.bench.endpoint import UNIQUE, Endpoint
from strangler.model.errors import StranglerError
from strangler.model.shadow import Comparing
from strangler.shadow.answer import Answer, Question
from strangler.shadow.comparison import Difference
from strangler.shadow.rules import Rules

_MOST_QUESTIONS = 25
_TIMEOUT = 30.0
_UNIQUE = "unique-text"
"""What a unique text in an answer is compared as."""


class NotAnswered(StranglerError):
    """A server gave no answer."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How one server's answers to one endpoint's questions stand beside the baseline's."""

    endpoint: str
    target: str
    compared: int
    wrong: tuple[str, ...]
    """Answers with another status than the endpoint's, in words."""
    differences: tuple[Difference, ...] = ()
    """The first of each field and kind."""
    normalised: Mapping[str, int] = field(default_factory=dict)
    """Differences that are known and harmless, by name and count."""
    ignored: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs, and every answer is a right one."""
        return not self.wrong and not self.differences


def compare(endpoint: Endpoint, authorities: Mapping[str, str], comparing: Comparing) -> list[Agreement]:
    """Ask all servers (name: ``host:port``), the first of which is the baseline, and compare.

    Raises ``NotAnswered`` and ``RuleRefused``.
    """
    rules = Rules(comparing, datetime.now(UTC).date())
    answers = {name: list(_answers(endpoint, name, authority)) for name, authority in authorities.items()}
    baseline, *_ = answers.values()
    return [_judged(endpoint, name, its, baseline, rules) for name, its in answers.items()]


def _judged(
    endpoint: Endpoint,
    name: str,
    its: list[tuple[Question, Answer]],
    baseline: list[tuple[Question, Answer]],
    rules: Rules,
) -> Agreement:
    wrong: Counter[str] = Counter()
    normalised: Counter[str] = Counter()
    ignored: Counter[str] = Counter()
    found: dict[tuple[str, str], Difference] = {}
    for (question, answer), (_, expected) in zip(its, baseline, strict=True):
        if answer.status not in endpoint.right:
            wrong[f"{answer.status} in place of {' or '.join(map(str, sorted(endpoint.right)))}"] += 1
        if its is baseline:
            continue
        comparison = rules.compare(question, expected, answer)
        normalised.update(comparison.normalised)
        ignored.update(comparison.ignored)
        for difference in comparison.differences:
            found.setdefault((difference.field, difference.kind), difference)
    said = tuple(f"{number} × {words}" for words, number in wrong.items())
    return Agreement(endpoint.name, name, len(its), said, tuple(found.values()), dict(normalised), dict(ignored))


def _answers(endpoint: Endpoint, name: str, authority: str) -> Iterator[tuple[Question, Answer]]:
    """Each question with its answer, in which what is unique in the question is the same for all servers."""
    count = min(len(endpoint.questions), _MOST_QUESTIONS)
    host, _, port = authority.rpartition(":")
    connection = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=_TIMEOUT)
    try:
        for asked, template in zip(itertools.islice(endpoint.asked(), count), endpoint.questions, strict=False):
            yield template, _even(_asked(connection, asked, f"{name} at {authority}"), _text_of(asked, template))
    finally:
        connection.close()


def _asked(connection: http.client.HTTPConnection, question: Question, who: str) -> Answer:
    began = time.perf_counter()
    try:
        connection.putrequest(question.method.decode(), question.target.decode(), skip_accept_encoding=True)
        for name, value in question.fields:
            if name.lower() not in {b"host", b"content-length"}:
                connection.putheader(name, value)
        if question.body:
            connection.putheader("Content-Length", str(len(question.body)))
        connection.endheaders(question.body or None)
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        raise NotAnswered(
            f"{who} does not answer {question.target.decode()}: {error or type(error).__name__}"
        ) from None
    fields = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in response.getheaders())
    return Answer(response.status, fields, body, time.perf_counter() - began)


def _text_of(asked: Question, template: Question) -> bytes:
    """What stands in a question where its template has ``{unique}``; empty without one."""
    pairs = [(asked.target, template.target), (asked.body, template.body)]
    pairs += [(value, its) for (_, value), (_, its) in zip(asked.fields, template.fields, strict=True)]
    for filled, its in pairs:
        before, found, after = its.partition(UNIQUE)
        if found:
            rest = after.partition(UNIQUE)[0]
            return filled[len(before) : filled.index(rest, len(before)) if rest else len(filled)]
    return b""


def _even(answer: Answer, text: bytes) -> Answer:
    if not text:
        return answer
    fields = tuple((name, value.replace(text, _UNIQUE.encode())) for name, value in answer.fields)
    return replace(answer, fields=fields, body=answer.body.replace(text, _UNIQUE.encode()))
