"""The classes of some endpoints of a model, and what they decide, without working out those of all."""

from __future__ import annotations

from dataclasses import dataclass, field

from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.ask.alignment import Side
from npc.compiler.ask.answers import Answer, Between
from npc.compiler.ask.ends import Place
from npc.compiler.ask.meaning import Packets
from npc.compiler.ask.relation import NOTHING, Relation, depends_on_ports
from npc.compiler.ask.rulings import Ground, Ruling, SubjectClass
from npc.compiler.frontend.syntax import ClusterPolicy, Direction, NetworkPolicy, Pods, Policy
from npc.compiler.inventory import ContainerPort
from npc.compiler.labels import Bits
from npc.compiler.tiers import Deciders


@dataclass(slots=True)
class Sorter:
    """Finds the class of one side's endpoints in one direction; equal classes are one object."""

    relation: Relation
    side: Side
    direction: Direction
    _classes: dict[tuple[int, tuple[ContainerPort, ...]], SubjectClass] = field(default_factory=dict)
    _by_ports: dict[int, bool] = field(default_factory=dict)

    def find(self, place: int) -> SubjectClass | None:
        """The class of the endpoint at a place; None where this side has none."""
        number = self.side.number(place)
        if number is None:
            return None
        endpoint = self.relation.model.inventory.endpoints[number]
        deciders = self.relation.model.deciders_of(self.direction, endpoint) or _FREE
        own = id(deciders)
        if own not in self._by_ports:
            self._by_ports[own] = depends_on_ports(deciders, self.direction)
        key = own, endpoint.ports if self._by_ports[own] else ()
        if key not in self._classes:
            self._classes[key] = SubjectClass(self.direction, len(self._classes), 0, deciders, key[1])
        return self._classes[key]

    def own_node(self, place: int) -> Intervals:
        """The addresses of the node of the endpoint at a place."""
        number = self.side.number(place)
        return NOTHING if number is None else self.relation.own_node(number)


_FREE = Deciders()
"""Of endpoints that no policy is for."""


def answer_of(relation: Relation, source: Place, destination: Place, kind: int) -> Answer:
    """What is decided about one packet, by the classes of its ends alone."""
    part = Intervals.of((kind, kind))
    between = Between.OTHERS
    if source == destination:
        between = Between.ITSELF
    elif relation.are_pod_and_own_node(source, destination):
        between = Between.OWN_NODE
    egress, ingress = (
        _ruling(relation, direction, subject, PacketSet.of([(part, peer.ends)]), between)
        for direction, subject, peer in (
            (Direction.EGRESS, source, destination),
            (Direction.INGRESS, destination, source),
        )
    )
    return Answer(between, source.ends, destination.ends, part, egress, ingress)


def _ruling(
    relation: Relation, direction: Direction, subject: Place, asked: Packets, between: Between
) -> Ruling:
    if between is Between.OWN_NODE:
        return Ruling(direction, True, Ground.OWN_NODE)
    if subject.endpoint is None:
        return Ruling(direction, True, Ground.OUTSIDE)
    subjects = Sorter(relation, Side(None, None), direction).find(subject.endpoint)
    assert subjects is not None, "every number has an endpoint"
    pieces = relation.rulings(subjects, asked, hairpin=between is Between.ITSELF)
    return next(ruling for ruling, _ in pieces)


def policies_of(relation: Relation) -> tuple[Policy, ...]:
    """All policies."""
    return (*relation.model.policies, *relation.model.cluster_policies)


def subjects_of(relation: Relation, policy: Policy, direction: Direction) -> Bits:
    """The endpoints for which a policy decides in a direction."""
    match policy:
        case NetworkPolicy(isolates=isolates, subject=subject, namespace=namespace):
            return relation.model.selected(Pods(subject), namespace) if direction in isolates else 0
        case ClusterPolicy():
            return relation.model.subjects(policy) if policy.rules(direction) else 0
