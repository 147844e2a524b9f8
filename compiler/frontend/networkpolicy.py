"""NetworkPolicy (networking.k8s.io/v1): validated as the API server does, and read into syntax.

Takes an object of the schema, gives a `syntax.NetworkPolicy` and every problem with the API
server's field path (P1-P12). The order of checks, and which of them end a branch early, follow the
API server's validation.
"""

from __future__ import annotations

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import format_cidr
from npc.compiler.frontend import codes, schema
from npc.compiler.frontend.metadata import read_namespaced
from npc.compiler.frontend.selectors import Report, read_selector
from npc.compiler.frontend.shapes import Problem, invalid, not_supported, quoted
from npc.compiler.frontend.source import Origin, PathInDocument
from npc.compiler.frontend.syntax import (
    EVERYTHING,
    Block,
    Direction,
    NamedPort,
    NetworkPolicy,
    Peer,
    Pods,
    Port,
    Ports,
    Rule,
)
from npc.compiler.frontend.values import check_port_name, check_port_number, read_cidr, read_protocol

_POLICY_TYPES = {"Ingress": Direction.INGRESS, "Egress": Direction.EGRESS}


def read_policy(policy: schema.NetworkPolicy, origin: Origin, report: Report) -> NetworkPolicy:
    """The policy as syntax, defaulted (P4, P9); valid only when no error was reported."""
    metadata = policy.metadata or schema.PolicyMetadata()
    namespace = read_namespaced(metadata, report)
    spec = policy.spec or schema.NetworkPolicySpec()
    subject = EVERYTHING
    if spec.pod_selector is not None:
        subject = read_selector(spec.pod_selector, ("spec", "podSelector"), report)
    ingress = tuple(
        _read_rule(rule.from_, "from", rule.ports, ("spec", "ingress", index), origin, report)
        for index, rule in enumerate(spec.ingress or ())
    )
    egress = tuple(
        _read_rule(rule.to, "to", rule.ports, ("spec", "egress", index), origin, report)
        for index, rule in enumerate(spec.egress or ())
    )
    isolates = _read_types(spec.policy_types or [], bool(egress), report)
    return NetworkPolicy(metadata.name or "", namespace, subject, isolates, ingress, egress, origin)


def _read_types(types: list[str], has_egress: bool, report: Report) -> frozenset[Direction]:
    """The effective policyTypes (P4)."""
    path: PathInDocument = ("spec", "policyTypes")
    if not types:
        return frozenset(Direction) if has_egress else frozenset({Direction.INGRESS})
    if len(types) > len(_POLICY_TYPES):
        report(
            Problem(path, codes.INVALID, f"Invalid value: {len(types)} policyTypes, at most two", "Invalid")
        )
        return frozenset()
    for index, name in enumerate(types):
        if name not in _POLICY_TYPES:
            report(not_supported((*path, index), name, _POLICY_TYPES))
    return frozenset(_POLICY_TYPES[name] for name in types if name in _POLICY_TYPES)


def _read_rule(
    peers: list[schema.NetworkPolicyPeer] | None,
    peers_field: str,
    ports: list[schema.NetworkPolicyPort] | None,
    path: PathInDocument,
    origin: Origin,
    report: Report,
) -> Rule:
    read_ports = [_read_port(port, (*path, "ports", index), report) for index, port in enumerate(ports or ())]
    read_peers = [
        _read_peer(peer, (*path, peers_field, index), report) for index, peer in enumerate(peers or ())
    ]
    return Rule(
        tuple(peer for peer in read_peers if peer is not None) if peers else None,
        tuple(port for port in read_ports if port is not None) if ports else None,
        origin.at(*path),
    )


def _read_port(port: schema.NetworkPolicyPort, path: PathInDocument, report: Report) -> Port | None:
    """A port (P9); None when it is invalid."""
    protocol = read_protocol(port.protocol, (*path, "protocol"), report)
    number = protocol or 0
    ports: Port = Ports(number, 0, traffic.LAST_PORT)
    valid = ends_well = True
    match port.port:
        case None:
            if port.end_port is not None:
                ends_well = _end_port(path, "a range needs a port to begin at", report)
        case int(first):
            last = first if port.end_port is None else port.end_port
            ports = Ports(number, first, last)
            valid = check_port_number(first, (*path, "port"), report)
            if port.end_port is not None:
                ends_well = check_port_number(last, (*path, "endPort"), report)
                if ends_well and last < first and valid:
                    ends_well = _end_port(path, f"{last} is below the port {first}", report)
        case str(name):
            ports = NamedPort(number, name)
            if port.end_port is not None:
                ends_well = _end_port(path, "a range needs a numeric port to begin at", report)
            valid = check_port_name(name, (*path, "port"), report)
    return ports if valid and ends_well and protocol is not None else None


def _end_port(path: PathInDocument, why: str, report: Report) -> bool:
    report(Problem((*path, "endPort"), codes.INVALID, f"Invalid value: {why}", "Invalid"))
    return False


def _read_peer(peer: schema.NetworkPolicyPeer, path: PathInDocument, report: Report) -> Peer | None:
    """A peer (P7); None when it is invalid."""
    pods = namespaces = None
    if peer.pod_selector is not None:
        pods = read_selector(peer.pod_selector, (*path, "podSelector"), report)
    if peer.namespace_selector is not None:
        namespaces = read_selector(peer.namespace_selector, (*path, "namespaceSelector"), report)
    block = None
    if peer.ip_block is not None:
        block = _read_block(peer.ip_block, (*path, "ipBlock"), report)
        if pods is not None or namespaces is not None:
            report(
                Problem(
                    path,
                    codes.FORBIDDEN,
                    "Forbidden: ipBlock stands beside a selector",
                    "Forbidden",
                    help="make them two peers: begin ipBlock with '- '",
                )
            )
        return block
    if pods is None and namespaces is None:
        report(
            Problem(
                path,
                codes.REQUIRED,
                "Required value: a peer needs podSelector, namespaceSelector or ipBlock",
                "Required",
                help="podSelector: {} is every pod of the namespace; for everyone, leave out the list",
            )
        )
        return None
    return Pods(pods or EVERYTHING, namespaces)


def _read_block(block: schema.IPBlock, path: PathInDocument, report: Report) -> Block | None:
    """An address block and its excepts (P8); None when it is invalid."""
    if not block.cidr:
        report(Problem((*path, "cidr"), codes.REQUIRED, "Required value: a block needs a CIDR", "Required"))
        return None
    read = read_cidr(block.cidr, (*path, "cidr"), report)
    if read is None:
        return None
    cidr = read.block
    excepts = []
    for index, text in enumerate(block.except_ or ()):
        at = (*path, "except", index)
        inner = read_cidr(text, at, report)
        if inner is None:
            continue
        one = inner.block
        if one.prefix <= cidr.prefix or not cidr.first <= one.first <= cidr.range[1]:
            report(invalid(at, quoted(text), f"strictly inside {format_cidr(cidr)}"))
        excepts.append(one)
    return Block(cidr, tuple(excepts))
