"""The traffic of a cluster policy's rule: entries of `protocols` (v1alpha2 on), and of `ports` (v1alpha1)."""

from __future__ import annotations

from npc.compiler.algebra import traffic
from npc.compiler.frontend import cluster_schema as schema
from npc.compiler.frontend.selectors import Report
from npc.compiler.frontend.shapes import invalid, not_alone, required
from npc.compiler.frontend.source import PathInDocument
from npc.compiler.frontend.syntax import NamedPort, Port, Ports
from npc.compiler.frontend.values import check_port_name, check_port_number, read_protocol

Entry = schema.Protocol | schema.AdminPort

_BEGIN_EACH = "make them entries of their own: begin each with '- '"


def named_port_field(entry: Entry) -> str | None:
    """The field in which an entry names a port; None where it names none."""
    match entry:
        case schema.Protocol(destination_named_port=str()):
            return "destinationNamedPort"
        case schema.AdminPort(named_port=str()):
            return "namedPort"
        case _:
            return None


def is_unknown(entry: Entry) -> bool:
    """Whether an entry has no known field that says which traffic is meant (C5)."""
    match entry:
        case schema.AdminPort():
            return (entry.port_number, entry.port_range, entry.named_port) == (None, None, None)
        case schema.Protocol():
            ports = [one.destination_port for one in (entry.tcp, entry.udp, entry.sctp) if one is not None]
            known = any(one is not None and (one.number, one.range) != (None, None) for one in ports)
            return not known and entry.destination_named_port is None


def read_port(entry: Entry, path: PathInDocument, report: Report) -> Port | None:
    """The ports that an entry stands for; None when it is invalid, or unknown."""
    ports: dict[str, Port | None] = {}
    match entry:
        case schema.Protocol():
            for name, one in (("tcp", entry.tcp), ("udp", entry.udp), ("sctp", entry.sctp)):
                if one is not None:
                    ports[name] = _read_match(one, traffic.NUMBERS[name.upper()], (*path, name), report)
            if entry.destination_named_port is not None:
                at = (*path, "destinationNamedPort")
                ports["destinationNamedPort"] = _read_name(entry.destination_named_port, at, report)
        case schema.AdminPort():
            if entry.port_number is not None:
                ports["portNumber"] = _read_number(entry.port_number, (*path, "portNumber"), report)
            if entry.port_range is not None:
                protocol = read_protocol(entry.port_range.protocol, (*path, "portRange", "protocol"), report)
                ports["portRange"] = _read_range(entry.port_range, protocol, (*path, "portRange"), report)
            if entry.named_port is not None:
                ports["namedPort"] = _read_name(entry.named_port, (*path, "namedPort"), report)
    if len(ports) > 1:
        report(not_alone(path, list(ports), _BEGIN_EACH))
    return next(iter(ports.values()), None)


def _read_match(
    match: schema.ProtocolMatch, protocol: int, path: PathInDocument, report: Report
) -> Port | None:
    port, path = match.destination_port, (*path, "destinationPort")
    if port is None:
        return None
    if port.number is not None and port.range is not None:
        report(not_alone(path, ["number", "range"], "leave one of them out"))
    if port.range is not None:
        return _read_range(port.range, protocol, (*path, "range"), report)
    if port.number is not None and check_port_number(port.number, (*path, "number"), report):
        return Ports(protocol, port.number, port.number)
    return None


def _read_number(port: schema.AdminPortNumber, path: PathInDocument, report: Report) -> Port | None:
    protocol = read_protocol(port.protocol, (*path, "protocol"), report)
    if port.port is None:
        report(required((*path, "port"), "the number of a port"))
        return None
    valid = check_port_number(port.port, (*path, "port"), report)
    return Ports(protocol, port.port, port.port) if valid and protocol is not None else None


def _read_range(
    range: schema.PortRange | schema.AdminPortRange,
    protocol: int | None,
    path: PathInDocument,
    report: Report,
) -> Port | None:
    """A range of ports; of one port alone in v1alpha1 only, whose CRD lets it pass."""
    ends = []
    for field, number in (("start", range.start), ("end", range.end)):
        if number is None:
            report(required((*path, field), f"the port that the range {field}s with"))
        elif check_port_number(number, (*path, field), report):
            ends.append(number)
    if protocol is None or len(ends) < 2:
        return None
    first, last = ends
    if last < first or (last == first and isinstance(range, schema.PortRange)):
        report(invalid(path, f"{first}-{last}", "a range of ports", help="start must be below end"))
        return None
    return Ports(protocol, first, last)


def _read_name(name: str, path: PathInDocument, report: Report) -> Port | None:
    """A named port, of whichever protocol the destination gives the name."""
    return NamedPort(None, name) if check_port_name(name, path, report) else None
