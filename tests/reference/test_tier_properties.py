"""Laws that the tiers imply (C1 to C6), of the reference evaluator on random clusters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.evaluator import CLUSTER_POLICY_KINDS, Cluster, allowed, priority_of, tier_of
from tests.reference.manifests import Document
from tests.reference.test_properties import PACKETS, answers
from tests.strategies import boundary_packets, clusters

EVERYONE = {
    "ingress": [{"namespaces": {}}],
    "egress": [{"namespaces": {}}, {"networks": ["0.0.0.0/0", "::/0"]}],
}
DIRECTIONS = {"ingress": "from", "egress": "to"}


def cluster_policy(name: str, tier: str, priority: int, action: str) -> Document:
    """A policy for all pods, with one rule for all pods of a cluster, and in egress for everyone."""
    rules = {
        direction: [{"action": action, field: EVERYONE[direction]}] for direction, field in DIRECTIONS.items()
    }
    spec = {"tier": tier, "priority": priority, "subject": {"namespaces": {}}, **rules}
    return {"kind": "ClusterNetworkPolicy", "metadata": {"name": name}, "spec": spec}


def rewritten(
    documents: Sequence[Document], rewrite: Callable[[Document], Iterator[Document]]
) -> list[Document]:
    """The documents, with others in the place of each cluster policy."""
    return [
        one
        for document in documents
        for one in (rewrite(document) if document["kind"] in CLUSTER_POLICY_KINDS else (document,))
    ]


def with_spec(policy: Document, name: str, **changes: Any) -> Document:
    return policy | {"metadata": {"name": name}, "spec": policy["spec"] | changes}


@given(clusters())
def test_without_cluster_policies_tiers_are_not_there(documents: list[Document]) -> None:
    """C1: one whose rules all pass, asked last of its tier, changes nothing."""
    asked = boundary_packets(documents, PACKETS)
    added = [cluster_policy("zz", tier, 1001, "Pass") for tier in ("Admin", "Baseline")]
    assert answers([*documents, *added], asked) == answers(documents, asked)


@pytest.mark.parametrize("action", ["Accept", "Deny"])
@given(documents=clusters())
def test_who_comes_first_in_admin_decides(action: str, documents: list[Document]) -> None:
    """C2, C3: on all egress to anyone, and on all ingress from pods, for endpoints."""
    asked = boundary_packets(documents, PACKETS)
    cluster = Cluster.from_manifests(documents)
    found = answers([*documents, cluster_policy("a", "Admin", -1, action)], asked)
    for packet in asked:
        sender, receiver = map(cluster.endpoint_at, (packet.source, packet.destination))
        if sender is not None:  # its egress is decided, and the receiver's ingress from a pod as well
            assert found[packet] is (action == "Accept")
        elif receiver is not None:
            assert found[packet] is allowed(cluster, packet)


@given(clusters())
def test_one_policy_is_as_many_policies_of_one_rule(documents: list[Document]) -> None:
    """C2: rules in written order are policies of one priority in the order of their names."""

    def singles(policy: Document) -> Iterator[Document]:
        for direction, opposite in (("ingress", "egress"), ("egress", "ingress")):
            for index, rule in enumerate(policy["spec"].get(direction) or ()):
                name = f"{policy['metadata']['name']}-{index:02}-{direction}"
                yield with_spec(policy, name, **{direction: [rule], opposite: []})

    asked = boundary_packets(documents, PACKETS)
    assert answers(rewritten(documents, singles), asked) == answers(documents, asked)


@given(clusters())
def test_numbers_and_names_matter_by_their_order_alone(documents: list[Document]) -> None:
    """C2: policies numbered and named anew in the order in which they are asked."""
    policies = [document for document in documents if document["kind"] in CLUSTER_POLICY_KINDS]
    order = sorted(policies, key=lambda one: (tier_of(one), priority_of(one), one["metadata"]["name"]))

    def renamed(policy: Document) -> Iterator[Document]:
        place = order.index(policy)
        yield with_spec(policy, f"p{99 - place}", priority=place)

    asked = boundary_packets(documents, PACKETS)
    assert answers(rewritten(documents, renamed), asked) == answers(documents, asked)


def _as_cluster_network_policy(policy: Document) -> Iterator[Document]:
    """The older kinds, said in the words of the new one."""
    if policy["kind"] == "ClusterNetworkPolicy":
        yield policy
        return
    rules = {
        direction: [_translated(rule) for rule in policy["spec"].get(direction) or ()]
        for direction in DIRECTIONS
    }
    spec = policy["spec"] | {"tier": tier_of(policy), "priority": priority_of(policy)} | rules
    yield policy | {"kind": "ClusterNetworkPolicy", "spec": spec}


def _translated(rule: Document) -> Document:
    action = "Accept" if rule["action"] == "Allow" else rule["action"]
    protocols = [_protocol(port) for port in rule.get("ports") or ()]
    kept = {key: value for key, value in rule.items() if key != "ports"}
    return kept | {"action": action} | ({"protocols": protocols} if protocols else {})


def _protocol(port: Document) -> Document:
    match port:
        case {"namedPort": name}:
            return {"destinationNamedPort": name}
        case {"portNumber": {"port": number} as one}:
            return {(one.get("protocol") or "TCP").lower(): {"destinationPort": {"number": number}}}
        case {"portRange": {"start": start, "end": end} as one}:
            range_ = {"start": start, "end": end}
            return {(one.get("protocol") or "TCP").lower(): {"destinationPort": {"range": range_}}}
        case _:
            return {}


@given(clusters())
def test_older_kinds_are_new_ones_in_other_words(documents: list[Document]) -> None:
    asked = boundary_packets(documents, PACKETS)
    assert answers(rewritten(documents, _as_cluster_network_policy), asked) == answers(documents, asked)


@given(clusters(), st.sampled_from(("Ingress", "Egress")))
def test_network_policies_have_no_say_in_hairpins(documents: list[Document], direction: str) -> None:
    """C6."""
    cluster = Cluster.from_manifests(documents)
    asked = [one for one in boundary_packets(documents, PACKETS) if one.source == one.destination]
    closed = [
        {"kind": "NetworkPolicy", "metadata": {"namespace": one, "name": "closed"},
         "spec": {"policyTypes": [direction]}}
        for one in {endpoint.namespace for endpoint in cluster.endpoints}
    ]  # fmt: skip
    assert answers([*documents, *closed], asked) == answers(documents, asked)
