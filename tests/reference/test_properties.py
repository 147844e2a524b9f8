"""Laws that the semantics imply, of the reference evaluator on random clusters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.evaluator import Cluster, Packet, allowed, effective_policy_types
from tests.reference.manifests import Document, namespaced_name, of_kind
from tests.reference.selectors import selects
from tests.strategies import LABEL_VALUES, LABELS, boundary_packets, clusters, plain_clusters

PACKETS = 150
"""How many packets to ask about in each cluster."""

EVERY_ADDRESS = [{"ipBlock": {"cidr": "0.0.0.0/0"}}, {"ipBlock": {"cidr": "::/0"}}]


def answers(documents: Sequence[Document], asked: Sequence[Packet]) -> dict[Packet, bool]:
    cluster = Cluster.from_manifests(documents)
    return {packet: allowed(cluster, packet) for packet in asked}


def split(documents: Sequence[Document]) -> tuple[list[Document], list[Document]]:
    """The NetworkPolicies, and all else."""
    policies = list(of_kind("NetworkPolicy", documents))
    return policies, [document for document in documents if document not in policies]


def with_spec(policy: Document, **changes: Any) -> Document:
    return policy | {"spec": policy["spec"] | changes}


def network_policy(namespace: str, **spec: Any) -> Document:
    return {"kind": "NetworkPolicy", "metadata": {"namespace": namespace, "name": "added"}, "spec": spec}


def with_rules(policy: Document, rewritten: Sequence[Document], direction: str) -> Document:
    """The policy with other rules in one direction, and its policyTypes written out to stay as they were."""
    types = list(effective_policy_types(policy))
    return with_spec(policy, policyTypes=types, **{direction: list(rewritten)})


@given(clusters(), st.data())
def test_order_of_documents_does_not_matter(documents: list[Document], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(documents))
    asked = boundary_packets(documents, PACKETS)
    assert answers(shuffled, asked) == answers(documents, asked)


@given(clusters(), st.data())
def test_a_rule_added_to_a_policy_takes_nothing_away(documents: list[Document], data: st.DataObject) -> None:
    """P2, where the policy isolates already, so that its types are written out."""
    policies, rest = split(documents)
    asked = boundary_packets(documents, PACKETS)
    before = answers(documents, asked)
    for policy in policies:
        direction = data.draw(st.sampled_from(("ingress", "egress")))
        donor = data.draw(st.sampled_from(policies))
        rules = [*(policy["spec"].get(direction) or ()), *(donor["spec"].get(direction) or ())]
        others = [other for other in policies if other is not policy]
        after = answers([*rest, *others, with_rules(policy, rules, direction)], asked)
        assert [packet for packet in asked if before[packet] and not after[packet]] == []


@given(clusters())
def test_one_rule_is_as_many_rules_of_one_peer_and_port(documents: list[Document]) -> None:
    """P6: a rule matches where one of its peers and one of its ports do."""

    def singles(rule: Document, peer_field: str) -> list[Document]:
        return [
            {peer_field: [peer] if peer else [], "ports": [port] if port is not None else []}
            for peer in rule.get(peer_field) or [None]
            for port in rule.get("ports") or [None]
        ]

    policies, rest = split(documents)
    for direction, peer_field in (("ingress", "from"), ("egress", "to")):
        policies = [
            with_rules(
                policy,
                [
                    single
                    for rule in policy["spec"].get(direction) or ()
                    for single in singles(rule, peer_field)
                ],
                direction,
            )
            for policy in policies
        ]
    asked = boundary_packets(documents, PACKETS)
    assert answers([*rest, *policies], asked) == answers(documents, asked)


@given(clusters())
def test_one_policy_is_as_many_policies_of_one_direction_and_rule(documents: list[Document]) -> None:
    """P2, P4."""
    policies, rest = split(documents)
    singles = [
        with_spec(policy, policyTypes=[kind], **{"ingress": [], "egress": [], kind.lower(): rules})
        for policy in policies
        for kind in effective_policy_types(policy)
        for rules in ([], *([rule] for rule in policy["spec"].get(kind.lower()) or ()))
    ]
    asked = boundary_packets(documents, PACKETS)
    assert answers([*rest, *singles], asked) == answers(documents, asked)


@pytest.mark.parametrize(
    ("kind", "other_end"),
    [
        pytest.param("Egress", "source", id="egress only: arriving packets"),
        pytest.param("Ingress", "destination", id="ingress only: leaving packets"),
    ],
)
@given(documents=clusters())
def test_a_policy_of_one_direction_leaves_the_other_alone(
    kind: str, other_end: str, documents: list[Document]
) -> None:
    """P1, P4: packets whose other end lies outside the policy's namespace fare as before."""
    added = network_policy("default", policyTypes=[kind], ingress=[{}], egress=[{}])
    closed = network_policy("default", policyTypes=[kind])
    cluster = Cluster.from_manifests(documents)
    subjects = {a for e in cluster.endpoints if e.namespace == "default" for a in e.addresses}
    asked = [
        packet
        for packet in boundary_packets(documents, PACKETS)
        if getattr(packet, other_end) not in subjects
    ]
    before = answers(documents, asked)
    assert answers([*documents, added], asked) == before
    assert answers([*documents, closed], asked) == before


@given(plain_clusters())
def test_without_policies_everything_passes(documents: list[Document]) -> None:
    _, rest = split(documents)
    assert set(answers(rest, boundary_packets(documents, PACKETS)).values()) <= {True}


@given(plain_clusters())
def test_with_empty_policies_alone_only_foreign_packets_and_loops_pass(documents: list[Document]) -> None:
    """P1, P6, A2, E1: nothing else reaches or leaves an endpoint."""
    _, rest = split(documents)
    cluster = Cluster.from_manifests(rest)
    denials = [
        network_policy(namespace, policyTypes=["Ingress", "Egress"])
        for namespace in {endpoint.namespace for endpoint in cluster.endpoints}
    ]
    asked = boundary_packets(documents, PACKETS)
    assert answers([*rest, *denials], asked) == {
        packet: packet.source == packet.destination
        or (cluster.endpoint_at(packet.source) is None and cluster.endpoint_at(packet.destination) is None)
        for packet in asked
    }


@given(clusters())
def test_every_address_is_as_no_peers(documents: list[Document]) -> None:
    """P6, P8."""
    policies, rest = split(documents)
    for direction, peer_field in (("ingress", "from"), ("egress", "to")):
        policies = [
            with_rules(
                policy,
                [
                    rule if rule.get(peer_field) else rule | {peer_field: EVERY_ADDRESS}
                    for rule in policy["spec"].get(direction) or ()
                ],
                direction,
            )
            for policy in policies
        ]
    asked = boundary_packets(documents, PACKETS)
    assert answers([*rest, *policies], asked) == answers(documents, asked)


@given(clusters())
def test_pods_that_are_no_endpoints_might_as_well_not_exist(documents: list[Document]) -> None:
    """E1."""
    live = {(endpoint.namespace, endpoint.name) for endpoint in Cluster.from_manifests(documents).endpoints}
    kept = [
        document for document in documents if document["kind"] != "Pod" or namespaced_name(document) in live
    ]
    asked = boundary_packets(documents, PACKETS)
    assert answers(kept, asked) == answers(documents, asked)


@given(clusters(), st.integers(1, 65535), st.sampled_from((1, 47, 58)))
def test_traffic_without_ports_is_decided_without_them(
    documents: list[Document], port: int, protocol: int
) -> None:
    """P9: for ICMP and the like, the port that a packet is said to have means nothing."""
    ends = dict.fromkeys(
        (packet.source, packet.destination) for packet in boundary_packets(documents, PACKETS)
    )
    with_port = answers(documents, [Packet(*pair, protocol, port) for pair in ends])
    without = answers(documents, [Packet(*pair, protocol) for pair in ends])
    assert list(with_port.values()) == list(without.values())


@pytest.mark.parametrize(
    ("operator", "opposite"),
    [("In", "NotIn"), ("Exists", "DoesNotExist")],
)
@given(labels=LABELS, key=st.sampled_from(sorted(LABEL_VALUES)), data=st.data())
def test_operators_come_in_opposites(
    operator: str, opposite: str, labels: dict[str, str], key: str, data: st.DataObject
) -> None:
    """P11: of each two, exactly one holds."""
    values = data.draw(st.lists(st.sampled_from(LABEL_VALUES[key]), min_size=1, max_size=2))
    written = {"key": key} | ({"values": values} if operator == "In" else {})
    one, other = ({"matchExpressions": [written | {"operator": chosen}]} for chosen in (operator, opposite))
    assert selects(one, labels) is not selects(other, labels)
