"""The report as one HTML file that needs nothing else: no script, no font, no picture from anywhere."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from strangler.bench import charts
from strangler.bench.judging import Judged, Metric, Verdict
from strangler.bench.report import (
    AGREEMENT,
    PROCESSES,
    Report,
    agreement_lines,
    described,
    floors,
    processes,
)
from strangler.bench.wording import NAMES, duration, ratio, three, value, verdict


def as_html(report: Report, data: str = "") -> str:
    """The page, whole. ``data`` is the name of the JSON file beside it, to link to."""
    judgement = report.judgement
    return _template().render(
        report=report,
        judgement=judgement,
        endpoints=[_endpoint(report, name) for name in judgement.endpoints],
        hues=[(charts.hue(number), name) for number, name in enumerate(judgement.targets)],
        processes=(PROCESSES, processes(report)),
        agreements=(AGREEMENT, agreement_lines(report.agreements)),
        floors=floors(report),
        described=described(report),
        data=data,
        duration=duration,
    )


def _endpoint(report: Report, name: str) -> dict[str, Any]:
    judgement = report.judgement
    samples = [sample for sample in report.samples if sample.endpoint == name]
    found = {
        metric: [one for target in judgement.targets if (one := judgement.of(target, name, metric)) is not None]
        for metric in Metric
    }
    return {
        "name": name,
        "arrivals": three(samples[0].arrival_rate),
        "rates": charts.bars(found[Metric.RATE], value) if found[Metric.RATE] else "",
        "latencies": charts.latencies(samples, judgement.targets),
        "rows": [_row(report, target, name) for target in judgement.targets],
    }


def _row(report: Report, target: str, endpoint: str) -> dict[str, Any]:
    judgement = report.judgement
    cost = report.cost(target, endpoint)
    return {
        "target": target,
        "cells": [_cell(judgement.of(target, endpoint, metric)) for metric in Metric],
        "cost": three(cost) if cost is not None else "–",
    }


def _cell(judged: Judged | None) -> dict[str, str]:
    if judged is None:
        return {"value": "–", "ratio": "", "verdict": "", "class": ""}
    return {
        "value": value(judged),
        "ratio": ratio(judged) if judged.ratio else "",
        "verdict": verdict(judged),
        "class": _class(judged),
    }


def _class(judged: Judged) -> str:
    """Whether it is better or worse than the baseline."""
    if judged.verdict not in {Verdict.MORE, Verdict.LESS}:
        return ""
    is_better = (judged.verdict is Verdict.MORE) is (judged.metric is Metric.RATE)
    return "better" if is_better else "worse"


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("strangler.bench", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["metrics"] = [NAMES[metric] for metric in Metric]
    return environment.get_template("page.html")
