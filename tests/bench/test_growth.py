"""What `bench.growth` makes of its measurements."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from bench.cluster import Size
from bench.floor import Sample
from bench.growth import Point, curves, pictures, steepest, table
from bench.plot import Axis

POINTS = [
    Point(1_000, Sample(0.5, 60 * 10**6), Sample(0.4, 40 * 10**6)),
    Point(4_000, Sample(1.0, 90 * 10**6), Sample(1.0, 160 * 10**6)),
    Point(16_000, Sample(4.0, 360 * 10**6), Sample(5.0, 640 * 10**6)),
]


def test_table() -> None:
    assert list(table("pods", POINTS)) == [
        "| pods | npc, s | floor, s | npc / floor | npc, MB | floor, MB |",
        "|---:|---:|---:|---:|---:|---:|",
        "| 1,000 | 0.50 | 0.40 | 1.25 | 60 | 40 |",
        "| 4,000 | 1.00 | 1.00 | 1.00 | 90 | 160 |",
        "| 16,000 | 4.00 | 5.00 | 0.80 | 360 | 640 |",
    ]


def test_what_a_doubling_takes() -> None:
    """Four times the pods take four times the time at most: two doublings, of 2 each."""
    assert [round(one, 9) for one in steepest(POINTS)] == [2.0, 2.0]


def test_sizes() -> None:
    pods, policies = curves(Size(policies=8_000, pods=50_000), 100_000)
    assert [(one.pods, one.nodes, one.policies) for one in pods.sizes] == [
        (1_000, 10, 8_000),
        (4_000, 40, 8_000),
        (16_000, 160, 8_000),
        (64_000, 640, 8_000),
        (100_000, 1_000, 8_000),
    ]
    assert [(one.pods, one.policies) for one in policies.sizes] == [
        (50_000, count) for count in (125, 500, 2_000, 8_000, 16_000)
    ]


@pytest.mark.parametrize(("value", "pixel"), [(1.0, 0.0), (10.0, 50.0), (100.0, 100.0)])
def test_axis(value: float, pixel: float) -> None:
    assert Axis.over([1.0, 73.0], 0, 100).at(value) == pixel


def test_pictures_are_svg_with_a_curve_each_and_always_the_same() -> None:
    drawn = dict(pictures("pods", POINTS))
    assert sorted(drawn) == ["pods-memory.svg", "pods-time.svg"]
    assert drawn == dict(pictures("pods", POINTS))
    for text in drawn.values():
        picture = ElementTree.fromstring(text)
        curves_drawn = picture.findall(".//{http://www.w3.org/2000/svg}polyline")
        assert [len(curve.attrib["points"].split()) for curve in curves_drawn] == [3, 3]
        names = [one.text for one in picture.iter("{http://www.w3.org/2000/svg}text")]
        assert {"npc compile", "parse floor", "1,000", "10,000"} <= set(names)
