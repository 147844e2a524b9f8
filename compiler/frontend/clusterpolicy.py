"""Cluster-wide policies (policy.networking.k8s.io): validated as their CRDs do, and read into syntax.

Takes an object of `cluster_schema`, gives a `syntax.ClusterPolicy` and every problem with the API server's
field path. A rule with a peer or protocol that has no field known here fails closed (C5), with a warning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from npc.compiler.frontend import cluster_schema as schema
from npc.compiler.frontend import codes
from npc.compiler.frontend.clusterapi import Api, api_of
from npc.compiler.frontend.clusterpeers import (
    EGRESS_ONLY,
    peer_fields,
    read_namespaces,
    read_peer,
    read_pods,
)
from npc.compiler.frontend.clusterports import is_unknown, named_port_field, read_port
from npc.compiler.frontend.metadata import check_cluster_scoped
from npc.compiler.frontend.schema import PolicyMetadata
from npc.compiler.frontend.selectors import Report
from npc.compiler.frontend.shapes import (
    Problem,
    invalid,
    not_alone,
    not_supported,
    quoted,
    required,
    too_many,
)
from npc.compiler.frontend.source import Origin, PathInDocument
from npc.compiler.frontend.syntax import EVERYTHING, Action, ClusterPolicy, Pods, Rule, Tier
from npc.compiler.frontend.values import check_count

_TIERS = {"Admin": Tier.ADMIN, "Baseline": Tier.BASELINE}
_LAST_PRIORITY = 1000
_LONGEST_NAME = 100
_MEANT = {
    **dict.fromkeys(("accept", "allow", "permit"), Action.ALLOW),
    **dict.fromkeys(("deny", "drop", "reject", "block"), Action.DENY),
    "pass": Action.PASS,
}
"""Words for actions that are not those of the API, or of another kind of it."""
_EVERY_POD = "namespaces: {} is every pod of the cluster"
_ALL_PODS = Pods(EVERYTHING, EVERYTHING)

_Rule = schema.IngressRule | schema.EgressRule | schema.AdminIngressRule | schema.AdminEgressRule
_Peer = schema.IngressPeer | schema.EgressPeer
_Port = schema.Protocol | schema.AdminPort


def read_cluster_policy(policy: schema.ClusterPolicyObject, origin: Origin, report: Report) -> ClusterPolicy:
    """The policy as syntax; valid only when no error was reported."""
    metadata = policy.metadata or PolicyMetadata()
    check_cluster_scoped(metadata, report)
    api, spec = api_of(policy), policy.spec
    if isinstance(policy, schema.BaselineAdminNetworkPolicy):
        _check_singleton(metadata, report)
    if spec is None:
        report(required(("spec",), "a policy needs a spec"))
        return ClusterPolicy(metadata.name or "", Tier.ADMIN, 0, _ALL_PODS, (), (), origin, policy.kind)
    return ClusterPolicy(
        metadata.name or "",
        _read_tier(spec, report),
        _read_priority(spec, report),
        _read_subject(spec.subject, api, report),
        _read_rules(spec.ingress, ("spec", "ingress"), api, origin, report),
        _read_rules(spec.egress, ("spec", "egress"), api, origin, report),
        origin,
        policy.kind,
    )


def _check_singleton(metadata: PolicyMetadata, report: Report) -> None:
    if metadata.name and metadata.name != "default":
        help = "a cluster has one BaselineAdminNetworkPolicy, which is called default"
        report(invalid(("metadata", "name"), quoted(metadata.name), '"default"', help))


def _read_tier(spec: schema.ClusterPolicySpec, report: Report) -> Tier:
    match spec:
        case schema.AdminNetworkPolicySpec():
            return Tier.ADMIN
        case schema.BaselineAdminNetworkPolicySpec():
            return Tier.BASELINE
        case schema.ClusterNetworkPolicySpec(tier=None):
            report(required(("spec", "tier"), " or ".join(_TIERS)))
        case schema.ClusterNetworkPolicySpec(tier=str(tier)) if tier not in _TIERS:
            report(not_supported(("spec", "tier"), tier, _TIERS))
        case schema.ClusterNetworkPolicySpec(tier=str(tier)):
            return _TIERS[tier]
    return Tier.ADMIN


def _read_priority(spec: schema.ClusterPolicySpec, report: Report) -> int:
    """The priority of a policy among those of its tier; the one BaselineAdminNetworkPolicy needs none."""
    if isinstance(spec, schema.BaselineAdminNetworkPolicySpec):
        return 0
    path, limits = ("spec", "priority"), f"0, which comes first, to {_LAST_PRIORITY}"
    if spec.priority is None:
        report(required(path, "a priority", limits))
        return 0
    if not 0 <= spec.priority <= _LAST_PRIORITY:
        shown = str(spec.priority) if abs(spec.priority) < 10**20 else "of more than 20 digits"
        report(invalid(path, shown, "a priority", limits))
    return spec.priority


def _read_subject(subject: schema.Subject | None, api: Api, report: Report) -> Pods:
    """Whom a policy is for."""
    path = ("spec", "subject")
    if subject is None:
        report(required(path, "namespaces or pods", _EVERY_POD))
        return _ALL_PODS
    read = []
    if subject.namespaces is not None:
        read.append(read_namespaces(subject.namespaces, path, report))
    if subject.pods is not None:
        read.append(read_pods(subject.pods, path, api, report))
    if not read:
        message = "Required value: namespaces or pods"
        report(Problem(path, codes.REQUIRED, message, "Invalid", help=_EVERY_POD))
    elif len(read) > 1:
        report(not_alone(path, ["namespaces", "pods"], "pods has a namespaceSelector of its own"))
    return read[0] if read else _ALL_PODS


def _read_rules(
    rules: Sequence[_Rule] | None, path: PathInDocument, api: Api, origin: Origin, report: Report
) -> tuple[Rule, ...]:
    """The rules of one direction, in order."""
    if rules is None:
        return ()
    if len(rules) > api.most_rules:
        report(too_many(path, len(rules), "rules", api.most_rules))
    return tuple(_read_rule(rule, (*path, index), api, origin, report) for index, rule in enumerate(rules))


def _read_rule(rule: _Rule, path: PathInDocument, api: Api, origin: Origin, report: Report) -> Rule:
    """One rule; where a peer or protocol of it is unknown, what is left of it (C5)."""
    (peers_field, peers), (ports_field, ports) = _peers(rule), _ports(rule)
    peers_at, ports_at = (*path, peers_field), (*path, ports_field)
    name = rule.name or ""
    if len(name) > _LONGEST_NAME:
        message = f"Too long: {len(name)} characters, at most {_LONGEST_NAME}"
        report(Problem((*path, "name"), codes.TOO_LONG, message, "TooLong"))
    action = _read_action(rule.action, (*path, "action"), api, report)
    if peers is None:
        report(required(peers_at, "at least one peer", _EVERY_POD))
    else:
        check_count(peers, "peers", api.most_items, peers_at, _EVERY_POD, report)
    if ports is not None:
        check_count(ports, "entries", api.most_items, ports_at, "leave it out for all traffic", report)
    read_peers = [
        one
        for index, peer in enumerate(peers or ())
        for one in read_peer(peer, (*peers_at, index), api, report)
    ]
    read_ports = [read_port(port, (*ports_at, index), report) for index, port in enumerate(ports or ())]
    _check_named_ports(peers or (), ports or (), path, ports_at, report)
    unknown: list[tuple[PathInDocument, _Peer | _Port]] = [
        *(((*peers_at, index), peer) for index, peer in enumerate(peers or ()) if not peer_fields(peer)),
        *(((*ports_at, index), port) for index, port in enumerate(ports or ()) if is_unknown(port)),
    ]
    at = origin.at(*path)
    if not unknown:
        known_ports = tuple(port for port in read_ports if port is not None)
        return Rule(tuple(read_peers), known_ports if ports else None, at, action, name)
    for where, item in unknown:
        report(_fails_closed(where, item, action))
    if action is Action.ALLOW:
        return Rule((), None, at, Action.ALLOW, name)
    return Rule(None, None, at, Action.DENY, name)


def _peers(rule: _Rule) -> tuple[str, Sequence[_Peer] | None]:
    """The peers of a rule, and the field that they stand in."""
    match rule:
        case schema.IngressRule() | schema.AdminIngressRule():
            return "from", rule.from_
        case schema.EgressRule() | schema.AdminEgressRule():
            return "to", rule.to


def _ports(rule: _Rule) -> tuple[str, Sequence[_Port] | None]:
    """The traffic of a rule, and the field that it stands in."""
    match rule:
        case schema.IngressRule() | schema.EgressRule():
            return "protocols", rule.protocols
        case schema.AdminIngressRule() | schema.AdminEgressRule():
            return "ports", rule.ports


def _read_action(action: str | None, path: PathInDocument, api: Api, report: Report) -> Action:
    if action is None:
        report(required(path, f"one of {', '.join(api.actions)}"))
    elif action not in api.actions:
        problem = not_supported(path, action, api.actions)
        meant = api.word(_MEANT.get(action.lower()))
        report(problem if meant is None else replace(problem, help=f"did you mean {meant!r}?"))
    return api.actions.get(action or "", Action.ALLOW)


def _fails_closed(path: PathInDocument, item: _Peer | _Port, action: Action) -> Problem:
    """What becomes of a rule with a peer or protocol of which nothing is known (C5)."""
    effect = "matches nothing" if action is Action.ALLOW else "denies everything"
    match item:
        case schema.IngressPeer():
            what, known = "peer", "namespaces and pods"
        case schema.EgressPeer():
            what, known = "peer", "namespaces, pods, nodes and networks"
        case schema.Protocol():
            what, known = "protocol", "tcp, udp and sctp with a destinationPort, and destinationNamedPort"
        case _:
            what, known = "port", "portNumber, portRange and namedPort"
    return Problem(
        path,
        codes.FAILS_CLOSED,
        f"the {what} has no field that npc knows; the rule fails closed: it {effect}",
        help=f"npc knows {known}; what has none of them may be of a later version of the API",
    )


def _check_named_ports(
    peers: Sequence[_Peer],
    ports: Sequence[_Port],
    path: PathInDocument,
    ports_at: PathInDocument,
    report: Report,
) -> None:
    """No named port where a peer is none that names ports."""
    nameless = {field for peer in peers for field in peer_fields(peer) if field in EGRESS_ONLY}
    for index, port in enumerate(ports):
        field = named_port_field(port)
        if field is not None and nameless:
            message = f"Forbidden: a named port beside {' and '.join(sorted(nameless))}, which name no ports"
            help = "make it a rule of its own, for the pods that have it"
            show = (*ports_at, index, field)
            report(Problem(path, codes.FORBIDDEN, message, "Invalid", help=help, show=show, on_key=True))
            return
