"""From a model to a plan: endpoints with equal decisions share a class, decisions are one PacketSet each."""

from __future__ import annotations

from npc.compiler.algebra.packets import PacketSet
from npc.compiler.algebra.peers import Peers
from npc.compiler.frontend.syntax import Direction, NetworkPolicy
from npc.compiler.inventory import ContainerPort, Endpoint
from npc.compiler.plan import ALLOW_ALL, Class, Plan, Reason
from npc.compiler.resolve import Model, uses_names

_Question = tuple[tuple[int, ...], tuple[ContainerPort, ...]]
"""What a decision depends on: the isolating policies, and the subject's ports where rules name them."""


def build_plan(model: Model, node: str | None = None) -> Plan:
    """The plan for a node's endpoints, or for all of the inventory's.

    An isolated endpoint that may exchange everything is left out: it decides as if not isolated.
    """
    classes: list[Class] = []
    for direction in (Direction.EGRESS, Direction.INGRESS):
        alike: dict[_Question, list[Endpoint]] = {}
        isolating: dict[_Question, tuple[NetworkPolicy, ...]] = {}
        for endpoint, policies in model.isolating(direction, node):
            names_ports = direction is Direction.INGRESS and uses_names(policies, direction)
            question = tuple(map(id, policies)), endpoint.ports if names_ports else ()
            alike.setdefault(question, []).append(endpoint)
            isolating[question] = policies
        subjects: dict[PacketSet[Peers], list[Endpoint]] = {}
        reasons: dict[PacketSet[Peers], list[Reason]] = {}
        for question, endpoints in alike.items():
            policies = isolating[question]
            decision = PacketSet.of(model.rectangles(policies, direction, endpoints[0]))
            subjects.setdefault(decision, []).extend(endpoints)
            reasons.setdefault(decision, []).append(Reason(tuple(endpoints), network=policies))
        found = [
            Class(direction, decision, tuple(members), tuple(reasons[decision]))
            for decision, members in subjects.items()
            if decision != ALLOW_ALL
        ]
        classes += sorted(found, key=lambda one: one.key)
    names = dict(model.names)
    for one in classes:
        for subject in one.subjects:
            names.update(dict.fromkeys(subject.addresses, str(subject)))
    used = {subject.node for one in classes for subject in one.subjects}
    addresses = {one.name: one.addresses for one in model.inventory.nodes if one.name in used}
    return Plan(tuple(classes), names, node, addresses)
