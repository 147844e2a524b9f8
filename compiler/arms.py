"""A decision as rectangles of traffic × peers, the way rules are written.

Two simple forms, both exact. `by_peers`: each peer with all of its traffic, as people write rules; a
packet may match several. `by_traffic`: disjoint traffic, so that a packet matches one at most,
however many policies there are. The optimizer looks for what lies between.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from npc.compiler.algebra.intervals import Intervals, Range, atoms
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.algebra.peers import ANYONE, Group, Peers


@dataclass(frozen=True, slots=True)
class Arm:
    """Traffic that passes when it is exchanged with the peers."""

    traffic: Intervals
    peers: Peers


Arms = tuple[Arm, ...]
"""What passes in any of them."""


def packets(arms: Iterable[Arm]) -> PacketSet[Peers]:
    """What some arms let pass together."""
    return PacketSet.of((arm.traffic, arm.peers) for arm in arms)


def by_traffic(decision: PacketSet[Peers]) -> Arms:
    """Arms with disjoint traffic: ranges with equal peers together."""
    return tuple(Arm(own, peers) for own, peers in decision.rectangles())


def by_peers(decision: PacketSet[Peers]) -> Arms:
    """Arms in order of their traffic, peers with equal traffic together.

    Their peers are disjoint but for ANYONE, whose arm is what is open to all.
    """
    groups: dict[Group, list[Intervals]] = {}
    arms: list[Arm] = []
    for own, peers in decision.rectangles():
        if peers == ANYONE:
            arms.append(Arm(own, peers))
        for group in peers.groups:
            groups.setdefault(group, []).append(own)
    arms += (Arm(Intervals.union(parts), Peers(frozenset({one}))) for one, parts in sorted(groups.items()))
    arms += (Arm(own, blocks) for blocks, own in blocks_of(decision))
    return joined(arms)


def joined(arms: Iterable[Arm]) -> Arms:
    """Arms with equal traffic as one each, in order of their traffic; what is open to all stays apart."""
    peers: dict[tuple[Intervals, bool], Peers] = {}
    for arm in arms:
        key = arm.traffic, arm.peers != ANYONE
        peers[key] = peers.get(key, Peers()) | arm.peers
    return tuple(Arm(own, peers[own, limited]) for own, limited in sorted(peers, key=_order))


def _order(key: tuple[Intervals, bool]) -> tuple[tuple[Range, ...], bool]:
    return key[0].ranges, key[1]


def blocks_of(decision: PacketSet[Peers]) -> Iterator[tuple[Peers, Intervals]]:
    """The addresses of all blocks, cut where their traffic changes, with their traffic.

    Blocks with other holes are other blocks, even where they overlap.
    """
    by_holes: dict[frozenset[Group], list[tuple[Intervals, Intervals]]] = {}
    for own, peers in decision.rectangles():
        if peers != ANYONE and peers.blocks:
            by_holes.setdefault(peers.holes, []).append((own, peers.blocks))
    for holes, rows in by_holes.items():
        for own, blocks in partition(rows):
            yield Peers(blocks=blocks, holes=holes), own


def partition(rows: Sequence[tuple[Intervals, Intervals]]) -> Iterator[tuple[Intervals, Intervals]]:
    """Traffic with its addresses, so said that no address stands twice: each with all of its traffic.

    >>> from npc.compiler.algebra import traffic
    >>> tcp, udp = traffic.every(traffic.TCP), traffic.every(traffic.UDP)
    >>> found = partition([(tcp, Intervals.of((1, 9))), (udp, Intervals.of((5, 12)))])
    >>> [(traffic.describe(own), addresses.ranges) for own, addresses in found]
    [('tcp', ((1, 4),)), ('tcp, udp', ((5, 9),)), ('udp', ((10, 12),))]
    """
    alike: dict[Intervals, list[Intervals]] = {}
    for positions, addresses in atoms([addresses for _, addresses in rows]).items():
        own = Intervals.union(rows[position][0] for position in positions)
        alike.setdefault(own, []).append(addresses)
    for own, found in alike.items():
        yield own, Intervals.union(found)


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
