"""From the sections about failing endpoints to values of the model."""

from typing import Any

from strangler.config import schema
from strangler.model.route import Retries
from strangler.model.upstream import Balance, Breaker, HealthCheck, Outlier, RetryBudget


def resilience(section: schema.UpstreamSection) -> dict[str, Any]:
    """The fields of an ``Upstream`` that say what is done when its endpoints fail."""
    breaker = section.breaker.model_dump(exclude={"enabled"})
    outlier = section.outlier.model_dump(exclude={"enabled"})
    return {
        "balance": Balance(section.balance),
        "breaker": Breaker(**breaker) if section.breaker.enabled else None,
        "outlier": Outlier(**outlier) if section.outlier.enabled else None,
        "health": _health(section.health) if section.health is not None else None,
        "retry_budget": RetryBudget(**section.retry_budget.model_dump()),
    }


def retries(section: schema.RetriesSection) -> Retries:
    """A route's."""
    return Retries(section.attempts, frozenset(section.statuses))


def _health(section: schema.HealthSection) -> HealthCheck:
    return HealthCheck(
        **section.model_dump(exclude={"statuses"}), statuses=tuple(_range(text) for text in section.statuses)
    )


def _range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    return int(first), int(last or first)
