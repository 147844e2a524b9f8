"""NetworkPolicy (networking.k8s.io/v1): validated as the API server does, and read into syntax.

Takes an object of the schema, gives a `syntax.NetworkPolicy` and every problem with the API
server's field path (P1-P12). The order of checks, and which of them end a branch early, follow the
API server's validation.
"""

from __future__ import annotations

import re

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Cidr, Family, format_cidr, is_mapped, parse_address, parse_cidr
from npc.compiler.frontend import codes, schema
from npc.compiler.frontend.diagnostics import did_you_mean
from npc.compiler.frontend.names import (
    dns_label_fault,
    dns_subdomain_fault,
    label_key_fault,
    port_name_fault,
)
from npc.compiler.frontend.selectors import Report, read_labels, read_selector
from npc.compiler.frontend.shapes import Problem, invalid, quoted
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

_LARGEST_ANNOTATIONS = 256 * 1024
"""Bytes of keys and values together."""
_POLICY_TYPES = {"Ingress": Direction.INGRESS, "Egress": Direction.EGRESS}


def read_policy(policy: schema.NetworkPolicy, origin: Origin, report: Report) -> NetworkPolicy:
    """The policy as syntax, defaulted (P4, P9); valid only when no error was reported."""
    metadata = policy.metadata or schema.PolicyMetadata()
    namespace = _read_metadata(metadata, report)
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


def _read_metadata(metadata: schema.PolicyMetadata, report: Report) -> str:
    """Validate the metadata; the namespace that the policy is in."""
    if not metadata.name:
        report(
            Problem(
                ("metadata", "name"),
                codes.REQUIRED,
                "Required value: a policy needs a name",
                "Required",
                help="npc compiles what is in the file: generateName alone makes no name"
                if metadata.generate_name
                else "",
            )
        )
    elif (fault := dns_subdomain_fault(metadata.name)) is not None:
        report(invalid(("metadata", "name"), quoted(metadata.name), "a DNS subdomain", help=fault))
    namespace = metadata.namespace or "default"
    if (fault := dns_label_fault(namespace)) is not None:
        report(invalid(("metadata", "namespace"), quoted(namespace), "a namespace's name", help=fault))
    if metadata.labels:
        read_labels(metadata.labels, ("metadata", "labels"), report)
    if metadata.annotations:
        _check_annotations(metadata.annotations, report)
    return namespace


def _check_annotations(annotations: schema.Labels, report: Report) -> None:
    path: PathInDocument = ("metadata", "annotations")
    for key in annotations:
        if (fault := label_key_fault(key.lower())) is not None:
            report(
                invalid(path, quoted(key), "an annotation key", help=fault, show=(*path, key), on_key=True)
            )
    size = sum(len(key.encode()) + len((value or "").encode()) for key, value in annotations.items())
    if size > _LARGEST_ANNOTATIONS:
        report(
            Problem(
                path,
                codes.TOO_LONG,
                f"Too long: {size:,} bytes, at most {_LARGEST_ANNOTATIONS:,}",
                "TooLong",
            )
        )


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
            report(
                Problem(
                    (*path, index),
                    codes.NOT_SUPPORTED,
                    f"Unsupported value {quoted(name)}",
                    "NotSupported",
                    help=did_you_mean(name, _POLICY_TYPES),
                )
            )
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
    protocol = traffic.TCP
    if port.protocol is not None:
        if port.protocol not in traffic.NUMBERS:
            report(
                Problem(
                    (*path, "protocol"),
                    codes.NOT_SUPPORTED,
                    f"Unsupported value {quoted(port.protocol)}",
                    "NotSupported",
                    help=did_you_mean(port.protocol, traffic.NUMBERS),
                )
            )
            protocol = -1
        else:
            protocol = traffic.NUMBERS[port.protocol]
    ports: Port = Ports(protocol, 0, traffic.LAST_PORT)
    valid = ends_well = True
    match port.port:
        case None:
            if port.end_port is not None:
                ends_well = _end_port(path, "a range needs a port to begin at", report)
        case int(number):
            last = number if port.end_port is None else port.end_port
            ports = Ports(protocol, number, last)
            valid = _check_number(number, (*path, "port"), report)
            if port.end_port is not None:
                ends_well = _check_number(last, (*path, "endPort"), report)
                if ends_well and last < number and valid:
                    ends_well = _end_port(path, f"{last} is below the port {number}", report)
        case str(name):
            ports = NamedPort(protocol, name)
            fault = port_name_fault(name)
            valid = fault is None
            if port.end_port is not None:
                ends_well = _end_port(path, "a range needs a numeric port to begin at", report)
            if fault is not None:
                report(
                    invalid(
                        (*path, "port"),
                        quoted(name),
                        "a port name",
                        help=_port_help(name) or fault,
                    )
                )
    return ports if valid and ends_well and protocol >= 0 else None


def _port_help(text: str) -> str:
    """How to write what was meant by a port that is no name."""
    match = re.fullmatch(r"([0-9]{1,5})(?:([-:])([0-9]{1,5})|/([A-Za-z]+))?", text)
    if match is None:
        return ""
    first, dash, last, protocol = match.groups()
    if dash:
        return f"write port: {first} and endPort: {last}"
    if protocol:
        return f"write port: {first} and protocol: {protocol.upper()}"
    return "write the number without quotes"


def _check_number(number: int, path: PathInDocument, report: Report) -> bool:
    if 1 <= number <= traffic.LAST_PORT:
        return True
    shown = str(number) if abs(number) < 10**20 else "of more than 20 digits"
    report(invalid(path, shown, "a port number", help="1 to 65535"))
    return False


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
    cidr = _read_cidr(block.cidr, (*path, "cidr"), report)
    if cidr is None:
        return None
    excepts = []
    for index, text in enumerate(block.except_ or ()):
        at = (*path, "except", index)
        one = _read_cidr(text, at, report)
        if one is None:
            continue
        if one.prefix <= cidr.prefix or not cidr.first <= one.first <= cidr.range[1]:
            report(invalid(at, quoted(text), f"strictly inside {format_cidr(cidr)}"))
        excepts.append(one)
    return Block(cidr, tuple(excepts))


def _read_cidr(text: str, path: PathInDocument, report: Report) -> Cidr | None:
    try:
        read = parse_cidr(text)
    except ValueError:
        report(invalid(path, quoted(text), "a CIDR block", help=_cidr_help(text)))
        return None
    if read.leading_zeros:
        report(
            Problem(
                path,
                codes.LEADING_ZEROS,
                f"{quoted(text)} has leading zeros; it is read as {format_cidr(read.block)}",
                help="leave the zeros out: other tools read them as octal",
            )
        )
    if read.host_bits:
        report(
            Problem(
                path,
                codes.HOST_BITS,
                f"{quoted(text)} has bits set beyond its prefix; it means {format_cidr(read.block)}",
                help=f"write {format_cidr(read.block)}",
            )
        )
    return read.block


def _cidr_help(text: str) -> str:
    """What a CIDR block lacks."""
    head, slash, _ = text.partition("/")
    try:
        address = parse_address(head)
    except ValueError:
        return "an address, '/' and a prefix length, like 10.0.0.0/8 or fd00::/64"
    if is_mapped(address):
        return "write an IPv4 block as IPv4"
    bits = Family.of(address).bits
    if not slash:
        return f"for the one address write {head}/{bits}"
    return f"the prefix length is a number from 0 to {bits}"
