"""Writes the metrics reference: ``python -m strangler.control.metrics_reference > metrics.md``."""

import sys

from strangler.control.metrics import FAMILIES
from strangler.model.messages import LATENCY_BOUNDS

_HEAD = """\
# Metrics

<!-- Made by `python -m strangler.control.metrics_reference`; edit strangler/control/metrics.py instead. -->

`GET /metrics` on the admin address answers in Prometheus's text format. Counts are those of all workers together and
never go back while control runs, whichever worker is replaced; after a restart of control they begin with what the
living workers have served, which `rate()` takes as a counter's reset.

| Name | Type | Labels | Meaning |
| --- | --- | --- | --- |
"""


def metrics_reference() -> str:
    """The page, in Markdown."""
    rows = (
        f"| `{family.name}` | {family.kind} | {', '.join(f'`{label}`' for label in family.labels)} | {family.help} |\n"
        for family in FAMILIES
    )
    bounds = ", ".join(f"{bound:g}" for bound in LATENCY_BOUNDS)
    return f"{_HEAD}{''.join(rows)}\nBounds of the histogram, in seconds: {bounds}.\n"


if __name__ == "__main__":
    sys.stdout.write(metrics_reference())
