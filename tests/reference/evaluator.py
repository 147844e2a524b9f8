"""The reference evaluator: may this packet pass? Read off the semantics word by word, one packet at a time.

Takes Kubernetes manifests and a packet, gives yes or no. It shares no code and no idea with the compiler: no
sets, no classes, no ranges, only the written rules asked in turn. Ids such as P4 are those of the semantics
document. The manifests are taken to be valid for the API server. The only policies looked at are
NetworkPolicies.

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
from typing import Any, Final, Literal, Self, TypeAlias

from tests.reference.manifests import (
    Address,
    Document,
    flattened,
    namespaced_name,
    node_addresses,
    of_kind,
    pod_addresses,
)

Labels: TypeAlias = Mapping[str, str]
Direction: TypeAlias = Literal["Ingress", "Egress"]

NAMESPACE_NAME_LABEL: Final = "kubernetes.io/metadata.name"
PROTOCOL_NUMBERS: Final[Mapping[str, int]] = {"TCP": 6, "UDP": 17, "SCTP": 132}  # IANA protocol numbers
PEER_FIELDS: Final[Mapping[Direction, str]] = {"Ingress": "from", "Egress": "to"}


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
    policies: tuple[Document, ...]

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
            policies=tuple(of_kind("NetworkPolicy", documents)),
        )

    def endpoint_at(self, address: Address) -> Endpoint | None:
        """The endpoint that owns the address, if one does."""
        return next((endpoint for endpoint in self.endpoints if address in endpoint.addresses), None)

    def namespace_labels(self, name: str) -> Labels:
        """The labels of a namespace, listed or not, its name always among them (E4)."""
        return {**self.namespaces.get(name, {}), NAMESPACE_NAME_LABEL: name}


def allowed(cluster: Cluster, packet: Packet) -> bool:
    """Whether the packet may pass: both decisions allow it (P3), or a pod reaches itself (A2).

    An address that no endpoint owns has no say. Traffic between a pod and its own node is not set apart here:
    see `between_pod_and_its_node`.
    """
    if packet.source == packet.destination:  # A2
        return True
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
    """The subject's decision: yes where not isolated (P1), else whether some policy's rule matches (P2)."""
    isolating = [policy for policy in cluster.policies if isolates(policy, subject, direction)]
    if not isolating:
        return True
    return any(
        _rule_matches(cluster, policy, rule, direction, packet)
        for policy in isolating
        for rule in _spec(policy).get(direction.lower()) or ()
    )


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


def selects(selector: Mapping[str, Any] | None, labels: Labels | None) -> bool:
    """Whether a label selector selects a set of labels (P11).

    The empty selector selects all. As in Kubernetes, no selector at all (None) and an unknown operator select
    nothing; a policy's absent or null selector has a meaning of its own and does not get here.
    """
    if selector is None:
        return False
    present = labels or {}
    wanted = (selector.get("matchLabels") or {}).items()
    requirements = selector.get("matchExpressions") or ()
    return all(present.get(key) == value for key, value in wanted) and all(
        _requirement_holds(requirement, present) for requirement in requirements
    )


def _requirement_holds(expression: Mapping[str, Any], labels: Labels) -> bool:
    key = expression["key"]
    match expression["operator"]:
        case "In":
            return key in labels and labels[key] in expression["values"]
        case "NotIn":
            return key not in labels or labels[key] not in expression["values"]
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case _:
            return False


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
