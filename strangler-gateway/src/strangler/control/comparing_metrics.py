"""What the ledger says, as metrics."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from strangler.control.process_figures import cpu_seconds, resident
from strangler.shadow.verdict import Judgement
from strangler.telemetry.families.comparing import (
    COMPARATOR,
    COMPARATOR_CPU,
    COMPARATOR_MEMORY,
    SHADOW_COMPARED,
    SHADOW_DIFFERENT,
    SHADOW_OUTCOMES,
    SHADOW_PENDING,
    SHADOW_RUN,
    SHADOW_UPPER,
    SHADOW_VERDICT,
)
from strangler.telemetry.family import Family

if TYPE_CHECKING:
    from strangler.control.plane import ControlPlane
    from strangler.control.shadow_reports import Standing

Sample = tuple[tuple[str, ...], float]
"""Label values in their order, and the value."""


def comparing(standings: Sequence["Standing"], plane: "ControlPlane") -> dict[Family, Callable[[], Iterable[Sample]]]:
    """The samples of every family of ``telemetry.families.comparing``."""
    pid = plane.supervisor.roster.comparator_pid

    def each(value: Callable[["Standing"], float]) -> Callable[[], Iterator[Sample]]:
        return lambda: (((standing.route,), value(standing)) for standing in standings)

    return {
        SHADOW_OUTCOMES: lambda: _outcomes(standings),
        SHADOW_VERDICT: lambda: _verdicts(standings),
        SHADOW_PENDING: each(lambda standing: standing.pending),
        SHADOW_COMPARED: each(lambda standing: standing.compared),
        SHADOW_DIFFERENT: each(lambda standing: standing.different),
        SHADOW_UPPER: each(lambda standing: standing.upper),
        SHADOW_RUN: each(lambda standing: standing.run),
        COMPARATOR: lambda: [((), plane.link_server.comparator.connected)],
        COMPARATOR_CPU: lambda: [((), cpu_seconds(pid))] if pid else [],
        COMPARATOR_MEMORY: lambda: [((), resident(pid))] if pid else [],
    }


def _outcomes(standings: Sequence["Standing"]) -> Iterator[Sample]:
    for standing in standings:
        for heading, count in sorted(standing.headings.items()):
            yield (standing.route, heading.value), count


def _verdicts(standings: Sequence["Standing"]) -> Iterator[Sample]:
    for standing in standings:
        for judgement in Judgement:
            yield (standing.route, judgement.value), standing.judgement == judgement.value
