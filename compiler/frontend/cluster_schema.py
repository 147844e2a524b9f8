"""The cluster-wide policy objects as types: ClusterNetworkPolicy and its two forerunners.

The fields of policy.networking.k8s.io: ClusterNetworkPolicy is v1alpha2 and v1beta1, AdminNetworkPolicy and
BaselineAdminNetworkPolicy are v1alpha1 (kubernetes-sigs/network-policy-api, apis/). What is required, and
how much of it there may be, is `clusterpolicy`'s to say.
"""

from __future__ import annotations

from typing import Any

from npc.compiler.frontend.schema import Extensible, LabelSelector, PolicyMetadata, Strict


class NamespacedPods(Strict):
    """Pods by their own labels and those of their namespace."""

    namespace_selector: LabelSelector | None = None
    pod_selector: LabelSelector | None = None


class Subject(Strict):
    namespaces: LabelSelector | None = None
    pods: NamespacedPods | None = None


_IN_PEER = {
    "podSelector": "write pods: {namespaceSelector: ..., podSelector: ...}",
    "namespaceSelector": "write namespaces: ..., or pods: {namespaceSelector: ..., podSelector: ...}",
    "ipBlock": "",
}
_NUMBER, _RANGE = "number: 80", "range: {start: 80, end: 90}"
_IN_PORT_MATCH = {
    "port": f"write {_NUMBER}",
    **dict.fromkeys(("endPort", "start", "end"), f"write {_RANGE}"),
}
_IN_PROTOCOL_MATCH = {
    **dict.fromkeys(("port", "number"), f"write destinationPort: {{{_NUMBER}}}"),
    **dict.fromkeys(("endPort", "range"), f"write destinationPort: {{{_RANGE}}}"),
}
_TCP_PORT = f"tcp: {{destinationPort: {{{_NUMBER}}}}}"
_IN_PROTOCOL = {
    **dict.fromkeys(("protocol", "port", "portNumber", "destinationPort"), f"write {_TCP_PORT}"),
    **dict.fromkeys(("endPort", "portRange"), f"write tcp: {{destinationPort: {{{_RANGE}}}}}"),
    "namedPort": "write destinationNamedPort: NAME",
}
_ADMIN_PORT = "portNumber: {protocol: TCP, port: 80}"
_IN_ADMIN_PORT = {
    **dict.fromkeys(("protocol", "port", "tcp", "udp", "sctp"), f"write {_ADMIN_PORT}"),
    "endPort": "write portRange: {protocol: TCP, start: 80, end: 90}",
    "destinationNamedPort": "write namedPort: NAME",
}
_IN_RULE = {"ports": f"write protocols: [{{{_TCP_PORT}}}]"}
_IN_ADMIN_RULE = {"protocols": f"write ports: [{{{_ADMIN_PORT}}}]"}


class IngressPeer(Extensible):
    misplaced = _IN_PEER

    namespaces: LabelSelector | None = None
    pods: NamespacedPods | None = None
    nodes: Any = None
    """This and what follows is for egress alone; `clusterpolicy` says so."""
    networks: Any = None
    domain_names: Any = None


class EgressPeer(Extensible):
    misplaced = _IN_PEER

    namespaces: LabelSelector | None = None
    pods: NamespacedPods | None = None
    nodes: LabelSelector | None = None
    networks: list[str] | None = None
    domain_names: Any = None


class PortRange(Strict):
    start: int | None = None
    end: int | None = None


class PortMatch(Extensible):
    misplaced = _IN_PORT_MATCH

    number: int | None = None
    range: PortRange | None = None


class ProtocolMatch(Extensible):
    """What is asked of a TCP, UDP or SCTP packet."""

    misplaced = _IN_PROTOCOL_MATCH

    destination_port: PortMatch | None = None


class Protocol(Extensible):
    misplaced = _IN_PROTOCOL

    tcp: ProtocolMatch | None = None
    udp: ProtocolMatch | None = None
    sctp: ProtocolMatch | None = None
    destination_named_port: str | None = None


class IngressRule(Strict):
    misplaced = _IN_RULE

    name: str | None = None
    action: str | None = None
    from_: list[IngressPeer] | None = None
    protocols: list[Protocol] | None = None


class EgressRule(Strict):
    misplaced = _IN_RULE

    name: str | None = None
    action: str | None = None
    to: list[EgressPeer] | None = None
    protocols: list[Protocol] | None = None


class ClusterNetworkPolicySpec(Strict):
    tier: str | None = None
    priority: int | None = None
    subject: Subject | None = None
    ingress: list[IngressRule] | None = None
    egress: list[EgressRule] | None = None


class ClusterNetworkPolicy(Strict):
    """policy.networking.k8s.io/v1alpha2 and v1beta1 ClusterNetworkPolicy."""

    api_version: str
    kind: str
    metadata: PolicyMetadata | None = None
    spec: ClusterNetworkPolicySpec | None = None
    status: Any = None


class AdminPortNumber(Strict):
    protocol: str | None = None
    port: int | None = None


class AdminPortRange(Strict):
    protocol: str | None = None
    start: int | None = None
    end: int | None = None


class AdminPort(Extensible):
    misplaced = _IN_ADMIN_PORT

    port_number: AdminPortNumber | None = None
    port_range: AdminPortRange | None = None
    named_port: str | None = None


class AdminIngressRule(Strict):
    misplaced = _IN_ADMIN_RULE

    name: str | None = None
    action: str | None = None
    from_: list[IngressPeer] | None = None
    ports: list[AdminPort] | None = None


class AdminEgressRule(Strict):
    misplaced = _IN_ADMIN_RULE

    name: str | None = None
    action: str | None = None
    to: list[EgressPeer] | None = None
    ports: list[AdminPort] | None = None


class AdminNetworkPolicySpec(Strict):
    priority: int | None = None
    subject: Subject | None = None
    ingress: list[AdminIngressRule] | None = None
    egress: list[AdminEgressRule] | None = None


class AdminNetworkPolicy(Strict):
    """policy.networking.k8s.io/v1alpha1 AdminNetworkPolicy."""

    api_version: str
    kind: str
    metadata: PolicyMetadata | None = None
    spec: AdminNetworkPolicySpec | None = None
    status: Any = None


class BaselineAdminNetworkPolicySpec(Strict):
    subject: Subject | None = None
    ingress: list[AdminIngressRule] | None = None
    egress: list[AdminEgressRule] | None = None


class BaselineAdminNetworkPolicy(Strict):
    """policy.networking.k8s.io/v1alpha1 BaselineAdminNetworkPolicy."""

    api_version: str
    kind: str
    metadata: PolicyMetadata | None = None
    spec: BaselineAdminNetworkPolicySpec | None = None
    status: Any = None


ClusterPolicyObject = ClusterNetworkPolicy | AdminNetworkPolicy | BaselineAdminNetworkPolicy
ClusterPolicySpec = ClusterNetworkPolicySpec | AdminNetworkPolicySpec | BaselineAdminNetworkPolicySpec
