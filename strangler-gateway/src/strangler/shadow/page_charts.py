"""Pictures of a report, as SVG that takes its colours from the page: intervals of rates, and latencies of both arms."""

import math
from dataclasses import dataclass

from markupsafe import Markup

from strangler.shadow.record import BOUNDS, Latencies
from strangler.shadow.verdict import Rate
from strangler.shadow.wording import nearly

_LEAST_SHARE = 0.0001
"""The left end of the scale of shares; it is logarithmic, and what is less stands at it."""
_WIDTH, _HEIGHT = 170, 26


def share_ticks() -> Markup:
    """The scale above the intervals."""
    marks = Markup("").join(
        Markup('<text x="{}" y="10" text-anchor="{}">{}</text>').format(
            _round(_x(share)), "start" if share == _LEAST_SHARE else "end" if share == 1 else "middle", words
        )
        for share, words in ((_LEAST_SHARE, "0.01 %"), (0.01, "1 %"), (1, "100 %"))
    )
    return Markup('<svg class="scale" width="{}" height="14" aria-hidden="true">{}</svg>').format(_WIDTH, marks)


def intervals(differing: Rate, noise: Rate, limit: float) -> Markup:
    """Two rates, each with its interval, and the line that must not be crossed."""
    grid = Markup("").join(
        Markup('<line class="grid" x1="{0}" x2="{0}" y1="0" y2="{1}"/>').format(_round(_x(share)), _HEIGHT)
        for share in (0.001, 0.01, 0.1)
    )
    words = f"differs in {nearly(differing.share)}, from itself in {nearly(noise.share)}"
    border = Markup('<line class="limit" x1="{0}" x2="{0}" y1="0" y2="{1}"/>').format(_round(_x(limit)), _HEIGHT)
    bars = _bar(differing, 8, "differing") + _bar(noise, 18, "noise")
    return Markup('<svg width="{}" height="{}" role="img" aria-label="{}">{}</svg>').format(
        _WIDTH, _HEIGHT, words, grid + border + bars
    )


def _bar(rate: Rate, y: int, name: str) -> Markup:
    if not rate.of:
        return Markup("")
    bar = Markup('<line class="bar {}" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
        name, _round(_x(rate.low)), _round(_x(rate.high)), y, y
    )
    if not rate.seen:
        return bar
    return bar + Markup('<circle class="dot {}" cx="{}" cy="{}" r="3.5"/>').format(name, _round(_x(rate.share)), y)


def _x(share: float) -> float:
    part = math.log(max(share, _LEAST_SHARE) / _LEAST_SHARE) / math.log(1 / _LEAST_SHARE)
    return 4 + part * (_WIDTH - 8)


def _round(number: float) -> str:
    return f"{number:.1f}"


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where the picture of latencies has its corners, and which buckets it shows."""

    first: int
    last: int
    most: float
    left: float = 6
    width: float = 860
    top: float = 12
    height: float = 150

    def x(self, bucket: float) -> float:
        return self.left + (bucket - self.first) / (self.last + 1 - self.first) * self.width

    def y(self, share: float) -> float:
        return self.top + self.height * (1 - share / self.most)


def latencies(primary: Latencies, candidate: Latencies) -> Markup:
    """How the answers of both arms are spread over time, on a logarithmic scale; empty without answers."""
    arms = [(name, its) for name, its in (("primary", primary), ("candidate", candidate)) if its.total]
    used = [index for _, its in arms for index, number in enumerate(its.counts) if number]
    if not used:
        return Markup("")
    first, last = max(0, min(used) - 2), min(len(BOUNDS), max(used) + 2)
    frame = _Frame(first, last, max(number / its.total for _, its in arms for number in its.counts))
    shapes = Markup("").join(_outline(frame, name, its) for name, its in arms)
    medians = Markup("").join(_median(frame, name, its) for name, its in arms)
    return Markup(
        '<svg class="latency" viewBox="0 0 872 190" role="img" aria-label="Latency of both arms">{}{}{}</svg>'
    ).format(_axis(frame), shapes, medians)


def _outline(frame: _Frame, name: str, its: Latencies) -> Markup:
    steps = [f"M{_round(frame.x(frame.first))} {_round(frame.y(0))}"]
    for bucket in range(frame.first, frame.last + 1):
        share = its.counts[bucket] / its.total if bucket < len(its.counts) else 0
        steps.append(f"V{_round(frame.y(share))}H{_round(frame.x(bucket + 1))}")
    steps.append(f"V{_round(frame.y(0))}Z")
    return Markup('<path class="area {}" d="{}"/>').format(name, "".join(steps))


def _median(frame: _Frame, name: str, its: Latencies) -> Markup:
    seconds = its.quantile(0.5)
    if seconds is None or seconds == math.inf:
        return Markup("")
    x = _round(frame.x(BOUNDS.index(seconds) + 1))
    return Markup('<line class="median {}" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
        name, x, x, _round(frame.top - 6), _round(frame.y(0))
    )


def _axis(frame: _Frame) -> Markup:
    """1, 2 and 5 of each power of ten."""
    marks = []
    for power in range(-4, 2):
        for digit in (1, 2, 5):
            seconds = digit * 10.0**power
            bucket = 4 * math.log2(seconds / BOUNDS[0]) + 1
            if frame.first <= bucket <= frame.last + 1:
                words = f"{seconds * 1000:g} ms" if seconds < 1 else f"{seconds:g} s"
                marks.append(
                    Markup(
                        '<line class="grid" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/><text x="{0}" y="{3}" '
                        'text-anchor="middle">{4}</text>'
                    ).format(
                        _round(frame.x(bucket)), _round(frame.top), _round(frame.y(0)), _round(frame.y(0) + 18), words
                    )
                )
    base = Markup('<line class="base" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
        frame.left, frame.left + frame.width, _round(frame.y(0)), _round(frame.y(0))
    )
    return Markup("").join(marks) + base
