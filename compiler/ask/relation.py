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
from npc.compiler.ask.assumptions import AS_COMPILED, Reading
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
    _hairpins: dict[tuple[Direction, int], Packets] = field(default_factory=dict)
    _profiles: dict[tuple[Direction, int], tuple[tuple[Ends, Intervals], ...]] = field(default_factory=dict)
    _own_node: dict[str, tuple[int, ...]] = field(init=False)

    def __post_init__(self) -> None:
        self.meaning = Meaning(self.model, self.reading)
        nodes = () if self.reading.own_node_is_policed else self.model.inventory.nodes
        self._own_node = {node.name: node.addresses for node in nodes}

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
                passes &= with_place(self.decision(self.of(direction, subject.endpoint)), peer)
        return passes

    def hairpin(self, place: Place) -> Intervals:
        """The traffic that may come back to an endpoint from itself through a Service (C6)."""
        passes = traffic.ANY
        for direction in Direction if place.endpoint is not None else ():
            subjects = self.of(direction, place.endpoint or 0)
            key = direction, subjects.number
            if key not in self._hairpins:
                self._hairpins[key] = allowed(self.meaning, subjects, hairpin=True)
            passes &= with_place(self._hairpins[key], place)
        return passes

    def own_node(self, endpoint: int) -> Intervals:
        """The addresses of the node that an endpoint runs on, with which all traffic passes (A3)."""
        addresses = self._own_node.get(self.model.inventory.endpoints[endpoint].node, ())
        return Intervals.of(*((one, one) for one in addresses))

    def are_pod_and_own_node(self, one: Place, other: Place) -> bool:
        """Whether one of two ends runs on the node that the other is an address of."""
        for pod, node in ((one, other), (other, one)):
            if node.address is not None and pod.endpoint is not None:
                return node.address in self.own_node(pod.endpoint)
        return False

    def _classify(self, direction: Direction) -> None:
        endpoints = self.model.inventory.endpoints
        size = len(endpoints)
        deciders: dict[int, Deciders] = {}
        by_ports: dict[int, bool] = {}
        classes: dict[tuple[int, tuple[ContainerPort, ...]], list[int]] = {}
        for number, found in self.model.deciders(direction):
            own = id(found)  # the same policies are one object
            if own not in deciders:
                deciders[own] = found
                by_ports[own] = depends_on_ports(found, direction)
            ports = endpoints[number].ports if by_ports[own] else ()
            classes.setdefault((own, ports), []).append(number)
        listed = [
            SubjectClass(direction, place, bits_of(numbers, size), deciders[own], ports)
            for place, ((own, ports), numbers) in enumerate(classes.items())
        ]
        class_of = [len(listed)] * size
        for place, numbers in enumerate(classes.values()):
            for number in numbers:
                class_of[number] = place
        free = [number for number, place in enumerate(class_of) if place == len(listed)]
        if free:
            listed.append(SubjectClass(direction, len(listed), bits_of(free, size), Deciders()))
        self._classes[direction] = tuple(listed)
        self._class_of[direction] = class_of


def depends_on_ports(deciders: Deciders, direction: Direction) -> bool:
    """Whether a rule names ports of the subjects."""
    policies: tuple[Policy, ...] = (*deciders.admin, *deciders.network, *deciders.baseline)
    return any(names_ports(rule, direction) for one in policies for rule in one.rules(direction))


def with_place(packets: Packets, place: Place) -> Intervals:
    """The traffic that is exchanged with an end."""
    return Intervals.of(*((low, high) for low, high, peers in packets.parts if place in peers))


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
