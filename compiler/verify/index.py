"""Disjoint sets of addresses, to find those that some addresses are in."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from npc.compiler.algebra.intervals import Intervals, Range


@dataclass(frozen=True, slots=True)
class Index:
    """The ranges of disjoint sets, by the sets' positions."""

    ranges: Sequence[tuple[int, int, int]]
    """First, last, and the set's position, in order."""

    @staticmethod
    def of(sets: Sequence[Intervals]) -> Index | None:
        """None where the sets are not disjoint."""
        ranges = [(low, high, position) for position, one in enumerate(sets) for low, high in one.ranges]
        ranges.sort()
        return None if any(two[0] <= one[1] for one, two in pairwise(ranges)) else Index(ranges)

    def parts(self, addresses: Intervals) -> Iterator[tuple[int, Intervals]]:
        """What of some addresses is in each set, by the set's position."""
        found: dict[int, list[Range]] = {}
        for low, high in addresses.ranges:
            place = bisect_left(self.ranges, low, key=_last)
            while place < len(self.ranges) and self.ranges[place][0] <= high:
                first, last, position = self.ranges[place]
                found.setdefault(position, []).append((max(first, low), min(last, high)))
                place += 1
        for position, ranges in found.items():
            yield position, Intervals.of(*ranges)


def _last(piece: tuple[int, int, int]) -> int:
    return piece[1]
