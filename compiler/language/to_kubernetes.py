"""Policies of the language as Kubernetes objects: NetworkPolicy v1 and ClusterNetworkPolicy v1alpha2.

Takes a valid block and the definitions that it may refer to, gives a plain object with sets and services
expanded. What Kubernetes cannot say is refused by name, never left out: the object is as good as the
policy only where nothing was refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any, TypeAlias

from npc.compiler.algebra.addresses import format_cidr, parse_cidr
from npc.compiler.frontend.syntax import Action, Direction, Tier
from npc.compiler.inventory import NAME_LABEL
from npc.compiler.language.names import Names
from npc.compiler.language.tree import (
    DEFAULT_PRIORITY,
    BehindService,
    Block,
    ClusterPolicyBlock,
    Comparison,
    Everyone,
    Isolate,
    Log,
    NamedNamespace,
    Namespaces,
    Nodes,
    Number,
    Pair,
    Peer,
    Pods,
    PolicyBlock,
    PortRange,
    Requirements,
    RuleStatement,
    Service,
    ServiceReference,
    SetReference,
    Text,
)

Object: TypeAlias = dict[str, Any]

Place: TypeAlias = (
    RuleStatement | PolicyBlock | ClusterPolicyBlock | Service | ServiceReference | Peer | Log | Text
)
"""What a refusal is about."""
Refuse: TypeAlias = Callable[[Place, str, str], None]
"""Told what Kubernetes cannot say: the node, why, and what to write instead, if anything."""

_TYPES = {Direction.INGRESS: "Ingress", Direction.EGRESS: "Egress"}
_PEERS = {Direction.INGRESS: "from", Direction.EGRESS: "to"}
_ACTIONS = {Action.ALLOW: "Accept", Action.DENY: "Deny", Action.PASS: "Pass"}
_TIERS = {Tier.ADMIN: "Admin", Tier.BASELINE: "Baseline"}
_OPERATORS = {
    Comparison.IN: "In",
    Comparison.NOT_IN: "NotIn",
    Comparison.EXISTS: "Exists",
    Comparison.NOT_EXISTS: "DoesNotExist",
}
_PROTOCOLS = ("tcp", "udp", "sctp")
_NAMES = {"icmp": "ICMP", "icmpv6": "ICMPv6"}
"""What Kubernetes has no protocol for."""
_EVERY_NETWORK = ("0.0.0.0/0", "::/0")
_MOST = 25
"""Rules of a direction, peers or protocols of a rule, and networks of a peer (the CRD's maxItems)."""
_LONGEST_NAME, _LONGEST_CIDR = 100, 43
"""Characters (the CRD's maxLength)."""


# --- NetworkPolicy


def network_policy(block: PolicyBlock, names: Names, refuse: Refuse, today: date | None = None) -> Object:
    """A policy as a NetworkPolicy, without the rules that have ended before today (X6)."""
    rules = [one for one in block.statements if isinstance(one, RuleStatement)]
    types = _policy_types(block, {rule.direction for rule in rules})
    if not types:
        refuse(block, "a NetworkPolicy isolates at least one direction", "write isolate ingress")
    spec: Object = {"podSelector": _selector(block.subject.requirements), "policyTypes": types}
    for direction in Direction:
        listed = _in_force(rules, direction, today)
        if listed:
            spec[direction.value] = [_rule(rule, names, refuse) for rule in listed]
    namespace = {"namespace": block.namespace.text} if block.namespace is not None else {}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": block.name.text, **namespace, **_labels(block)},
        "spec": spec,
    }


def _policy_types(block: PolicyBlock, ruled: set[Direction]) -> list[str]:
    """The directions that a policy isolates: as its `isolate` names them, where it names them all."""
    statements = [one for one in block.statements if isinstance(one, Isolate)]
    named = [direction for one in statements for direction in one.directions]
    is_whole = any(one.only for one in statements) or ruled <= set(named)
    if is_whole and len(named) <= len(Direction):
        return [_TYPES[direction] for direction in named]
    if any(one.only for one in statements):
        ruled = set()
    return [_TYPES[direction] for direction in Direction if direction in ruled or direction in named]


def _rule(rule: RuleStatement, names: Names, refuse: Refuse) -> Object:
    _refuse_clauses(rule, refuse)
    if rule.label is not None:
        refuse(rule.label, "the rules of a NetworkPolicy have no names", "leave it out, or make it a comment")
    peers = list(names.peers(rule.peers))
    rule_object: Object = {}
    if not any(isinstance(peer, Everyone) for _, peer in peers):
        found = [_peer(at, peer, refuse) for at, peer in peers]
        rule_object[_PEERS[rule.direction]] = [one for one in found if one is not None]
    if rule.services:
        traffic = names.traffic(rule.services)
        rule_object["ports"] = [port for at, service in traffic for port in _ports(at, service, refuse)]
    return rule_object


def _peer(at: Peer, peer: Peer, refuse: Refuse) -> Object | None:
    match peer:
        case Pods(requirements=requirements, namespaces=None):
            return {"podSelector": _selector(requirements)}
        case Pods(requirements=requirements, namespaces=Namespaces() | NamedNamespace() as namespaces):
            return {
                "namespaceSelector": _namespaces(namespaces),
                "podSelector": _selector(requirements),
            }
        case Namespaces() | NamedNamespace():
            return {"namespaceSelector": _namespaces(peer)}
        case Block(cidr=cidr, excepts=excepts):
            holes = {"except": [one.text for one in excepts]} if excepts else {}
            return {"ipBlock": {"cidr": cidr.text, **holes}}
        case Nodes():
            refuse(at, "a NetworkPolicy has no nodes as peers", "write their addresses, like 192.0.2.7/32")
        case BehindService():
            refuse(at, "Kubernetes has no Services as peers", "write the labels of the pods, and their ports")
        case Everyone() | SetReference():
            pass  # met before
    return None


def _ports(at: Service | ServiceReference, service: Service, refuse: Refuse) -> list[Object]:
    if service.protocol == "any":  # an entry for each protocol that a port can have
        each = [Service(protocol, service.port) for protocol in _PROTOCOLS]
        return [port for one in each for port in _ports(at, one, refuse)]
    if service.protocol not in _PROTOCOLS:
        refuse(at, f"a NetworkPolicy knows TCP, UDP and SCTP, and no {_NAMES[service.protocol]}", "")
        return []
    protocol = {"protocol": service.protocol.upper()}
    match service.port:
        case None:
            return [protocol]
        case Number(value=number):
            return [{**protocol, "port": number}]
        case PortRange(first=first, last=last):
            return [{**protocol, "port": first, "endPort": last}]
        case Text(text=name):
            return [{**protocol, "port": name}]


# --- ClusterNetworkPolicy


def cluster_network_policy(
    block: ClusterPolicyBlock, names: Names, refuse: Refuse, today: date | None = None
) -> Object:
    """A cluster policy as a ClusterNetworkPolicy, without the rules that have ended before today (X6)."""
    rules = [one for one in block.statements if isinstance(one, RuleStatement)]
    spec: Object = {
        "tier": _TIERS[block.tier],
        "priority": DEFAULT_PRIORITY if block.priority is None else block.priority.value,
        "subject": _cluster_pods(block.subject),
    }
    for direction in Direction:
        listed = _in_force(rules, direction, today)
        if len(listed) > _MOST:
            message = f"a ClusterNetworkPolicy has at most {_MOST} {direction.value} rules, not {len(listed)}"
            refuse(listed[_MOST], message, "divide it: policies of neighbouring priorities do the same")
        if listed:
            spec[direction.value] = [_cluster_rule(rule, names, refuse) for rule in listed]
    return {
        "apiVersion": "policy.networking.k8s.io/v1alpha2",
        "kind": "ClusterNetworkPolicy",
        "metadata": {"name": block.name.text, **_labels(block)},
        "spec": spec,
    }


def _cluster_rule(rule: RuleStatement, names: Names, refuse: Refuse) -> Object:
    _refuse_clauses(rule, refuse)
    if rule.label is not None and len(rule.label.text) > _LONGEST_NAME:
        refuse(rule.label, f"the name of a rule has at most {_LONGEST_NAME} characters", "")
    peers = _cluster_peers(rule, names, refuse)
    protocols = []
    for at, service in names.traffic(rule.services):
        protocol = _protocol(at, service, refuse)
        if "destinationNamedPort" in protocol and any(one.keys() & {"nodes", "networks"} for one in peers):
            refuse(at, "a named port is one of pods, and not of nodes or networks", "make it two rules")
        if protocol:
            protocols.append(protocol)
    for what, listed in (("peers", peers), ("protocols", protocols)):
        if len(listed) > _MOST:
            message = f"a rule of a ClusterNetworkPolicy has at most {_MOST} {what}, not {len(listed)}"
            refuse(rule, message, "make it several rules")
    return {
        **({"name": rule.label.text} if rule.label is not None else {}),
        "action": _ACTIONS[rule.action],
        _PEERS[rule.direction]: peers,
        **({"protocols": protocols} if protocols else {}),
    }


def _cluster_peers(rule: RuleStatement, names: Names, refuse: Refuse) -> list[Object]:
    """The peers of a rule; blocks that stand together are the networks of one."""
    found: list[Object] = []
    networks: list[str] = []
    for at, peer in names.peers(rule.peers):
        entries = _networks(at, peer, rule.direction, refuse)
        if not entries:
            networks = []
            if (one := _cluster_peer(at, peer, rule.direction, refuse)) is not None:
                found.append(one)
        for entry in entries:
            if not networks or (len(networks) == _MOST and entry not in networks):
                networks = []
                found.append({"networks": networks})
            if entry not in networks:
                networks.append(entry)
    return found


def _networks(at: Peer, peer: Peer, direction: Direction, refuse: Refuse) -> Sequence[str]:
    """The networks that a peer stands for; none where it is of another kind, or cannot be said."""
    match peer:
        case Everyone() | Block() if direction is Direction.INGRESS:
            help = "write ns for all pods of the cluster" if isinstance(peer, Everyone) else ""
            refuse(at, "a ClusterNetworkPolicy has no addresses among the peers of ingress", help)
        case Everyone():
            return _EVERY_NETWORK
        case Block(excepts=excepts) if excepts:
            refuse(at, "a ClusterNetworkPolicy has no except", "write the blocks that are left")
        case Block(cidr=cidr):
            return (_masked(cidr.text),)
    return ()


def _masked(text: str) -> str:
    """A CIDR as the CRD wants it; as it was written, where that is so."""
    read = parse_cidr(text)
    is_fine = not read.host_bits and not read.leading_zeros and len(text) <= _LONGEST_CIDR
    return text if is_fine else format_cidr(read.block)


def _cluster_peer(at: Peer, peer: Peer, direction: Direction, refuse: Refuse) -> Object | None:
    match peer:
        case Pods() | Namespaces() | NamedNamespace():
            return _cluster_pods(peer)
        case Nodes() if direction is Direction.INGRESS:
            refuse(at, "a ClusterNetworkPolicy has no nodes among the peers of ingress", "")
        case Nodes(requirements=requirements):
            return {"nodes": _selector(requirements)}
        case BehindService():
            refuse(at, "Kubernetes has no Services as peers", "write the labels of the pods, and their ports")
        case Block() | Everyone() | SetReference():
            pass  # met before
    return None


def _cluster_pods(peer: Pods | Namespaces | NamedNamespace) -> Object:
    match peer:
        case Pods(requirements=requirements, namespaces=namespaces):
            return {
                "pods": {
                    "namespaceSelector": _namespaces(namespaces or Namespaces()),
                    "podSelector": _selector(requirements),
                }
            }
        case _:
            return {"namespaces": _namespaces(peer)}


def _protocol(at: Service | ServiceReference, service: Service, refuse: Refuse) -> Object:
    """A service as an entry of `protocols`; empty where it cannot be one."""
    name = service.protocol
    if name not in (*_PROTOCOLS, "any"):
        refuse(at, f"a ClusterNetworkPolicy knows TCP, UDP and SCTP, and no {_NAMES[name]}", "")
        return {}
    match service.port:
        case Text(text=port) if name == "any":
            return {"destinationNamedPort": port}
        case Text(text=port):
            message = "a named port of a ClusterNetworkPolicy is of whichever protocol has it"
            refuse(at, message, f"write any/{port}, or the number")
        case Number(value=number) | PortRange(first=number, last=_) if not _is_range(service.port):
            return {name: {"destinationPort": {"number": number}}}
        case PortRange(first=first, last=last):
            return {name: {"destinationPort": {"range": {"start": first, "end": last}}}}
        case _:
            message = f"a ClusterNetworkPolicy cannot name {name.upper()} without a port"
            refuse(at, message, f"write {name}/1-65535: every port but 0")
    return {}


def _is_range(port: Number | PortRange | Text | None) -> bool:
    return isinstance(port, PortRange) and port.first < port.last


# --- what both have


def _in_force(
    rules: Iterable[RuleStatement], direction: Direction, today: date | None
) -> list[RuleStatement]:
    """The rules of a direction that have not ended."""
    return [rule for rule in rules if rule.direction is direction and not _has_ended(rule, today)]


def _has_ended(rule: RuleStatement, today: date | None) -> bool:
    return rule.until is not None and today is not None and date.fromisoformat(rule.until.text) < today


def _refuse_clauses(rule: RuleStatement, refuse: Refuse) -> None:
    if rule.log is not None:
        refuse(rule.log, "Kubernetes has no rules that log", "")
    if rule.until is not None:
        help = "npc compile --target kubernetes leaves out rules that are over by --today"
        refuse(rule.until, "Kubernetes has no rules that end", help)


def _labels(block: PolicyBlock | ClusterPolicyBlock) -> Object:
    """The labels and annotations, where there are any."""
    found = {"labels": _pairs(block.labels), "annotations": _pairs(block.annotations)}
    return {name: pairs for name, pairs in found.items() if pairs}


def _pairs(pairs: Sequence[Pair]) -> dict[str, str]:
    return {pair.key.text: pair.value.text for pair in pairs}


def _namespaces(namespaces: Namespaces | NamedNamespace) -> Object:
    match namespaces:
        case NamedNamespace(name=name):
            return {"matchLabels": {NAME_LABEL: name.text}}
        case Namespaces(requirements=requirements):
            return _selector(requirements)


def _selector(requirements: Requirements) -> Object:
    """A label selector; the empty one selects all."""
    labels: dict[str, str] = {}
    expressions: list[Object] = []
    for one in requirements:
        if one.comparison is Comparison.EQUALS:
            labels[one.key.text] = one.values[0].text
        else:
            values = {"values": [value.text for value in one.values]} if one.values else {}
            expressions.append({"key": one.key.text, "operator": _OPERATORS[one.comparison], **values})
    found = {"matchLabels": labels, "matchExpressions": expressions}
    return {name: value for name, value in found.items() if value}
