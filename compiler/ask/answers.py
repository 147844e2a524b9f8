"""A question in parts: source and destination ends with traffic between them, about which the same rules
decide.

Takes a relation and what is asked, gives answers that are exact (all that was asked is in one of them, and
in no second) and as few as the rulings allow.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

from npc.compiler.algebra.addresses import Family
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.ask.ends import NOBODY, Ends, Place
from npc.compiler.ask.meaning import Packets
from npc.compiler.ask.relation import Relation
from npc.compiler.ask.rulings import Ground, Piece, Ruling
from npc.compiler.frontend.syntax import Direction
from npc.compiler.labels import members


class Between(Enum):
    """How the source and the destination of packets stand to each other."""

    OTHERS = "others"
    """Two different ends; where both are many, each with each but itself and its own node."""
    ITSELF = "itself"
    """Each endpoint with itself, through a Service (C6)."""
    OWN_NODE = "own-node"
    """Pods and the node that they run on (A3)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A part of a question, and what is decided about it at either end."""

    between: Between
    source: Ends
    destination: Ends
    traffic: Intervals
    egress: Ruling
    ingress: Ruling

    @property
    def allowed(self) -> bool:
        """Whether it passes: both decisions allow it (P3)."""
        return self.egress.allowed and self.ingress.allowed

    @property
    def rulings(self) -> tuple[Ruling, Ruling]:
        return self.egress, self.ingress

    def covers(self, source: Place, destination: Place, traffic: int) -> bool:
        """Whether a packet is in this part; of a question's answers one between others comes last."""
        if self.between is Between.ITSELF and source != destination:
            return False
        return bool(
            traffic in self.traffic and source.ends & self.source and destination.ends & self.destination
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """Packets from some ends, to the destinations that they go to in each traffic."""

    source: Ends
    destination: Packets

    @staticmethod
    def of(source: Ends, destination: Ends, traffic: Intervals) -> Asked:
        return Asked(source, PacketSet.of([(traffic, destination)]))

    @property
    def ends(self) -> Ends:
        """All destinations."""
        found = NOBODY
        for _, _, ends in self.destination.parts:
            found |= ends
        return found

    @property
    def traffic(self) -> Intervals:
        """All traffic."""
        return Intervals(tuple((low, high) for low, high, _ in self.destination.parts))


def breadth(relation: Relation, asked: Asked) -> tuple[int, int]:
    """How many classes of senders and of receivers a question is about: what it takes to answer it grows with
    the pairs of them.
    """
    ends = {Direction.EGRESS: asked.source, Direction.INGRESS: asked.ends}
    egress, ingress = (
        sum(1 for one in relation.classes(direction) if one.members & ends[direction].endpoints)
        for direction in (Direction.EGRESS, Direction.INGRESS)
    )
    return max(egress, 1), max(ingress, 1)


def answers(relation: Relation, asked: Asked) -> tuple[Answer, ...]:
    """All of a question, in parts with equal rulings; what passes first."""
    found = [
        *_merged(_of_themselves(relation, asked)),
        *_merged(_own_nodes(relation, asked)),
        *(part for one in _merged(_of_others(relation, asked)) for part in _trimmed(relation, one)),
    ]
    return tuple(sorted(found, key=lambda one: (list(Between).index(one.between), not one.allowed)))


def _of_others(relation: Relation, asked: Asked) -> Iterator[Answer]:
    senders = list(_deciding(relation, Direction.EGRESS, asked.source, asked.destination))
    back = PacketSet.of([(asked.traffic, asked.source)])
    receivers = list(_deciding(relation, Direction.INGRESS, asked.ends, back))
    for sources, egress in senders:
        for destinations, ingress in receivers:
            for left, to in egress:
                for right, coming in ingress:
                    for low, high, met in _overlaps(to, coming):
                        there, here = met[0] & destinations, met[1] & sources
                        if not there or not here:
                            continue
                        part = Intervals(((low, high),))
                        for source, destination in _families(here, there):
                            yield Answer(Between.OTHERS, source, destination, part, left, right)


def _of_themselves(relation: Relation, asked: Asked) -> Iterator[Answer]:
    """Endpoints that are both a source and a destination."""
    for low, high, destination in asked.destination.parts:
        both = Ends(asked.source.v4 & destination.v4, asked.source.v6 & destination.v6)
        if not both:
            continue
        packets = PacketSet(((low, high, both),))
        senders = list(_deciding(relation, Direction.EGRESS, both, packets, hairpin=True))
        receivers = list(_deciding(relation, Direction.INGRESS, both, packets, hairpin=True))
        for sources, egress in senders:
            for destinations, ingress in receivers:
                for left, to in egress:
                    for right, coming in ingress:
                        for first, last, met in _overlaps(to, coming):
                            if same := met[0] & met[1] & sources & destinations:
                                part = Intervals(((first, last),))
                                yield Answer(Between.ITSELF, same, same, part, left, right)


def _own_nodes(relation: Relation, asked: Asked) -> Iterator[Answer]:
    """Pods with the addresses of the nodes that they run on, in either way."""
    rulings = [
        Ruling(direction, True, Ground.OWN_NODE) for direction in (Direction.EGRESS, Direction.INGRESS)
    ]
    for low, high, destination in asked.destination.parts:
        part = Intervals(((low, high),))
        for pods, node in _on_nodes(relation, asked.source, destination):
            yield Answer(Between.OWN_NODE, pods, node, part, *rulings)
        for pods, node in _on_nodes(relation, destination, asked.source):
            yield Answer(Between.OWN_NODE, node, pods, part, *rulings)


def _on_nodes(relation: Relation, pods: Ends, others: Ends) -> Iterator[tuple[Ends, Ends]]:
    """Pods among some ends with those of others that are their node's addresses, family by family."""
    if not others.outside:
        return
    by_node: dict[Intervals, int] = {}
    for number in members(pods.endpoints):
        if own := relation.own_node(number):
            by_node[own] = by_node.get(own, 0) | 1 << number
    for own, bits in by_node.items():
        here, there = pods & Ends(bits, bits), Ends(outside=own & others.outside)
        for family in Family:
            if (one := here.of_family(family)) and (other := there.of_family(family)):
                yield one, other


def _deciding(
    relation: Relation, direction: Direction, subjects: Ends, asked: Packets, *, hairpin: bool = False
) -> Iterator[tuple[Ends, list[Piece]]]:
    """Subjects by the class that they are in, with the rulings on what is asked; those outside have a
    class.
    """
    for one in relation.classes(direction) if subjects.endpoints else ():
        if here := subjects & Ends(one.members, one.members):
            yield here, list(relation.rulings(one, asked, hairpin=hairpin))
    if subjects.outside:
        yield Ends(outside=subjects.outside), [(Ruling(direction, True, Ground.OUTSIDE), asked)]


def _overlaps(one: Packets, other: Packets) -> Iterator[tuple[int, int, tuple[Ends, Ends]]]:
    """The traffic that is in both, with the ends that each has there; in one sweep."""
    i = j = 0
    left, right = one.parts, other.parts
    while i < len(left) and j < len(right):
        low, high = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if low <= high:
            yield low, high, (left[i][2], right[j][2])
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1


def _families(sources: Ends, destinations: Ends) -> Iterator[tuple[Ends, Ends]]:
    """Sources and destinations of one family at a time: no packet has two."""
    for family in Family:
        source, destination = sources.of_family(family), destinations.of_family(family)
        if source and destination:
            yield source, destination


def _trimmed(relation: Relation, one: Answer) -> Iterator[Answer]:
    """An answer without what others are about, where that can be told; nothing where that is all of it."""
    source, destination = one.source, one.destination
    if _is_single(source):
        destination = Ends(destination.v4 & ~source.v4, destination.v6 & ~source.v6, destination.outside)
    if _is_single(destination):
        source = Ends(source.v4 & ~destination.v4, source.v6 & ~destination.v6, source.outside)
    source = Ends(source.v4, source.v6, _without_node(relation, source.outside, destination))
    destination = Ends(destination.v4, destination.v6, _without_node(relation, destination.outside, source))
    if any(_families(source, destination)):
        yield replace(one, source=source, destination=destination)


def _is_single(ends: Ends) -> bool:
    """Whether one endpoint is all there is."""
    return not ends.outside and ends.endpoints.bit_count() == 1


def _without_node(relation: Relation, addresses: Intervals, others: Ends) -> Intervals:
    """Addresses less those of a node on which all the others run."""
    if not addresses or others.outside or not others.endpoints:
        return addresses
    nodes = {relation.own_node(number) for number in members(others.endpoints)}
    return addresses - nodes.pop() if len(nodes) == 1 else addresses


def _merged(parts: Iterable[Answer]) -> list[Answer]:
    """Parts of one family each with the same rulings as fewer, larger ones."""
    found = _joined(parts, lambda one: (one.source, one.destination))
    found = _joined(found, lambda one: (one.between is Between.ITSELF or one.source, one.traffic))
    found = _joined(found, lambda one: (one.between is Between.ITSELF or one.destination, one.traffic))
    return _of_both_families(found)


def _joined(parts: Iterable[Answer], key: Callable[[Answer], Hashable]) -> list[Answer]:
    """Parts of equal rulings that differ in nothing but what is not in their key are one."""
    groups: dict[Hashable, Answer] = {}
    for one in parts:
        whole = one.between, one.egress.identity, one.ingress.identity, key(one)
        groups[whole] = _union(groups[whole], one) if whole in groups else one
    return list(groups.values())


def _union(one: Answer, other: Answer) -> Answer:
    return replace(
        one,
        source=one.source | other.source,
        destination=one.destination | other.destination,
        traffic=one.traffic | other.traffic,
    )


def _of_both_families(parts: list[Answer]) -> list[Answer]:
    """Parts between the same endpoints that differ in nothing but the family are one."""
    groups: dict[Hashable, list[Answer]] = {}
    for one in parts:
        ends = one.source.endpoints, one.destination.endpoints
        key = one.between, one.egress.identity, one.ingress.identity, one.traffic, ends
        groups.setdefault(key, []).append(one)
    found = []
    for alike in groups.values():
        pair = len(alike) == 2 and not any(_families(alike[0].source, alike[1].destination))
        found += [_union(*alike)] if pair else alike
    return found
