"""A metric as it is declared: its name, its labels, and how the workers' values become one."""

from dataclasses import dataclass
from typing import Literal

SLOT = "slot"
"""The label that says which worker; control fills it in."""


@dataclass(frozen=True, slots=True)
class Family:
    """One metric. Counters are named with their ``_total``, the unit stands in the name.

    Where the first label is ``slot`` each worker has values of its own; else counts and histograms of all workers are
    added up, and gauges are merged as ``merge`` says.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    help: str
    bounds: tuple[float, ...] = ()
    """Upper bounds of a histogram's buckets; without the last, which has none."""
    merge: Literal["sum", "max", "min"] = "sum"
    """For gauges."""

    @property
    def per_slot(self) -> bool:
        """Whether each worker has values of its own."""
        return self.labels[:1] == (SLOT,)

    @property
    def worker_labels(self) -> tuple[str, ...]:
        """The labels whose values a worker gives."""
        return self.labels[1:] if self.per_slot else self.labels
