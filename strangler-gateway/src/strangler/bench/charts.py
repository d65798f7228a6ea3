"""Pictures of a report, as SVG that takes its colours from the page: medians with intervals, latency by percentile."""

import math
import statistics
from collections.abc import Callable, Sequence

from markupsafe import Markup

from strangler.bench.judging import Judged
from strangler.bench.rounds import SHARES, Sample
from strangler.bench.wording import duration

_WIDTH, _LINE, _NAME = 860, 26, 210
_HUES = 8
"""Colours that the page has; servers beyond them begin again."""


def hue(number: int) -> str:
    """The class of the colour of a server, by its place."""
    return f"s{number % _HUES}"


def bars(judged: Sequence[Judged], words: Callable[[Judged], str]) -> Markup:
    """A bar per server from nought, with its interval."""
    most = max(one.value.high for one in judged)
    scale = (_WIDTH - _NAME - 130) / most if most else 0.0
    shapes = Markup("").join(_bar(number, one, scale, words(one)) for number, one in enumerate(judged))
    return _svg(len(judged) * _LINE + 4, shapes, "one bar per server")


def _bar(number: int, one: Judged, scale: float, words: str) -> Markup:
    middle = number * _LINE + _LINE / 2
    low, high, to = (_NAME + value * scale for value in (one.value.low, one.value.high, one.value.median))
    return Markup(
        '<text x="{}" y="{}" text-anchor="end">{}</text>'
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>'
        '<path class="interval" d="M{} {}H{}M{} {}v8M{} {}v8"/>'
        '<text class="figure" x="{}" y="{}">{}</text>'
    ).format(
        _NAME - 10, _at(middle + 4), one.target,
        hue(number), _NAME, _at(middle - 8), _at(max(1, to - _NAME)), 16,
        _at(low), _at(middle), _at(high), _at(low), _at(middle - 4), _at(high), _at(middle - 4),
        _at(high + 8), _at(middle + 4), words,
    )  # fmt: skip


_TOP, _HEIGHT, _LEFT = 10, 190, 64
_NINES = (0.0, 0.5, 0.9, 0.99, 0.999)
_LAST = 0.9999
"""Where the maximum stands."""


def latencies(samples: Sequence[Sample], targets: Sequence[str]) -> Markup:
    """A curve per server: the latency that so many requests are not above, in the median block; logarithmic twice."""
    curves = {target: curve for target in targets if (curve := _curve(samples, target))}
    if not curves:
        return Markup("")
    low = min(value for curve in curves.values() for value in curve)
    high = max(value for curve in curves.values() for value in curve)
    low, high = low * 0.9, max(high * 1.1, low * 2)

    def y(seconds: float) -> float:
        return _TOP + _HEIGHT * (1 - math.log(seconds / low) / math.log(high / low))

    lines = Markup("").join(
        Markup('<path class="curve {}" d="{}"/>').format(
            hue(targets.index(target)),
            "M" + "L".join(f"{_at(_x(share))} {_at(y(value))}" for share, value in zip(SHARES, curve, strict=True)),
        )
        for target, curve in curves.items()
    )
    return _svg(_TOP + _HEIGHT + 24, _across() + _up(low, high, y) + lines, "latency by percentile")


def _curve(samples: Sequence[Sample], target: str) -> list[float]:
    its = [one.quantiles for one in samples if one.target == target and not one.errors]
    return [statistics.median(values) for values in zip(*its, strict=True)] if its else []


def _x(share: float) -> float:
    """By the number of nines: the tail is what counts."""
    part = -math.log10(1 - min(share, _LAST)) / -math.log10(1 - _LAST)
    return _LEFT + part * (_WIDTH - _LEFT - 10)


def _across() -> Markup:
    marks = Markup("").join(
        Markup(
            '<line class="grid" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>'
            '<text x="{0}" y="{3}" text-anchor="middle">{4}</text>'
        ).format(_at(_x(share)), _TOP, _TOP + _HEIGHT, _TOP + _HEIGHT + 18, f"p{share * 100:g}" if share else "least")
        for share in _NINES
    )
    return marks + Markup('<text x="{}" y="{}" text-anchor="end">most</text>').format(_WIDTH - 10, _TOP + _HEIGHT + 18)


def _up(low: float, high: float, y: Callable[[float], float]) -> Markup:
    ticks = [digit * 10.0**power for power in range(-6, 3) for digit in (1, 2, 5)]
    return Markup("").join(
        Markup(
            '<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/><text x="{}" y="{}" text-anchor="end">{}</text>'
        ).format(_LEFT, _WIDTH - 10, _at(y(tick)), _at(y(tick)), _LEFT - 6, _at(y(tick) + 4), _tick(tick))
        for tick in ticks
        if low <= tick <= high
    )


def _tick(seconds: float) -> str:
    return f"{seconds * 1000:g} ms" if 0.001 <= seconds < 1 else f"{seconds:g} s" if seconds >= 1 else duration(seconds)


def _svg(height: float, content: Markup, label: str) -> Markup:
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        _WIDTH, _at(height), label, content
    )


def _at(number: float) -> str:
    return f"{number:.1f}"
