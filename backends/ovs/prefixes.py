"""Blocks with their traffic as longest-prefix entries, the way a routing table says it.

A block with an except is two entries: the block with its traffic, and the except, a longer prefix, with
none. The entries are made from a partition of all addresses, for a whole class at a time: what passes with an
address is what its longest prefix says, so no entry can hide what another one of the class allows.

Where nearly all traffic passes, an entry says what does not.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Cidr, Family, cidrs
from npc.compiler.algebra.intervals import Intervals, Range

NOTHING = Intervals()

Piece = tuple[Intervals, Intervals]
"""Addresses of one family, and the traffic that passes with them."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Traffic that passes with the addresses of a block, where no longer prefix says otherwise."""

    block: Cidr
    passes: Intervals
    cuts: bool
    """Whether nothing else passes; if not, what passes with the next shorter prefix does here too."""
    denied: Intervals = NOTHING
    """What of `passes` does not; then nothing else passes either."""


def longest_prefixes(
    pieces: Sequence[Piece],
    family: Family,
    flows: Callable[[Intervals], int],
    limit: int,
    default: Intervals = NOTHING,
) -> tuple[Entry, ...]:
    """The entries that need the fewest flows; `flows` counts those that match some traffic.

    The addresses of the pieces are disjoint; with all others passes the `default`, which each piece's traffic
    holds. Where the search would take more than `limit` steps, no entry is longer or shorter than it must be
    and none cuts: exact, but more of them.
    """
    values = list(dict.fromkeys([default, *(passes for _, passes in pieces)]))
    partition = _partition(pieces, family, values)
    leaves = sum(1 for low, high, _ in partition for _ in cidrs((low, high)))
    if leaves * len(values) ** 2 > limit:
        alone = [_step(default, new, flows) for new in values]
        return tuple(
            _entry(block, alone[value])
            for low, high, value in partition
            if value
            for block in cidrs((low, high))
        )
    steps = [[_step(old, new, flows) for new in values] for old in values]
    (everything,) = cidrs(family.every.ranges[0])
    root = _tree(everything, partition, [low for low, _, _ in partition], steps)
    return tuple(_entries(root, 0, steps))


@dataclass(frozen=True, slots=True)
class _Step:
    """What an entry has to say where it changes the traffic of a shorter prefix."""

    cost: int
    passes: Intervals = NOTHING
    cuts: bool = False
    denied: Intervals = NOTHING


def _step(old: Intervals, new: Intervals, flows: Callable[[Intervals], int]) -> _Step:
    if old == new:
        return _Step(0)
    others = traffic.ANY - new
    all_but = _Step(1 + flows(others), traffic.ANY, denied=others)
    if old <= new:
        added = min((new - old, new), key=flows)
        return min(_Step(flows(added), added), all_but, key=_cost)
    return min(_Step(1 + flows(new), new, cuts=True), all_but, key=_cost)


def _cost(step: _Step) -> int:
    return step.cost


def _entry(block: Cidr, step: _Step) -> Entry:
    return Entry(block, step.passes, step.cuts, step.denied)


@dataclass(frozen=True, slots=True)
class _Node:
    """A block, and for each traffic that it inherits: the flows that it needs, and the traffic it chooses."""

    block: Cidr
    children: tuple[_Node, ...]
    costs: tuple[int, ...]
    choices: tuple[int, ...]


def _partition(
    pieces: Sequence[Piece], family: Family, values: Sequence[Intervals]
) -> list[tuple[int, int, int]]:
    """All addresses of the family in order, as ranges with the index of their traffic; 0 is none."""
    known = [
        (low, high, values.index(passes)) for addresses, passes in pieces for low, high in addresses.ranges
    ]
    gaps = family.every - Intervals.union(addresses for addresses, _ in pieces)
    return sorted(known + [(low, high, 0) for low, high in gaps.ranges])


def _tree(
    block: Cidr, partition: list[tuple[int, int, int]], starts: list[int], steps: list[list[_Step]]
) -> _Node:
    """The binary tree below a block, down to blocks of one traffic."""
    first, last = block.range
    _, high, value = partition[bisect_right(starts, first) - 1]
    every = range(len(steps))
    if high >= last:
        return _Node(block, (), tuple(steps[old][value].cost for old in every), (value,) * len(steps))
    halves = _halves(block.range, block.prefix + 1)
    children = tuple(_tree(half, partition, starts, steps) for half in halves)
    below = [sum(child.costs[new] for child in children) for new in every]
    # Of equal costs, that without an entry here; then the first, so that the result is always the same.
    choices = [
        min(every, key=lambda new: (steps[old][new].cost + below[new], new != old, new)) for old in every
    ]
    costs = tuple(steps[old][new].cost + below[new] for old, new in enumerate(choices))
    return _Node(block, children, costs, tuple(choices))


def _halves(block: Range, prefix: int) -> tuple[Cidr, Cidr]:
    low, high = block
    return Cidr(low, prefix), Cidr((low + high + 1) // 2, prefix)


def _entries(node: _Node, inherited: int, steps: list[list[_Step]]) -> Iterator[Entry]:
    chosen = node.choices[inherited]
    if chosen != inherited:
        yield _entry(node.block, steps[inherited][chosen])
    for child in node.children:
        yield from _entries(child, chosen, steps)
