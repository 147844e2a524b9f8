"""Pairs and the rest of a plan decide as the plan does, and the rest at the same end."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given, settings

from npc.backends.pairs import Limits, Split, split
from npc.compiler.frontend.syntax import Direction
from npc.compiler.plan import Plan
from tests.backends import dense
from tests.backends.plans import from_app, from_blocks, plan_of
from tests.compiler.compiling import MANY_CLUSTERS, compiled, on_line, traffic_of
from tests.reference.evaluator import Packet
from tests.reference.manifests import Document
from tests.strategies import boundary_packets, clusters

LIMITS: Final = {
    "all": Limits(0, 64, 1 << 12),
    "few": Limits(0, 2, 9),
    "none": Limits(0, 0, 0),
    "too few subjects": Limits(1 << 20, 64, 1 << 12),
}


def faults(plan: Plan, found: Split, packet: Packet) -> list[str]:
    """What is wrong with a pair that is there, or with the decisions on a packet that is none."""
    source, destination, wanted = on_line(packet.source), on_line(packet.destination), traffic_of(packet)
    ends = ((Direction.EGRESS, source, destination), (Direction.INGRESS, destination, source))
    right = [_allows(plan, *end, wanted) for end in ends]
    if (source, wanted, destination) in found.pairs:
        logs = [one for one in plan.classes if one.logs for end in ends if _is_of(plan, one.key, *end[:2])]
        return [] if all(right) and not logs else [f"{packet} is a pair"]
    if source == destination:
        return []
    rest = [_allows(found.rest, *end, wanted) for end in ends]
    # What is denied at its source never comes to its destination.
    return [] if rest[: 1 + rest[0]] == right[: 1 + right[0]] else [f"{packet}: {rest}, {right} is right"]


def _allows(plan: Plan, direction: Direction, subject: int, peer: int, wanted: int) -> bool:
    peers = plan.decision(direction, subject).at(wanted)
    return peers is not None and peer in peers


def _is_of(plan: Plan, key: str, direction: Direction, address: int) -> bool:
    return any(
        one.key == key and one.direction is direction and address in subject.addresses
        for one in plan.classes
        for subject in one.subjects
    )


@settings(max_examples=MANY_CLUSTERS // 2)
@given(clusters())
def test_the_same_decisions(documents: list[Document]) -> None:
    plan = compiled(documents).plan
    asked = boundary_packets(documents, 200)
    for name, limits in LIMITS.items():
        found = split(plan, limits)
        assert (name, [one for packet in asked for one in faults(plan, found, packet)]) == (name, [])


@settings(max_examples=MANY_CLUSTERS // 4)
@given(dense.plans(logs=True))
def test_the_same_decisions_where_everything_overlaps(plan: Plan) -> None:
    for name, limits in LIMITS.items():
        found = split(plan, limits)
        wrong = [one for packet in dense.packets(200) for one in faults(plan, found, packet)]
        assert (name, wrong) == (name, [])


CASES: Final = [
    # name, rules of one web pod, apps with so many pods, pairs, rules left
    ("a group", [from_app("db", 80, 81)], {"db": 3}, 6, 0),
    ("a group that is too large", [from_app("db", 80)], {"db": 65}, 0, 1),
    ("too many ports", [from_app("db", *range(1, 40))], {"db": 2}, 0, 1),
    ("a block", [from_blocks(["192.0.2.0/24"], 80)], {"db": 3}, 0, 1),
    ("a group and a block", [from_app("db", 80), from_blocks(["192.0.2.0/24"], 81)], {"db": 3}, 3, 1),
    ("every port", [{"from": [{"podSelector": {"matchLabels": {"app": "db"}}}]}], {"db": 3}, 0, 1),
]


@pytest.mark.parametrize(("name", "rules", "sizes", "pairs", "left"), CASES, ids=[case[0] for case in CASES])
def test_what_is_listed(
    name: str, rules: list[Document], sizes: dict[str, int], pairs: int, left: int
) -> None:
    found = split(plan_of(rules, sizes), LIMITS["all"])
    assert (name, len(found.pairs), sum(len(one.arms) for one in found.rest.classes)) == (name, pairs, left)


def test_classes_with_the_same_rest_are_one() -> None:
    """Pods that differ only in whom they listen to."""
    pods = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"p{number}", "labels": {"app": f"a{number}"}},
            "status": {"podIP": f"10.0.0.{number}"},
        }
        for number in range(1, 9)
    ]
    policies = [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": f"p{number}"},
            "spec": {
                "podSelector": {"matchLabels": {"app": f"a{number}"}},
                "ingress": [from_app(f"a{number - 1}", 80)],
            },
        }
        for number in range(2, 9)
    ]
    plan = compiled([*pods, *policies]).plan
    found = split(plan, LIMITS["all"])
    assert (len(plan.classes), len(found.rest.classes), len(found.pairs)) == (7, 1, 7)
    assert found.rest.classes[0].subjects == tuple(
        subject for one in plan.classes for subject in one.subjects
    )
