"""Sets of addresses as blocks with holes: how people write them, and often the shortest form."""

from __future__ import annotations

from collections.abc import Iterator

from npc.compiler.algebra.addresses import as_cidr, cidrs
from npc.compiler.algebra.intervals import Intervals, Range

_LONGEST_RUN = 16
"""Ranges that are searched for a common block: the search is quadratic."""


def hulls(blocks: Intervals) -> Iterator[tuple[Range, tuple[Range, ...]]]:
    """Runs of ranges that fill an aligned block but for holes, the longest at each point, in order.

    A range that is in no such run stands alone, without holes; it need not be aligned.
    """
    ranges, start = blocks.ranges, 0
    while start < len(ranges):
        for stop in range(min(len(ranges), start + _LONGEST_RUN), start, -1):
            hull = ranges[start][0], ranges[stop - 1][1]
            holes = tuple((ranges[i][1] + 1, ranges[i + 1][0] - 1) for i in range(start, stop - 1))
            if stop == start + 1 or (as_cidr(hull) and _blocks_in(holes) <= stop - start):
                yield hull, holes
                start = stop
                break


def _blocks_in(ranges: tuple[Range, ...]) -> int:
    return sum(1 for one in ranges for _ in cidrs(one))
