"""Whether the combinations answer alike: the same numbered requests to each, compared as shadowed answers are."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from strangler.bench.agreement import Agreement
from strangler.bench.rounds import Target
from strangler.model.shadow import Comparing
from strangler.shadow.answer import Answer, Question
from strangler.shadow.comparison import Difference
from strangler.shadow.rules import Rules
from yardstick.frameworks.asking import Asking

_TIMES = 5
_COMPARING = Comparing(
    # Each is a process with a clock of its own, and is asked at its own moment.
    tolerances=tuple(
        (f"{place}.{name}", 600.0) for place in ("body", "body.items[]") for name in ("created_at", "updated_at")
    ),
    # A token holds the moment of its making, and orders count up in each database.
    generated=("body.id", "body.token", "header.location"),
)
Pairs = list[tuple[Question, Answer]]


def agree(targets: Sequence[Target], told: Callable[[str], None]) -> tuple[Agreement, ...]:
    """Ask all, and compare with the first that has the endpoint. Raises ``WrongAnswerError``."""
    rules = Rules(_COMPARING, datetime.now(UTC).date())
    baselines: dict[str, Pairs] = {}
    found = []
    for target in targets:
        told(f"asking {target.name}")
        with target.serve() as served:
            for asking in target.endpoints:
                assert isinstance(asking, Asking)
                answers = asking.answers(f"http://{served.authority}", _TIMES)
                baseline = baselines.setdefault(asking.name, answers)
                found.append(_compared(asking.name, target.name, answers, baseline, rules))
    return tuple(sorted(found, key=lambda one: [*baselines].index(one.endpoint)))


def _compared(endpoint: str, target: str, answers: Pairs, baseline: Pairs, rules: Rules) -> Agreement:
    normalised: Counter[str] = Counter()
    differences: dict[tuple[str, str], Difference] = {}
    for (question, answer), (_, expected) in zip(answers, baseline, strict=True):
        if answers is baseline:
            break
        comparison = rules.compare(question, expected, answer)
        normalised.update(comparison.normalised)
        for difference in comparison.differences:
            differences.setdefault((difference.field, difference.kind), difference)
    return Agreement(endpoint, target, len(answers), (), tuple(differences.values()), dict(normalised))
