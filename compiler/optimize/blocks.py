"""Sets of addresses as blocks with holes: how people write them, and often the shortest form.

Each part is a range, most often a block, less some ranges inside; the parts are disjoint. A set of n ranges
takes n comparisons however it is put, for each of them begins and ends somewhere, so what there is to choose
is in how few parts they come, and whether those are blocks that somebody could have written.

>>> from npc.compiler.algebra.addresses import as_cidr, format_cidr, parse_cidr
>>> whole, hole, inside = (Intervals.of(parse_cidr(text).block.range)
...                        for text in ("10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24"))
>>> for hull, holes in hulls((whole - hole) | inside):
...     print(format_cidr(as_cidr(hull)), [format_cidr(as_cidr(hole)) for hole in holes])
10.0.0.0/8 ['10.1.0.0/16']
10.1.2.0/24 []
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from npc.compiler.algebra.addresses import Family, cidrs
from npc.compiler.algebra.intervals import Intervals, Range
from npc.compiler.optimize.prefixes import match_table

Part = tuple[Range, tuple[Range, ...]]
"""A range, and the holes in it, in order."""

MOST_HOLES = 15
"""Of a part: a rule has room for so many comparisons (nftables for 128 expressions, three for each; iptables
for 255 words, five for each)."""


def hulls(blocks: Intervals) -> tuple[Part, ...]:
    """The set in the fewest comparisons, and of such in the fewest parts, in order of their first addresses.

    A part is a single range, which need not be aligned; or a run of ranges that make up a block but for holes
    of no more blocks than the run has ranges; or a block as the shortest longest-prefix table has it, which
    may have other parts in its holes. None has more than MOST_HOLES.
    """
    return tuple(part for family in Family for part in _fewest(blocks & family.every, family))


def comparisons(parts: Sequence[Part]) -> int:
    """How many ranges the parts compare an address with."""
    return sum(1 + len(holes) for _, holes in parts)


@dataclass(frozen=True, slots=True)
class _Choice:
    """Some ranges as parts, and what it comes to with all ranges behind them."""

    comparisons: int
    parts: int
    stop: int
    """The index of the first range behind."""
    own: tuple[Part, ...]


def _fewest(blocks: Intervals, family: Family) -> Iterator[Part]:
    """From the last range to the first: the best parts that begin with it, by what is best behind them."""
    ranges = blocks.ranges
    if len(ranges) <= 1:
        yield from ((piece, ()) for piece in ranges)
        return
    gaps = [(before[1] + 1, after[0] - 1) for before, after in pairwise(ranges)]
    blocks_before = [0, *accumulate(sum(1 for _ in cidrs(gap)) for gap in gaps)]
    index_of = {high: index for index, (_, high) in enumerate(ranges)}
    nested = _nested(blocks, family)
    best = [_Choice(0, 0, len(ranges), ())]
    for start in reversed(range(len(ranges))):
        offered: list[tuple[int, tuple[Part, ...]]] = [(start, ((ranges[start], ()),))]
        for hull in _blocks_from(ranges[start][0], family):
            last = index_of.get(hull[1])
            if last is None:
                continue
            holes = last - start
            if 0 < holes <= MOST_HOLES and blocks_before[last] - blocks_before[start] <= holes + 1:
                offered.append((last, ((hull, tuple(gaps[start:last])),)))
            if hull in nested:
                offered.append((last, nested[hull]))
        choices = []
        for last, parts in offered:
            behind = best[len(ranges) - 1 - last]
            count = behind.comparisons + comparisons(parts)
            choices.append(_Choice(count, behind.parts + len(parts), last + 1, parts))
        best.append(min(choices, key=lambda one: (one.comparisons, one.parts, -one.stop)))
    start = 0
    while start < len(ranges):
        chosen = best[len(ranges) - start]
        yield from chosen.own
        start = chosen.stop


def _blocks_from(first: int, family: Family) -> Iterator[Range]:
    """The blocks that begin at an address, from small to large."""
    offset = first - family.every.ranges[0][0]
    most = (offset & -offset).bit_length() - 1 if offset else family.bits
    for bits in range(most + 1):
        yield first, first + (1 << bits) - 1


def _nested(blocks: Intervals, family: Family) -> dict[Range, tuple[Part, ...]]:
    """The longest-prefix table as parts, by the blocks that are in no other."""
    parts: list[list[tuple[Range, list[Range]]]] = []
    around: list[tuple[int, list[Range]]] = []
    """The blocks around the present one: where each ends, and the holes of it or of what it is a hole in."""
    for block, matches in match_table(blocks, family):
        while around and around[-1][0] < block.first:
            around.pop()
        if not matches:
            holes = around[-1][1]
            holes.append(block.range)
        else:
            holes = []
            if not around:
                parts.append([])
            parts[-1].append((block.range, holes))
        around.append((block.range[1], holes))
    made = [tuple((hull, Intervals.of(*holes).ranges) for hull, holes in group) for group in parts]
    return {group[0][0]: group for group in made if all(len(holes) <= MOST_HOLES for _, holes in group)}
