"""Longest-prefix tables: the cheapest entries that say of every address of a family what holds of it.

The longest prefix around an address decides. So an entry costs only where it changes what the next shorter
prefix says, and a block with an except is two entries, not the many blocks that are left of it. The search is
the dynamic programme over the binary trie of addresses that shortens routing tables (R. Draves and others,
"Constructing Optimal IP Routing Tables", 1999), with a cost for each change. It takes one step for each bit
of each prefix given, at most.

>>> from npc.compiler.algebra.addresses import format_cidr, parse_cidr
>>> whole, hole, inside = (Intervals.of(parse_cidr(text).block.range)
...                        for text in ("10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24"))
>>> [(format_cidr(block), matches) for block, matches in match_table((whole - hole) | inside, Family.V4)]
[('10.0.0.0/8', True), ('10.1.0.0/16', False), ('10.1.2.0/24', True)]
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from npc.compiler.algebra.addresses import Cidr, Family, cidrs
from npc.compiler.algebra.intervals import Intervals, Range

Piece = tuple[int, int, int]
"""First and last address of a range, and the label of what holds of them."""

Costs = Sequence[Sequence[int]]
"""Of an entry that changes the label `old`, which it inherits, to `new`: costs[old][new]; 0 where they are
the same."""

_MUCH = 1 << 40
"""More than there are entries in any table."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the table says of the addresses of a block that no longer prefix speaks of."""

    block: Cidr
    inherited: int
    """The label by the next shorter prefix."""
    label: int


def match_table(wanted: Intervals, family: Family, *, whole: bool = True) -> tuple[tuple[Cidr, bool], ...]:
    """The fewest prefixes that match exactly some addresses of a family, each with whether it matches.

    Where no prefix speaks of an address it does not match. Of tables with equally many prefixes one with the
    fewest that match. `whole` is whether the prefix of length 0 may be one.
    """
    pieces = [(low, high, 1) for low, high in wanted.ranges]
    entries = cheapest_table(pieces, family, ((0, _MUCH + 1), (_MUCH, 0)), whole=whole)
    return tuple((entry.block, bool(entry.label)) for entry in entries)


def cheapest_table(
    pieces: Sequence[Piece], family: Family, costs: Costs, *, whole: bool = True
) -> list[Entry]:
    """The entries that together cost least, in order of their first addresses, shorter prefixes first.

    The pieces are disjoint ranges of the family; all other addresses have the label 0, which is also what an
    address has without an entry. Of tables that cost the same it is always the same one.
    """
    trie = _Trie(_with_gaps(pieces, family), costs)
    everything = family.every.ranges[0]
    found: list[Entry] = []
    for block in cidrs(everything) if whole else halves(everything):
        found += trie.entries(block)
    return sorted(found, key=lambda entry: entry.block)


def halves(piece: Range) -> tuple[Cidr, Cidr]:
    """The two blocks that a larger one consists of."""
    low, high = piece
    middle = (low + high) // 2
    (below,), (above,) = cidrs((low, middle)), cidrs((middle + 1, high))
    return below, above


def leaf_count(pieces: Sequence[Piece], family: Family) -> int:
    """How many blocks of one label the addresses of a family fall into: the steps of the search, about."""
    return sum(1 for low, high, _ in _with_gaps(pieces, family) for _ in cidrs((low, high)))


def _with_gaps(pieces: Sequence[Piece], family: Family) -> list[Piece]:
    """The pieces and what is between them, in order, neighbours of one label joined."""
    low, last = family.every.ranges[0]
    found: list[Piece] = []
    for start, end, label in sorted(pieces):
        if low < start:
            _add(found, (low, start - 1, 0))
        _add(found, (start, end, label))
        low = end + 1
    if low <= last:
        _add(found, (low, last, 0))
    return found


def _add(found: list[Piece], piece: Piece) -> None:
    start, end, label = piece
    if found and found[-1][2] == label:
        start = found.pop()[0]
    found.append((start, end, label))


_Below = tuple[int, ...]
"""For each inherited label what the entries below some point cost, less the least of them."""

_Choices = tuple[int, ...]
"""For each inherited label the one that an entry changes it to; itself where there is no entry."""


@dataclass(frozen=True, slots=True)
class _Node:
    """The longest block with all places inside where the label changes, and the blocks around it."""

    below: _Below
    """What the entries cost, from the longest of the blocks around it downwards."""
    around: list[_Choices]
    """At the block itself and at each block around it, the longest first."""
    block: Cidr
    outside: tuple[int, int]
    """The labels of the addresses before it, and behind it, in the blocks around it."""
    children: tuple[_Node | int, _Node | int]
    """Its halves; a label where a half has no other."""


@dataclass(slots=True)
class _Trie:
    """The addresses of a family in ranges of one label, and what entries cost."""

    pieces: list[Piece]
    costs: Costs
    _starts: list[int] = field(init=False)
    _leaves: list[_Below] = field(init=False)
    """For each label, a block that has no other."""
    _joined: dict[tuple[_Below, _Below], tuple[_Below, _Choices]] = field(default_factory=dict)
    """There are few differences between costs, but many blocks."""

    def __post_init__(self) -> None:
        every = range(len(self.costs))
        self._starts = [low for low, _, _ in self.pieces]
        self._leaves = [_less_least([self.costs[old][label] for old in every]) for label in every]

    def entries(self, root: Cidr) -> Iterator[Entry]:
        """The entries in a block, outside of which there is none."""
        low, high = root.range
        first, last = (bisect_right(self._starts, end) - 1 for end in (low, high))
        yield from self._entries(self._solved(root.prefix, first, last, root), root, 0)

    def _solved(self, prefix: int, first: int, last: int, around: Cidr) -> _Node | int:
        """A block with a prefix of so many bits, into which the pieces `first` to `last` reach."""
        if first == last:
            return self.pieces[first][2]
        before, behind = self._starts[first + 1] - 1, self._starts[last]
        bits = around.family.bits
        size = (before ^ behind).bit_length()
        block = Cidr(behind >> size << size, bits - size)
        middle = block.first + (1 << size - 1)
        left_last = bisect_right(self._starts, middle - 1, first, last + 1) - 1
        right_first = left_last + (self.pieces[left_last][1] < middle)
        children = (
            self._solved(block.prefix + 1, first, left_last, block),
            self._solved(block.prefix + 1, right_first, last, block),
        )
        below, choices = self._join(self._below(children[0]), self._below(children[1]))
        every_choice = [choices]
        outside = self.pieces[first][2], self.pieces[last][2]
        for bit in range(size, bits - prefix):
            label = outside[0] if behind >> bit & 1 else outside[1]
            below, choices = self._join(below, self._leaves[label])
            every_choice.append(choices)
        return _Node(below, every_choice, block, outside, children)

    def _below(self, node: _Node | int) -> _Below:
        return self._leaves[node] if isinstance(node, int) else node.below

    def _join(self, left: _Below, right: _Below) -> tuple[_Below, _Choices]:
        """What the entries of a block cost, by those of its halves, with the best entry at the block."""
        found = self._joined.get((left, right))
        if found is None:
            sums = [one + other for one, other in zip(left, right, strict=True)]
            every = range(len(sums))
            # Of equal costs, that without an entry here; then the first, so that it is always the same.
            choices = tuple(
                min(every, key=lambda new: (self.costs[old][new] + sums[new], new != old, new))
                for old in every
            )
            costs = [self.costs[old][new] + sums[new] for old, new in enumerate(choices)]
            found = self._joined[left, right] = _less_least(costs), choices
        return found

    def _entries(self, node: _Node | int, block: Cidr, inherited: int) -> Iterator[Entry]:
        """The entries of a block, from short to long prefixes."""
        if isinstance(node, int):
            if node != inherited:
                yield Entry(block, inherited, node)
            return
        bits, inner = block.family.bits, node.block
        for level in reversed(range(len(node.around))):
            prefix = inner.prefix - level
            size = bits - prefix
            label = node.around[level][inherited]
            if label != inherited:
                yield Entry(Cidr(inner.first >> size << size, prefix), inherited, label)
                inherited = label
            if level:
                half = 1 << size - 1
                is_above = bool(inner.first & half)
                other = node.outside[0] if is_above else node.outside[1]
                if other != inherited:
                    yield Entry(
                        Cidr((inner.first ^ half) >> size - 1 << size - 1, prefix + 1), inherited, other
                    )
        for child, half_block in zip(node.children, halves(inner.range), strict=True):
            yield from self._entries(child, half_block, inherited)


def _less_least(costs: Sequence[int]) -> _Below:
    least = min(costs)
    return tuple(cost - least for cost in costs)
