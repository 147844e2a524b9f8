"""Intervals, and sets of packets over them, beside the plain sets that they stand for."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Final, TypeAlias

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from npc.compiler.algebra.intervals import Intervals, Range
from npc.compiler.algebra.packets import PacketSet

Rectangle: TypeAlias = tuple[Intervals, Intervals]
"""Traffic × addresses."""

LAST: Final = 30
"""The largest number drawn: small, so that ranges often touch, nest and overlap."""

RANGES: Final[SearchStrategy[Range]] = st.tuples(st.integers(0, LAST), st.integers(0, LAST)).map(
    lambda ends: (min(ends), max(ends))
)
RANGE_LISTS: Final = st.lists(RANGES, max_size=6)
INTERVALS: Final[SearchStrategy[Intervals]] = RANGE_LISTS.map(lambda ranges: Intervals.of(*ranges))
RECTANGLES: Final[SearchStrategy[list[Rectangle]]] = st.lists(st.tuples(INTERVALS, INTERVALS), max_size=5)
PACKET_SETS: Final[SearchStrategy[PacketSet[Intervals]]] = RECTANGLES.map(PacketSet.of)


def numbers(ranges: Iterable[Range]) -> set[int]:
    """The integers in some closed ranges, counted out."""
    return {number for low, high in ranges for number in range(low, high + 1)}


def is_canonical(intervals: Intervals) -> bool:
    """Whether the ranges are sorted, disjoint, non-adjacent, and none is empty."""
    ranges = intervals.ranges
    return all(0 <= low <= high for low, high in ranges) and all(
        before[1] + 1 < after[0] for before, after in pairwise(ranges)
    )


def pairs(rectangles: Iterable[Rectangle]) -> set[tuple[int, int]]:
    """The (traffic, address) pairs in some rectangles, counted out."""
    return {
        (traffic, address)
        for wanted, peers in rectangles
        for traffic in numbers(wanted.ranges)
        for address in numbers(peers.ranges)
    }


def packets(packet_set: PacketSet[Intervals]) -> set[tuple[int, int]]:
    """The (traffic, address) pairs in a packet set, counted out."""
    return pairs((Intervals.of((low, high)), peers) for low, high, peers in packet_set.parts)
