"""The proven fewest rules for a small decision, by trying all: the oracle of the greedy search."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import chain, combinations, product

from npc.compiler.algebra import traffic
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.algebra.peers import ANYONE, Peers
from npc.compiler.arms import widened


def fewest(decision: PacketSet[Peers], atoms: Sequence[Intervals]) -> int:
    """The rules that a decision needs at least; its traffic is made of the disjoint `atoms`.

    A rule is traffic that one comparison tells, and groups or blocks; the blocks are numbers below 10.
    """
    rows = [decision.at(atom.ranges[0][0]) or Peers() for atom in atoms]
    open_atoms = [atom for atom, peers in zip(atoms, rows, strict=True) if peers == ANYONE]
    open_to_all = Intervals.union(open_atoms)
    limited = [
        (atom, peers) for atom, peers in zip(atoms, rows, strict=True) if peers not in (Peers(), ANYONE)
    ]
    own = [atom for atom, _ in limited]
    groups = [{group.key for group in peers.groups} for _, peers in limited]
    blocks = [{str(one) for one in range(10) if one in peers.blocks} for _, peers in limited]
    return bool(open_to_all) + sum(_fewest(own, found, open_to_all) for found in (groups, blocks))


def _fewest(rows: Sequence[Intervals], peers: Sequence[set[str]], open_to_all: Intervals) -> int:
    """The rules for rows of traffic, each with its peers of one kind."""
    columns = sorted(set().union(*peers))
    bit = {cell: 1 << position for position, cell in enumerate(product(range(len(rows)), columns))}
    rules = []
    for chosen in _subsets(range(len(rows))):
        joined = widened(Intervals.union(rows[row] for row in chosen), open_to_all)
        if len(traffic.comparisons(joined)) == 1:
            both = set.intersection(*(peers[row] for row in chosen))
            rules.append(sum(bit[row, one] for row in chosen for one in both))
    everything = sum(bit[row, one] for row in range(len(rows)) for one in peers[row])

    @cache
    def needed(left: int) -> int:
        if not left:
            return 0
        cell = left & -left
        return 1 + min(needed(left & ~rule) for rule in rules if rule & cell)

    return needed(everything)


def _subsets(of: Sequence[int]) -> chain[tuple[int, ...]]:
    return chain.from_iterable(combinations(of, size) for size in range(1, len(of) + 1))
