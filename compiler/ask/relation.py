"""Who may exchange what with whom: all decisions of a cluster, and what passes between any two ends.

Takes a model, gives classes of subjects that cover all endpoints in each direction. What passes from one
end to another is what the egress decision of the one and the ingress decision of the other both let pass
(P3); what comes from the same endpoint, and what a pod exchanges with its own node, is no matter of these
decisions (A2, A3, C6).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from npc.compiler.algebra import traffic
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.ask.assumptions import AS_COMPILED, Assumption, Reading
from npc.compiler.ask.ends import Census, Ends, Place
from npc.compiler.ask.meaning import Meaning, Packets, names_ports
from npc.compiler.ask.rulings import Piece, SubjectClass, allowed, rulings
from npc.compiler.frontend.syntax import Direction, Policy
from npc.compiler.inventory import ContainerPort
from npc.compiler.labels import bits_of
from npc.compiler.resolve import Model
from npc.compiler.tiers import Deciders

NOTHING = Intervals()


@dataclass(slots=True)
class Relation:
    """All decisions of a model under a reading of its policies; what has been worked out once is kept."""

    model: Model
    reading: Reading = AS_COMPILED
    meaning: Meaning = field(init=False)
    _classes: dict[Direction, tuple[SubjectClass, ...]] = field(default_factory=dict)
    _class_of: dict[Direction, list[int]] = field(default_factory=dict)
    """The place among the classes of each endpoint."""
    _allowed: dict[tuple[Direction, int], Packets] = field(default_factory=dict)
    _profiles: dict[tuple[Direction, int], tuple[tuple[Ends, Intervals], ...]] = field(default_factory=dict)
    _own_node: dict[str, Intervals] = field(init=False)

    def __post_init__(self) -> None:
        self.meaning = Meaning(self.model, self.reading)
        is_policed = Assumption.OWN_NODE_IS_POLICED in self.reading
        self._own_node = {
            node.name: Intervals.of(*((one, one) for one in node.addresses))
            for node in (() if is_policed else self.model.inventory.nodes)
        }

    @property
    def census(self) -> Census:
        return self.meaning.census

    def classes(self, direction: Direction) -> tuple[SubjectClass, ...]:
        """All endpoints, in classes for which the same rules decide; one is of those for whom none does."""
        if direction not in self._classes:
            self._classify(direction)
        return self._classes[direction]

    def of(self, direction: Direction, endpoint: int) -> SubjectClass:
        """The class that an endpoint is in."""
        return self.classes(direction)[self._class_of[direction][endpoint]]

    def decision(self, subjects: SubjectClass) -> Packets:
        """All that passes at some subjects: with whom, in which traffic."""
        key = subjects.direction, subjects.number
        if key not in self._allowed:
            self._allowed[key] = allowed(self.meaning, subjects)
        return self._allowed[key]

    def profile(self, subjects: SubjectClass) -> tuple[tuple[Ends, Intervals], ...]:
        """The decision the other way round: disjoint ends, each with all the traffic that passes with it."""
        key = subjects.direction, subjects.number
        if key not in self._profiles:
            self._profiles[key] = tuple(by_ends(self.decision(subjects)))
        return self._profiles[key]

    def rulings(self, subjects: SubjectClass, asked: Packets, *, hairpin: bool = False) -> Iterator[Piece]:
        """What is asked about some subjects in pieces, each with the ruling on it."""
        return rulings(self.meaning, subjects, asked, hairpin=hairpin)

    def passing(self, source: Place, destination: Place) -> Intervals:
        """The traffic that passes from one end to another: between families, none.

        From an endpoint to itself it is what may come back through a Service (C6).
        """
        if source.family is not destination.family:
            return NOTHING
        if source == destination and source.endpoint is not None:
            return self.hairpin(source)
        if self.are_pod_and_own_node(source, destination):
            return traffic.ANY
        passes = traffic.ANY
        for direction, subject, peer in (
            (Direction.EGRESS, source, destination),
            (Direction.INGRESS, destination, source),
        ):
            if subject.endpoint is not None:
                passes &= with_ends(self.decision(self.of(direction, subject.endpoint)), peer.ends)
        return passes

    def hairpin(self, place: Place) -> Intervals:
        """The traffic that may come back to an endpoint from itself through a Service (C6)."""
        passes = traffic.ANY
        for direction in Direction if place.endpoint is not None else ():
            found = allowed(self.meaning, self.of(direction, place.endpoint or 0), hairpin=True)
            passes &= with_ends(found, place.ends)
        return passes

    def own_node(self, endpoint: int) -> Intervals:
        """The addresses of the node that an endpoint runs on, with which all traffic passes (A3)."""
        return self._own_node.get(self.model.inventory.endpoints[endpoint].node, NOTHING)

    def are_pod_and_own_node(self, one: Place, other: Place) -> bool:
        """Whether one of two ends runs on the node that the other is an address of."""
        for pod, node in ((one, other), (other, one)):
            if node.address is not None and pod.endpoint is not None:
                return node.address in self.own_node(pod.endpoint)
        return False

    def _classify(self, direction: Direction) -> None:
        depends: dict[int, bool] = {}

        def on_ports(policy: Policy) -> bool:
            if id(policy) not in depends:
                depends[id(policy)] = any(names_ports(one, direction) for one in policy.rules(direction))
            return depends[id(policy)]

        size = len(self.model.inventory.endpoints)
        classes: dict[tuple[tuple[tuple[int, ...], ...], tuple[ContainerPort, ...]], list[int]] = {}
        deciders: list[Deciders] = []
        free = set(range(size))
        for number, found in self.model.deciders(direction):
            free.discard(number)
            tiers = (found.admin, found.network, found.baseline)
            by_ports = any(on_ports(policy) for tier in tiers for policy in tier)
            ports = self.model.inventory.endpoints[number].ports if by_ports else ()
            key = tuple(tuple(map(id, tier)) for tier in tiers), ports
            if key not in classes:
                classes[key] = []
                deciders.append(found)
            classes[key].append(number)
        listed = [
            SubjectClass(direction, number, bits_of(numbers, size), of, ports)
            for number, (((_, ports), numbers), of) in enumerate(zip(classes.items(), deciders, strict=True))
        ]
        if free:
            listed.append(SubjectClass(direction, len(listed), bits_of(free, size), Deciders()))
        class_of = [len(listed) - 1] * size
        for place, numbers in enumerate(classes.values()):
            for number in numbers:
                class_of[number] = place
        self._classes[direction] = tuple(listed)
        self._class_of[direction] = class_of


def with_ends(packets: Packets, ends: Ends) -> Intervals:
    """The traffic that is exchanged with any of some ends."""
    return Intervals.of(*((low, high) for low, high, peers in packets.parts if peers & ends))


def by_ends(packets: Packets) -> Iterator[tuple[Ends, Intervals]]:
    """Disjoint ends, each with all the traffic that is exchanged with it."""
    parts: list[tuple[Ends, Intervals]] = []
    for traffic_, peers in packets.rectangles():
        left = peers
        split: list[tuple[Ends, Intervals]] = []
        for ends, own in parts:
            if common := ends & left:
                left = left - common
                split.append((common, own | traffic_))
                if rest := ends - common:
                    split.append((rest, own))
            else:
                split.append((ends, own))
        if left:
            split.append((left, traffic_))
        parts = split
    alike: dict[Intervals, Ends] = {}
    for ends, own in parts:
        alike[own] = alike[own] | ends if own in alike else ends
    return ((ends, own) for own, ends in alike.items())
