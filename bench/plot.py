"""Curves on doubly logarithmic axes, as an SVG that reads on light and on dark pages.

Takes named series of points, gives the text of the picture: a function of the points alone, so that the same
measurements make the same file. A line as steep as the dotted one is growth in proportion.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 150, 40, 50
LINE = 16
STYLE = """
  svg { color: #1f2328; background: #ffffff; font: 13px sans-serif }
  .s0 { color: #0969da } .s1 { color: #bc4c00 } .s2 { color: #1a7f37 } .s3 { color: #8250df }
  @media (prefers-color-scheme: dark) {
    svg { color: #e6edf3; background: #0d1117 }
    .s0 { color: #58a6ff } .s1 { color: #f0883e } .s2 { color: #56d364 } .s3 { color: #bc8cff }
  }
  text { fill: currentColor } .title { font-weight: bold } .name { text-anchor: middle }
  .grid { stroke: currentColor; opacity: 0.15 }
  .even { stroke: currentColor; opacity: 0.6; stroke-dasharray: 2 4 }
  .line { stroke: currentColor; fill: none; stroke-width: 2 } .dot { fill: currentColor }
"""


@dataclass(frozen=True, slots=True)
class Series:
    """A curve: its name, and its points by growing x; all above 0."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Axis:
    """A logarithmic axis from `low` to `high`, which are powers of ten, over pixels."""

    low: float
    high: float
    first: float
    last: float

    @staticmethod
    def over(values: Sequence[float], first: float, last: float) -> Axis:
        low, high = (math.floor(math.log10(min(values))), math.ceil(math.log10(max(values))))
        return Axis(10.0**low, 10.0 ** max(high, low + 1), first, last)

    def at(self, value: float) -> float:
        """The pixel of a value."""
        part = math.log(value / self.low) / math.log(self.high / self.low)
        return round(self.first + part * (self.last - self.first), 1)

    def ticks(self) -> Iterator[float]:
        """The powers of ten."""
        for power in range(round(math.log10(self.low)), round(math.log10(self.high)) + 1):
            yield 10.0**power


def plot(title: str, x_name: str, y_name: str, series: Sequence[Series]) -> str:
    """The picture of some curves, with a dotted line of growth in proportion to the end of the first."""
    middle_x, middle_y = (LEFT + WIDTH - RIGHT) / 2, (TOP + HEIGHT - BOTTOM) / 2
    across = Axis.over([x for one in series for x, _ in one.points], LEFT, WIDTH - RIGHT)
    up = Axis.over([y for one in series for _, y in one.points], HEIGHT - BOTTOM, TOP)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<text class="title" x="{LEFT}" y="22">{escape(title)}</text>',
        f'<text class="name" x="{middle_x}" y="{HEIGHT - 12}">{escape(x_name)}</text>',
        f'<text class="name" transform="translate(16 {middle_y}) rotate(-90)">{escape(y_name)}</text>',
    ]
    for value in across.ticks():
        x = across.at(value)
        lines.append(f'<line class="grid" x1="{x}" x2="{x}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
        lines.append(f'<text x="{x}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{value:,.10g}</text>')
    for value in up.ticks():
        y = up.at(value)
        lines.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>')
        lines.append(f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{value:,.10g}</text>')
    lines.append(_in_proportion(across, up, *series[0].points[-1]))
    names = _apart([up.at(one.points[-1][1]) for one in series])
    for number, one in enumerate(series):
        points = [(across.at(x), up.at(y)) for x, y in one.points]
        lines.append(f'<g class="s{number}">')
        lines.append(f'<polyline class="line" points="{" ".join(f"{x},{y}" for x, y in points)}"/>')
        lines += [f'<circle class="dot" cx="{x}" cy="{y}" r="3.5"/>' for x, y in points]
        lines.append(f'<text x="{points[-1][0] + 8}" y="{names[number] + 4}">{escape(one.name)}</text>')
        lines.append("</g>")
    return "\n".join([*lines, "</svg>", ""])


def _apart(heights: Sequence[float]) -> Sequence[float]:
    """Heights for the names of curves: where the curves end, but a line of text apart."""
    found = list(heights)
    order = sorted(range(len(found)), key=found.__getitem__)
    for above, below in pairwise(order):
        found[below] = max(found[below], found[above] + LINE)
    return found


def _in_proportion(across: Axis, up: Axis, x: float, y: float) -> str:
    """The dotted line through a point, as far as it is inside."""
    start = max(across.low, up.low * x / y)
    return (
        f'<line class="even" x1="{across.at(start)}" y1="{up.at(y * start / x)}"'
        f' x2="{across.at(x)}" y2="{up.at(y)}"/>'
    )
