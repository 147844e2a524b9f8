"""The compiler against the reference evaluator: random clusters, random packets and those at every edge."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from npc.compiler.frontend.syntax import Direction
from npc.compiler.plan import Plan
from tests.compiler.compiling import MANY_CLUSTERS, compiled, on_line, passes
from tests.reference.evaluator import Cluster, Packet, allowed
from tests.reference.manifests import Document
from tests.strategies import boundary_packets, clusters, packets

PACKETS = 400
"""How many packets at most to ask about in each cluster."""


def disagreements(documents: list[Document], asked: Iterable[Packet]) -> list[tuple[Packet, str]]:
    """The packets that the plan and the reference decide differently."""
    plan, cluster = compiled(documents).plan, Cluster.from_manifests(documents)
    return [
        (packet, f"the reference says {expected}")
        for packet in asked
        if passes(plan, packet) is not (expected := allowed(cluster, packet))
    ]


@settings(max_examples=MANY_CLUSTERS)
@given(clusters())
def test_boundary_packets(documents: list[Document]) -> None:
    assert disagreements(documents, boundary_packets(documents, PACKETS)) == []


@given(clusters(), st.data())
def test_random_packets(documents: list[Document], data: st.DataObject) -> None:
    asked = data.draw(st.lists(packets(documents), min_size=1, max_size=20))
    assert disagreements(documents, asked) == []


def subjects(plan: Plan, direction: Direction) -> dict[str, str]:
    """The subjects of a direction, with the decision on each."""
    return {
        str(subject): one.key
        for one in plan.classes
        if one.direction is direction
        for subject in one.subjects
    }


@given(clusters())
def test_the_plans_of_the_nodes_are_the_whole_plan_cut_up(documents: list[Document]) -> None:
    """A node's plan decides on its own endpoints as the whole plan does, and on no others."""
    whole = compiled(documents).plan
    endpoints = Cluster.from_manifests(documents).endpoints
    nodes = sorted({endpoint.node for endpoint in endpoints if endpoint.node})
    for node in nodes:
        plan = compiled(documents, node=node).plan
        own = {f"{one.namespace}/{one.name}" for one in endpoints if one.node == node}
        for direction in Direction:
            assert subjects(plan, direction) == {
                name: key for name, key in subjects(whole, direction).items() if name in own
            }
        assert {one.key: one.decision for one in plan.classes}.items() <= {
            one.key: one.decision for one in whole.classes
        }.items()


@given(clusters())
def test_a_plan_knows_the_addresses_of_the_nodes_that_its_subjects_run_on(documents: list[Document]) -> None:
    """A3; those of the nodes that the inventory lists."""
    plan, cluster = compiled(documents).plan, Cluster.from_manifests(documents)
    used = {subject.node for one in plan.classes for subject in one.subjects}
    assert plan.node_addresses == {
        node: tuple(sorted(map(on_line, addresses)))
        for node, addresses in cluster.nodes.items()
        if node in used
    }


@given(clusters())
def test_packets_pass_when_the_plans_of_both_nodes_let_them(documents: list[Document]) -> None:
    """P3 across nodes: egress is decided on the source's node, ingress on the destination's."""
    whole, cluster = compiled(documents).plan, Cluster.from_manifests(documents)
    nodes = sorted({endpoint.node for endpoint in cluster.endpoints if endpoint.node})
    plans = {node: compiled(documents, node=node).plan for node in nodes}
    for packet in boundary_packets(documents, PACKETS // 4):
        ends = [cluster.endpoint_at(address) for address in (packet.source, packet.destination)]
        if any(end is not None and not end.node for end in ends):
            continue  # what is scheduled nowhere, no node's plan decides on
        on_the_way = {end.node for end in ends if end is not None}
        assert passes(whole, packet) is all(passes(plans[node], packet) for node in on_the_way if node), (
            packet
        )
