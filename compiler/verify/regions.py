"""Sets of packets of two ends: for each subject, the traffic that it exchanges with each peer.

A `Region` is seen from one end: its rows are disjoint sets of subjects at that end, each with a `PacketSet`
over the other. What sources may send is short seen from the sources, what destinations may receive seen from
the destinations; the packets that pass both are a product of two such regions, and it is left a product:
written out it would be as large as all pairs of endpoints.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import EVERY_ADDRESS, EVERY_V4, EVERY_V6, Family
from npc.compiler.algebra.intervals import Intervals, atoms
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.verify.program import Box

Packets = PacketSet[Intervals]
"""Traffic × addresses of peers."""
Row = tuple[Intervals, Packets]
"""Subjects, and what each of them exchanges."""

ALL: Packets = PacketSet.of([(traffic.ANY, EVERY_ADDRESS)])
"""All traffic with everyone."""
OF_FAMILY = {family: PacketSet.of([(traffic.ANY, family.every)]) for family in Family}
"""All traffic with everyone of an address family."""
UNRESTRICTED = (EVERY_ADDRESS, EVERY_V4, EVERY_V6)
"""Sets of addresses that tell no endpoints apart."""


class End(Enum):
    """The end of a packet that a region is seen from."""

    SOURCE = "source"
    DESTINATION = "destination"

    @property
    def other(self) -> End:
        return End.DESTINATION if self is End.SOURCE else End.SOURCE

    def of(self, box: Box) -> Intervals:
        """The addresses that a box has at this end."""
        return box.sources if self is End.SOURCE else box.destinations

    def box(self, subjects: Intervals, peers: Intervals, kinds: Intervals) -> Box:
        """Packets with subjects at this end."""
        return Box(subjects, peers, kinds) if self is End.SOURCE else Box(peers, subjects, kinds)


@dataclass(frozen=True, slots=True)
class Region:
    """Packets, seen from one end: rows of disjoint subjects. No row is empty, no two have equal packets."""

    end: End
    rows: tuple[Row, ...] = ()

    @staticmethod
    def of(end: End, rows: Iterable[Row]) -> Region:
        """The union of rows, whose subjects may overlap."""
        by_packets: dict[Packets, list[Intervals]] = {}
        for subjects, packets in rows:
            if subjects and packets:
                by_packets.setdefault(packets, []).append(subjects)
        found = [(Intervals.union(parts), packets) for packets, parts in by_packets.items()]
        if _are_disjoint([subjects for subjects, _ in found]):
            return Region(end, tuple(found))
        joined: dict[Packets, list[Intervals]] = {}
        for positions, subjects in atoms([subjects for subjects, _ in found]).items():
            packets = union([found[position][1] for position in sorted(positions)])
            joined.setdefault(packets, []).append(subjects)
        return Region(end, tuple((Intervals.union(parts), packets) for packets, parts in joined.items()))

    @staticmethod
    def of_boxes(end: End, boxes: Iterable[Box]) -> Region:
        """The union of boxes."""
        return Region.of(end, rows_of(end, boxes))

    @staticmethod
    def full(end: End) -> Region:
        """All packets: both ends are of one family."""
        return Region(end, tuple((family.every, OF_FAMILY[family]) for family in Family))

    def __bool__(self) -> bool:
        return bool(self.rows)

    def __and__(self, other: Region) -> Region:
        """What is in both, seen from this one's end."""
        return Region.of(
            self.end,
            (
                (subjects, mine & theirs if mine != theirs else mine)
                for subjects, mine, theirs in self._met(other)
                if mine is not None and theirs is not None
            ),
        )

    def __sub__(self, other: Region) -> Region:
        """What is in this one alone."""
        return Region.of(
            self.end,
            (
                (subjects, mine if theirs is None else mine - theirs)
                for subjects, mine, theirs in self._met(other)
                if mine is not None and mine != theirs
            ),
        )

    def __or__(self, other: Region) -> Region:
        return Region.of(self.end, self.rows + other.seen_from(self.end).rows)

    def _met(self, other: Region) -> Iterator[tuple[Intervals, Packets | None, Packets | None]]:
        """Subjects that have one row in each of two regions, and those rows' packets."""
        theirs = other.seen_from(self.end).rows
        cut = len(self.rows)
        for positions, subjects in atoms([one[0] for one in self.rows + theirs]).items():
            left = next((self.rows[place][1] for place in positions if place < cut), None)
            right = next((theirs[place - cut][1] for place in positions if place >= cut), None)
            yield subjects, left, right

    def seen_from(self, end: End) -> Region:
        """The same packets, seen from an end."""
        return self if end is self.end else Region.of_boxes(end, self.boxes())

    def boxes(self) -> Iterator[Box]:
        """The packets as boxes."""
        for subjects, packets in self.rows:
            for kinds, peers in packets.rectangles():
                yield self.end.box(subjects, peers, kinds)


@dataclass(slots=True)
class Views:
    """Unions of boxes as rows, kept: all scenarios of a ruleset ask for those of the same rules."""

    _known: dict[tuple[End, tuple[int, ...]], tuple[Sequence[Box], tuple[Row, ...]]] = field(
        default_factory=dict
    )
    """By the boxes' identities; they are kept so that no others come to have those."""

    def rows(self, end: End, boxes: Sequence[Box]) -> tuple[Row, ...]:
        """The packets of boxes, seen from an end."""
        key = end, tuple(map(id, boxes))
        if key not in self._known:
            self._known[key] = boxes, Region.of_boxes(end, boxes).rows
        return self._known[key][1]


def rows_of(end: End, boxes: Iterable[Box]) -> list[Row]:
    """Boxes seen from an end: a row for each different set of subjects, which may overlap."""
    found: dict[Intervals, dict[Intervals, list[Intervals]]] = {}
    for box in boxes:
        peers = found.setdefault(end.of(box), {}).setdefault(box.traffic, [])
        peers.append(end.other.of(box))
    return [
        (subjects, PacketSet.of((kinds, Intervals.union(peers)) for kinds, peers in rectangles.items()))
        for subjects, rectangles in found.items()
    ]


def union(sets: Sequence[Packets]) -> Packets:
    """The union of sets of packets."""
    if len(sets) == 1:
        return sets[0]
    by_traffic: dict[tuple[int, int], list[Intervals]] = {}
    for one in sets:
        for low, high, peers in one.parts:
            by_traffic.setdefault((low, high), []).append(peers)
    return PacketSet.of((Intervals((piece,)), Intervals.union(peers)) for piece, peers in by_traffic.items())


def size(addresses: Intervals) -> int:
    """How many addresses there are in a set."""
    return sum(high - low + 1 for low, high in addresses.ranges)


def _are_disjoint(sets: Sequence[Intervals]) -> bool:
    return len(sets) < 2 or sum(map(size, sets)) == size(Intervals.union(sets))
