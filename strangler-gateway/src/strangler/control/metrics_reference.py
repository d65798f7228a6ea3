"""Writes the metrics reference: ``python -m strangler.control.metrics_reference > metrics.md``."""

import sys

from strangler.telemetry.families import FAMILIES

_HEAD = """\
# Metrics

<!-- Made by `python -m strangler.control.metrics_reference`; edit strangler/telemetry/families instead. -->

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
    bounds = "".join(
        f"- `{family.name}`: {', '.join(f'{bound:g}' for bound in family.bounds)}\n"
        for family in FAMILIES
        if family.bounds
    )
    return f"{_HEAD}{''.join(rows)}\nBounds of the histograms:\n\n{bounds}"


if __name__ == "__main__":
    sys.stdout.write(metrics_reference())
