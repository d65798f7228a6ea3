"""What the report of the frameworks has besides figures: facts, endpoints, servers, and what the contract said."""

from collections.abc import Sequence

from strangler.bench.report import Section
from yardstick.frameworks import facts
from yardstick.frameworks.contract import Pass
from yardstick.frameworks.endpoints import Endpoint
from yardstick.frameworks.servers import Combination


def sections(
    combinations: Sequence[Combination], passes: Sequence[Pass], endpoints: Sequence[Endpoint]
) -> tuple[Section, ...]:
    """In the order in which they are read."""
    printed = [one.printed() for one in combinations]
    return (
        Section(
            "What stands beside speed",
            "Counted from the code that was measured. What the faces of the shop share, use cases and data access, is "
            "left out; django-orm and the service have their own.",
            facts.COLUMNS,
            facts.rows(one.implementation for one in combinations),
        ),
        Section(
            "The endpoints",
            "What each is there for.",
            ("endpoint", "what it isolates"),
            tuple((one.name, one.isolates) for one in endpoints),
        ),
        Section(
            "How each was served",
            "Equal processes, threads and connections to the database.",
            tuple(printed[0]),
            tuple(tuple(map(str, one.values())) for one in printed),
        ),
        Section(
            "The contract",
            "Each combination has passed the table of cases that every implementation of the shop must honour. A pass "
            "holds as long as nothing that it depends on has changed.",
            ("combination", "passed", "failed", "seconds", "at", "digest"),
            tuple(
                (one.combination, str(one.passed), str(one.failed), f"{one.seconds:g}", one.at, one.digest)
                for one in passes
            ),
        ),
    )
