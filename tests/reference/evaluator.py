"""The reference evaluator: may this packet pass? Read off the semantics word by word, one packet at a time.

Takes Kubernetes manifests and a packet, gives yes or no. It shares no code and no idea with the compiler: no
sets, no classes, no ranges, only the written rules asked in turn. Ids such as P4 are those of the semantics
document. The manifests are taken to be valid for the API server.

>>> from ipaddress import ip_address
>>> pod = {"kind": "Pod", "metadata": {"name": "db"}, "status": {"podIP": "10.0.0.1"}}
>>> deny = {"kind": "NetworkPolicy", "metadata": {"name": "deny"}, "spec": {"podSelector": {}}}
>>> packet = Packet(ip_address("10.0.0.9"), ip_address("10.0.0.1"), PROTOCOL_NUMBERS["TCP"], 5432)
>>> allowed(Cluster.from_manifests([pod]), packet), allowed(Cluster.from_manifests([pod, deny]), packet)
(True, False)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Final, Literal, Self, TypeAlias

from tests.reference.manifests import (
    Address,
    Document,
    flattened,
    namespaced_name,
    node_addresses,
    of_kind,
    pod_addresses,
)
from tests.reference.selectors import Labels, selects

Direction: TypeAlias = Literal["Ingress", "Egress"]
Tier: TypeAlias = Literal["Admin", "Baseline"]

NAMESPACE_NAME_LABEL: Final = "kubernetes.io/metadata.name"
PROTOCOL_NUMBERS: Final[Mapping[str, int]] = {"TCP": 6, "UDP": 17, "SCTP": 132}  # IANA protocol numbers
PEER_FIELDS: Final[Mapping[Direction, str]] = {"Ingress": "from", "Egress": "to"}
CLUSTER_POLICY_KINDS: Final = ("ClusterNetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy")
KNOWN_PEERS: Final[Mapping[Direction, tuple[str, ...]]] = {
    "Ingress": ("namespaces", "pods"),
    "Egress": ("namespaces", "pods", "nodes", "networks"),
}


@dataclass(frozen=True, slots=True)
class Packet:
    """The first packet of a connection; both addresses are of one family.

    `protocol` is an IP protocol number. `port` is the destination port, and means nothing to a protocol
    without ports.
    """

    source: Address
    destination: Address
    protocol: int
    port: int = 0


@dataclass(frozen=True, slots=True)
class ContainerPort:
    """A named port of a container."""

    name: str
    protocol: int
    number: int


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A pod that policies speak of: alive, with its own addresses."""

    namespace: str
    name: str
    labels: Labels
    addresses: tuple[Address, ...]
    ports: tuple[ContainerPort, ...]
    node: str | None


@dataclass(frozen=True, slots=True)
class Cluster:
    """What the manifests say exists."""

    namespaces: Mapping[str, Labels]
    endpoints: tuple[Endpoint, ...]
    nodes: Mapping[str, tuple[Address, ...]]
    node_labels: Mapping[str, Labels]
    policies: tuple[Document, ...]
    cluster_policies: tuple[Document, ...]
    """Of every kind and tier, as they were written."""

    @classmethod
    def from_manifests(cls, objects: Iterable[Document]) -> Self:
        """The cluster of these manifests; ValueError where two live pods have one address (E2)."""
        documents = list(flattened(objects))
        endpoints = tuple(_endpoint(pod) for pod in of_kind("Pod", documents) if _is_endpoint(pod))
        _reject_shared_addresses(endpoints)
        return cls(
            namespaces={
                namespace["metadata"]["name"]: namespace["metadata"].get("labels") or {}
                for namespace in of_kind("Namespace", documents)
            },
            endpoints=endpoints,
            nodes={node["metadata"]["name"]: node_addresses(node) for node in of_kind("Node", documents)},
            node_labels={
                node["metadata"]["name"]: node["metadata"].get("labels") or {}
                for node in of_kind("Node", documents)
            },
            policies=tuple(of_kind("NetworkPolicy", documents)),
            cluster_policies=tuple(
                policy for kind in CLUSTER_POLICY_KINDS for policy in of_kind(kind, documents)
            ),
        )

    def endpoint_at(self, address: Address) -> Endpoint | None:
        """The endpoint that owns the address, if one does."""
        return next((endpoint for endpoint in self.endpoints if address in endpoint.addresses), None)

    def namespace_labels(self, name: str) -> Labels:
        """The labels of a namespace, listed or not, its name always among them (E4)."""
        return {**self.namespaces.get(name, {}), NAMESPACE_NAME_LABEL: name}


def allowed(cluster: Cluster, packet: Packet) -> bool:
    """Whether the packet may pass: both decisions allow it (P3).

    An address that no endpoint owns has no say. Traffic between a pod and its own node is not set apart here:
    see `between_pod_and_its_node`. A packet from an address to itself is one that comes back through a
    Service (C6): what a pod sends straight to itself never leaves it.
    """
    sender = cluster.endpoint_at(packet.source)
    receiver = cluster.endpoint_at(packet.destination)
    return (sender is None or decision(cluster, sender, "Egress", packet)) and (
        receiver is None or decision(cluster, receiver, "Ingress", packet)
    )


def between_pod_and_its_node(cluster: Cluster, packet: Packet) -> bool:
    """Whether the packet runs between a pod and the node it is on, which passes by default (A3)."""

    def on_node(pod: Endpoint | None, other: Address) -> bool:
        return pod is not None and pod.node is not None and other in cluster.nodes.get(pod.node, ())

    sender = cluster.endpoint_at(packet.source)
    receiver = cluster.endpoint_at(packet.destination)
    return on_node(sender, packet.destination) or on_node(receiver, packet.source)


def decision(cluster: Cluster, subject: Endpoint, direction: Direction, packet: Packet) -> bool:
    """The subject's decision: that of the first tier which has one, and yes where none has (C1).

    A hairpin goes past the NetworkPolicies, whatever they say (A2, C6).
    """
    admin = cluster_decision(cluster, "Admin", subject, direction, packet)
    if admin is not None:
        return admin
    if packet.source != packet.destination:
        isolating = [policy for policy in cluster.policies if isolates(policy, subject, direction)]
        if isolating:  # P1, C3
            return any(
                _rule_matches(cluster, policy, rule, direction, packet)
                for policy in isolating
                for rule in _spec(policy).get(direction.lower()) or ()
            )
    baseline = cluster_decision(cluster, "Baseline", subject, direction, packet)
    return True if baseline is None else baseline


def isolates(policy: Document, subject: Endpoint, direction: Direction) -> bool:
    """Whether the policy selects the subject in its namespace (P1, P5) and is of the direction's type."""
    namespace, _ = namespaced_name(policy)
    return (
        namespace == subject.namespace
        and selects(_spec(policy).get("podSelector") or {}, subject.labels)
        and direction in effective_policy_types(policy)
    )


def effective_policy_types(policy: Document) -> tuple[Direction, ...]:
    """policyTypes as given; where absent or empty, Ingress, and with any egress rule Egress too (P4)."""
    given: list[Direction] = _spec(policy).get("policyTypes") or []
    if given:
        return tuple(given)
    return ("Ingress", "Egress") if _spec(policy).get("egress") else ("Ingress",)


def _rule_matches(
    cluster: Cluster, policy: Document, rule: Document, direction: Direction, packet: Packet
) -> bool:
    """One of the rule's peers and one of its ports match; an absent or empty list matches everything (P6)."""
    peers = rule.get(PEER_FIELDS[direction])
    ports = rule.get("ports")
    remote = packet.source if direction == "Ingress" else packet.destination
    return (not peers or any(_peer_matches(cluster, policy, peer, remote) for peer in peers)) and (
        not ports or any(_port_matches(cluster, port, packet) for port in ports)
    )


def _peer_matches(cluster: Cluster, policy: Document, peer: Document, remote: Address) -> bool:
    """Whether the peer covers the address at the other end (P7); a null field is as if absent (P11)."""
    block = peer.get("ipBlock")
    if block is not None:
        return _block_contains(block, remote)
    endpoint = cluster.endpoint_at(remote)
    if endpoint is None:
        return False
    namespace_selector = peer.get("namespaceSelector")
    pod_selector = peer.get("podSelector")
    if namespace_selector is None:
        namespace, _ = namespaced_name(policy)
        return endpoint.namespace == namespace and selects(pod_selector, endpoint.labels)
    return selects(namespace_selector, cluster.namespace_labels(endpoint.namespace)) and (
        pod_selector is None or selects(pod_selector, endpoint.labels)
    )


def _block_contains(block: Document, address: Address) -> bool:
    """The cidr less its excepts; host bits are masked, and pods' addresses count like any other (P8)."""
    return address in ip_network(block["cidr"], strict=False) and not any(
        address in ip_network(excluded, strict=False) for excluded in block.get("except") or ()
    )


def _port_matches(cluster: Cluster, port: Document, packet: Packet) -> bool:
    """Whether a rule's port covers the packet's protocol and port (P9, P10)."""
    if packet.protocol != PROTOCOL_NUMBERS[port.get("protocol") or "TCP"]:
        return False
    match port.get("port"):
        case None:
            return True
        case int(first):
            return first <= packet.port <= (port.get("endPort") or first)
        case name:  # P10: in either direction the name is looked up where the packet goes
            receiver = cluster.endpoint_at(packet.destination)
            wanted = ContainerPort(name, packet.protocol, packet.port)
            return receiver is not None and wanted in receiver.ports


def cluster_decision(
    cluster: Cluster, tier: Tier, subject: Endpoint, direction: Direction, packet: Packet
) -> bool | None:
    """What the first matching rule of a tier says (C2); None where it says Pass, or none matches."""
    policies = [policy for policy in cluster.cluster_policies if tier_of(policy) == tier]
    for policy in sorted(policies, key=lambda one: (priority_of(one), one["metadata"]["name"])):
        if not _in_pods(cluster, _spec(policy)["subject"], subject):
            continue
        for rule in _spec(policy).get(direction.lower()) or ():
            accepts = rule["action"] in ("Accept", "Allow")
            if _fails_closed(rule, direction):  # C5
                if not accepts:
                    return False
            elif _cluster_rule_matches(cluster, rule, direction, packet):
                return None if rule["action"] == "Pass" else accepts
    return None


def tier_of(policy: Document) -> Tier:
    """The tier of a cluster policy, which the older kinds say by their names."""
    match policy["kind"]:
        case "AdminNetworkPolicy":
            return "Admin"
        case "BaselineAdminNetworkPolicy":
            return "Baseline"
        case _:
            tier: Tier = _spec(policy)["tier"]
            return tier


def priority_of(policy: Document) -> int:
    """Where a cluster policy stands in its tier; the only BaselineAdminNetworkPolicy stands first."""
    priority: int = _spec(policy).get("priority") or 0
    return priority


def _fails_closed(rule: Document, direction: Direction) -> bool:
    """Whether a peer or protocol of the rule has no known field set (C5)."""
    peers = rule[PEER_FIELDS[direction]]
    return any(_none_set(peer, KNOWN_PEERS[direction]) for peer in peers) or any(
        _none_set(port, ("destinationNamedPort", "portNumber", "portRange", "namedPort"))
        and all(
            _none_set((port.get(protocol) or {}).get("destinationPort") or {}, ("number", "range"))
            for protocol in ("tcp", "udp", "sctp")
        )
        for port in _cluster_ports(rule)
    )


def _none_set(written: Document, fields: Iterable[str]) -> bool:
    return all(written.get(field) is None for field in fields)


def _cluster_ports(rule: Document) -> list[Document]:
    """What the rule says of protocols and ports, by either name of the field; empty: nothing."""
    ports: list[Document] = rule.get("protocols") or rule.get("ports") or []
    return ports


def _cluster_rule_matches(cluster: Cluster, rule: Document, direction: Direction, packet: Packet) -> bool:
    """One of the rule's peers and, where it has any, one of its ports match."""
    ports = _cluster_ports(rule)
    remote = packet.source if direction == "Ingress" else packet.destination
    return any(_cluster_peer_matches(cluster, peer, remote) for peer in rule[PEER_FIELDS[direction]]) and (
        not ports or any(_cluster_port_matches(cluster, port, packet) for port in ports)
    )


def _cluster_peer_matches(cluster: Cluster, peer: Document, remote: Address) -> bool:
    """Whether the peer covers the address at the other end (C4)."""
    if peer.get("networks") is not None:
        return any(remote in ip_network(cidr, strict=False) for cidr in peer["networks"])
    if peer.get("nodes") is not None:
        return any(
            remote in addresses and selects(peer["nodes"], cluster.node_labels[node])
            for node, addresses in cluster.nodes.items()
        )
    endpoint = cluster.endpoint_at(remote)
    return endpoint is not None and _in_pods(cluster, peer, endpoint)


def _in_pods(cluster: Cluster, selection: Document, endpoint: Endpoint) -> bool:
    """Whether `namespaces` or `pods`, of a subject or a peer, selects the endpoint."""
    labels = cluster.namespace_labels(endpoint.namespace)
    if selection.get("namespaces") is not None:
        return selects(selection["namespaces"], labels)
    pods = selection["pods"]
    return selects(pods.get("namespaceSelector") or {}, labels) and selects(
        pods["podSelector"], endpoint.labels
    )


def _cluster_port_matches(cluster: Cluster, port: Document, packet: Packet) -> bool:
    """Whether an entry of `protocols` or `ports` covers the packet's protocol and port."""
    name = port.get("destinationNamedPort") or port.get("namedPort")
    if name is not None:  # of whichever protocol the destination gives the name
        receiver = cluster.endpoint_at(packet.destination)
        return receiver is not None and ContainerPort(name, packet.protocol, packet.port) in receiver.ports
    protocol, first, last = _port_range(port)
    return packet.protocol == PROTOCOL_NUMBERS[protocol] and first <= packet.port <= last


def _port_range(port: Document) -> tuple[str, int, int]:
    """Protocol, first and last port of an entry that names none."""
    for written in (port.get("portNumber"), port.get("portRange")):
        if written is not None:
            first, last = written.get("start", written.get("port")), written.get("end", written.get("port"))
            return written.get("protocol") or "TCP", first, last
    protocol = next(one for one in ("tcp", "udp", "sctp") if port.get(one) is not None)
    match port[protocol]["destinationPort"]:
        case {"number": int(number)}:
            return protocol.upper(), number, number
        case {"range": {"start": int(first), "end": int(last)}}:
            return protocol.upper(), first, last
        case unknown:
            raise ValueError(f"not a port: {unknown}")


def _spec(policy: Document) -> Document:
    spec: Document = policy.get("spec") or {}
    return spec


def _is_endpoint(pod: Document) -> bool:
    """E1: host-network pods, pods that have ended and pods without an address are left out."""
    ended = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
    host_network = (pod.get("spec") or {}).get("hostNetwork") or False
    return not ended and not host_network and pod_addresses(pod) != ()


def _endpoint(pod: Document) -> Endpoint:
    namespace, name = namespaced_name(pod)
    spec = pod.get("spec") or {}
    return Endpoint(
        namespace=namespace,
        name=name,
        labels=pod["metadata"].get("labels") or {},
        addresses=pod_addresses(pod),
        ports=tuple(_named_ports(spec)),
        node=spec.get("nodeName"),
    )


def _named_ports(pod_spec: Document) -> Iterable[ContainerPort]:
    """Those of the regular containers and of the restartable init containers (P10)."""
    restartable = [
        container
        for container in pod_spec.get("initContainers") or ()
        if container.get("restartPolicy") == "Always"
    ]
    for container in [*(pod_spec.get("containers") or ()), *restartable]:
        for port in container.get("ports") or ():
            if port.get("name"):
                protocol = PROTOCOL_NUMBERS[port.get("protocol") or "TCP"]
                yield ContainerPort(port["name"], protocol, port["containerPort"])


def _reject_shared_addresses(endpoints: Iterable[Endpoint]) -> None:
    owners: dict[Address, Endpoint] = {}
    for endpoint in endpoints:
        for address in endpoint.addresses:
            other = owners.setdefault(address, endpoint)
            if other is not endpoint:
                names = f"{other.namespace}/{other.name} and {endpoint.namespace}/{endpoint.name}"
                raise ValueError(f"{names} both have the address {address}")
