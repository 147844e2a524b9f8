"""Kubernetes' policy objects as trees of the policy language.

Takes valid objects of the schema, gives blocks that say the same, down to the spelling: `to_kubernetes`
makes the same objects of them again, after the API server's defaulting. AdminNetworkPolicy and
BaselineAdminNetworkPolicy become cluster policies of the kind that followed them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from npc.compiler.frontend import schema
from npc.compiler.frontend.cluster_schema import (
    AdminEgressRule,
    AdminIngressRule,
    AdminNetworkPolicy,
    AdminPort,
    BaselineAdminNetworkPolicy,
    ClusterNetworkPolicy,
    ClusterNetworkPolicySpec,
    ClusterPolicyObject,
    EgressPeer,
    EgressRule,
    IngressPeer,
    IngressRule,
    NamespacedPods,
    Protocol,
    Subject,
)
from npc.compiler.frontend.names import dns_label_fault
from npc.compiler.frontend.source import PathInDocument
from npc.compiler.frontend.syntax import Action, Direction, Tier
from npc.compiler.inventory import NAME_LABEL
from npc.compiler.language.tree import (
    Block,
    ClusterPolicyBlock,
    Comparison,
    Everyone,
    Isolate,
    NamedNamespace,
    Namespaces,
    Nodes,
    Number,
    Pair,
    Peer,
    Pods,
    PolicyBlock,
    PortRange,
    Requirement,
    Requirements,
    RuleStatement,
    Service,
    Statement,
    Text,
)

Unsayable = Callable[[PathInDocument, str], None]
"""Told the path of what the language has no words for, and what it is."""

_COMPARISONS = {
    "In": Comparison.IN,
    "NotIn": Comparison.NOT_IN,
    "Exists": Comparison.EXISTS,
    "DoesNotExist": Comparison.NOT_EXISTS,
}
_DIRECTIONS = {"Ingress": Direction.INGRESS, "Egress": Direction.EGRESS}
_ACTIONS = {"Accept": Action.ALLOW, "Allow": Action.ALLOW, "Deny": Action.DENY, "Pass": Action.PASS}


# --- NetworkPolicy


def policy_block(policy: schema.NetworkPolicy) -> PolicyBlock:
    """A NetworkPolicy as a block of the language."""
    metadata, spec = policy.metadata or schema.PolicyMetadata(), policy.spec or schema.NetworkPolicySpec()
    ingress, egress = spec.ingress or [], spec.egress or []
    rules = [
        *(_rule(Direction.INGRESS, rule.from_, rule.ports) for rule in ingress),
        *(_rule(Direction.EGRESS, rule.to, rule.ports) for rule in egress),
    ]
    types = spec.policy_types or (["Ingress", "Egress"] if egress else ["Ingress"])  # P4
    isolates = tuple(_DIRECTIONS[name] for name in types)
    return PolicyBlock(
        Text(metadata.name or ""),
        Text(metadata.namespace) if metadata.namespace else None,
        _pairs(metadata.labels),
        _pairs(metadata.annotations),
        Pods(_selector(spec.pod_selector)),
        (*_isolate(isolates, {rule.direction for rule in rules}), *rules),
    )


def _isolate(isolates: Sequence[Direction], ruled: set[Direction]) -> Iterator[Statement]:
    """The statement that policyTypes need beside the directions that have rules, if they need one."""
    if not ruled <= set(isolates):
        yield Isolate(tuple(isolates), only=True)
    elif list(isolates) != [one for one in Direction if one in isolates]:
        yield Isolate(tuple(isolates))  # in another order than usual, or one of them twice
    elif named := tuple(one for one in isolates if one not in ruled):
        yield Isolate(named)


def _rule(
    direction: Direction,
    peers: Sequence[schema.NetworkPolicyPeer] | None,
    ports: Sequence[schema.NetworkPolicyPort] | None,
) -> RuleStatement:
    read_peers = tuple(map(_peer, peers or ())) or (Everyone(),)
    return RuleStatement(Action.ALLOW, tuple(map(_port, ports or ())), direction, read_peers)


def _peer(peer: schema.NetworkPolicyPeer) -> Peer:
    if peer.ip_block is not None:
        return Block(Text(peer.ip_block.cidr), tuple(map(Text, peer.ip_block.except_ or ())))
    namespaces = _namespaces(peer.namespace_selector) if peer.namespace_selector is not None else None
    if peer.pod_selector is None and namespaces is not None:
        return namespaces
    return Pods(_selector(peer.pod_selector), namespaces)


def _port(port: schema.NetworkPolicyPort) -> Service:
    protocol = (port.protocol or "TCP").lower()  # P9
    match port.port:
        case int(first) if port.end_port is not None:
            return Service(protocol, PortRange(first, port.end_port))
        case int(number):
            return Service(protocol, Number(number))
        case str(name):
            return Service(protocol, Text(name))
        case None:
            return Service(protocol)


# --- cluster policies


def cluster_policy_block(policy: ClusterPolicyObject, unsayable: Unsayable) -> ClusterPolicyBlock:
    """A ClusterNetworkPolicy, or one of its forerunners, as a block of the language.

    What fails closed because npc does not know it (C5) has no words: `unsayable` is told of it.
    """
    metadata = policy.metadata or schema.PolicyMetadata()
    spec = policy.spec or ClusterNetworkPolicySpec()
    ingress: Sequence[IngressRule | AdminIngressRule] = spec.ingress or ()
    egress: Sequence[EgressRule | AdminEgressRule] = spec.egress or ()
    tier, priority = _standing(policy)
    subject = spec.subject or Subject()
    rules: list[RuleStatement] = []
    for index, incoming in enumerate(ingress):
        path: PathInDocument = ("spec", "ingress", index)
        peers = _cluster_peers(incoming.from_ or (), (*path, "from"), unsayable)
        rules.append(_cluster_rule(incoming, Direction.INGRESS, peers, path, unsayable))
    for index, outgoing in enumerate(egress):
        path = ("spec", "egress", index)
        peers = _cluster_peers(outgoing.to or (), (*path, "to"), unsayable)
        rules.append(_cluster_rule(outgoing, Direction.EGRESS, peers, path, unsayable))
    return ClusterPolicyBlock(
        Text(metadata.name or ""),
        tier,
        Number(priority),
        _pairs(metadata.labels),
        _pairs(metadata.annotations),
        _pods(subject.pods) if subject.pods is not None else _namespaces(subject.namespaces),
        tuple(rules),
    )


def _standing(policy: ClusterPolicyObject) -> tuple[Tier, int]:
    """The tier and the priority of a cluster policy."""
    match policy:
        case ClusterNetworkPolicy(spec=spec):
            tier = Tier.BASELINE if spec is not None and spec.tier == "Baseline" else Tier.ADMIN
            return tier, (spec.priority if spec is not None else None) or 0
        case AdminNetworkPolicy(spec=admin):
            return Tier.ADMIN, (admin.priority if admin is not None else None) or 0
        case BaselineAdminNetworkPolicy():
            return Tier.BASELINE, 0  # there is only one


def _cluster_rule(
    rule: IngressRule | EgressRule | AdminIngressRule | AdminEgressRule,
    direction: Direction,
    peers: tuple[Peer, ...],
    path: PathInDocument,
    unsayable: Unsayable,
) -> RuleStatement:
    services: list[Service] = []
    if isinstance(rule, IngressRule | EgressRule):
        field, found = "protocols", [_protocol(one) for one in rule.protocols or ()]
    else:
        field, found = "ports", [_admin_port(one) for one in rule.ports or ()]
    for index, service in enumerate(found):
        if service is None:
            unsayable((*path, field, index), "a kind of protocol that npc does not know")
        else:
            services.append(service)
    label = Text(rule.name) if rule.name else None
    return RuleStatement(_ACTIONS[rule.action or ""], tuple(services), direction, peers, label=label)


def _cluster_peers(
    peers: Sequence[IngressPeer | EgressPeer], path: PathInDocument, unsayable: Unsayable
) -> tuple[Peer, ...]:
    found: list[Peer] = []
    for index, peer in enumerate(peers):
        if peer.pods is not None:
            found.append(_pods(peer.pods))
        elif peer.namespaces is not None:
            found.append(_namespaces(peer.namespaces))
        elif peer.nodes is not None:
            found.append(Nodes(_selector(peer.nodes)))
        elif peer.networks:
            found += [Block(Text(cidr)) for cidr in peer.networks]
        else:
            unsayable((*path, index), "a kind of peer that npc does not know")
    return tuple(found)


def _protocol(protocol: Protocol) -> Service | None:
    if protocol.destination_named_port is not None:
        return Service("any", Text(protocol.destination_named_port))
    for name, match in (("tcp", protocol.tcp), ("udp", protocol.udp), ("sctp", protocol.sctp)):
        if match is not None:
            port = match.destination_port
            if port is not None and port.number is not None:
                return Service(name, Number(port.number))
            if port is not None and port.range is not None:
                return Service(name, PortRange(port.range.start or 0, port.range.end or 0))
    return None


def _admin_port(port: AdminPort) -> Service | None:
    if port.named_port is not None:
        return Service("any", Text(port.named_port))
    if (one := port.port_number) is not None:
        return Service((one.protocol or "TCP").lower(), Number(one.port or 0))
    if (several := port.port_range) is not None:
        return Service((several.protocol or "TCP").lower(), PortRange(several.start or 0, several.end or 0))
    return None


def _pods(pods: NamespacedPods) -> Pods:
    return Pods(_selector(pods.pod_selector), _namespaces(pods.namespace_selector))


# --- labels


def _namespaces(selector: schema.LabelSelector | None) -> Namespaces | NamedNamespace:
    requirements = _selector(selector)
    match requirements:
        case (Requirement(Text(key), Comparison.EQUALS, (name,)),) if key == NAME_LABEL:
            if dns_label_fault(name.text) is None:
                return NamedNamespace(name)
    return Namespaces(requirements)


def _selector(selector: schema.LabelSelector | None) -> Requirements:
    if selector is None:
        return ()
    return (
        *(
            Requirement(Text(key), Comparison.EQUALS, (Text(value or ""),))
            for key, value in (selector.match_labels or {}).items()
        ),
        *(
            Requirement(Text(one.key), _COMPARISONS[one.operator], tuple(map(Text, one.values or ())))
            for one in selector.match_expressions or ()
        ),
    )


def _pairs(labels: schema.Labels | None) -> tuple[Pair, ...]:
    return tuple(Pair(Text(key), Text(value or "")) for key, value in (labels or {}).items())
