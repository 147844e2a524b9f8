"""Random clusters are valid for an API server and reach every corner that they are for."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator

import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.reference.evaluator import (
    CLUSTER_POLICY_KINDS,
    Cluster,
    allowed,
    decision,
    isolates,
    priority_of,
    tier_of,
)
from tests.reference.manifests import Document, namespaced_name, of_kind, pod_addresses
from tests.reference.selectors import selects
from tests.strategies import boundary_packets, clusters, packets


def rules(documents: list[Document]) -> Iterator[Document]:
    for policy in of_kind("NetworkPolicy", documents):
        for direction in ("ingress", "egress"):
            yield from policy["spec"].get(direction) or ()


def peers(documents: list[Document]) -> Iterator[Document]:
    for rule in rules(documents):
        yield from [*(rule.get("from") or ()), *(rule.get("to") or ())]


def blocks(documents: list[Document]) -> Iterator[Document]:
    return (peer["ipBlock"] for peer in peers(documents) if peer.get("ipBlock"))


def ports(documents: list[Document]) -> Iterator[Document]:
    for rule in rules(documents):
        yield from rule.get("ports") or ()


def spec_values(documents: list[Document], field: str) -> list[object]:
    """What the policies write in a field of their spec; "absent" where they do not."""
    return [policy["spec"].get(field, "absent") for policy in of_kind("NetworkPolicy", documents)]


def excepts_overlap(documents: list[Document]) -> bool:
    networks = [
        [ipaddress.ip_network(cidr, strict=False) for cidr in block.get("except") or ()]
        for block in blocks(documents)
    ]
    return any(
        one.overlaps(other)
        for excluded in networks
        for index, one in enumerate(excluded)
        for other in excluded[index + 1 :]
        if one != other
    )


def has_host_bits(cidr: str) -> bool:
    return ipaddress.ip_interface(cidr) != ipaddress.ip_interface(ipaddress.ip_interface(cidr).network)


def named_ports(documents: list[Document], name: str) -> set[tuple[int, int]]:
    return {
        (port.protocol, port.number)
        for endpoint in Cluster.from_manifests(documents).endpoints
        for port in endpoint.ports
        if port.name == name
    }


def named_port_matters(documents: list[Document]) -> bool:
    """Some rule with a named port lets a packet pass that would not pass without the rule's ports."""
    if not any(isinstance(port.get("port"), str) for port in ports(documents)):
        return False
    nameless = [yaml.safe_load(yaml.safe_dump(document)) for document in documents]
    for port in ports(nameless):
        if isinstance(port.get("port"), str):
            port["port"] = "nobodys"
    asked = boundary_packets(documents, 300)
    before, after = Cluster.from_manifests(documents), Cluster.from_manifests(nameless)
    return any(allowed(before, packet) != allowed(after, packet) for packet in asked)


def partly_allowed(documents: list[Document]) -> bool:
    """Some endpoint is isolated and yet may receive something."""
    cluster = Cluster.from_manifests(documents)
    asked = boundary_packets(documents, 300)
    return any(
        len({decision(cluster, subject, "Ingress", p) for p in asked if p.destination in subject.addresses})
        == 2
        for subject in cluster.endpoints
        if any(isolates(policy, subject, "Ingress") for policy in cluster.policies)
    )


def dead_pod_shares_address(documents: list[Document]) -> bool:
    live = {address for e in Cluster.from_manifests(documents).endpoints for address in e.addresses}
    return any(
        pod["status"]["phase"] in ("Succeeded", "Failed") and live.intersection(pod_addresses(pod))
        for pod in of_kind("Pod", documents)
    )


def namespace_not_listed(documents: list[Document]) -> bool:
    listed = {namespace["metadata"]["name"] for namespace in of_kind("Namespace", documents)}
    return any(namespaced_name(pod)[0] not in listed for pod in of_kind("Pod", documents))


def cluster_policies(documents: list[Document]) -> list[Document]:
    return [policy for kind in CLUSTER_POLICY_KINDS for policy in of_kind(kind, documents)]


def cluster_rules(documents: list[Document]) -> Iterator[Document]:
    for policy in cluster_policies(documents):
        yield from policy["spec"].get("ingress") or ()
        yield from policy["spec"].get("egress") or ()


def cluster_peers(documents: list[Document]) -> Iterator[Document]:
    return (peer for rule in cluster_rules(documents) for peer in (rule.get("from") or rule["to"]))


def equal_priorities(documents: list[Document]) -> bool:
    places = [(tier_of(policy), priority_of(policy)) for policy in cluster_policies(documents)]
    return len(places) > len(set(places))


def without(documents: list[Document], unwanted: Callable[[Document], bool]) -> list[Document]:
    """The documents without the cluster policies' rules that are unwanted."""
    return [
        document | {"spec": document["spec"] | {
            direction: [rule for rule in document["spec"].get(direction) or () if not unwanted(rule)]
            for direction in ("ingress", "egress")
        }}
        if document["kind"] in CLUSTER_POLICY_KINDS
        else document
        for document in documents
    ]  # fmt: skip


def changes(documents: list[Document], unwanted: Callable[[Document], bool]) -> set[bool]:
    """What the packets that some rules of cluster policies decide come to: whether they pass."""
    if not any(map(unwanted, cluster_rules(documents))):
        return set()
    before, after = (Cluster.from_manifests(one) for one in (documents, without(documents, unwanted)))
    asked = boundary_packets(documents, 300)
    return {allowed(before, one) for one in asked if allowed(before, one) != allowed(after, one)}


def cuts_pods(documents: list[Document]) -> bool:
    """Some network of a cluster policy has a pod in it, and another pod of that family outside."""
    addresses = [a for e in Cluster.from_manifests(documents).endpoints for a in e.addresses]
    networks = [
        ipaddress.ip_network(cidr, strict=False)
        for peer in cluster_peers(documents)
        for cidr in peer.get("networks") or ()
    ]
    return any(
        len({address in network for address in addresses if address.version == network.version}) == 2
        for network in networks
    )


def means_a_node(documents: list[Document]) -> bool:
    labels = Cluster.from_manifests(documents).node_labels.values()
    selectors = [peer["nodes"] for peer in cluster_peers(documents) if peer.get("nodes") is not None]
    return any(selects(selector, one) for selector in selectors for one in labels)


def hairpins(documents: list[Document]) -> set[bool]:
    """Whether packets from an address to itself pass."""
    cluster = Cluster.from_manifests(documents)
    asked = boundary_packets(documents, 300)
    return {allowed(cluster, packet) for packet in asked if packet.source == packet.destination}


def names_a_port(rule: Document) -> bool:
    return "NamedPort" in str(rule.get("protocols")) or "namedPort" in str(rule.get("ports"))


def is_unknown(rule: Document) -> bool:
    peers = rule.get("from") or rule["to"]
    return {} in peers or {"namespaces": None} in peers or {} in (rule.get("protocols") or ())


CORNERS: list[tuple[str, Callable[[list[Document]], bool]]] = [
    ("no policy", lambda d: not list(of_kind("NetworkPolicy", d))),
    ("five policies", lambda d: len(list(of_kind("NetworkPolicy", d))) == 5),
    ("six pods", lambda d: len(list(of_kind("Pod", d))) == 6),
    ("dual stack", lambda d: any(len(e.addresses) == 2 for e in Cluster.from_manifests(d).endpoints)),
    ("host network", lambda d: any(pod["spec"].get("hostNetwork") for pod in of_kind("Pod", d))),
    ("no address", lambda d: any(not pod_addresses(pod) for pod in of_kind("Pod", d))),
    ("dead pod with a live one's address", dead_pod_shares_address),
    ("pod of an unlisted namespace", namespace_not_listed),
    ("sidecar", lambda d: "'restartPolicy': 'Always'" in str(d)),
    ("one name, two ports", lambda d: len(named_ports(d, "web")) > 1),
    ("policy without namespace",
     lambda d: any("namespace" not in policy["metadata"] for policy in of_kind("NetworkPolicy", d))),
    ("podSelector absent", lambda d: "absent" in spec_values(d, "podSelector")),
    ("podSelector null", lambda d: None in spec_values(d, "podSelector")),
    ("podSelector empty", lambda d: {} in spec_values(d, "podSelector")),
    ("policyTypes absent", lambda d: "absent" in spec_values(d, "policyTypes")),
    ("policyTypes null", lambda d: None in spec_values(d, "policyTypes")),
    ("policyTypes empty", lambda d: [] in spec_values(d, "policyTypes")),
    ("policyTypes Ingress", lambda d: ["Ingress"] in spec_values(d, "policyTypes")),
    ("policyTypes Egress", lambda d: ["Egress"] in spec_values(d, "policyTypes")),
    ("policyTypes both", lambda d: ["Ingress", "Egress"] in spec_values(d, "policyTypes")),
    ("ingress absent", lambda d: "absent" in spec_values(d, "ingress")),
    ("ingress null", lambda d: None in spec_values(d, "ingress")),
    ("ingress empty", lambda d: [] in spec_values(d, "ingress")),
    ("ingress of one empty rule", lambda d: [{}] in spec_values(d, "ingress")),
    ("egress of one empty rule", lambda d: [{}] in spec_values(d, "egress")),
    ("from null", lambda d: any(rule.get("from", "absent") is None for rule in rules(d))),
    ("to empty", lambda d: any(rule.get("to") == [] for rule in rules(d))),
    ("ports null", lambda d: any(rule.get("ports", "absent") is None for rule in rules(d))),
    ("ports empty", lambda d: any(rule.get("ports") == [] for rule in rules(d))),
    ("peer podSelector", lambda d: any(set(peer) == {"podSelector"} for peer in peers(d))),
    ("peer namespaceSelector", lambda d: any(set(peer) == {"namespaceSelector"} for peer in peers(d))),
    ("peer of both", lambda d: any(set(peer) == {"podSelector", "namespaceSelector"} for peer in peers(d))),
    ("peer with null fields", lambda d: any(None in peer.values() for peer in peers(d))),
    ("block of everything", lambda d: any(block["cidr"].endswith("/0") for block in blocks(d))),
    ("IPv6 block", lambda d: any(":" in block["cidr"] for block in blocks(d))),
    ("host bits", lambda d: any(has_host_bits(block["cidr"]) for block in blocks(d))),
    ("overlapping excepts", excepts_overlap),
    ("empty port", lambda d: {} in ports(d)),
    ("protocol alone", lambda d: {"protocol": "SCTP"} in ports(d)),
    ("port range", lambda d: any("endPort" in port for port in ports(d))),
    ("named port that matters", named_port_matters),
    ("partly allowed", partly_allowed),
    ("no cluster policy", lambda d: not cluster_policies(d)),
    ("four cluster policies", lambda d: len(cluster_policies(d)) == 4),
    ("both tiers", lambda d: {tier_of(policy) for policy in cluster_policies(d)} == {"Admin", "Baseline"}),
    ("equal priorities", equal_priorities),
    ("cluster policies open", lambda d: True in changes(d, lambda _: True)),
    ("cluster policies close", lambda d: False in changes(d, lambda _: True)),
    ("pass that opens", lambda d: True in changes(d, lambda rule: rule["action"] == "Pass")),
    ("pass that closes", lambda d: False in changes(d, lambda rule: rule["action"] == "Pass")),
    ("networks cut pods", cuts_pods),
    ("nodes as peers", means_a_node),
    ("a named port of any protocol that matters", lambda d: bool(changes(d, names_a_port))),
    ("a hairpin denied", lambda d: False in hairpins(d)),
    ("a hairpin partly denied", lambda d: len(hairpins(d)) == 2),
    ("what fails closed matters", lambda d: bool(changes(d, is_unknown))),
    *(
        (kind, lambda d, kind=kind: bool(list(of_kind(kind, d)))) for kind in CLUSTER_POLICY_KINDS
    ),
    *(
        (operator, lambda d, operator=operator: f"'operator': '{operator}'" in str(list(peers(d))))
        for operator in ("In", "NotIn", "Exists", "DoesNotExist")
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def sample() -> list[list[Document]]:
    """Three hundred clusters, the same every time."""
    drawn: list[list[Document]] = []

    @settings(max_examples=300, phases=[Phase.generate], derandomize=True, database=None)
    @given(clusters())
    def collect(documents: list[Document]) -> None:
        drawn.append(documents)

    collect()
    return drawn


@pytest.mark.parametrize("corner", [row[1] for row in CORNERS], ids=[row[0] for row in CORNERS])
def test_clusters_reach(corner: Callable[[list[Document]], bool], sample: list[list[Document]]) -> None:
    assert any(corner(documents) for documents in sample)


@given(clusters())
def test_clusters_are_valid(documents: list[Document]) -> None:
    Cluster.from_manifests(documents)  # no two live pods with one address
    for block in blocks(documents):
        cidr = ipaddress.ip_network(block["cidr"], strict=False)
        for text in block.get("except") or ():
            excluded = ipaddress.ip_network(text, strict=False)
            assert excluded.prefixlen > cidr.prefixlen
            assert excluded.network_address in cidr
    for port in ports(documents):
        if "endPort" in port:
            assert 1 <= port["port"] <= port["endPort"] <= 65535
    for rule in cluster_rules(documents):
        nameless = any({"networks", "nodes"} & peer.keys() for peer in rule.get("to") or ())
        assert not (nameless and names_a_port(rule))
    for peer in cluster_peers(documents):
        cidrs = peer.get("networks") or ()
        assert len(cidrs) == len(set(cidrs))
    for kind in ("Pod", "NetworkPolicy", "Namespace", "Node", *CLUSTER_POLICY_KINDS):
        names = [namespaced_name(document) for document in of_kind(kind, documents)]
        assert len(names) == len(set(names))
    for pod in of_kind("Pod", documents):
        for container in pod["spec"]["containers"]:
            names_in_container = [port["name"] for port in container["ports"] if "name" in port]
            assert len(names_in_container) == len(set(names_in_container))


@given(clusters())
def test_clusters_survive_yaml(documents: list[Document]) -> None:
    text = yaml.safe_dump_all(documents)
    assert list(yaml.safe_load_all(text)) == documents
    assert "&id" not in text


@given(clusters(), st.data())
def test_packets_have_ends_of_one_family(documents: list[Document], data: st.DataObject) -> None:
    packet = data.draw(packets(documents))
    assert packet.source.version == packet.destination.version


@given(clusters())
def test_boundary_packets(documents: list[Document]) -> None:
    asked = boundary_packets(documents, 200)
    assert asked == boundary_packets(documents, 200)
    assert len(asked) == len(set(asked)) <= 200
    owned = {address for pod in of_kind("Pod", documents) for address in pod_addresses(pod)}
    assert all(packet.source in owned or packet.destination in owned for packet in asked)
    assert {packet.source.version == packet.destination.version for packet in asked} <= {True}
