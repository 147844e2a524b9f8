"""Canonical sets of integers: sorted, disjoint, non-adjacent closed ranges.

Equal sets are equal values, so comparing two sets is comparing two tuples. Nothing else in npc
knows how ranges merge.

>>> Intervals.of((80, 90), (85, 99), (100, 100))
Intervals(ranges=((80, 100),))
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

Range = tuple[int, int]
"""A closed range: first and last member."""


@dataclass(frozen=True, slots=True)
class Intervals:
    """A set of non-negative integers; equal sets are equal values."""

    ranges: tuple[Range, ...] = ()

    @staticmethod
    def of(*ranges: Range) -> Intervals:
        """The union of closed ranges, in any order, overlapping or not.

        >>> Intervals.of((5, 6), (1, 2), (3, 3))
        Intervals(ranges=((1, 3), (5, 6)))
        """
        return Intervals(tuple(_coalesce(sorted(ranges))))

    @staticmethod
    def union(sets: Iterable[Intervals]) -> Intervals:
        """The union of many sets in one sweep."""
        return Intervals(tuple(_coalesce(sorted(piece for one in sets for piece in one.ranges))))

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __contains__(self, number: int) -> bool:
        index = bisect_right(self.ranges, number, key=_low) - 1
        return index >= 0 and number <= self.ranges[index][1]

    def __or__(self, other: Intervals) -> Intervals:
        """Union; timsort merges the two sorted runs in one linear pass."""
        return Intervals(tuple(_coalesce(sorted(self.ranges + other.ranges))))

    def __and__(self, other: Intervals) -> Intervals:
        """Intersection, in one linear sweep; with a single range, where that begins and ends."""
        if len(other.ranges) == 1:
            return self._within(*other.ranges[0])
        if len(self.ranges) == 1:
            return other._within(*self.ranges[0])
        return Intervals(tuple(_common(self.ranges, other.ranges)))

    def _within(self, low: int, high: int) -> Intervals:
        first = bisect_left(self.ranges, low, key=_high)
        end = bisect_right(self.ranges, high, key=_low)
        if first >= end:
            return Intervals()
        if first == 0 and end == len(self.ranges) and low <= self.ranges[0][0] and self.ranges[-1][1] <= high:
            return self
        inside = list(self.ranges[first:end])
        inside[0] = max(inside[0][0], low), inside[0][1]
        inside[-1] = inside[-1][0], min(inside[-1][1], high)
        return Intervals(tuple(inside))

    def __sub__(self, other: Intervals) -> Intervals:
        """Difference, in one linear sweep.

        >>> Intervals.of((0, 9)) - Intervals.of((3, 4), (9, 20))
        Intervals(ranges=((0, 2), (5, 8)))
        """
        if not self.ranges:
            return self
        first = bisect_left(other.ranges, self.ranges[0][0], key=_high)
        end = bisect_right(other.ranges, self.ranges[-1][1], key=_low)
        if first >= end:
            return self
        return Intervals(tuple(_difference(self.ranges, other.ranges[first:end])))

    def __le__(self, other: Intervals) -> bool:
        """Whether every member is a member of `other`."""
        return not self - other


def atoms(sets: Sequence[Intervals]) -> dict[frozenset[int], Intervals]:
    """The numbers that are in the same of some sets, by the positions of those sets.

    >>> atoms([Intervals.of((1, 9)), Intervals.of((5, 12))])[frozenset({0, 1})]
    Intervals(ranges=((5, 9),))
    """
    changes: dict[int, list[int]] = {}
    for position, one in enumerate(sets):
        for low, high in one.ranges:
            changes.setdefault(low, []).append(position)
            changes.setdefault(high + 1, []).append(position)
    found: dict[frozenset[int], list[Range]] = {}
    inside: set[int] = set()
    for cut, following in pairwise(sorted(changes)):
        inside.symmetric_difference_update(changes[cut])
        if inside:
            found.setdefault(frozenset(inside), []).append((cut, following - 1))
    return {positions: Intervals.of(*ranges) for positions, ranges in found.items()}


def _low(piece: Range) -> int:
    return piece[0]


def _high(piece: Range) -> int:
    return piece[1]


def _coalesce(ranges: Iterable[Range]) -> Iterator[Range]:
    """Merge sorted ranges that overlap or touch."""
    rest = iter(ranges)
    first = next(rest, None)
    if first is None:
        return
    low, high = first
    for next_low, next_high in rest:
        if next_low > high + 1:
            yield low, high
            low, high = next_low, next_high
        elif next_high > high:
            high = next_high
    yield low, high


def _common(left: tuple[Range, ...], right: tuple[Range, ...]) -> Iterator[Range]:
    i = j = 0
    while i < len(left) and j < len(right):
        low = max(left[i][0], right[j][0])
        high = min(left[i][1], right[j][1])
        if low <= high:
            yield low, high
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1


def _difference(left: tuple[Range, ...], right: tuple[Range, ...]) -> Iterator[Range]:
    j = 0
    for low, high in left:
        while j < len(right) and right[j][1] < low:
            j += 1
        k = j
        while k < len(right) and right[k][0] <= high:
            if right[k][0] > low:
                yield low, right[k][0] - 1
            low = right[k][1] + 1
            k += 1
        if low <= high:
            yield low, high
