"""A decision as few rectangles of traffic × peers, the way rules are written.

Two forms, both exact. `by_peers`: each peer with all of its traffic, as people write rules; a
packet may match several. `by_traffic`: disjoint traffic, so that a packet matches one at most,
however many policies there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from npc.compiler.algebra.intervals import Intervals, Range
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.algebra.peers import ANYONE, Group, Peers


@dataclass(frozen=True, slots=True)
class Arm:
    """Traffic that passes when it is exchanged with the peers."""

    traffic: Intervals
    peers: Peers


def by_traffic(decision: PacketSet[Peers]) -> tuple[Arm, ...]:
    """Arms with disjoint traffic: ranges with equal peers together."""
    return tuple(Arm(own, peers) for own, peers in decision.rectangles())


def by_peers(decision: PacketSet[Peers]) -> tuple[Arm, ...]:
    """Arms in order of their traffic, peers with equal traffic together.

    Their peers are disjoint but for ANYONE, whose arm is what is open to all.
    """
    open_to_all = Intervals()
    groups: dict[Group, list[Intervals]] = {}
    for traffic, peers in decision.rectangles():
        if peers == ANYONE:
            open_to_all = traffic
        for group in peers.groups:
            groups.setdefault(group, []).append(traffic)
    arms: dict[Intervals, Peers] = {}
    if open_to_all:
        arms[open_to_all] = ANYONE
    for group, parts in sorted(groups.items()):
        own = widened(Intervals.union(parts), open_to_all)
        arms[own] = arms.get(own, Peers()) | Peers(frozenset({group}))
    for blocks, own in _blocks(decision):
        own = widened(own, open_to_all)
        arms[own] = arms.get(own, Peers()) | blocks
    return tuple(Arm(own, arms[own]) for own in sorted(arms, key=lambda own: own.ranges))


def _blocks(decision: PacketSet[Peers]) -> Iterator[tuple[Peers, Intervals]]:
    """The addresses of all blocks, cut where their traffic changes, with their traffic.

    Blocks with other holes are other blocks, even where they overlap.
    """
    by_holes: dict[frozenset[Group], list[tuple[Intervals, Intervals]]] = {}
    for own, peers in decision.rectangles():
        if peers != ANYONE and peers.blocks:
            by_holes.setdefault(peers.holes, []).append((own, peers.blocks))
    for holes, rows in by_holes.items():
        cuts = sorted({cut for _, blocks in rows for low, high in blocks.ranges for cut in (low, high + 1)})
        by_traffic: dict[Intervals, list[Range]] = {}
        for low, following in pairwise(cuts):
            own = Intervals.union(own for own, blocks in rows if low in blocks)
            if own:
                by_traffic.setdefault(own, []).append((low, following - 1))
        for own, ranges in by_traffic.items():
            yield Peers(blocks=Intervals.of(*ranges), holes=holes), own


def widened(needed: Intervals, open_to_all: Intervals) -> Intervals:
    """The simplest traffic between what is needed and what passes anyway.

    >>> from npc.compiler.algebra import traffic
    >>> all_but_web = traffic.ANY - traffic.of(traffic.TCP, 443, 443)
    >>> traffic.describe(widened(all_but_web, traffic.of(traffic.TCP, 443, 443)))
    'any'
    """
    if not open_to_all:
        return needed
    joined = []
    for low, high in (needed | open_to_all).ranges:
        inside = needed & Intervals(((low, high),))
        if inside:
            joined.append((inside.ranges[0][0], inside.ranges[-1][1]))
    return Intervals.of(*joined)
